//! `muxel eval labels`: whether classifiers are right.

use std::{path::PathBuf, time::Instant};

use clap::Args;
use eval::labels::{Classifier, run};

use super::{entrants, labels_table, rated};
use crate::{exit::ExitStatus, printer::Printer};

/// The bundled classifier, which is scored when none is named.
const USUAL: &str = "context-classifier";

/// Score classifiers on prompts that people have labelled
///
/// Wants a CSV file with the columns prompt, label and, if known, traits (separated by `|`); others are ignored. Labels and
/// traits are those that the file has. Each prompt is asked five times: as it is, shouted, mistyped, in one of six polite
/// frames, and with one of six orders to answer something else. Rows that are no labelled prompts are left out and named.
#[derive(Debug, Args)]
#[command(after_long_help = JSON_HELP)]
pub(crate) struct Labels {
    /// CSV file with labelled prompts
    #[arg(long, value_name = "FILE.csv")]
    prompts: PathBuf,

    /// A classifier's name, or a component ending in `.wasm`
    #[arg(long, value_name = "NAME|FILE.wasm", num_args = 1.., default_value = USUAL)]
    classifier: Vec<String>,

    /// Column to tell groups of prompts by, such as a language
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,

    /// Folder with plugins, beside the bundled ones
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

const JSON_HELP: &str = "\
JSON, shares 0 to 1, unknown is null:
  file, rows, prompts, basis
  problems[]       code, count, is_left_out, first_lines[], example, text
  most_frequent    label, macro_f1, accuracy: the label that most prompts have, answered always
  classifiers[]    name, macro_f1, interval[2], accuracy, calibration_error, unanswered
    labels[]       name, prompts, precision, recall, f1, said[]: [label or null, count]
    calibration[]  from, to, prompts, confidence, right
    traits[]       name, prompts, precision, recall, f1
    same_label[]   way, share
    groups[]       name, prompts, macro_f1, accuracy
    work           mean_fuel, most_fuel, most_fuel_line, fuel_limit, p50_us, p95_us, one_letter_p50_us";

impl Labels {
    /// Exits with 1 when the prompts or a classifier are not to be had.
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let plugins = entrants::plugins(self.plugins.clone(), printer)?;
        let roster = plugins.roster();
        let classifiers = entrants::of(
            &self.classifier,
            &plugins,
            |name| Classifier::named(name, &roster),
            |shown, plugin| Classifier::of_plugin(shown, plugin, &roster),
            printer,
        );
        let Some(classifiers) = classifiers else { return Ok(ExitStatus::Failure) };
        let mut said = Instant::now();
        let report = run(&self.prompts, self.by.as_deref(), &classifiers, &mut |rows, share| {
            if rated::due(&mut said) {
                let share = share.map_or(String::new(), |share| format!(", {:.0} % of the file", share * 100.0));
                printer.say(format_args!("{rows} rows{share}"));
            }
        });
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                printer.failure(rated::with_causes(&error), error.hint());
                return Ok(ExitStatus::Failure);
            }
        };
        for problem in &report.problems {
            printer.say(format_args!("warning: {}", problem.text));
        }
        if self.json {
            printer.json(&report)?;
        } else {
            printer.data(labels_table::report(&report))?;
        }
        Ok(ExitStatus::Success)
    }
}
