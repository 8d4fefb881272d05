//! What may be wrong with a row of labelled prompts.

use crate::faults::Notable;

/// What can be said of a row while the file as a whole is usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Cells,
    OpenQuote,
    NotText,
    NoPrompt,
    LongPrompt,
    NoLabel,
    NoWord,
    Again,
    Contradiction,
}

impl Notable for Fault {
    fn code(self) -> &'static str {
        match self {
            Self::Cells => "wrong-number-of-cells",
            Self::OpenQuote => "open-quote",
            Self::NotText => "not-utf-8",
            Self::NoPrompt => "no-prompt",
            Self::LongPrompt => "prompt-too-long",
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
            Self::Cells => "not as many cells as headings (a prompt with commas needs quotes)",
            Self::OpenQuote => {
                "not as many cells as headings, over many lines (a quote that is not closed swallows rows)"
            }
            Self::NotText => "not UTF-8",
            Self::NoPrompt => "no prompt",
            Self::LongPrompt => "a prompt over 32000 characters, which no request may have",
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
