//! `muxel eval`: how strategies compare.

mod simulate;
mod table;

use clap::Subcommand;

use crate::{exit::ExitStatus, printer::Printer};

/// Compare strategies
#[derive(Debug, Subcommand)]
pub(crate) enum Eval {
    Simulate(simulate::Simulate),
}

impl Eval {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Simulate(command) => command.run(printer),
        }
    }
}
