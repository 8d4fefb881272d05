//! The command line: one file for each command.

mod audit;
mod bench;
mod config;
mod decide;
mod eval;
mod key;
mod load;
mod models;
mod plugin;
mod replay;
mod serve;

use clap::{Parser, Subcommand};

use crate::{exit::ExitStatus, printer::Printer};

/// A gateway for generated images that decides, explains and prices every request
///
/// Point your OpenAI SDK at it and ask for `model: "auto"`. Which provider's model serves each request is decided by
/// WebAssembly components in sandboxes; drop your own into the plugin folder.
#[derive(Debug, Parser)]
#[command(name = "muxel", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Decide(decide::Decide),
    Models(models::Models),
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    #[command(subcommand)]
    Config(config::Config),
    #[command(subcommand)]
    Key(key::Key),
    #[command(subcommand)]
    Audit(audit::Audit),
    Replay(replay::Replay),
    #[command(subcommand)]
    Eval(eval::Eval),
    #[command(subcommand)]
    Bench(bench::Bench),
}

impl Cli {
    /// # Errors
    ///
    /// What nobody expected; the user's own mistakes are printed and end with [`ExitStatus::Failure`].
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        match self.command {
            Command::Serve(command) => command.run(printer),
            Command::Decide(command) => command.run(printer),
            Command::Models(command) => command.run(printer),
            Command::Plugin(command) => command.run(printer),
            Command::Config(command) => command.run(printer),
            Command::Key(command) => command.run(printer),
            Command::Audit(command) => command.run(printer),
            Command::Replay(command) => command.run(printer),
            Command::Eval(command) => command.run(printer),
            Command::Bench(command) => command.run(printer),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
