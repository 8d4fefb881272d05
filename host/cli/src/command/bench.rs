//! `muxel bench`: what it costs, measured here and now.

use clap::{Args, Subcommand};

use crate::{exit::ExitStatus, printer::Printer, table};

/// Measure what Muxel costs on this machine
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    Decision(Decision),
}

impl Bench {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Decision(command) => command.run(printer),
        }
    }
}

/// Time whole decisions of three bundled plugins, beside the same functions called natively
#[derive(Debug, Args)]
pub(crate) struct Decision {
    /// Candidates to choose from; 10, 20, 30 and 100 in turn when left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    candidates: Option<u16>,

    /// Print JSON: one object with `--candidates`, else a list
    #[arg(long)]
    json: bool,
}

impl Decision {
    fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let counts = self.candidates.map_or(vec![10, 20, 30, 100], |count| vec![usize::from(count)]);
        if !self.json {
            printer.say("measuring; a busy machine shows in the spread");
        }
        let runs = eval::bench_decision(&counts)?;
        match (self.json, self.candidates, runs.as_slice()) {
            (true, Some(_), [run]) => printer.json(run)?,
            (true, ..) => printer.json(&runs)?,
            (false, ..) => {
                let rows = runs.iter().map(|run| {
                    let [classifier, cost_model, strategy] = run.plugins_p50_us;
                    vec![
                        run.candidates.to_string(),
                        format!("{:.1}", run.p50_us),
                        format!("{:.1} to {:.1}", run.p50_spread_us.0, run.p50_spread_us.1),
                        format!("{:.1}", run.p99_us),
                        format!("{:.1}", run.native_p50_us),
                        format!("{:.1}", run.ratio),
                        format!("{classifier:.0} + {cost_model:.0} + {strategy:.0}"),
                    ]
                });
                let headings =
                    ["candidates", "p50 us", "spread", "p99 us", "native p50 us", "ratio", "classify + price + rank"];
                printer.data(table::plain(&headings, 0, rows))?;
            }
        }
        Ok(ExitStatus::Success)
    }
}
