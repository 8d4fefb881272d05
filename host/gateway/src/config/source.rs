//! A configuration's text with its positions: from a key to its line, and from an error's bytes to its key.
//!
//! The tree is kept beside the typed values, so those need not carry positions of their own. What is wrong is taken
//! out of a copy of the tree, never out of this one: it goes on knowing what was written.

use std::{fmt, ops::Range, sync::Arc};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::problem::{Problem, Severity};

/// One step down the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// The way to an entry, from the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<Step>);

/// `at!["providers", name, "vendor"]`.
macro_rules! at {
    ($($step:expr),* $(,)?) => {
        $crate::config::source::Path(vec![$($crate::config::source::Step::from($step)),*])
    };
}
pub(super) use at;

impl Path {
    /// The way further down.
    pub(super) fn then<const STEPS: usize>(&self, steps: [Step; STEPS]) -> Self {
        Self(self.0.iter().cloned().chain(steps).collect())
    }

    /// The key this path ends with, if it does not end in an array.
    pub(super) fn last_key(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
    }
}

/// `providers.lab.tags[0]`, with quotes where TOML wants them.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            let dot = if depth == 0 { "" } else { "." };
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_bare(key) => write!(f, "{dot}{key}")?,
                Step::Key(key) => write!(f, "{dot}\"{}\"", key.escape_debug())?,
            }
        }
        Ok(())
    }
}

fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// A file's text and tree.
pub(super) struct Source<'t> {
    pub(super) file: Arc<str>,
    pub(super) text: &'t str,
    /// As written.
    pub(super) tree: DeTable<'t>,
    /// Entries of the tree whose values could not be read, in the text's order.
    pub(super) broken: Vec<Path>,
}

impl Source<'_> {
    /// Whether something was written at `path`.
    pub(super) fn has(&self, path: &Path) -> bool {
        get(&self.tree, path).is_some()
    }

    /// The keys written in the table at the top-level key `section`.
    pub(super) fn keys_of(&self, section: &str) -> Vec<&str> {
        let table = self.tree.get(section).and_then(|entry| entry.get_ref().as_table());
        table.map(|table| table.keys().map(|key| key.get_ref().as_ref()).collect()).unwrap_or_default()
    }

    /// A problem at these bytes of the text.
    pub(super) fn problem(
        &self,
        severity: Severity,
        span: Option<&Range<usize>>,
        path: &Path,
        message: String,
        hint: Option<String>,
    ) -> Problem {
        let position = span.map(|span| self.position(span.start));
        Problem {
            severity,
            file: Arc::clone(&self.file),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            path: path.to_string(),
            message,
            hint,
        }
    }

    /// The path that was written for what is now at `path`, with these bytes: taking elements out of a list moves those
    /// after them. The depth tells a list of tables from its first table, which has the same header.
    pub(super) fn path_as_written(&self, bytes: &Range<usize>, path: &Path) -> Path {
        let mut written = find(&self.tree, bytes).unwrap_or_else(|| path.clone());
        written.0.truncate(path.0.len());
        written
    }

    /// Line and column of a byte, both from 1.
    pub(super) fn position(&self, byte: usize) -> (usize, usize) {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &self.text[..byte];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// Whether tables and lists are nested deeper than this. Looks no deeper itself.
pub(super) fn is_deeper(table: &DeTable<'_>, levels: usize) -> bool {
    fn deeper(value: &DeValue<'_>, levels: usize) -> bool {
        match value {
            DeValue::Table(table) => is_deeper(table, levels),
            DeValue::Array(array) => levels == 0 || array.iter().any(|element| deeper(element.get_ref(), levels - 1)),
            _ => false,
        }
    }
    levels == 0 || table.values().any(|value| deeper(value.get_ref(), levels - 1))
}

/// The value at `path`.
pub(super) fn get<'a, 't>(tree: &'a DeTable<'t>, path: &Path) -> Option<&'a Spanned<DeValue<'t>>> {
    let (first, rest) = path.0.split_first()?;
    let Step::Key(first) = first else { return None };
    rest.iter().try_fold(tree.get(first.as_str())?, |value, step| match (step, value.get_ref()) {
        (Step::Key(key), DeValue::Table(table)) => table.get(key.as_str()),
        (Step::Index(index), DeValue::Array(array)) => array.get(*index),
        _ => None,
    })
}

/// Where to point for `path`: at its value, or else at what is there of the way to it.
pub(super) fn span(tree: &DeTable<'_>, path: &Path) -> Option<Range<usize>> {
    let there = (1..=path.0.len()).rev().find_map(|depth| get(tree, &Path(path.0[..depth].to_vec())));
    there.map(Spanned::span)
}

/// The deepest entry whose key or value has exactly these bytes.
pub(super) fn find(tree: &DeTable<'_>, bytes: &Range<usize>) -> Option<Path> {
    search(tree, &|key, value| key == Some(bytes) || value.span() == *bytes)
}

/// The value, neither list nor table, whose bytes begin at, end at or hold `byte`.
pub(super) fn find_scalar_around(tree: &DeTable<'_>, byte: usize) -> Option<Path> {
    search(tree, &|_, value| {
        let span = value.span();
        !value.get_ref().is_table() && !value.get_ref().is_array() && span.start <= byte && byte <= span.end
    })
}

/// What an entry is asked: the bytes of its key, when it has one, and its value.
type Question<'q> = &'q dyn Fn(Option<&Range<usize>>, &Spanned<DeValue<'_>>) -> bool;

/// The first of the deepest entries that `is_it` says yes to.
fn search(tree: &DeTable<'_>, is_it: Question<'_>) -> Option<Path> {
    let mut way = Vec::new();
    search_table(tree, is_it, &mut way).then_some(Path(way))
}

fn search_table(table: &DeTable<'_>, is_it: Question<'_>, way: &mut Vec<Step>) -> bool {
    table
        .iter()
        .any(|(key, value)| search_entry(Step::Key(key.get_ref().to_string()), Some(&key.span()), value, is_it, way))
}

fn search_entry(
    step: Step,
    key: Option<&Range<usize>>,
    value: &Spanned<DeValue<'_>>,
    is_it: Question<'_>,
    way: &mut Vec<Step>,
) -> bool {
    way.push(step);
    let within = match value.get_ref() {
        DeValue::Table(table) => search_table(table, is_it, way),
        DeValue::Array(array) => {
            array.iter().enumerate().any(|(index, value)| search_entry(Step::Index(index), None, value, is_it, way))
        }
        _ => false,
    };
    let found = within || is_it(key, value);
    if !found {
        way.pop();
    }
    found
}

/// Takes out the entry at `path`.
pub(super) fn remove(tree: &mut DeTable<'_>, path: &Path) {
    let Some((Step::Key(first), rest)) = path.0.split_first() else { return };
    if rest.is_empty() {
        tree.remove(first.as_str());
        return;
    }
    if let Some(value) = tree.get_mut(first.as_str()) {
        remove_in(value.get_mut(), rest);
    }
}

fn remove_in(value: &mut DeValue<'_>, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else { return };
    match (step, value) {
        (Step::Key(key), DeValue::Table(table)) if rest.is_empty() => {
            table.remove(key.as_str());
        }
        (Step::Key(key), DeValue::Table(table)) => {
            if let Some(value) = table.get_mut(key.as_str()) {
                remove_in(value.get_mut(), rest);
            }
        }
        (Step::Index(index), DeValue::Array(array)) if rest.is_empty() => {
            let kept =
                std::mem::replace(array, DeArray::new()).into_iter().enumerate().filter(|(place, _)| place != index);
            *array = kept.map(|(_, element)| element).collect();
        }
        (Step::Index(index), DeValue::Array(array)) => {
            if let Some(value) = array.get_mut(*index) {
                remove_in(value.get_mut(), rest);
            }
        }
        _ => {}
    }
}
