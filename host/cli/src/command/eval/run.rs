//! `muxel eval run`: real plugins choose among rated pictures.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use clap::Args;
use domain::expectation;
use eval::ratings::{Contestant, Judges, Quality, fitted_on, plot, run};

use super::{entrants, rated, ratings_table};
use crate::{exit::ExitStatus, printer::Printer};

/// Score strategies on pictures that people have rated
///
/// Wants a CSV file with the columns prompt_id, prompt, model, price_usd_micros and rating_1 to rating_N, 1 to 5 each; others are
/// ignored. The bundled classifier and cost model and the real strategies choose a model for every prompt. Without
/// `--quality`, what is expected of a prompt is learned from the other folds only.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// CSV file with ratings
    #[arg(long, value_name = "FILE.csv")]
    ratings: PathBuf,

    /// Expectations from this file, as `muxel eval fit` writes it, instead of cross-validation
    #[arg(long, value_name = "FILE.toml", conflicts_with = "folds")]
    quality: Option<PathBuf>,

    /// A strategy's name, or a component ending in `.wasm`; the usual ones when left out
    #[arg(long, value_name = "NAME|FILE.wasm", num_args = 1..)]
    strategy: Vec<String>,

    /// Parts that the prompts are cut into; each is scored with what the others taught
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=100))]
    folds: u32,

    /// Times that prompts are dealt into folds; results are means. 5 when left out, 1 of more than 5000 prompts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20), conflicts_with = "quality")]
    deals: Option<u32>,

    /// How prompts are dealt into folds the first time; the numbers after it say how the other times
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Folder with plugins, beside the bundled ones
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,

    /// Draw quality against cost, as SVG
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,

    /// Write every choice, its expected and its scored quality and the best single model's, as CSV
    #[arg(long, value_name = "FILE.csv")]
    choices: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Run {
    /// Exits with 1 when the ratings, the quality file or a strategy are not to be had, or a file cannot be written.
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let plugins = entrants::plugins(self.plugins.clone(), printer)?;
        let roster = plugins.roster();
        let contestants = entrants::of(
            &self.strategy,
            &plugins,
            |name| Contestant::named(name, &roster),
            |shown, plugin| Contestant::of_plugin(shown, plugin, &roster),
            printer,
        );
        let Some(mut contestants) = contestants else { return Ok(ExitStatus::Failure) };
        if contestants.is_empty() {
            contestants = Contestant::usual(&roster);
        }
        let Some(quality) = self.quality(printer) else { return Ok(ExitStatus::Failure) };
        let judges = Judges::of(&roster);
        let Some(ratings) = rated::read(&self.ratings, &judges, printer) else { return Ok(ExitStatus::Failure) };
        let mut choices = None;
        if let Some(path) = &self.choices {
            match File::create_new(path) {
                Ok(file) => choices = Some(file),
                Err(error) => {
                    unwritten(path, &error, printer);
                    return Ok(ExitStatus::Failure);
                }
            }
        }
        let choices = choices.as_mut().map(|file| file as &mut dyn Write);
        let mut said = Instant::now();
        let report = run(&ratings, &judges, &contestants, &quality, self.seed, choices, &mut |done, all| {
            if rated::due(&mut said) {
                printer.say(format_args!("{done} of {all} prompts decided"));
            }
        });
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                printer.failure(rated::with_causes(&error), error.hint());
                // It was made just now, and says nothing.
                let _ = self.choices.as_ref().map(std::fs::remove_file);
                return Ok(ExitStatus::Failure);
            }
        };
        for warning in &report.warnings {
            let line = warning.first_line.map_or(String::new(), |line| format!(" (first in line {line})"));
            printer.say(format_args!("warning: {}{line}", warning.text));
        }
        if let Some(path) = &self.plot
            && let Err(error) = std::fs::write(path, plot(&report))
        {
            unwritten(path, &error, printer);
            return Ok(ExitStatus::Failure);
        }
        if self.json {
            printer.json(&report)?;
        } else {
            printer.data(ratings_table::report(&report))?;
        }
        Ok(ExitStatus::Success)
    }

    /// `None` when the file cannot be used, which has been said.
    fn quality(&self, printer: &Printer) -> Option<Quality> {
        let Some(path) = &self.quality else {
            return Some(Quality::Folds { folds: self.folds, deals: self.deals });
        };
        let hint = Some("write one with `muxel eval fit`");
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                printer.failure(format_args!("cannot read `{}`: {error}", path.display()), hint);
                return None;
            }
        };
        match expectation::read(&text) {
            Ok(expectations) => Some(Quality::File {
                name: path.display().to_string(),
                expectations: Arc::new(expectations),
                fitted_on: fitted_on(&text),
            }),
            Err(error) => {
                printer.failure(format_args!("`{}`: {}", path.display(), rated::with_causes(&error)), hint);
                None
            }
        }
    }
}

fn unwritten(path: &Path, error: &io::Error, printer: &Printer) {
    let hint = match error.kind() {
        io::ErrorKind::AlreadyExists => "name a new file: this one is not written over",
        _ => "name a file in a folder that is there and may be written to",
    };
    printer.failure(format_args!("cannot write `{}`: {error}", path.display()), Some(hint));
}
