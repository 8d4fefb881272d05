//! What may be wrong with a row of labelled prompts.

use crate::{faults::Notable, prompt_row::BadRow};

/// What can be said of a row while the file as a whole is usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Row(BadRow),
    NoLabel,
    NoWord,
    Again,
    Contradiction,
}

impl Notable for Fault {
    fn code(self) -> &'static str {
        match self {
            Self::Row(bad) => bad.code(),
            Self::NoLabel => "no-label",
            Self::NoWord => "bad-word",
            Self::Again => "prompt-again",
            Self::Contradiction => "another-label",
        }
    }

    fn is_bad(self) -> bool {
        self != Self::Again
    }

    fn words(self, is_one: bool) -> String {
        let what = match self {
            Self::Row(bad) => bad.words(),
            Self::NoLabel => "no label",
            Self::NoWord => "a label or a trait is no plain word of at most 64 letters",
            Self::Again => return format!("prompt{} that came before with this label, counted again", plural(is_one)),
            Self::Contradiction => "the same prompt came before with another label",
        };
        format!("row{} left out: {what}", plural(is_one))
    }
}

fn plural(is_one: bool) -> &'static str {
    if is_one { "" } else { "s" }
}
