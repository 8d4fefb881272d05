//! `muxel plugin`: for those who write plugins.

mod build;
mod cargo;
mod check;
mod gauge;
mod inspect;
mod list;
mod load;
mod mistake;
mod name;
mod new;
mod run;
mod sign;
mod vendor;

use clap::Subcommand;

pub(super) use load::admit;

use crate::{exit::ExitStatus, printer::Printer};

/// Make, build, check, try, inspect, sign and list plugins
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    New(new::New),
    Build(build::Build),
    Check(check::Check),
    Run(run::Run),
    Inspect(inspect::Inspect),
    Sign(sign::Sign),
    List(list::List),
}

impl Plugin {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        match self {
            Self::New(command) => command.run(printer),
            Self::Build(command) => command.run(printer),
            Self::Check(command) => command.run(printer),
            Self::Run(command) => command.run(printer),
            Self::Inspect(command) => command.run(printer),
            Self::Sign(command) => command.run(printer),
            Self::List(command) => command.run(printer),
        }
    }
}
