//! `muxel config`: is the file right, and what may stand in it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::load;
use crate::{exit::ExitStatus, printer::Printer};

/// Check the config file, or print its schema
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    Check(Check),
    Schema(Schema),
}

/// Report every problem of a config file at once
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Config file
    #[arg(value_name = "FILE", default_value = "muxel.toml")]
    file: PathBuf,

    /// Print the problems as JSON
    #[arg(long)]
    json: bool,
}

/// Print the JSON schema of the config file, for editors
#[derive(Debug, Args)]
pub(crate) struct Schema {}

impl Config {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Check(command) => command.run(printer),
            Self::Schema(_) => {
                printer.raw(&gateway::config::schema())?;
                Ok(ExitStatus::Success)
            }
        }
    }
}

impl Check {
    fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        match load::config(Some(&self.file), None) {
            Ok(loaded) => {
                if self.json {
                    printer.json(&loaded.warnings)?;
                } else {
                    loaded.warnings.iter().for_each(|warning| printer.say(warning));
                    let config = &loaded.config;
                    let models: usize = config.accounts.iter().map(|account| account.models.len()).sum();
                    printer.data(format_args!(
                        "`{}` is right: models {models}, providers {}, routes {}, keys {}",
                        self.file.display(),
                        config.accounts.len(),
                        config.routes.len(),
                        config.keys.len(),
                    ))?;
                }
                Ok(ExitStatus::Success)
            }
            Err(problems) => {
                if self.json {
                    printer.json(&problems)?;
                } else {
                    printer.say(problems);
                }
                Ok(ExitStatus::Failure)
            }
        }
    }
}
