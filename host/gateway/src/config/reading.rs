//! From text to what was written, with every problem on the way.
//!
//! `serde` stops at the first error. So each one is noted, the entry at fault is taken out of the tree and reading
//! starts again, until nothing is at fault. That ends, because the tree only shrinks, and a configuration is small.

use std::ops::Range;

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, Deserializer},
};

use super::{
    explain::{Kind, explain},
    problem::{Findings, Severity},
    shape,
    source::{self, Path, Source, Step},
    written::Written,
};

/// What was written and could be read, and the tree it was read from.
pub(super) struct Read<'t> {
    pub(super) written: Written,
    pub(super) tree: DeTable<'t>,
}

/// Reads `source`. `None` when there are so many problems that what is left would mislead.
pub(super) fn read<'t>(source: &Source<'t>, findings: &mut Findings) -> Option<Read<'t>> {
    let mut tree = source.tree.clone();
    let mut gone = Gone::default();
    // Last first: taking an element out of a list moves those after it.
    for path in source.broken.iter().rev() {
        gone.note(&tree, path);
        source::remove(&mut tree, path);
    }
    shape::check(source, &mut tree, findings);
    loop {
        let error = match Written::deserialize(Deserializer::from(Spanned::new(0..0, tree.clone()))) {
            Ok(written) => return Some(Read { written, tree }),
            Err(_) if findings.full() => {
                findings.cut();
                return None;
            }
            Err(error) => error,
        };
        let place = error.span().and_then(|span| Some((source::find(&tree, &span)?, span)));
        let Some((mut path, span)) = place else {
            let problem = source.problem(Severity::Error, None, &Path::default(), error.message().to_owned(), None);
            findings.add(problem);
            return None;
        };
        // A list and its first table have the same header.
        if error.message().starts_with("invalid type: sequence") && matches!(path.0.last(), Some(Step::Index(_))) {
            path.0.pop();
        }
        let value = source::get(&tree, &path).map(Spanned::get_ref);
        let explained = explain(error.message(), &path, value);
        let follows = match &explained.kind {
            Kind::Lacks { key } => gone.has(&span, key),
            Kind::Empty => gone.any(&span),
            Kind::Unknown { .. } | Kind::Value => false,
        };
        gone.note(&tree, &path);
        if let (Some(table), Kind::Unknown { meant: Some(meant) }) = (parent_span(&tree, &path), explained.kind) {
            gone.0.push((table, meant));
        }
        if !follows {
            let shown = source.path_as_written(&span, &path);
            let problem = source.problem(Severity::Error, Some(&span), &shown, explained.message, explained.hint);
            findings.add_first(problem);
        }
        source::remove(&mut tree, &path);
    }
}

/// Keys that were taken out, or meant by one that was, by the bytes of their table. What lacks them was reported.
#[derive(Default)]
struct Gone(Vec<(Range<usize>, String)>);

impl Gone {
    fn note(&mut self, tree: &DeTable<'_>, path: &Path) {
        if let (Some(table), Some(key)) = (parent_span(tree, path), path.last_key()) {
            self.0.push((table, key.to_owned()));
        }
    }

    fn has(&self, table: &Range<usize>, key: &str) -> bool {
        self.0.iter().any(|(gone, name)| gone == table && name == key)
    }

    fn any(&self, table: &Range<usize>) -> bool {
        self.0.iter().any(|(gone, _)| gone == table)
    }
}

fn parent_span(tree: &DeTable<'_>, path: &Path) -> Option<Range<usize>> {
    let parent = path.0.split_last().map(|(_, parent)| Path(parent.to_vec()))?;
    source::get(tree, &parent).map(Spanned::span)
}
