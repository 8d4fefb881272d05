//! What may be wrong with a row of requests.

use crate::{faults::Notable, prompt_row::BadRow};

/// What can be said of a row while the file as a whole is usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Row(BadRow),
    NoModel,
    Size,
    Quality,
    Count,
    Cost,
    Rounded,
    Free,
}

impl Notable for Fault {
    fn code(self) -> &'static str {
        match self {
            Self::Row(bad) => bad.code(),
            Self::NoModel => "no-model",
            Self::Size => "bad-size",
            Self::Quality => "bad-quality",
            Self::Count => "bad-n",
            Self::Cost => "bad-cost",
            Self::Rounded => "cost-rounded",
            Self::Free => "cost-zero",
        }
    }

    fn is_bad(self) -> bool {
        !matches!(self, Self::Rounded | Self::Free)
    }

    fn words(self, is_one: bool) -> String {
        let what = match self {
            Self::Row(bad) => bad.words(),
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
