//! `muxel plugin`: for those who write plugins.

mod build;
mod cargo;
mod check;
mod gauge;
mod inspect;
mod load;
mod mistake;
mod name;
mod new;
mod run;
mod vendor;

use clap::Subcommand;

use crate::{exit::ExitStatus, printer::Printer};

/// Make, build, check, try and inspect plugins
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    New(new::New),
    Build(build::Build),
    Check(check::Check),
    Run(run::Run),
    Inspect(inspect::Inspect),
}

impl Plugin {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        match self {
            Self::New(command) => command.run(printer),
            Self::Build(command) => command.run(printer),
            Self::Check(command) => command.run(printer),
            Self::Run(command) => command.run(printer),
            Self::Inspect(command) => command.run(printer),
        }
    }
}
