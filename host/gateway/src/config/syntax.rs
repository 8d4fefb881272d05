//! Text that is not TOML: what is wrong with it, and as much of a tree as there is.
//!
//! An error inside one value costs that value only: the parser goes on, and so does the check, because a forgotten pair
//! of quotes must not hide the other problems. Any other error may have moved whole sections. It is the last one that
//! is reported, since what would follow could be its consequence.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue, Error},
};

use super::{
    problem::{Findings, Severity},
    secret::is_secret_like,
    source::{self, Path, Source},
};

/// Levels of tables and lists. The parser allows thousands, through dotted keys, and what walks the tree recurses.
const DEEPEST: usize = 16;

/// Errors that are looked at: one line can hold many.
const MOST_ERRORS: usize = 1000;

/// The tree of `text`; `None` when sections of it may be missing.
pub(super) fn parse<'t>(file: &str, text: &'t str, findings: &mut Findings) -> Option<Source<'t>> {
    let (tree, mut errors) = DeTable::parse_recoverable(text);
    let mut source = Source { file: Arc::from(file), text, tree: tree.into_inner(), broken: Vec::new() };
    if source::is_deeper(&source.tree, DEEPEST) {
        let message = format!("this is nested more than {DEEPEST} levels deep");
        let hint = Some("no key of a configuration is".to_owned());
        findings.add(source.problem(Severity::Error, None, &Path::default(), message, hint));
        return None;
    }
    // The parser reports what its passes find, one pass after the other.
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let mut lines = BTreeSet::new();
    for (count, error) in errors.iter().enumerate() {
        if findings.full() || count == MOST_ERRORS {
            findings.cut();
            return None;
        }
        let span = error.span().unwrap_or(text.len()..text.len());
        let place = place(&source.tree, error, &span);
        let first_of_line = lines.insert(source.position(span.start).0);
        if first_of_line {
            report(&source, error, &span, &place, findings);
        }
        match place {
            Place::Value(path) => source.broken.push(path),
            Place::Repeated => {}
            Place::Structure => return None,
        }
    }
    Some(source)
}

/// What an error touches.
enum Place {
    /// One value that is neither list nor table.
    Value(Path),
    /// A key or table that is there already; the first one counts.
    Repeated,
    Structure,
}

fn place(tree: &DeTable<'_>, error: &Error, span: &Range<usize>) -> Place {
    if error.message().starts_with("duplicate key") {
        return Place::Repeated;
    }
    let of_value = ["string values must be quoted", "invalid "].iter().any(|start| error.message().starts_with(start));
    let path = if of_value { source::find_scalar_around(tree, span.start) } else { None };
    path.map_or(Place::Structure, Place::Value)
}

fn report(source: &Source<'_>, error: &Error, span: &Range<usize>, place: &Place, findings: &mut Findings) {
    let (path, message, hint) = match place {
        Place::Repeated => (
            source::find(&source.tree, span).unwrap_or_default(),
            format!("`{}` is there already", source.text.get(span.clone()).unwrap_or_default()),
            Some("write each key and each table once".to_owned()),
        ),
        Place::Structure => (Path::default(), format!("this is not TOML: {}", error.message()), None),
        Place::Value(path) => {
            let value = source::get(&source.tree, path);
            let written = value.map(Spanned::span).and_then(|span| source.text.get(span)).unwrap_or_default();
            let (message, hint) = unreadable(path, written, value.map(Spanned::get_ref), error.message());
            (path.clone(), message, Some(hint))
        }
    };
    findings.add_first(source.problem(Severity::Error, Some(span), &path, message, hint));
}

fn unreadable(path: &Path, written: &str, value: Option<&DeValue<'_>>, error: &str) -> (String, String) {
    let short = written.len() <= 40 && !path.last_key().is_some_and(is_secret_like);
    if written.is_empty() {
        return (format!("`{path}` has no value"), "give it one, or take the line out".to_owned());
    }
    if let Some(DeValue::Boolean(flag)) = value {
        return (format!("`{path}` is not understood"), format!("write `{flag}` in small letters"));
    }
    if written.starts_with(['"', '\'']) {
        return (format!("`{path}` is not understood: {error}"), "check its quotes and backslashes".to_owned());
    }
    let hint = if short { format!("put it in quotes: \"{written}\"") } else { "put it in quotes".to_owned() };
    (format!("`{path}` is neither a number nor text in quotes"), hint)
}
