//! What is wrong with a workload file, with its place and the reader's next step.

use std::{fmt, ops::Range};

use domain::nearest::nearest;
use serde::Serialize;

/// Problems that are told at once.
const MOST: usize = 50;
/// Characters of a message or hint.
const LONGEST: usize = 400;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub file: String,
    /// From 1; `None` when the problem is the file itself.
    pub line: Option<usize>,
    pub message: String,
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\n  --> {}", self.message, self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Everything that was found: at least one problem, in the file's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if index == 0 { "" } else { "\n\n" })?;
        }
        Ok(())
    }
}

/// Problems while they are being found.
pub(super) struct Findings<'t> {
    file: &'t str,
    text: &'t str,
    found: Vec<Problem>,
}

impl<'t> Findings<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    /// Something is wrong at these bytes.
    pub(super) fn at(&mut self, span: &Range<usize>, message: impl fmt::Display, hint: impl fmt::Display) {
        self.add(Some(self.line(span.start)), &message.to_string(), Some(&hint.to_string()));
    }

    /// Something is missing, or wrong as a whole.
    pub(super) fn whole(&mut self, message: impl fmt::Display, hint: impl fmt::Display) {
        self.add(None, &message.to_string(), Some(&hint.to_string()));
    }

    /// What the parser says.
    pub(super) fn malformed(&mut self, error: &toml::de::Error) {
        let (message, hint) = understood(error.message());
        self.add(error.span().map(|span| self.line(span.start)), &message, hint.as_deref());
    }

    pub(super) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn into_problems(mut self) -> Problems {
        self.found.sort_by_key(|problem| problem.line);
        Problems(self.found)
    }

    fn add(&mut self, line: Option<usize>, message: &str, hint: Option<&str>) {
        let problem =
            Problem { file: self.file.to_owned(), line, message: printable(message), hint: hint.map(printable) };
        // Who is like another repeats what is wrong with it.
        if self.found.len() < MOST && !self.found.contains(&problem) {
            self.found.push(problem);
        }
    }

    fn line(&self, byte: usize) -> usize {
        self.text.as_bytes()[..byte.min(self.text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// A parser's message with what to do about it, where that can be told.
fn understood(message: &str) -> (String, Option<String>) {
    let first = message.lines().next().unwrap_or(message);
    if let Some((key, known)) = first.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, expected ")) {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let hint = match nearest(key, known.iter().copied(), 1).first() {
            Some(near) => format!("did you mean `{near}`? keys here: {}", known.join(", ")),
            None => format!("keys here: {}", known.join(", ")),
        };
        return (format!("there is no key `{key}` here"), Some(hint));
    }
    if let Some(key) = first.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return (format!("`{key}` is missing"), Some(format!("add `{key} = ...`; the keys are in the README")));
    }
    // Quantities bring their hint in the same line.
    match first.split_once(": write ") {
        Some((message, hint)) => (message.to_owned(), Some(format!("write {hint}"))),
        None => (first.to_owned(), None),
    }
}

/// `text` without anything that could move a terminal's cursor, cut to a readable length.
fn printable(text: &str) -> String {
    let shown = text.chars().take(LONGEST);
    shown.map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
