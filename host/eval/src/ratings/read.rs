//! A file of ratings, row by row: `prompt_id, prompt, model, price_usd_micros, rating_1 ..`, columns in any order.
//!
//! Nothing of the file is kept but the row at hand. A row that says nothing usable is left out and counted; only what
//! makes the whole file unusable is an error.

use std::{collections::BTreeSet, path::Path};

use domain::{digest::Digest, money::MicroUsd};

use super::notes::{Fault, Notes};
use crate::{
    decimal::{self, Decimal},
    table_file::{Cells, TableError, TableFile, is_hole},
};

/// Columns that every file needs, beside at least one rating.
const NEEDED: [&str; 4] = ["prompt_id", "prompt", "model", "price_usd_micros"];
/// What the columns of raters begin with.
const RATING: &str = "rating_";
/// Most raters.
const MOST_RATERS: usize = 64;
/// Largest price of a picture: what plugins can be told.
const MOST_PRICE: u64 = u32::MAX as u64;
/// No picture costs so few micro-dollars and a fraction: a price like 1.5 is one in dollars.
const FEW_MICROS: u64 = 100;
/// Longest prompt, in bytes: behind a longer one there is a quote that nobody closed.
const MOST_PROMPT: usize = 1 << 20;

/// A file of ratings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RatingsError {
    #[error(transparent)]
    File(#[from] TableError),
    #[error("`{file}` line 1: {count} columns of ratings are too many")]
    Raters { file: String, count: usize },
    #[error("`{file}` line {line}: more than {most} models")]
    Models { file: String, line: u64, most: usize },
    #[error("`{file}`: {count} of {all} ratings are not from 1 to 5 (first in line {line})")]
    Scale { file: String, count: u64, all: u64, line: u64 },
    #[error("nothing in `{file}` can be used: {why}")]
    Nothing { file: String, why: String, hint: &'static str },
    #[error("{prompts} different prompts cannot be cut into {folds} folds")]
    Folds { prompts: usize, folds: u32 },
    #[error("cannot write choices")]
    Choices(#[source] csv::Error),
    #[error("`{file}` was changed while it was read")]
    Changed { file: String },
}

impl RatingsError {
    /// The reader's next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::File(error) => return error.hint(),
            Self::Raters { .. } => format!("keep at most {MOST_RATERS}"),
            Self::Models { .. } => {
                "`model` names who made the picture; is another column under that heading?".to_owned()
            }
            Self::Scale { .. } => {
                "bring them to a scale from 1 to 5: 1 + 4 * (rating - lowest) / (highest - lowest), with the lowest and the \
                 highest of their own scale; if they are mistakes, take them out"
                    .to_owned()
            }
            Self::Nothing { hint, .. } => (*hint).to_owned(),
            Self::Folds { .. } => {
                "rate more prompts, take fewer `--folds`, or bring expectations with `--quality`".to_owned()
            }
            Self::Choices(_) => "is there room on the disk?".to_owned(),
            Self::Changed { .. } => "run it again when nobody writes to it".to_owned(),
        };
        Some(hint)
    }
}

/// One row that can be used.
pub(super) struct Row<'a> {
    pub line: u64,
    pub id: &'a str,
    pub prompt: &'a str,
    pub model: &'a str,
    pub price: MicroUsd,
    /// One a rater; not a number where there is none.
    pub ratings: &'a [f32],
}

/// The rows of a file.
pub(super) struct Rows {
    table: TableFile,
    columns: Columns,
    ratings: Vec<f32>,
}

impl Rows {
    /// # Errors
    ///
    /// When there is no such file, or its headings are not those of ratings.
    pub(super) fn open(path: &Path) -> Result<Self, RatingsError> {
        let table = TableFile::open(path)?;
        let columns = Columns::of(&table)?;
        let ratings = Vec::with_capacity(columns.ratings.len());
        Ok(Self { table, columns, ratings })
    }

    pub(super) fn raters(&self) -> usize {
        self.columns.ratings.len()
    }

    /// Rows behind the headings so far, used or not.
    pub(super) fn seen(&self) -> u64 {
        self.table.seen
    }

    /// Of the bytes read so far: of the whole file after its last row.
    pub(super) fn digest(&self) -> Digest {
        self.table.digest()
    }

    /// The next row that can be used. What is left out before it goes to `notes`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read any further.
    pub(super) fn next(&mut self, notes: &mut Notes) -> Result<Option<Row<'_>>, RatingsError> {
        let (columns, ratings) = (&self.columns, &mut self.ratings);
        // The row that is handed out cannot be borrowed in a loop: its cells are found again when one is good.
        let (line, price) = loop {
            let Some(cells) = self.table.next()? else { return Ok(None) };
            let line = cells.line;
            let price = match columns.check(cells) {
                Ok(price) => price,
                Err(fault) => {
                    notes.note(fault, line);
                    continue;
                }
            };
            ratings.clear();
            for column in &columns.ratings {
                ratings.push(rating(text(cells, *column), |fault| notes.note(fault, line)));
            }
            if ratings.iter().all(|rating| rating.is_nan()) {
                notes.note(Fault::NoRating, line);
                continue;
            }
            break (line, price);
        };
        let cells = self.table.cells();
        Ok(Some(Row {
            line,
            id: text(cells, columns.id).trim(),
            prompt: text(cells, columns.prompt),
            model: text(cells, columns.model).trim(),
            price,
            ratings,
        }))
    }
}

/// Where the columns are.
struct Columns {
    count: usize,
    id: usize,
    prompt: usize,
    model: usize,
    price: usize,
    ratings: Vec<usize>,
}

impl Columns {
    fn of(table: &TableFile) -> Result<Self, RatingsError> {
        let headings = || table.headings.iter().map(String::as_str);
        let mut names = BTreeSet::new();
        for name in headings().filter(|name| NEEDED.contains(name) || name.starts_with(RATING)) {
            if !names.insert(name) {
                return Err(TableError::Twice { file: table.name.clone(), name: name.to_owned() }.into());
            }
        }
        let place = |name: &'static str| headings().position(|other| other == name).ok_or_else(|| table.missing(name));
        let number = |name: &str| name.strip_prefix(RATING).and_then(|number| number.parse::<u32>().ok());
        let mut ratings: Vec<(u32, usize)> =
            headings().enumerate().filter_map(|(index, name)| Some((number(name)?, index))).collect();
        ratings.sort_unstable();
        let columns = Self {
            count: table.headings.len(),
            id: place(NEEDED[0])?,
            prompt: place(NEEDED[1])?,
            model: place(NEEDED[2])?,
            price: place(NEEDED[3])?,
            ratings: ratings.into_iter().map(|(_, index)| index).collect(),
        };
        match columns.ratings.len() {
            0 => Err(table.missing("rating_1").into()),
            count if count > MOST_RATERS => Err(RatingsError::Raters { file: table.name.clone(), count }),
            _ => Ok(columns),
        }
    }

    /// The price of a row that can be used, or why it cannot.
    fn check(&self, cells: Cells<'_>) -> Result<MicroUsd, Fault> {
        if cells.len() != self.count {
            return Err(if cells.swallows() { Fault::OpenQuote } else { Fault::Cells });
        }
        let used = [self.id, self.prompt, self.model, self.price];
        if used.iter().chain(&self.ratings).any(|column| cells.text(*column).is_none()) {
            return Err(Fault::NotText);
        }
        if text(cells, self.id).trim().is_empty() {
            return Err(Fault::NoId);
        }
        let prompt = text(cells, self.prompt);
        if prompt.trim().is_empty() {
            return Err(Fault::NoPrompt);
        }
        if prompt.len() > MOST_PROMPT {
            return Err(Fault::LongPrompt);
        }
        if text(cells, self.model).trim().is_empty() {
            return Err(Fault::NoModel);
        }
        price(text(cells, self.price))
    }
}

/// Whole micro-dollars, also as a spreadsheet writes them (`40000.0`); a fraction is rounded up.
fn price(text: &str) -> Result<MicroUsd, Fault> {
    let Decimal { whole, is_cut, .. } = decimal::read(text.trim(), 0).ok_or(Fault::Price)?;
    if whole < FEW_MICROS && is_cut {
        return Err(Fault::PriceInDollars);
    }
    let micros = whole.saturating_add(u64::from(is_cut));
    if micros > MOST_PRICE { Err(Fault::Price) } else { Ok(MicroUsd(micros)) }
}

fn rating(text: &str, mut note: impl FnMut(Fault)) -> f32 {
    let text = text.trim();
    if is_hole(text) {
        note(Fault::Hole);
        return f32::NAN;
    }
    match text.parse::<f32>() {
        Ok(rating) if (1.0..=5.0).contains(&rating) => rating,
        Ok(_) => {
            note(Fault::OutOfRange);
            f32::NAN
        }
        Err(_) => {
            note(Fault::NoNumber);
            f32::NAN
        }
    }
}

/// A cell. Those that are used were found to be UTF-8.
fn text(cells: Cells<'_>, column: usize) -> &str {
    cells.text(column).unwrap_or_default()
}
