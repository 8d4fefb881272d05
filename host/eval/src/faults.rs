//! What was noticed in a stranger's file, counted, with the lines where it first happened and one example.

use std::collections::BTreeMap;

use serde::Serialize;

/// Lines that are named of each kind.
const LINES: usize = 5;
/// Longest example, in characters.
const LONGEST: usize = 40;

/// A kind of thing that can be said of a row while the file as a whole is usable.
pub(crate) trait Notable: Copy + Ord {
    fn code(self) -> &'static str;

    /// Whether its row is left out.
    fn is_bad(self) -> bool;

    /// After a count.
    fn words(self, is_one: bool) -> String;
}

/// Counts of what was noticed.
#[derive(Debug)]
pub(crate) struct Faults<F>(BTreeMap<F, Noted>);

impl<F> Default for Faults<F> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

#[derive(Debug)]
struct Noted {
    count: u64,
    lines: Vec<u64>,
    example: String,
}

impl<F: Notable> Faults<F> {
    /// `cell` is what was wrong, where that can be shown.
    pub(crate) fn note(&mut self, fault: F, line: u64, cell: &str) {
        let example = || cell.trim().chars().take(LONGEST).collect();
        let noted = self.0.entry(fault).or_insert_with(|| Noted { count: 0, lines: Vec::new(), example: example() });
        noted.count += 1;
        keep_line(&mut noted.lines, line);
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.0.iter().map(|(fault, noted)| problem(*fault, noted)).collect()
    }
}

fn problem<F: Notable>(fault: F, Noted { count, lines, example }: &Noted) -> Problem {
    let example = (!example.is_empty()).then(|| example.clone());
    let shown = example.as_ref().map_or(String::new(), |example| format!(", such as `{example}`"));
    let is_one = *count == 1;
    let text = format!("{count} {}{shown} ({})", fault.words(is_one), told_lines(lines, *count));
    Problem {
        code: fault.code(),
        count: *count,
        is_left_out: fault.is_bad(),
        first_lines: lines.clone(),
        example,
        text,
    }
}

/// `line 3`, `lines 3, 4`, `lines 3, 4, 5, 6, 7 and 20 more`.
pub(crate) fn told_lines(lines: &[u64], count: u64) -> String {
    let shown: Vec<String> = lines.iter().map(u64::to_string).collect();
    let more = count.saturating_sub(lines.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("line{} {}{more}", if count == 1 { "" } else { "s" }, shown.join(", "))
}

/// The lines of the first few of `count`.
pub(crate) fn keep_line(lines: &mut Vec<u64>, line: u64) {
    if lines.len() < LINES {
        lines.push(line);
    }
}

/// Something that whoever reads the results should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub code: &'static str,
    pub count: u64,
    /// Whether the rows were left out.
    pub is_left_out: bool,
    /// In the file, of the first few.
    pub first_lines: Vec<u64>,
    pub example: Option<String>,
    pub text: String,
}
