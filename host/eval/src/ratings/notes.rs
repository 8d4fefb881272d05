//! What was left out of a file of ratings, counted, with the line where it first happened.

use std::collections::BTreeMap;

use serde::Serialize;

/// What can be wrong with a row or a rating while the file as a whole is usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Cells,
    NotText,
    NoId,
    NoPrompt,
    LongPrompt,
    NoModel,
    Price,
    NoRating,
    OtherPrompt,
    Duplicate,
    Hole,
    NoNumber,
    OutOfRange,
    OtherPrice,
}

impl Fault {
    fn code(self) -> &'static str {
        match self {
            Self::Cells => "wrong-number-of-cells",
            Self::NotText => "not-utf-8",
            Self::NoId => "no-prompt-id",
            Self::NoPrompt => "no-prompt",
            Self::LongPrompt => "prompt-too-long",
            Self::NoModel => "no-model",
            Self::Price => "bad-price",
            Self::NoRating => "no-rating",
            Self::OtherPrompt => "id-with-another-prompt",
            Self::Duplicate => "duplicate",
            Self::Hole => "empty-rating",
            Self::NoNumber => "rating-not-a-number",
            Self::OutOfRange => "rating-out-of-range",
            Self::OtherPrice => "another-price",
        }
    }

    /// After a count: `3 rows left out: ...`.
    fn words(self) -> &'static str {
        match self {
            Self::Cells => "rows left out: not as many cells as headings (a prompt with commas needs quotes)",
            Self::NotText => "rows left out: not UTF-8",
            Self::NoId => "rows left out: no prompt_id",
            Self::NoPrompt => "rows left out: no prompt",
            Self::LongPrompt => "rows left out: a prompt over 1 MiB (a quote may not be closed)",
            Self::NoModel => "rows left out: no model",
            Self::Price => "rows left out: price_usd_micros is no amount from 0 to 4294967295",
            Self::NoRating => "rows left out: no rating from 1 to 5",
            Self::OtherPrompt => "rows left out: their prompt_id stood for another prompt before",
            Self::Duplicate => "rows left out: the same prompt_id and model came before",
            Self::Hole => "ratings are empty",
            Self::NoNumber => "ratings left out: no number",
            Self::OutOfRange => "ratings left out: not from 1 to 5",
            Self::OtherPrice => "rows have another price than their model's first; each counts at its own",
        }
    }
}

/// Counts of what was noticed.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(BTreeMap<Fault, (u64, u64)>);

impl Notes {
    pub(super) fn note(&mut self, fault: Fault, line: u64) {
        let (count, _) = self.0.entry(fault).or_insert((0, line));
        *count += 1;
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        let warning = |(fault, (count, line)): (&Fault, &(u64, u64))| Warning {
            code: fault.code(),
            count: *count,
            first_line: Some(*line),
            text: format!("{count} {}", fault.words()),
        };
        self.0.iter().map(warning).collect()
    }
}

/// Something that whoever reads the results should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    pub code: &'static str,
    pub count: u64,
    /// In the file of ratings.
    pub first_line: Option<u64>,
    pub text: String,
}

impl Warning {
    pub(super) fn of(code: &'static str, count: u64, text: String) -> Self {
        Self { code, count, first_line: None, text }
    }
}
