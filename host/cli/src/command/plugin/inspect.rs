//! `muxel plugin inspect`: what is in this file?

use std::path::PathBuf;

use clap::Args;
use sandbox::{Described, FileKind, Inspection, Limits, SettingForm, SettingInfo};
use serde::Serialize;

use super::{
    gauge::{self, Gauge, thousands},
    load,
};
use crate::{exit::ExitStatus, printer::Printer};

/// Largest file that is looked at: more than any gateway takes in.
const MOST: usize = 256 << 20;

/// Show what a plugin's file holds: worlds, imports, settings, sizes
///
/// Runs nothing but the plugin's `describe`. It also works on a file that no gateway would take in.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// File to look at
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    found: Inspection,
    /// What it says of itself, when it can be asked.
    describe: Option<Described>,
    /// Why it cannot be asked.
    silent: Option<String>,
}

impl Inspect {
    /// Exits with 1 only when the file cannot be read: showing what is wrong with it is a success.
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let bytes = match load::read(&self.file, MOST) {
            Ok(bytes) => bytes,
            Err(mistake) => return mistake.tell(self.json, printer),
        };
        let found = sandbox::inspect(&bytes);
        let asked = if found.kind == FileKind::Component && found.damage.is_none() {
            load::sandbox()?.described(&bytes).map_err(|error| error.to_string())
        } else {
            Err("it is no whole component".to_owned())
        };
        let (describe, silent) = match asked {
            Ok(described) => (Some(described), None),
            Err(why) => (None, Some(why)),
        };
        let report = Report { found, describe, silent };
        if self.json {
            printer.json(&report)?;
        } else {
            printer.data(text(&report))?;
        }
        Ok(ExitStatus::Success)
    }
}

fn text(report: &Report) -> String {
    let Report { found, describe, silent } = report;
    let what = match found.kind {
        FileKind::Component | FileKind::Module if found.damage.is_some() => "WebAssembly, but cut or damaged",
        FileKind::Component if found.worlds.is_empty() => "a component, but no plugin of this contract",
        FileKind::Component => "a component",
        FileKind::Module => "a core module, not a component: `muxel plugin build` makes one",
        FileKind::Text => "WebAssembly in text form, not a component",
        FileKind::Empty => "an empty file",
        FileKind::Other => "not WebAssembly",
    };
    let mut lines = vec![format!("what       {what}")];
    let mut list = |name: &str, items: &[String], none: &str| {
        let shown = if items.is_empty() { none.to_owned() } else { items.join(&format!("\n{:11}", "")) };
        lines.push(format!("{name:<10} {shown}"));
    };
    if let Some(damage) = &found.damage {
        list("damage", std::slice::from_ref(damage), "");
    }
    list("digest", std::slice::from_ref(&found.digest), "");
    if matches!(found.kind, FileKind::Component | FileKind::Module) {
        let worlds = if found.kind == FileKind::Module { &found.meant_for } else { &found.worlds };
        let worlds: Vec<String> = worlds.iter().map(|world| (*world).to_owned()).collect();
        list("worlds", &worlds, "none of `muxel:plugin`");
        list("exports", &found.exports, "nothing");
        list("imports", &found.imports, "nothing");
    }
    if let Some(described) = describe {
        let Described { name, version, summary, reads, .. } = described;
        list("itself", &[format!("{name} {version}: {summary}")], "");
        let reads: Vec<String> = reads.iter().map(|name| (*name).to_owned()).collect();
        list("reads", &reads, "the request's shape only");
        let settings: Vec<String> = described.settings.iter().map(setting).collect();
        list("settings", &settings, "none");
    } else if let Some(silent) = silent.as_ref().filter(|_| found.kind == FileKind::Component) {
        list("itself", &[format!("cannot be asked: {silent}")], "");
    }
    let producers: Vec<String> = found
        .producers
        .iter()
        .map(|producer| format!("{} {} {}", producer.role, producer.name, producer.version).trim_end().to_owned())
        .collect();
    if !producers.is_empty() {
        list("producers", &producers, "");
    }
    lines.push(sizes(found));
    lines.join("\n")
}

fn setting(setting: &SettingInfo) -> String {
    let form = match &setting.form {
        SettingForm::Number { default, min, max } => format!("{default} ({min} to {max})"),
        SettingForm::Flag { default } => (if *default { "on (on, off)" } else { "off (on, off)" }).to_owned(),
        SettingForm::Choice { default, options } => {
            let default = options.get(*default as usize).map_or("none", String::as_str);
            format!("{default} ({})", options.join(", "))
        }
        SettingForm::Text { default } => format!("{default:?}"),
    };
    let unit = if setting.unit.is_empty() { String::new() } else { format!(" {}", setting.unit) };
    format!("{} = {form}{unit}: {}", setting.name, setting.summary)
}

fn sizes(found: &Inspection) -> String {
    let limits = Limits::FAST;
    let gauges = [
        Gauge { name: "size", used: found.size as u64, limit: limits.component as u64, unit: "bytes" },
        Gauge { name: "memory", used: found.memory / 1024, limit: limits.memory / 1024, unit: "KiB from the start" },
    ];
    let parts = &found.sections;
    let parts = [
        ("code", parts.code),
        ("data", parts.data),
        ("names", parts.names),
        ("custom", parts.custom),
        ("other", parts.other),
    ];
    let parts: Vec<String> = parts.iter().map(|(name, size)| format!("{name} {}", thousands(*size as u64))).collect();
    format!("\n{}\n  of it {}", gauge::lines("  ", &gauges), parts.join(", "))
}
