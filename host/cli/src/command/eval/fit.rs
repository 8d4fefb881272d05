//! `muxel eval fit`: expectations of quality from ratings.

use std::path::PathBuf;

use clap::Args;
use eval::ratings::{Judges, fit, quality_file};
use serde_json::json;

use super::{entrants, rated, ratings_table};
use crate::{exit::ExitStatus, printer::Printer};

/// Learn what to expect of each model from pictures that people have rated
///
/// Takes the same file as `muxel eval run`, and writes a file for `[learning] quality` in the configuration and for
/// `muxel eval run --quality`.
#[derive(Debug, Args)]
pub(crate) struct Fit {
    /// CSV file with ratings
    #[arg(long, value_name = "FILE.csv")]
    ratings: PathBuf,

    /// File to write
    #[arg(long, short = 'o', value_name = "FILE.toml")]
    output: PathBuf,

    /// Write over a file that is there
    #[arg(long)]
    force: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Fit {
    /// Exits with 1 when the ratings cannot be used, or the file not be written.
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let shown = self.output.display().to_string();
        if self.output.exists() && !self.force {
            printer.failure(format_args!("`{shown}` is there already"), Some("name another, or say `--force`"));
            return Ok(ExitStatus::Failure);
        }
        let plugins = entrants::plugins(None, printer)?;
        let judges = Judges::of(&plugins.roster());
        let Some(ratings) = rated::read(&self.ratings, &judges, printer) else { return Ok(ExitStatus::Failure) };
        let expectations = fit(&ratings);
        let command = format!("muxel eval fit --ratings {}", self.ratings.display());
        let text = quality_file(&ratings, &expectations, &command);
        // Whole or not at all: a gateway may be reading it.
        let part = self.output.with_extension("part");
        if let Err(error) = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, &self.output)) {
            printer.failure(format_args!("cannot write `{shown}`: {error}"), None::<&str>);
            return Ok(ExitStatus::Failure);
        }
        for warning in ratings.warnings() {
            printer.say(format_args!("warning: {}", warning.text));
        }
        if self.json {
            printer.json(&json!({
                "output": shown,
                "rows": ratings.used(),
                "prompts": ratings.prompts(),
                "models": expectations.entries().map(|(_, model, entry)| json!({
                    "model": model, "ratings": entry.ratings, "base": entry.prior.mean + entry.terms[0].mean,
                })).collect::<Vec<_>>(),
            }))?;
        } else {
            printer.data(ratings_table::expectations(&expectations))?;
            printer.say(format_args!("written to {shown}"));
        }
        Ok(ExitStatus::Success)
    }
}
