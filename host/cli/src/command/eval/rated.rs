//! What `eval run` and `eval fit` have in common: plugins, and a file of ratings read with them.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use eval::ratings::{Judges, Ratings};
use sandbox::{Compiler, Plugins, Sandbox, Setup, Trust};

use crate::printer::Printer;

/// Time between two words about progress.
const PATIENCE: Duration = Duration::from_secs(5);

/// The bundled plugins, and those of a folder.
pub(super) fn plugins(folder: Option<PathBuf>, printer: &Printer) -> anyhow::Result<Plugins> {
    let setup = Setup { folder, trust: Trust::new(&[], false)?, archive: None };
    let plugins = Plugins::load(Sandbox::new(Compiler::this_program())?, setup)?;
    for refused in plugins.roster().refused().values() {
        printer.failure(&refused.reason, refused.hint.as_ref());
    }
    sandbox::prepare_thread();
    Ok(plugins)
}

/// `None` when the file cannot be used, which has been said.
pub(super) fn read(path: &Path, judges: &Judges, printer: &Printer) -> Option<Ratings> {
    let mut said = Instant::now();
    let read = Ratings::read(path, judges, &mut |rows| {
        if due(&mut said) {
            printer.say(format_args!("{rows} rows read"));
        }
    });
    read.map_err(|error| printer.failure(with_causes(&error), error.hint())).ok()
}

/// Whether it is time for a word about progress.
pub(super) fn due(said: &mut Instant) -> bool {
    let due = said.elapsed() >= PATIENCE;
    if due {
        *said = Instant::now();
    }
    due
}

/// An error with what caused it.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
