//! `muxel eval simulate`: a workload run through real plugins, breakers and dispatcher, hours in seconds.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use eval::simulate::{Contestant, Overrides, Report, Workload, plot, run};
use sandbox::Plugins;

use super::{entrants, table};
use crate::{exit::ExitStatus, printer::Printer};

/// Time between two words about progress.
const PATIENCE: Duration = Duration::from_secs(5);

/// Compare strategies on a simulated workload
///
/// Every strategy meets the same requests at the same moments, from the same simulated providers, on a clock that does not
/// wait: hours take seconds. Plugins, breakers and dispatcher are the real ones. Nobody is called and nothing is
/// recorded. Equal seeds give equal numbers.
///
/// A workload may also say how good every candidate really is (`[truth]`, `[[shifts]]`) and how callers rate
/// (`[feedback]`): then strategies that learn do, and everybody is held against an oracle.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Workload file, such as `examples/workloads/outage.toml`
    #[arg(long, value_name = "FILE")]
    workload: PathBuf,

    /// A strategy's name, a component ending in `.wasm`, or `pinned:provider/model@tier`; the usual ones and the
    /// workload's baseline when left out, and `bandit` where there is feedback
    #[arg(long, value_name = "NAME|FILE.wasm", num_args = 1..)]
    strategy: Vec<String>,

    /// Also pin every candidate of the workload in turn
    #[arg(long)]
    pin_each: bool,

    /// CSV file with a column `prompt`, instead of the workload's prompts
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,

    /// Instead of the workload's seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Folder with plugins, beside the bundled ones
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,

    /// Draw answers and latency over time, cost against quality, and what was learned, as SVG
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Simulate {
    /// Exits with 1 when the workload or a strategy is not to be had.
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let overrides = Overrides { seed: self.seed, prompts: self.prompts.as_deref() };
        let workload = match Workload::read(&self.workload, &overrides) {
            Ok(workload) => workload,
            Err(problems) => {
                printer.say(problems);
                return Ok(ExitStatus::Failure);
            }
        };
        let plugins = entrants::plugins(self.plugins.clone(), printer)?;
        let Some(contestants) = self.contestants(&workload, &plugins, printer) else {
            return Ok(ExitStatus::Failure);
        };
        let began = Instant::now();
        let mut outcomes = Vec::with_capacity(contestants.len());
        let mut said = began;
        let expected = workload.expected_requests();
        for (index, contestant) in contestants.iter().enumerate() {
            let outcome = run(&workload, contestant, &mut |arrived| {
                if said.elapsed() >= PATIENCE {
                    said = Instant::now();
                    let (name, count) = (&contestant.name, contestants.len());
                    printer.say(format_args!("{} of {count}: {name}, {arrived} of {expected} requests", index + 1));
                }
            })?;
            outcomes.push(outcome);
        }
        let report = Report::new(&workload, outcomes);
        if let Some(path) = &self.plot
            && let Err(error) = std::fs::write(path, plot(&report))
        {
            printer.failure(format_args!("cannot write `{}`: {error}", path.display()), None::<&str>);
            return Ok(ExitStatus::Failure);
        }
        if self.json {
            printer.json(&report)?;
        } else {
            printer.data(table::report(&report))?;
            printer.say(format_args!("\nsimulated in {:.1} s", began.elapsed().as_secs_f64()));
        }
        Ok(ExitStatus::Success)
    }

    /// `None` when one of them is not to be had, which has been said.
    fn contestants(&self, workload: &Workload, plugins: &Plugins, printer: &Printer) -> Option<Vec<Contestant>> {
        let roster = plugins.roster();
        let mut contestants = entrants::of(
            &self.strategy,
            plugins,
            |name| Contestant::named(name, &roster, workload),
            |shown, plugin| Contestant::of_plugin(shown, plugin, &roster),
            printer,
        )?;
        if self.strategy.is_empty() {
            contestants.extend(Contestant::usual(&roster, workload));
        }
        if self.pin_each {
            contestants.extend(Contestant::each_pinned(&roster, workload));
        }
        // The same one twice is the same one.
        let mut seen = std::collections::BTreeSet::new();
        contestants.retain(|contestant| seen.insert(contestant.name.clone()));
        Some(contestants)
    }
}
