//! What `eval run` and `eval fit` have in common: a file of ratings, read with the real classifier.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use eval::ratings::{Judges, Ratings};

use crate::printer::Printer;

/// Time between two words about progress.
const PATIENCE: Duration = Duration::from_secs(5);

/// `None` when the file cannot be used, which has been said.
pub(super) fn read(path: &Path, judges: &Judges, printer: &Printer) -> Option<Ratings> {
    sandbox::prepare_thread();
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
