//! `muxel`: the one binary. `main` parses, runs and exits.

mod command;
mod exit;
mod printer;
mod table;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // Before everything else: a child that compiles a stranger's component does that and nothing more.
    if std::env::args_os().nth(1).is_some_and(|command| command == sandbox::CHILD_COMMAND) {
        return if sandbox::run_child().is_ok() { ExitCode::SUCCESS } else { exit::ExitStatus::Unexpected.into() };
    }
    let cli = command::Cli::parse();
    let mut printer = printer::Printer::new();
    match cli.run(&mut printer) {
        Ok(status) => status.into(),
        // The reader had enough, such as `head`.
        Err(error) if is_broken_pipe(&error) => exit::ExitStatus::Success.into(),
        Err(error) => {
            printer.error(&error);
            exit::ExitStatus::Unexpected.into()
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |cause: &std::io::Error| cause.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>().is_some_and(broken);
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        io || json == Some(std::io::ErrorKind::BrokenPipe)
    })
}
