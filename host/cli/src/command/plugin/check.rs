//! `muxel plugin check`: would `serve` accept this component?

use std::path::PathBuf;

use clap::Args;
use sandbox::{Limits, Plugin};
use serde::Serialize;

use super::{
    gauge::{self, Gauge},
    load,
    mistake::Mistake,
};
use crate::{exit::ExitStatus, printer::Printer};

/// Check a plugin the way `serve` would, without serving
///
/// Loads the component, compares its contract with this host, and makes trial calls inside the usual limits.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Component to check
    #[arg(value_name = "FILE")]
    component: PathBuf,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// What a clean plugin is, and what its trials took of what is allowed.
#[derive(Serialize)]
struct Report {
    ok: bool,
    name: String,
    title: String,
    version: String,
    summary: String,
    kinds: Vec<sandbox::Kind>,
    digest: String,
    /// Where it runs: `fast` is inline on a request's thread.
    tier: &'static str,
    size: usize,
    limits: Limits,
    trials: usize,
    /// The most that any trial call took.
    fuel: u64,
    memory: u64,
    micros: u32,
}

impl Check {
    /// Exits with 0 when clean, 1 when the plugin has problems, 2 when it could not be checked at all.
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let sandbox = load::sandbox()?;
        let report = match load::admit(&sandbox, &self.component).and_then(|plugin| report(&plugin)) {
            Ok(report) => report,
            Err(mistake) => return mistake.tell(self.json, printer),
        };
        if self.json {
            printer.json(&report)?;
            return Ok(ExitStatus::Success);
        }
        printer.data(text(&report))?;
        let file = super::new::quoted(&self.component);
        printer.say(format_args!("\na gateway takes it in. next:\n  muxel plugin run {file}"));
        Ok(ExitStatus::Success)
    }
}

fn report(plugin: &Plugin) -> Result<Report, Mistake> {
    let trials = plugin.trial()?;
    Ok(Report {
        ok: true,
        name: plugin.name().to_string(),
        title: plugin.title().to_owned(),
        version: plugin.version().to_owned(),
        summary: plugin.summary().to_owned(),
        kinds: plugin.kinds(),
        digest: plugin.digest().to_string(),
        tier: plugin.tier().word(),
        size: plugin.size(),
        limits: *plugin.limits(),
        trials: trials.len(),
        fuel: trials.iter().map(|call| call.fuel).max().unwrap_or(0),
        memory: trials.iter().map(|call| call.memory).max().unwrap_or(0),
        micros: trials.iter().map(|call| call.micros).max().unwrap_or(0),
    })
}

fn text(report: &Report) -> String {
    let kinds: Vec<&str> = report.kinds.iter().map(|kind| kind.word()).collect();
    let Report { name, title, version, summary, digest, tier, size, limits, trials, fuel, memory, micros, .. } = report;
    let slow = if *tier == "slow" { ": it costs milliseconds a call, because it is large or uses WASI" } else { "" };
    let [fuel, memory, time] = load::gauges_of(limits, *fuel, *memory, u64::from(*micros));
    let untried = if report.kinds.contains(&sandbox::Kind::Learner) {
        "\nlearn   not tried: this gateway hands outcomes to no learner yet"
    } else {
        ""
    };
    let size = Gauge { name: "size", used: *size as u64, limit: limits.component as u64, unit: "bytes" };
    format!(
        "plugin  {name} ({kinds}), calls itself {title} {version}: {summary}\ndigest  {digest}\n\
         tier    {tier}{slow}\n\
         trials  {trials} calls answered, the largest with 100 candidates{untried}\n\nthe most that one call took:\n\n{gauges}",
        kinds = kinds.join(", "),
        gauges = gauge::lines("  ", &[fuel, memory, time, size]),
    )
}
