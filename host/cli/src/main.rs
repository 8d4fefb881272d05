//! `muxel`: the one binary. `main` parses, runs and exits.

mod command;
mod exit;
mod printer;
mod table;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = command::Cli::parse();
    let mut printer = printer::Printer::new();
    match cli.run(&mut printer) {
        Ok(status) => status.into(),
        Err(error) => {
            printer.error(&error);
            exit::ExitStatus::Unexpected.into()
        }
    }
}
