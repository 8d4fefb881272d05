//! `muxel plugin check`: would `serve` accept this component?

use std::path::PathBuf;

use clap::Args;
use sandbox::{Compiler, LoadError, Origin, Plugin, Sandbox, Submission};
use serde::Serialize;

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
    accepted: bool,
    name: String,
    title: String,
    version: String,
    summary: String,
    kinds: Vec<sandbox::Kind>,
    digest: String,
    size: usize,
    limits: sandbox::Limits,
    /// The most that any trial call took.
    fuel: u64,
    memory: u64,
    micros: u32,
}

#[derive(Serialize)]
struct Refusal {
    accepted: bool,
    code: &'static str,
    reason: String,
    hint: Option<String>,
}

impl Check {
    /// Exits with 0 when clean, 1 when the plugin has problems, 2 when it could not be checked at all.
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let name = self.component.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let checked = match read(&self.component) {
            Err(error) => Err(LoadError::Read { plugin: name, reason: error.to_string() }),
            Ok(bytes) => {
                sandbox::prepare_thread();
                let sandbox = Sandbox::new(Compiler::this_program())?;
                sandbox.load(&Submission::new(&name, &bytes), Origin::File(self.component.clone()))
            }
        };
        match checked {
            Ok(plugin) => {
                let report = report(&plugin)?;
                if self.json {
                    printer.json(&report)?;
                } else {
                    printer.data(text(&report))?;
                }
                Ok(ExitStatus::Success)
            }
            Err(error) => {
                if self.json {
                    let (code, reason, hint) = (error.code(), error.to_string(), error.hint());
                    printer.json(&Refusal { accepted: false, code, reason, hint })?;
                } else {
                    printer.failure(&error, error.hint());
                }
                Ok(ExitStatus::Failure)
            }
        }
    }
}

/// A regular file, and no more of it than a component may have: a device or a pipe has no end.
fn read(path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    let most = sandbox::largest_component() as u64 + 1;
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn report(plugin: &Plugin) -> Result<Report, LoadError> {
    let trials = plugin.trial()?;
    Ok(Report {
        accepted: true,
        name: plugin.name().to_string(),
        title: plugin.title().to_owned(),
        version: plugin.version().to_owned(),
        summary: plugin.summary().to_owned(),
        kinds: plugin.kinds(),
        digest: plugin.digest().to_string(),
        size: plugin.size(),
        limits: *plugin.limits(),
        fuel: trials.iter().map(|call| call.fuel).max().unwrap_or(0),
        memory: trials.iter().map(|call| call.memory).max().unwrap_or(0),
        micros: trials.iter().map(|call| call.micros).max().unwrap_or(0),
    })
}

fn text(report: &Report) -> String {
    let kinds: Vec<&str> = report.kinds.iter().map(|kind| kind.word()).collect();
    let Report { name, title, version, summary, digest, size, limits, fuel, memory, micros, .. } = report;
    let kinds = kinds.join(", ");
    format!(
        "plugin      {name}  ({kinds}; calls itself {title} {version}: {summary})\n\
         digest      {digest}\n\
         size        {size} of {} bytes\n\
         trials      ok, at most {fuel} of {} fuel, {} of {} KiB, {:.2} of {} ms",
        limits.component,
        limits.fuel,
        memory / 1024,
        limits.memory / 1024,
        f64::from(*micros) / 1e3,
        limits.deadline_ms,
    )
}
