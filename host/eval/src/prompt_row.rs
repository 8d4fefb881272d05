//! What every row of a file of prompts must have: as many cells as headings, text, and a prompt that a request may have.

use domain::request::MAX_PROMPT_CHARS;

use crate::table_file::Cells;

/// Why a row has no prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BadRow {
    Cells,
    OpenQuote,
    NotText,
    NoPrompt,
    LongPrompt,
}

impl BadRow {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Cells => "wrong-number-of-cells",
            Self::OpenQuote => "open-quote",
            Self::NotText => "not-utf-8",
            Self::NoPrompt => "no-prompt",
            Self::LongPrompt => "prompt-too-long",
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Cells => "not as many cells as headings (a prompt with commas needs quotes)",
            Self::OpenQuote => {
                "not as many cells as headings, over many lines (a quote that is not closed swallows rows)"
            }
            Self::NotText => "not UTF-8",
            Self::NoPrompt => "no prompt",
            Self::LongPrompt => "a prompt over 32000 characters, which no request may have",
        }
    }
}

/// The prompt of a row under `headings` columns, when the cells of these `columns`, as far as the file has them, are text, too.
pub(crate) fn prompt<'c>(
    cells: Cells<'c>,
    headings: usize,
    prompt: usize,
    columns: &[Option<usize>],
) -> Result<&'c str, BadRow> {
    if cells.len() != headings {
        return Err(if cells.swallows() { BadRow::OpenQuote } else { BadRow::Cells });
    }
    let are_text = columns.iter().flatten().all(|column| cells.text(*column).is_some());
    let prompt = cells.text(prompt).filter(|_| are_text).ok_or(BadRow::NotText)?;
    if prompt.trim().is_empty() {
        return Err(BadRow::NoPrompt);
    }
    if prompt.chars().nth(MAX_PROMPT_CHARS).is_some() {
        return Err(BadRow::LongPrompt);
    }
    Ok(prompt)
}
