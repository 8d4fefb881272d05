//! A gateway process on a free port with folders of its own.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{Guest, Provider};

/// How long anything may take before a test gives up. Long, because machines are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway that is not running yet.
pub(crate) struct Setup {
    folder: TempDir,
    config: Option<String>,
    environment: Vec<(String, String)>,
}

/// A running gateway. Dropping it kills it.
pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) folder: TempDir,
    process: Child,
    http: reqwest::Client,
    config: Option<String>,
    environment: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
    pub(crate) bytes: Vec<u8>,
}

impl Setup {
    /// No config: simulated providers.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("plugins")).expect("a new folder");
        Self { folder, config: None, environment: Vec::new() }
    }

    /// One provider `lab` at `provider`, which offers `models` (a name and a price in micro-dollars each).
    pub(crate) fn with_provider(provider: &Provider, models: &[(&str, u64)]) -> Self {
        Self::new().provider("lab", provider, models)
    }

    /// One more provider.
    pub(crate) fn provider(mut self, name: &str, provider: &Provider, models: &[(&str, u64)]) -> Self {
        let mut config = self.config.take().unwrap_or_default();
        config.push_str(&format!(
            "[providers.{name}]\ndialect = \"openai\"\nbase-url = \"{}\"\nkey-env = \"LAB_KEY\"\n",
            provider.url()
        ));
        for (model, micros) in models {
            config.push_str(&format!(
                "[[models]]\nname = \"{name}/{model}\"\nmax-count = 10\nprice = {{ per-image = \"0.{micros:06} USD\" }}\n"
            ));
        }
        self.config = Some(config);
        self.environment.push(("LAB_KEY".to_owned(), "sk-lab-secret".to_owned()));
        self
    }

    /// More config, after what is there.
    pub(crate) fn config(mut self, more: &str) -> Self {
        let config = self.config.get_or_insert_default();
        config.push_str(more);
        self
    }

    /// One more environment variable.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn plugin(self, name: &str, guest: Guest) -> Self {
        put(&self.plugins(), name, &guest.component());
        self
    }

    fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    pub(crate) async fn start(self) -> Gateway {
        let folder = self.folder.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_muxel"));
        command.arg("serve").args(["--listen", "127.0.0.1:0"]);
        command.arg("--plugins").arg(self.plugins()).arg("--data").arg(folder.join("data"));
        if let Some(config) = &self.config {
            std::fs::write(folder.join("muxel.toml"), config).expect("a new file");
            command.arg("--config").arg(folder.join("muxel.toml"));
        }
        command.envs(self.environment.iter().cloned());
        command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(process.stderr.take().expect("piped")).lines();
        let mut said = Vec::new();
        let url = tokio::time::timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await.expect("readable") {
                if let Some((_, url)) = line.split_once("listening on ") {
                    return Some(url.trim().to_owned());
                }
                said.push(line);
            }
            None
        });
        let url = url.await.expect("it starts in time").unwrap_or_else(|| panic!("it said {said:#?}"));
        // Its talk must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let Self { folder, config, environment } = self;
        Gateway { url, folder, process, http, config, environment }
    }
}

impl Gateway {
    pub(crate) async fn generate(&self, prompt: &str) -> Reply {
        self.ask(json!({"model": "auto", "prompt": prompt})).await
    }

    pub(crate) async fn ask(&self, body: Value) -> Reply {
        self.post("/v1/images/generations", body.to_string()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        let request = self.http.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        Reply::of(request.body(body).send().await.expect("an answer")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(self.http.get(format!("{}{path}", self.url)).send().await.expect("an answer")).await
    }

    /// What an operator does to a plugin: `rollback`, `disable` or `enable`.
    pub(crate) async fn administer(&self, plugin: &str, action: &str) -> Reply {
        let path = format!("/admin/plugins/{plugin}/{action}");
        let request = self.request(reqwest::Method::POST, &path).header("x-muxel-admin", "yes");
        Reply::of(request.send().await.expect("an answer")).await
    }

    /// What the administration interface says of one plugin; null when it knows none.
    pub(crate) async fn plugin(&self, name: &str) -> Value {
        let listed = self.get("/admin/plugins").await.body;
        let plugins = listed["data"].as_array().cloned().unwrap_or_default();
        plugins.into_iter().find(|plugin| plugin["name"] == name).unwrap_or_default()
    }

    /// The same, once `holds` is true of it.
    pub(crate) async fn plugin_until(&self, name: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let mut last = Value::Null;
        let waiting = async {
            loop {
                ticks.tick().await;
                last = self.plugin(name).await;
                if holds(&last) {
                    return last.clone();
                }
            }
        };
        let done = tokio::time::timeout(PATIENCE, waiting).await;
        done.unwrap_or_else(|_| panic!("never: {what}; last {last:#}"))
    }

    /// Puts a file beside the plugins, as an operator would.
    pub(crate) fn write_beside(&self, file: &str, text: &str) {
        let path = self.folder.path().join("plugins").join(file);
        let part = path.with_extension("part");
        std::fs::write(&part, text).expect("written");
        std::fs::rename(part, path).expect("renamed");
    }

    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Puts a plugin into the folder as an operator would: under another name first, then renamed.
    pub(crate) fn drop_plugin(&self, name: &str, bytes: &[u8]) {
        put(&self.folder.path().join("plugins"), name, bytes);
    }

    pub(crate) fn remove_plugin(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join("plugins").join(format!("{name}.wasm"))).expect("it is there");
    }

    /// What the gateway says of its plugins, once `holds` is true of it.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let mut last = Value::Null;
        let waiting = async {
            loop {
                ticks.tick().await;
                last = self.get("/readyz").await.body;
                if holds(&last) {
                    return last.clone();
                }
            }
        };
        let done = tokio::time::timeout(PATIENCE, waiting).await;
        done.unwrap_or_else(|_| panic!("never: {what}; last {last:#}"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id().expect("running")
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let status = std::process::Command::new("kill").arg(self.pid().to_string()).status().expect("kill runs");
        assert!(status.success());
    }

    /// Sends SIGKILL.
    pub(crate) fn kill_now(&self) {
        let status = std::process::Command::new("kill").args(["-9", &self.pid().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Sends SIGKILL and waits for the end.
    pub(crate) async fn kill(mut self) -> TempDir {
        self.process.kill().await.expect("it runs");
        self.folder
    }

    /// Sends SIGKILL and starts again in the same folders.
    pub(crate) async fn restarted(self) -> Self {
        self.restarted_with("").await
    }

    /// The same, with more config.
    pub(crate) async fn restarted_with(mut self, more: &str) -> Self {
        self.process.kill().await.expect("it runs");
        let Self { folder, config, environment, .. } = self;
        Setup { folder, config, environment }.config(more).start().await
    }

    /// Starts again in the same folders, once it has ended.
    pub(crate) async fn started_again(self) -> Self {
        let Self { folder, config, environment, .. } = self;
        Setup { folder, config, environment }.start().await
    }

    /// Waits for the end: whether it ended well.
    pub(crate) async fn ended(&mut self) -> bool {
        let status = tokio::time::timeout(PATIENCE, self.process.wait()).await.expect("it ends in time");
        status.expect("a status").success()
    }
}

impl Reply {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("a whole answer").to_vec();
        Self { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), bytes }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("visible"))
    }

    pub(crate) fn decision(&self) -> &str {
        self.header("x-muxel-decision").unwrap_or_else(|| panic!("no decision in {self:#?}"))
    }

    pub(crate) fn served_by(&self) -> &str {
        self.header("x-muxel-model").unwrap_or_else(|| panic!("nobody served {:#}", self.body))
    }

    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_else(|| panic!("no error in {:#}", self.body))
    }

    pub(crate) fn picture(&self) -> Vec<u8> {
        use base64::Engine as _;
        let text = self.body["data"][0]["b64_json"].as_str().unwrap_or_else(|| panic!("no picture in {:#}", self.body));
        base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
    }
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let mut part = tempfile::NamedTempFile::new_in(folder).expect("a new file");
    part.write_all(bytes).expect("written");
    part.persist(folder.join(format!("{name}.wasm"))).expect("renamed");
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    run_in(folder.path(), arguments)
}

/// Runs the binary to its end in `folder`.
pub(crate) fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_muxel"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary runs")
}
