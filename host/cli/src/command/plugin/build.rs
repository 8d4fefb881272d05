//! `muxel plugin build`: a Rust crate to a component.

use std::path::{Path, PathBuf};

use clap::Args;
use sandbox::Limits;
use serde::Serialize;

use super::{
    cargo,
    gauge::{self, Gauge},
    load,
    mistake::Mistake,
    new::quoted,
};
use crate::{exit::ExitStatus, printer::Printer};

/// Largest module that is looked at.
const MOST: usize = 256 << 20;
/// Words that std leaves in a module which uses what a sandbox does not have, and what to use instead.
const ABSENT: [(&str, &str); 3] = [
    (
        "time not implemented on this platform",
        "std::time panics in a sandbox: the time is `request.now_ms`, of `.reads(\"now-ms\")`",
    ),
    (
        "failed printing to",
        "println! and eprintln! go nowhere in a sandbox, and make the plugin larger: use them in tests only",
    ),
    ("failed to spawn thread", "std::thread panics in a sandbox: a call has one thread"),
];

/// Build a Rust plugin crate to a component
///
/// Runs cargo for wasm32-unknown-unknown in release mode, with a small stack, and encodes the module as a component.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Folder of the crate
    #[arg(value_name = "CRATE", default_value = ".")]
    folder: PathBuf,

    /// Where to put the component; beside the crate's manifest, and called as the crate, when left out
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// KiB of stack. With a small one, a small call needs no more memory than a gateway keeps warm
    #[arg(long, value_name = "KIB", default_value_t = 16, value_parser = clap::value_parser!(u32).range(4..=256))]
    stack: u32,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What was built.
#[derive(Serialize)]
struct Built {
    ok: bool,
    file: PathBuf,
    size: usize,
    limit: usize,
    worlds: Vec<&'static str>,
    warnings: Vec<String>,
}

impl Build {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let built = match self.build() {
            Ok(built) => built,
            Err(mistake) => return mistake.tell(self.json, printer),
        };
        if self.json {
            printer.json(&built)?;
            return Ok(ExitStatus::Success);
        }
        for warning in &built.warnings {
            printer.say(format_args!("warning: {warning}"));
        }
        let size = Gauge { name: "size", used: built.size as u64, limit: built.limit as u64, unit: "bytes" };
        let file = quoted(&built.file);
        printer.say(format_args!("built {file} ({})\n{}", built.worlds.join(", "), gauge::lines("  ", &[size])));
        printer.say(format_args!("\nnext:\n  muxel plugin check {file}"));
        Ok(ExitStatus::Success)
    }

    fn build(&self) -> Result<Built, Mistake> {
        let found = cargo::find(&self.folder)?;
        cargo::has_target(&self.folder)?;
        let module = load::read(&cargo::build(&self.folder, self.stack)?, MOST)?;
        let component = encode(&module)?;
        let file = match &self.output {
            Some(file) => named(file)?,
            None => self.beside(&format!("{}.wasm", found.name.replace('_', "-"))),
        };
        write_whole(&file, &component).map_err(|error| {
            let why = format!("cannot write `{}`: {error}", file.display());
            Mistake::new("unwritable", why, "name a file in a folder that exists, with `-o FILE`")
        })?;
        let absent = ABSENT.iter().filter(|(trace, _)| contains(&module, trace.as_bytes()));
        let own = env!("CARGO_PKG_VERSION");
        let other_sdk = found.sdk.filter(|sdk| sdk != own).map(|sdk| {
            format!(
                "the crate is built with muxel-sdk {sdk}, and this is muxel {own}: if `check` refuses it, take `vendor/` \
                 over from a fresh `muxel plugin new`"
            )
        });
        Ok(Built {
            ok: true,
            file,
            size: component.len(),
            limit: Limits::FAST.component,
            worlds: sandbox::inspect(&component).worlds,
            warnings: absent.map(|(_, warning)| (*warning).to_owned()).chain(other_sdk).collect(),
        })
    }
}

impl Build {
    fn beside(&self, file: &str) -> PathBuf {
        if self.folder.as_os_str() == "." { PathBuf::from(file) } else { self.folder.join(file) }
    }
}

/// A plugin's file ends in `.wasm`: a folder is the place for one, and another ending a slip of the pen.
fn named(file: &Path) -> Result<PathBuf, Mistake> {
    if file.is_dir() || file.extension().is_none_or(|extension| extension != "wasm") {
        let why = format!("`{}` is no name for a component", file.display());
        return Err(Mistake::new("output", why, "name a file that ends in `.wasm`: -o plugins/NAME.wasm"));
    }
    Ok(file.to_owned())
}

fn encode(module: &[u8]) -> Result<Vec<u8>, Mistake> {
    let found = sandbox::inspect(module);
    if !found.exports.iter().any(|export| export.starts_with("muxel:plugin/")) {
        let hint = "end src/lib.rs with it: muxel_sdk::export!(YourType: strategy); \
                    the worlds are strategy, classifier, cost-model, learner and everything";
        return Err(Mistake::new("no-export", "the crate exports no plugin: it has no `muxel_sdk::export!`", hint));
    }
    if !found.imports.is_empty() {
        let names: Vec<&str> = found.imports.iter().take(3).map(String::as_str).collect();
        let more = found.imports.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let why = format!("the module imports {}{more}, but plugins import nothing", names.join(", "));
        let hint = "a dependency expects a browser or an operating system: find it with `cargo tree --target \
                    wasm32-unknown-unknown`, and take its features for them off";
        return Err(Mistake::new("import", why, hint));
    }
    sandbox::encode(module).map_err(|reason| {
        let hint = "one crate is one plugin: it needs exactly one `muxel_sdk::export!`";
        Mistake::new("encode", format!("the module does not become a component: {reason}"), hint)
    })
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Beside its place first, then renamed: a gateway that watches the folder never sees half a file.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let part = path.with_extension("wasm.part");
    std::fs::write(&part, bytes)?;
    std::fs::rename(&part, path).inspect_err(|_| {
        // It stays only when it cannot be removed either.
        let _ = std::fs::remove_file(&part);
    })
}
