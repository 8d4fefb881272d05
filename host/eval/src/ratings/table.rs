//! What is kept of a file of ratings: who got which ratings at which price, and what the classifier saw in each prompt.
//! No prompt is kept.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use domain::{digest::Digest, expectation::Seen, money::MicroUsd};

use super::{
    judges::Judges,
    names::Model,
    notes::{Fault, Notes, Warning},
    read::{RatingsError, Row, Rows},
};

/// Most models of one file.
const MOST_MODELS: usize = 200;
/// When more than one of so many ratings is out of range, and not just a slip or two, they are on another scale: those left
/// would mislead.
const MOST_OUT_OF_RANGE: u64 = 20;
const FEWEST_OUT_OF_RANGE: u64 = 3;
/// Rows between two words about progress.
const PROGRESS: u64 = 4_096;

/// A file of ratings, read.
pub struct Ratings {
    pub(super) path: PathBuf,
    /// Of the file's bytes.
    pub digest: Digest,
    /// Behind the headings, used or not.
    pub rows: u64,
    /// Columns of ratings.
    pub raters: usize,
    pub models: Vec<Model>,
    pub(super) prompts: Vec<Prompt>,
    ids: HashMap<Digest, u32>,
    /// In the file's order.
    pub(super) marks: Vec<Mark>,
    /// Of all marks in turn, one a rater.
    given: Vec<f32>,
    /// Marks by prompt, then by model; `starts` says where those of each prompt begin.
    by_prompt: Vec<u32>,
    starts: Vec<u32>,
    pub(super) notes: Notes,
}

/// A rated prompt.
pub(super) struct Prompt {
    text: Digest,
    /// Of its text without case and spacing: equal ones are one prompt to whoever draws lots.
    pub(super) group: Digest,
    pub(super) seen: Seen,
}

/// What one model's picture of one prompt got.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) prompt: u32,
    pub(super) model: u16,
    pub(super) price: MicroUsd,
    /// Mean of its ratings, 1 to 5.
    pub(super) mean: f64,
}

impl Ratings {
    /// Reads a file once. `progress` hears how many rows were read.
    ///
    /// # Errors
    ///
    /// What makes the file as a whole unusable.
    pub fn read(path: &Path, judges: &Judges, progress: &mut dyn FnMut(u64)) -> Result<Self, RatingsError> {
        let mut rows = Rows::open(path)?;
        let mut building = Building { raters: rows.raters(), ..Building::default() };
        let mut notes = Notes::default();
        while let Some(row) = rows.next(&mut notes)? {
            let line = row.line;
            let fault = match building.take(&row, judges) {
                Ok(other_price) => other_price.then_some(Fault::OtherPrice),
                Err(Refused::Fault(fault)) => Some(fault),
                Err(Refused::Models) => {
                    return Err(RatingsError::Models { file: path.display().to_string(), line, most: MOST_MODELS });
                }
            };
            if let Some(fault) = fault {
                notes.note(fault, line);
            }
            if rows.seen() % PROGRESS == 0 {
                progress(rows.seen());
            }
        }
        let given = building.given.iter().filter(|rating| !rating.is_nan()).count() as u64;
        if let Some((count, line)) = notes.of(Fault::OutOfRange)
            && count >= FEWEST_OUT_OF_RANGE
            && count * MOST_OUT_OF_RANGE > count + given
        {
            let file = path.display().to_string();
            return Err(RatingsError::Scale { file, count, all: count + given, line });
        }
        if building.marks.is_empty() {
            let (file, warnings) = (path.display().to_string(), notes.warnings());
            let most = warnings.iter().max_by_key(|warning| warning.count);
            let why = most.map_or("it has no rows".to_owned(), |warning| warning.text.clone());
            let hint =
                "each row is one picture: who drew which prompt, at which price, and what raters gave it, 1 to 5";
            return Err(RatingsError::Nothing { file, why, hint });
        }
        Ok(building.finish(path, rows.digest(), rows.seen(), notes))
    }

    /// Prompts with at least one rating.
    #[must_use]
    pub fn prompts(&self) -> usize {
        self.prompts.len()
    }

    /// Rows that were used.
    #[must_use]
    pub fn used(&self) -> usize {
        self.marks.len()
    }

    /// What was noticed while reading.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.notes.warnings()
    }

    /// The prompt whose text this row has, if it is one of those that were read.
    pub(super) fn prompt_of(&self, row: &Row<'_>) -> Option<u32> {
        let prompt = *self.ids.get(&Digest::of(row.id.as_bytes()))?;
        (self.prompts[prompt as usize].text == Digest::of(row.prompt.as_bytes())).then_some(prompt)
    }

    /// The marks of one prompt, by model: each with its place among all.
    pub(super) fn marks_of(&self, prompt: u32) -> impl Iterator<Item = (usize, Mark)> {
        let prompt = prompt as usize;
        let places = &self.by_prompt[self.starts[prompt] as usize..self.starts[prompt + 1] as usize];
        places.iter().map(|place| (*place as usize, self.marks[*place as usize]))
    }

    /// What each rater gave the mark at `place`; not a number where there is none.
    pub(super) fn given(&self, place: usize) -> &[f32] {
        &self.given[place * self.raters..(place + 1) * self.raters]
    }
}

/// A row that is not taken.
enum Refused {
    Fault(Fault),
    Models,
}

#[derive(Default)]
struct Building {
    raters: usize,
    names: Vec<String>,
    prices: Vec<MicroUsd>,
    models: HashMap<String, u16>,
    ids: HashMap<Digest, u32>,
    prompts: Vec<Prompt>,
    marks: Vec<Mark>,
    given: Vec<f32>,
    taken: HashSet<(u32, u16)>,
}

impl Building {
    /// Whether its price is another than that of its model's first row.
    fn take(&mut self, row: &Row<'_>, judges: &Judges) -> Result<bool, Refused> {
        let id = Digest::of(row.id.as_bytes());
        let text = Digest::of(row.prompt.as_bytes());
        let known = self.ids.get(&id).copied();
        if known.is_some_and(|prompt| self.prompts[prompt as usize].text != text) {
            return Err(Refused::Fault(Fault::OtherPrompt));
        }
        let model = match self.models.get(row.model) {
            Some(model) => *model,
            None if self.names.len() >= MOST_MODELS => return Err(Refused::Models),
            None => {
                let model = self.names.len() as u16;
                self.names.push(row.model.to_owned());
                self.prices.push(row.price);
                self.models.insert(row.model.to_owned(), model);
                model
            }
        };
        let prompt = known.unwrap_or_else(|| {
            let prompt = self.prompts.len() as u32;
            let seen = Seen::of(&judges.classify(row.prompt));
            self.prompts.push(Prompt { text, group: group(row.prompt), seen });
            self.ids.insert(id, prompt);
            prompt
        });
        if !self.taken.insert((prompt, model)) {
            return Err(Refused::Fault(Fault::Duplicate));
        }
        let (mut sum, mut count) = (0.0, 0.0);
        for rating in row.ratings.iter().filter(|rating| !rating.is_nan()) {
            sum += f64::from(*rating);
            count += 1.0;
        }
        self.marks.push(Mark { prompt, model, price: row.price, mean: sum / count });
        self.given.extend_from_slice(row.ratings);
        Ok(self.prices[usize::from(model)] != row.price)
    }

    fn finish(self, path: &Path, digest: Digest, rows: u64, notes: Notes) -> Ratings {
        let mut by_prompt: Vec<u32> = (0..self.marks.len() as u32).collect();
        by_prompt.sort_unstable_by_key(|place| {
            let mark = &self.marks[*place as usize];
            (mark.prompt, mark.model)
        });
        let mut starts = vec![0; self.prompts.len() + 1];
        for mark in &self.marks {
            starts[mark.prompt as usize + 1] += 1;
        }
        for prompt in 0..self.prompts.len() {
            starts[prompt + 1] += starts[prompt];
        }
        Ratings {
            path: path.to_owned(),
            digest,
            rows,
            raters: self.raters,
            models: Model::all(&self.names),
            prompts: self.prompts,
            ids: self.ids,
            marks: self.marks,
            given: self.given,
            by_prompt,
            starts,
            notes,
        }
    }
}

/// A prompt without case and spacing.
fn group(prompt: &str) -> Digest {
    let mut plain = String::with_capacity(prompt.len());
    for word in prompt.split_whitespace() {
        plain.extend(word.chars().flat_map(char::to_lowercase));
        plain.push(' ');
    }
    Digest::of(plain.as_bytes())
}
