//! `muxel key`: keys for callers.

use clap::{Args, Subcommand};
use domain::digest::Digest;
use serde::Serialize;

use crate::{exit::ExitStatus, printer::Printer};

/// Make keys for callers
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    New(New),
}

/// Make a key, and the lines that let it in
///
/// The key is shown once. The config keeps its hash only.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// What the audit log calls it
    #[arg(value_name = "NAME", default_value = "default")]
    name: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Made {
    name: String,
    key: String,
    hash: String,
}

impl Key {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let Self::New(New { name, json }) = self;
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !plain {
            printer
                .failure(format_args!("`{name}` is no name for a key"), Some("use letters, digits, `-`, `_` and `.`"));
            return Ok(ExitStatus::Failure);
        }
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)?;
        let digits: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("mux-{digits}");
        let made = Made { hash: Digest::of(key.as_bytes()).to_string(), name, key };
        if json {
            printer.json(&made)?;
        } else {
            printer.say("the key, shown this once:");
            printer.data(&made.key)?;
            printer.say("\nadd this to muxel.toml:");
            printer.data(format_args!("[[keys]]\nname = \"{}\"\nhash = \"{}\"", made.name, made.hash))?;
        }
        Ok(ExitStatus::Success)
    }
}
