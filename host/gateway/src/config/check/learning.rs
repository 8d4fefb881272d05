//! `[learning]`: where learning begins, and how often it goes on.

use std::{fs::File, io::Read as _, sync::Arc};

use domain::{digest::Digest, expectation};

use super::{Checker, Path, at};
use crate::config::checked::Learning;

/// Largest file of expected qualities, in bytes.
const LARGEST: u64 = 16 << 20;

pub(super) fn check(checker: &mut Checker<'_>) -> Learning {
    let written = &checker.written().learning;
    let usual = Learning::default();
    let every = checker.period(&at!["learning", "every"], written.every, usual.every, ("100ms", "1d"));
    match written.quality.as_deref() {
        None => Learning { every, ..usual },
        Some(file) => Learning { every, ..quality(checker, &at!["learning", "quality"], file) },
    }
}

fn quality(checker: &mut Checker<'_>, at: &Path, file: &str) -> Learning {
    let path = checker.surroundings.folder.join(file);
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(LARGEST).read_to_string(&mut text));
    if let Err(error) = read {
        let message = format!("`{}` cannot be read: {error}", path.display());
        checker.error(at, message, "name a file that `muxel eval fit` wrote, relative to this file");
        return Learning::default();
    }
    match expectation::read(&text) {
        Ok(expectations) => Learning {
            expectations: Arc::new(expectations),
            digest: Some(Digest::of(text.as_bytes())),
            ..Learning::default()
        },
        Err(error) => {
            let why = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            let message = format!("`{}` is no file of qualities: {error}{why}", path.display());
            checker.error(at, message.trim_end(), "write it anew with `muxel eval fit`");
            Learning::default()
        }
    }
}
