//! `muxel eval what-if`: what last month's requests would have cost.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use domain::request::Moment;
use eval::what_if::{Report, Row, run};
use gateway::{Alternative, Instead, Preview};
use sandbox::Plugins;

use super::{rated, what_if_table};
use crate::{
    command::{load, plugin::admit},
    exit::ExitStatus,
    printer::Printer,
};

/// Say what Muxel would have chosen for last month's requests, and what that would have saved
///
/// Wants a CSV file with the columns prompt, model, size, quality, n and cost, in any order; others are ignored. All but
/// prompt and model may be empty. `cost` is what the row cost in all, in dollars; where it is empty, the catalogue's price
/// of the model counts, and where that is not known either, the row is left out of the savings and counted. A row with a
/// quality is offered that tier, and models that have only one tier, as a caller who names one is: what is expected of them
/// stands beside the saving. Rows that are no requests are left out and named.
///
/// Candidates, prices and routes are those of the configuration, plugins the real ones. Nobody is called, nothing is
/// recorded, and nothing is measured: latencies and qualities are the catalogue's, and those of `[learning] quality`.
#[derive(Debug, Args)]
#[command(after_long_help = JSON_HELP)]
pub(crate) struct WhatIf {
    /// CSV file with requests
    #[arg(value_name = "REQUESTS.csv")]
    requests: PathBuf,

    /// Config file; without one, the catalogue as it comes
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Route that decides
    #[arg(long, value_name = "NAME", default_value = "default")]
    route: String,

    /// A strategy's name, or a component ending in `.wasm`, instead of the route's own
    #[arg(long, value_name = "NAME|FILE.wasm", num_args = 1..)]
    strategy: Vec<String>,

    /// Folder with plugins, instead of the config's
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

const JSON_HELP: &str = "\
JSON, amounts in whole micro-dollars, unknown is null:
  file, rows, requests, basis, missing_columns
  problems[]       code, count, is_left_out, first_lines[], example, text
  paid_and_listed  rows, paid_usd_micros, listed_usd_micros: how far the catalogue is from what was paid
  strategies[]     name, FIGURES
    left_out[]     code, count, why: rows that are not in the savings
    unserved[]     why, count, first_lines[], hint: rows for which nobody would have been chosen
    by_model[]     name, FIGURES, unknown_model, unclear_tier, chosen[]: model, FIGURES
    by_label[]     name, FIGURES
  FIGURES          rows, compared, same_model, by_list_price, asked_usd_micros, chosen_usd_micros,
                   saved_usd_micros, saved_share, quality: null or rows, asked, chosen";

impl WhatIf {
    /// Exits with 1 when the requests, the configuration, the route or a strategy are not to be had, or when nobody would
    /// have been chosen for any row.
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let Some(config) = load::config_or_say(self.config.as_deref(), printer) else {
            return Ok(ExitStatus::Failure);
        };
        let plugins = load::plugins(&config, self.plugins.clone(), printer)?;
        // The preview's clock is the runtime's.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let preview = {
            let _entered = runtime.enter();
            Preview::new(&config, &plugins)
        };
        let Some((names, ways)) = self.ways(&preview, &plugins, printer) else { return Ok(ExitStatus::Failure) };
        let now_ms = load::unix_ms();
        let look_back = |way: usize, row: &Row| {
            let _entered = runtime.handle().enter();
            // By the row's place, so that the same file gives the same answers.
            let moment = Moment { now_ms, seed: row.line, sequence: row.line, session: 0 };
            ways[way].look_back(&row.request, &row.asked, moment)
        };
        let mut said = Instant::now();
        let report = run(&self.requests, &names, &look_back, &mut |rows, share| {
            if rated::due(&mut said) {
                let share = share.map_or(String::new(), |share| format!(", {:.0} % of the file", share * 100.0));
                printer.say(format_args!("{rows} rows{share}"));
            }
        });
        match report {
            Ok(report) => self.tell(&report, printer),
            Err(error) => {
                printer.failure(rated::with_causes(&error), error.hint());
                Ok(ExitStatus::Failure)
            }
        }
    }

    fn tell(&self, report: &Report, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        for problem in &report.problems {
            printer.say(format_args!("warning: {}", problem.text));
        }
        if self.json {
            printer.json(report)?;
        } else {
            printer.data(what_if_table::report(report))?;
        }
        let is_empty = report.strategies.iter().all(|strategy| strategy.total.rows == 0);
        Ok(if is_empty { ExitStatus::Failure } else { ExitStatus::Success })
    }

    /// What each way of deciding is called, and how it decides. `None` when one is not to be had, which has been said.
    fn ways<'p>(
        &self,
        preview: &'p Preview,
        plugins: &Plugins,
        printer: &Printer,
    ) -> Option<(Vec<String>, Vec<Alternative<'p>>)> {
        let mut ways = Vec::new();
        let mut is_complete = true;
        if self.strategy.is_empty() {
            ways.push((format!("route {}", self.route), None));
        }
        // The same one twice is the same one.
        let mut seen = std::collections::BTreeSet::new();
        for name in self.strategy.iter().filter(|name| seen.insert(name.as_str())) {
            let is_file = Path::new(name).extension().is_some_and(|extension| extension == "wasm");
            match is_file.then(|| admit(plugins.sandbox(), Path::new(name))) {
                None => ways.push((name.clone(), Some(Instead::Named(name.clone())))),
                Some(Ok(plugin)) => ways.push((name.clone(), Some(Instead::Plugin(plugin)))),
                Some(Err(mistake)) => {
                    printer.failure(&mistake.reason, mistake.hint.as_ref());
                    is_complete = false;
                }
            }
        }
        let (mut names, mut alternatives) = (Vec::new(), Vec::new());
        for (name, instead) in ways {
            match preview.alternative(&self.route, instead) {
                Ok(alternative) => {
                    names.push(name);
                    alternatives.push(alternative);
                }
                Err(error) => {
                    printer.failure(&error, error.hint());
                    is_complete = false;
                }
            }
        }
        is_complete.then_some((names, alternatives))
    }
}
