//! What was left out of a file of ratings, counted, with the line where it first happened.

use std::collections::BTreeMap;

use serde::Serialize;

/// What can be wrong with a row or a rating while the file as a whole is usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Cells,
    OpenQuote,
    NotText,
    NoId,
    NoPrompt,
    LongPrompt,
    NoModel,
    Price,
    PriceInDollars,
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
            Self::OpenQuote => "open-quote",
            Self::NotText => "not-utf-8",
            Self::NoId => "no-prompt-id",
            Self::NoPrompt => "no-prompt",
            Self::LongPrompt => "prompt-too-long",
            Self::NoModel => "no-model",
            Self::Price => "bad-price",
            Self::PriceInDollars => "price-in-dollars",
            Self::NoRating => "no-rating",
            Self::OtherPrompt => "id-with-another-prompt",
            Self::Duplicate => "duplicate",
            Self::Hole => "empty-rating",
            Self::NoNumber => "rating-not-a-number",
            Self::OutOfRange => "rating-out-of-range",
            Self::OtherPrice => "another-price",
        }
    }

    /// With its count: `3 rows left out: ...`.
    fn told(self, count: u64) -> String {
        let rows = if count == 1 { "row" } else { "rows" };
        let ratings = if count == 1 { "rating" } else { "ratings" };
        let left_out = match self {
            Self::Hole => return format!("{count} {ratings} not given"),
            Self::NoNumber => return format!("{count} {ratings} left out: no number"),
            Self::OutOfRange => return format!("{count} {ratings} left out: not from 1 to 5"),
            Self::OtherPrice if count == 1 => return "1 row has another price than its model's first".to_owned(),
            Self::OtherPrice => {
                return format!("{count} rows have another price than their model's first; each counts at its own");
            }
            Self::Cells => "not as many cells as headings (a prompt with commas needs quotes)",
            Self::OpenQuote => {
                "not as many cells as headings, over many lines (a quote that is not closed swallows rows)"
            }
            Self::NotText => "not UTF-8",
            Self::NoId => "no prompt_id",
            Self::NoPrompt => "no prompt",
            Self::LongPrompt => "a prompt over 1 MiB (a quote may not be closed)",
            Self::NoModel => "no model",
            Self::Price => "price_usd_micros is no amount from 0 to 4294967295",
            Self::PriceInDollars => "price_usd_micros is less than one: 0.04 dollars are 40000 micro-dollars",
            Self::NoRating => "no rating from 1 to 5",
            Self::OtherPrompt => "the same prompt_id stood for another prompt before",
            Self::Duplicate => "the same prompt_id and model came before",
        };
        format!("{count} {rows} left out: {left_out}")
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

    /// How often it was noted, and the line where it first was.
    pub(super) fn of(&self, fault: Fault) -> Option<(u64, u64)> {
        self.0.get(&fault).copied()
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        let warning = |(fault, (count, line)): (&Fault, &(u64, u64))| Warning {
            code: fault.code(),
            count: *count,
            first_line: Some(*line),
            text: fault.told(*count),
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

/// As texts have it.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
