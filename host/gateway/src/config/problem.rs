//! Problems of a configuration: where, what, and what to do about it.
//!
//! All of them are collected before anything is reported, so one run shows everything there is to mend. There are at
//! most [`MOST`]: a file that has more is not a configuration yet, and its reader needs the first ones.

use std::{fmt, sync::Arc};

use serde::Serialize;

/// Problems that are reported at once.
pub const MOST: usize = 50;
/// Longest message or hint, in characters.
const LONGEST_TEXT: usize = 400;

/// Whether a problem keeps the configuration from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong. Never holds the value of a key that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub severity: Severity,
    pub file: Arc<str>,
    /// From 1; `None` when the problem is the file itself.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
    /// The key, such as `providers.openai.key-env`; empty when it is the file itself.
    pub path: String,
    pub message: String,
    /// The reader's next step.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with a whole file.
    #[must_use]
    pub fn of_file(file: &str, message: &str, hint: Option<&str>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.into(),
            line: None,
            column: None,
            path: String::new(),
            message: printable(message),
            hint: hint.map(printable),
        }
    }
}

/// As a compiler would show it.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}\n  --> {}", self.message, self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        if !self.path.is_empty() {
            write!(f, " ({})", self.path)?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Everything that was found, in the file's order: at least one error, at most [`MOST`] in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Problems {
    pub problems: Vec<Problem>,
    /// Whether there were more than are kept.
    pub more: bool,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if index == 0 { "" } else { "\n\n" })?;
        }
        if self.more {
            write!(f, "\n\nthere are more: these are the first {MOST}")?;
        }
        Ok(())
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem], more: false }
    }
}

/// Problems while they are being found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    more: bool,
}

impl Findings {
    /// Keeps `problem`, unless something is known to be wrong at its place already: for passes that meet what follows from
    /// a first problem once more.
    pub(super) fn add_first(&mut self, problem: Problem) {
        let same_place = |known: &Problem| (known.line, known.column) == (problem.line, problem.column);
        if !self.problems.iter().any(same_place) {
            self.add(problem);
        }
    }

    /// Keeps `problem`, unless there are enough. An error takes a warning's place: no number of warnings can make a
    /// wrong configuration look right.
    pub(super) fn add(&mut self, mut problem: Problem) {
        if self.problems.len() >= MOST {
            self.more = true;
            let warning = self.problems.iter().rposition(|known| known.severity == Severity::Warning);
            match warning.filter(|_| problem.severity == Severity::Error) {
                Some(warning) => self.problems.remove(warning),
                None => return,
            };
        }
        problem.path = printable(&problem.path);
        problem.message = printable(&problem.message);
        problem.hint = problem.hint.as_deref().map(printable);
        self.problems.push(problem);
    }

    /// Says that there are more than are kept.
    pub(super) fn cut(&mut self) {
        self.more = true;
    }

    /// Whether there are enough errors, so that looking for more is no use.
    pub(super) fn full(&self) -> bool {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count() >= MOST
    }

    /// Whether anything is wrong at or under the key `section`, such as `models` or `models[0].price`.
    pub(super) fn errors_in(&self, section: &str) -> bool {
        self.problems.iter().any(|problem| {
            problem.severity == Severity::Error
                && problem
                    .path
                    .strip_prefix(section)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// The warnings, when nothing worse was found.
    pub(super) fn into_result(mut self) -> Result<Vec<Problem>, Problems> {
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        if self.problems.iter().any(|problem| problem.severity == Severity::Error) {
            Err(Problems { problems: self.problems, more: self.more })
        } else {
            Ok(self.problems)
        }
    }
}

/// `text` without anything that could move a terminal's cursor, cut to a readable length.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(LONGEST_TEXT));
    for (index, character) in text.chars().enumerate() {
        if index == LONGEST_TEXT {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
