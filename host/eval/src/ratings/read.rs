//! A file of ratings, row by row: `prompt_id, prompt, model, price_usd_micros, rating_1 ..`, columns in any order.
//!
//! Nothing of the file is kept but the row at hand. A row that says nothing usable is left out and counted; only what
//! makes the whole file unusable is an error.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use csv::ByteRecord;
use domain::{
    digest::{Digest, Digester},
    money::MicroUsd,
};

use super::notes::{Fault, Notes};

/// Columns that every file needs, beside at least one rating.
const NEEDED: [&str; 4] = ["prompt_id", "prompt", "model", "price_usd_micros"];
/// What the columns of raters begin with.
const RATING: &str = "rating_";
/// Most raters.
const MOST_RATERS: usize = 64;
/// Largest price of a picture: what plugins can be told.
const MOST_PRICE: f64 = u32::MAX as f64;
/// Longest prompt, in bytes: behind a longer one there is a quote that nobody closed.
const MOST_PROMPT: usize = 1 << 20;
/// What people write where there is no rating.
const HOLES: [&str; 6] = ["", "-", "na", "n/a", "nan", "null"];

/// A file of ratings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RatingsError {
    #[error("cannot read `{file}`")]
    Read { file: String, source: io::Error },
    #[error("`{file}` is empty")]
    Empty { file: String },
    #[error("`{file}` is no UTF-8 text")]
    NotText { file: String },
    #[error("`{file}` line 1: there is no column `{missing}`")]
    Column { file: String, missing: &'static str, hint: String },
    #[error("`{file}` line 1: the column `{name}` comes twice")]
    Twice { file: String, name: String },
    #[error("`{file}` line 1: {count} columns of ratings are too many")]
    Raters { file: String, count: usize },
    #[error("`{file}` line {line}: more than {most} models")]
    Models { file: String, line: u64, most: usize },
    #[error("nothing in `{file}` can be used: {why}")]
    Nothing { file: String, why: String, hint: &'static str },
    #[error("{prompts} different prompts cannot be cut into {folds} folds")]
    Folds { prompts: usize, folds: u32 },
    #[error("`{file}` was changed while it was read")]
    Changed { file: String },
}

impl RatingsError {
    /// The reader's next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read { .. } => return None,
            Self::Empty { .. } => "its first line names the columns prompt_id, prompt, model, price_usd_micros and \
                                   rating_1, rating_2, ..."
                .to_owned(),
            Self::NotText { .. } => "save it as CSV in UTF-8".to_owned(),
            Self::Column { hint, .. } => hint.clone(),
            Self::Twice { .. } => "give each column a name of its own".to_owned(),
            Self::Raters { .. } => format!("keep at most {MOST_RATERS}"),
            Self::Models { .. } => {
                "`model` names who made the picture; is another column under that heading?".to_owned()
            }
            Self::Nothing { hint, .. } => (*hint).to_owned(),
            Self::Folds { .. } => {
                "rate more prompts, take fewer `--folds`, or bring expectations with `--quality`".to_owned()
            }
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
    file: String,
    reader: csv::Reader<Digesting<BufReader<File>>>,
    columns: Columns,
    record: ByteRecord,
    ratings: Vec<f32>,
    /// Rows behind the headings so far, used or not.
    pub seen: u64,
}

impl Rows {
    /// # Errors
    ///
    /// When there is no such file, or its headings are not those of ratings.
    pub(super) fn open(path: &Path) -> Result<Self, RatingsError> {
        let file = path.display().to_string();
        let opened = File::open(path).and_then(|opened| {
            let is_folder = opened.metadata()?.is_dir();
            if is_folder { Err(io::Error::from(io::ErrorKind::IsADirectory)) } else { Ok(opened) }
        });
        let source = match opened {
            Ok(opened) => Digesting { inner: BufReader::with_capacity(1 << 16, opened), digester: Digester::default() },
            Err(source) => return Err(RatingsError::Read { file, source }),
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
        let headings = match reader.headers() {
            Ok(headings) => headings,
            Err(error) => {
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(source) => RatingsError::Read { file, source },
                    _ => RatingsError::NotText { file },
                });
            }
        };
        let columns = Columns::of(headings.iter().map(str::trim).collect(), &file)?;
        let ratings = Vec::with_capacity(columns.ratings.len());
        Ok(Self { file, reader, columns, record: ByteRecord::new(), ratings, seen: 0 })
    }

    pub(super) fn raters(&self) -> usize {
        self.columns.ratings.len()
    }

    /// Of the bytes read so far: of the whole file after its last row.
    pub(super) fn digest(&self) -> Digest {
        self.reader.get_ref().digester.digest()
    }

    /// The next row that can be used. What is left out before it goes to `notes`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read any further.
    pub(super) fn next(&mut self, notes: &mut Notes) -> Result<Option<Row<'_>>, RatingsError> {
        loop {
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => {
                    let file = self.file.clone();
                    let source = match error.into_kind() {
                        csv::ErrorKind::Io(source) => source,
                        kind => io::Error::other(format!("{kind:?}")),
                    };
                    return Err(RatingsError::Read { file, source });
                }
            }
            self.seen += 1;
            let line = self.record.position().map_or(0, csv::Position::line);
            let price = match self.columns.check(&self.record) {
                Ok(price) => price,
                Err(fault) => {
                    notes.note(fault, line);
                    continue;
                }
            };
            self.ratings.clear();
            for column in &self.columns.ratings {
                self.ratings.push(rating(text(&self.record, *column), |fault| notes.note(fault, line)));
            }
            if self.ratings.iter().all(|rating| rating.is_nan()) {
                notes.note(Fault::NoRating, line);
                continue;
            }
            break Ok(Some(Row {
                line,
                id: text(&self.record, self.columns.id).trim(),
                prompt: text(&self.record, self.columns.prompt),
                model: text(&self.record, self.columns.model).trim(),
                price,
                ratings: &self.ratings,
            }));
        }
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
    fn of(headings: Vec<&str>, file: &str) -> Result<Self, RatingsError> {
        if headings.iter().all(|heading| heading.is_empty()) {
            return Err(RatingsError::Empty { file: file.to_owned() });
        }
        let mut names = BTreeSet::new();
        for name in headings.iter().filter(|name| NEEDED.contains(name) || name.starts_with(RATING)) {
            if !names.insert(name) {
                return Err(RatingsError::Twice { file: file.to_owned(), name: (*name).to_owned() });
            }
        }
        let missing = |missing: &'static str| {
            let other = [';', '\t', '|'].into_iter().find(|other| headings.len() == 1 && headings[0].contains(*other));
            let shown: Vec<String> = headings
                .iter()
                .take(12)
                .map(|name| format!("`{}`", name.chars().take(40).collect::<String>()))
                .collect();
            let hint = match other {
                Some(other) => format!("separate the columns with commas, not with {other:?}"),
                None => format!("the first line of the file names its columns; it names {}", shown.join(", ")),
            };
            RatingsError::Column { file: file.to_owned(), missing, hint }
        };
        let place = |name: &'static str| headings.iter().position(|other| *other == name).ok_or_else(|| missing(name));
        let number = |name: &&str| name.strip_prefix(RATING).and_then(|number| number.parse::<u32>().ok());
        let mut ratings: Vec<(u32, usize)> =
            headings.iter().enumerate().filter_map(|(index, name)| Some((number(name)?, index))).collect();
        ratings.sort_unstable();
        let columns = Self {
            count: headings.len(),
            id: place(NEEDED[0])?,
            prompt: place(NEEDED[1])?,
            model: place(NEEDED[2])?,
            price: place(NEEDED[3])?,
            ratings: ratings.into_iter().map(|(_, index)| index).collect(),
        };
        match columns.ratings.len() {
            0 => Err(missing("rating_1")),
            count if count > MOST_RATERS => Err(RatingsError::Raters { file: file.to_owned(), count }),
            _ => Ok(columns),
        }
    }

    /// The price of a row that can be used, or why it cannot.
    fn check(&self, record: &ByteRecord) -> Result<MicroUsd, Fault> {
        if record.len() != self.count {
            return Err(Fault::Cells);
        }
        let used = [self.id, self.prompt, self.model, self.price];
        if used.iter().chain(&self.ratings).any(|column| std::str::from_utf8(&record[*column]).is_err()) {
            return Err(Fault::NotText);
        }
        if text(record, self.id).trim().is_empty() {
            return Err(Fault::NoId);
        }
        let prompt = text(record, self.prompt);
        if prompt.trim().is_empty() {
            return Err(Fault::NoPrompt);
        }
        if prompt.len() > MOST_PROMPT {
            return Err(Fault::LongPrompt);
        }
        if text(record, self.model).trim().is_empty() {
            return Err(Fault::NoModel);
        }
        price(text(record, self.price)).ok_or(Fault::Price)
    }
}

/// Whole micro-dollars, also as a spreadsheet writes them (`40000.0`); a fraction is rounded up.
fn price(text: &str) -> Option<MicroUsd> {
    let amount: f64 = text.trim().parse().ok()?;
    (0.0..=MOST_PRICE).contains(&amount).then(|| MicroUsd(amount.ceil() as u64))
}

fn rating(text: &str, mut note: impl FnMut(Fault)) -> f32 {
    let text = text.trim();
    if HOLES.iter().any(|hole| text.eq_ignore_ascii_case(hole)) {
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
fn text(record: &ByteRecord, column: usize) -> &str {
    record.get(column).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A reader that notes what went through it.
struct Digesting<R> {
    inner: R,
    digester: Digester,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digester.update(&buffer[..count]);
        Ok(count)
    }
}
