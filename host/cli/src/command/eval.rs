//! `muxel eval`: how strategies and classifiers compare.

mod entrants;
mod fit;
mod labels;
mod labels_table;
mod rated;
mod ratings_table;
mod run;
mod simulate;
mod table;
mod what_if;
mod what_if_table;

use clap::Subcommand;

use crate::{exit::ExitStatus, printer::Printer};

/// Compare strategies and classifiers
#[derive(Debug, Subcommand)]
pub(crate) enum Eval {
    Run(run::Run),
    Fit(fit::Fit),
    Labels(labels::Labels),
    Simulate(simulate::Simulate),
    WhatIf(what_if::WhatIf),
}

impl Eval {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Run(command) => command.run(printer),
            Self::Fit(command) => command.run(printer),
            Self::Labels(command) => command.run(printer),
            Self::Simulate(command) => command.run(printer),
            Self::WhatIf(command) => command.run(printer),
        }
    }
}
