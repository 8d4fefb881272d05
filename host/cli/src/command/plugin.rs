//! `muxel plugin`: for those who write plugins.

mod build;
mod check;

use clap::Subcommand;

use crate::{exit::ExitStatus, printer::Printer};

/// Build and check plugins
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    Build(build::Build),
    Check(check::Check),
}

impl Plugin {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Build(command) => command.run(printer),
            Self::Check(command) => command.run(printer),
        }
    }
}
