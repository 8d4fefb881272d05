//! What was noticed in a file of requests, counted, with the lines where it first happened and one example.

use std::collections::BTreeMap;

use serde::Serialize;

/// Lines that are named of each kind.
const LINES: usize = 5;
/// Longest example, in characters.
const LONGEST: usize = 40;

/// What can be said of a row while the file as a whole is usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Cells,
    OpenQuote,
    NotText,
    NoPrompt,
    LongPrompt,
    NoModel,
    Size,
    Quality,
    Count,
    Cost,
    Rounded,
    Free,
}

impl Fault {
    fn code(self) -> &'static str {
        match self {
            Self::Cells => "wrong-number-of-cells",
            Self::OpenQuote => "open-quote",
            Self::NotText => "not-utf-8",
            Self::NoPrompt => "no-prompt",
            Self::LongPrompt => "prompt-too-long",
            Self::NoModel => "no-model",
            Self::Size => "bad-size",
            Self::Quality => "bad-quality",
            Self::Count => "bad-n",
            Self::Cost => "bad-cost",
            Self::Rounded => "cost-rounded",
            Self::Free => "cost-zero",
        }
    }

    /// Whether its row is left out.
    fn is_bad(self) -> bool {
        !matches!(self, Self::Rounded | Self::Free)
    }

    /// After a count.
    fn words(self, is_one: bool) -> String {
        let what = match self {
            Self::Cells => "not as many cells as headings (a prompt with commas needs quotes)",
            Self::OpenQuote => {
                "not as many cells as headings, over many lines (a quote that is not closed swallows rows)"
            }
            Self::NotText => "not UTF-8",
            Self::NoPrompt => "no prompt",
            Self::LongPrompt => "a prompt over 32000 characters, which no request may have",
            Self::NoModel => "no model",
            Self::Size => "size is no WIDTHxHEIGHT in pixels",
            Self::Quality => "quality is not one of auto, draft, standard, hd, ultra, low, medium, high, xhigh, max",
            Self::Count => "n is no number from 1 to 10",
            Self::Cost => "cost is no amount of dollars from 0 to 100000, like 0.04",
            Self::Rounded => "finer than a micro-dollar: rounded to the nearest",
            Self::Free => "as the file says, and counted as free",
        };
        match (self, is_one) {
            (Self::Rounded, true) => format!("cost {what}"),
            (Self::Rounded, false) => format!("costs {what}"),
            (Self::Free, true) => format!("row cost nothing, {what}"),
            (Self::Free, false) => format!("rows cost nothing, {what}"),
            (_, true) => format!("row left out: {what}"),
            (_, false) => format!("rows left out: {what}"),
        }
    }
}

/// Counts of what was noticed.
#[derive(Debug, Default)]
pub(super) struct Faults(BTreeMap<Fault, Noted>);

#[derive(Debug)]
struct Noted {
    count: u64,
    lines: Vec<u64>,
    example: String,
}

impl Faults {
    /// `cell` is what was wrong, where that can be shown.
    pub(super) fn note(&mut self, fault: Fault, line: u64, cell: &str) {
        let example = || cell.trim().chars().take(LONGEST).collect();
        let noted = self.0.entry(fault).or_insert_with(|| Noted { count: 0, lines: Vec::new(), example: example() });
        noted.count += 1;
        keep_line(&mut noted.lines, line);
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        self.0.iter().map(|(fault, noted)| problem(*fault, noted)).collect()
    }
}

fn problem(fault: Fault, Noted { count, lines, example }: &Noted) -> Problem {
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
pub(super) fn told_lines(lines: &[u64], count: u64) -> String {
    let shown: Vec<String> = lines.iter().map(u64::to_string).collect();
    let more = count.saturating_sub(lines.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("line{} {}{more}", if count == 1 { "" } else { "s" }, shown.join(", "))
}

/// The lines of the first few of `count`.
pub(super) fn keep_line(lines: &mut Vec<u64>, line: u64) {
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
