//! How good a candidate is expected to be at this very request.
//!
//! A prior for the catalogue entry, its tier and the operation, and adjustments for what was seen in the prompt: one
//! number for each label, trait and for complexity, learned from ratings. The model is linear, so that every expectation
//! can be told in one line:
//!
//! ```text
//! 0.71 ± 0.05 = 0.62 prior + 0.02 base + 0.09 text - 0.02 complexity, from 304 ratings
//! ```
//!
//! What was never rated keeps its prior. Beside entries that were rated it is as unsure of the prompt as they began, so that
//! the first rating makes nobody less sure than one who has none. `learner` says how the numbers come about.

mod file;
mod learner;
mod term;

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{catalogue::Prior, plugin::Classification, request::Operation};

pub use file::{FileError, read, write};
use learner::ADJUSTMENT;
pub use learner::{FORMAT, Learner};
pub use term::{Seen, TERMS, Term};

/// What an entry of which nothing is known is expected to be.
pub const UNKNOWN: Prior = Prior { mean: 0.5, deviation: 0.3 };
/// Adjustments smaller than this are not worth a word.
const WORTH_TELLING: f32 = 0.005;

/// What was learned of one catalogue entry at one tier and one operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What the adjustments were learned against.
    pub prior: Prior,
    /// Mean and deviation of each term's adjustment, in the order of [`Term::ALL`].
    pub terms: [Prior; TERMS],
    /// Ratings behind it; comparisons count as half a rating for either side.
    pub ratings: f32,
}

/// Expectations of all entries that were rated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectations {
    entries: BTreeMap<Operation, BTreeMap<Arc<str>, Entry>>,
}

/// An operation, and `model` or `model@tier`: what accounts at several providers share.
pub type Name = (Operation, Arc<str>);

impl Expectations {
    pub const NONE: Self = Self { entries: BTreeMap::new() };

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn entries(&self) -> impl Iterator<Item = (Operation, &Arc<str>, &Entry)> {
        self.entries
            .iter()
            .flat_map(|(operation, entries)| entries.iter().map(|(model, entry)| (*operation, model, entry)))
    }

    /// The quality to expect of `candidate` (`provider/model@tier`): `prior` when nothing was learned of it.
    #[must_use]
    pub fn of(&self, candidate: &str, operation: Operation, seen: &Seen, prior: Option<Prior>) -> Option<Prior> {
        match self.entry(candidate, operation) {
            Some(entry) => Some(entry.at(seen)),
            None if self.is_empty() => prior,
            None => prior.map(|prior| Entry::unrated(prior).at(seen)),
        }
    }

    /// How that came about. `None` when nothing was learned of it.
    #[must_use]
    pub fn explain(&self, candidate: &str, operation: Operation, seen: &Seen) -> Option<Explained> {
        let entry = self.entry(candidate, operation)?;
        let told = |term: &Term| (*term, entry.terms[*term as usize].mean * seen.value(*term));
        let terms = Term::ALL.iter().map(told).filter(|(_, by)| by.abs() >= WORTH_TELLING);
        Some(Explained {
            sum: entry.at(seen),
            bounded: !(0.0..=1.0).contains(&entry.sum(seen).0),
            prior: entry.prior.mean,
            terms: terms.collect(),
            ratings: entry.ratings,
        })
    }

    fn entry(&self, candidate: &str, operation: Operation) -> Option<&Entry> {
        self.entries.get(&operation)?.get(own_name(candidate))
    }
}

impl FromIterator<(Name, Entry)> for Expectations {
    fn from_iter<T: IntoIterator<Item = (Name, Entry)>>(all: T) -> Self {
        let mut entries = BTreeMap::<Operation, BTreeMap<Arc<str>, Entry>>::new();
        for ((operation, model), entry) in all {
            entries.entry(operation).or_default().insert(model, entry);
        }
        Self { entries }
    }
}

/// A candidate's name without its provider. Model names may hold slashes, provider names do not.
#[must_use]
pub fn own_name(candidate: &str) -> &str {
    candidate.split_once('/').map_or(candidate, |(_, model)| model)
}

impl Entry {
    /// Where learning begins.
    fn unrated(prior: Prior) -> Self {
        let mut terms = [Prior { mean: 0.0, deviation: ADJUSTMENT as f32 }; TERMS];
        terms[Term::Base as usize].deviation = prior.deviation;
        Self { prior, terms, ratings: 0.0 }
    }

    fn at(&self, seen: &Seen) -> Prior {
        let (mean, variance) = self.sum(seen);
        Prior { mean: mean.clamp(0.0, 1.0), deviation: variance.sqrt().clamp(0.0, 1.0) }
    }

    /// Mean and variance, wherever they may be.
    fn sum(&self, seen: &Seen) -> (f32, f32) {
        let (mut mean, mut variance) = (self.prior.mean, 0.0);
        for term in Term::ALL {
            let (adjustment, value) = (self.terms[term as usize], seen.value(term));
            mean += adjustment.mean * value;
            variance += (adjustment.deviation * value).powi(2);
        }
        (mean, variance)
    }
}

/// One expectation, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    pub sum: Prior,
    /// Whether it would be under 0 or over 1.
    pub bounded: bool,
    pub prior: f32,
    /// Those that matter.
    pub terms: Vec<(Term, f32)>,
    pub ratings: f32,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ± {:.2} = {:.2} prior", self.sum.mean, self.sum.deviation, self.prior)?;
        for (term, by) in &self.terms {
            let sign = if *by < 0.0 { '-' } else { '+' };
            write!(f, " {sign} {:.2} {}", by.abs(), term.word())?;
        }
        if self.bounded {
            f.write_str(", bounded")?;
        }
        write!(f, ", from {:.0} rating{}", self.ratings, if self.ratings.round() == 1.0 { "" } else { "s" })
    }
}

impl From<&Classification> for Seen {
    fn from(classification: &Classification) -> Self {
        Self::of(classification)
    }
}

#[cfg(test)]
mod tests;
