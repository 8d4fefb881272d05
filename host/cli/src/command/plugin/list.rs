//! `muxel plugin list`: how the plugins of a running gateway are doing.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use super::gauge::thousands;
use crate::{exit::ExitStatus, printer::Printer, table};

/// Show the plugins of a running gateway
///
/// Asks its administration interface: state, tier, calls, faults, fuel and time of each. With keys configured, it needs
/// one that has `admin = true`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Where the gateway listens
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", env = "MUXEL_URL")]
    url: String,

    /// An admin key; better in the environment than on the command line
    #[arg(long, value_name = "KEY", env = "MUXEL_ADMIN_KEY", hide_env_values = true)]
    key: Option<String>,

    /// Print the gateway's answer as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let url = format!("{}/admin/plugins", self.url.trim_end_matches('/'));
        let answer = match get(&url, self.key.as_deref()) {
            Ok(answer) => answer,
            Err(error) => {
                let hint = "is a gateway running there? `muxel serve` prints where it listens; name it with `--url`";
                printer.failure(format_args!("`{url}` does not answer: {error:#}"), Some(hint));
                return Ok(ExitStatus::Failure);
            }
        };
        if let Some(message) = answer.body["error"]["message"].as_str() {
            printer.failure(message, answer.body["error"]["hint"].as_str());
            return Ok(ExitStatus::Failure);
        }
        let Some(plugins) = answer.body["data"].as_array() else {
            printer.failure(
                format_args!("`{url}` answered {} and is no gateway of this version", answer.status),
                None::<&str>,
            );
            return Ok(ExitStatus::Failure);
        };
        if self.json {
            printer.json(&answer.body)?;
            return Ok(ExitStatus::Success);
        }
        if let Some(trouble) = answer.body["folder_trouble"].as_str() {
            printer.say(format_args!("the plugin folder cannot be read: {trouble}"));
        }
        printer.data(text(plugins))?;
        Ok(ExitStatus::Success)
    }
}

struct Answer {
    status: u16,
    body: Value,
}

fn get(url: &str, key: Option<&str>) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // The first to install one wins, and there is nobody else here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let mut request = client.get(url);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).context("the answer is not JSON")?;
        Ok(Answer { status, body })
    })
}

fn text(plugins: &[Value]) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_u64().map_or(String::new(), thousands);
    let rows = plugins.iter().map(|plugin| {
        let worlds: Vec<&str> = plugin["worlds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let digest: String = word(&plugin["digest"]).chars().take(12).collect();
        vec![
            word(&plugin["name"]),
            state(plugin),
            worlds.join("+"),
            word(&plugin["version"]),
            digest,
            word(&plugin["tier"]),
            number(&plugin["calls"]),
            number(&plugin["faults"]),
            number(&plugin["fuel_p50"]),
            number(&plugin["fuel_p99"]),
            number(&plugin["us_p50"]),
            number(&plugin["us_p99"]),
            plugin["memory_peak_bytes"].as_u64().map_or(String::new(), |bytes| format!("{} KiB", bytes >> 10)),
        ]
    });
    let headings = [
        "plugin", "state", "worlds", "version", "digest", "tier", "calls", "faults", "fuel p50", "p99", "us p50",
        "p99", "memory",
    ];
    let mut text = table::plain(&headings, 6, rows).to_string();
    for plugin in plugins {
        if let Some(reason) = plugin["refused"]["reason"].as_str() {
            text.push_str(&format!("\n\nrefused: {reason}"));
            if let Some(hint) = plugin["refused"]["hint"].as_str() {
                text.push_str(&format!("\nhint: {hint}"));
            }
        }
        if let Some(code) = plugin["last_fault"]["code"].as_str() {
            let detail = plugin["last_fault"]["detail"].as_str().unwrap_or_default();
            text.push_str(&format!("\n\nlast fault of {}: {code}: it {detail}", word(&plugin["name"])));
        }
    }
    text
}

/// Its state, and whether anything uses it.
fn state(plugin: &Value) -> String {
    let state = plugin["state"].as_str().unwrap_or_default();
    match plugin["quarantined_for_ms"].as_u64() {
        Some(ms) => format!("{state}, {} s more", ms.div_ceil(1_000)),
        None if plugin["idle"] == true && state == "serving" => "idle".to_owned(),
        None => state.to_owned(),
    }
}
