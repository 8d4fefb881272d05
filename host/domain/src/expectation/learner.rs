//! Learning the adjustments: Bayesian linear regression, one rating after another.
//!
//! Each entry keeps what its ratings say as a precision matrix and a vector, from which means and deviations follow by one
//! solution of a small system. It begins at the prior: the base is as unsure as the prior itself, and every other
//! adjustment is 0, give or take [`ADJUSTMENT`]. What ratings are noise in is [`NOISE`]. Both were set by
//! cross-validation on GenAI-Bench's ratings and are flat around these values. Older ratings fade ([`FADES`]), because
//! vendors change their models without saying so.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Entry, Expectations, Name, Seen, TERMS, UNKNOWN, own_name};
use crate::{
    catalogue::Prior,
    learning::{Observation, Outcome},
    request::Operation,
};

/// The form of [`Learner::to_bytes`].
pub const FORMAT: u32 = 1;

/// Standard deviation of one rating around what was to be expected.
const NOISE: f64 = 0.28;
/// Standard deviation of an adjustment before any rating.
pub(super) const ADJUSTMENT: f64 = 0.05;
/// What a rating still counts after one more: half after about 2,000.
const FADES: f64 = 0.999_65;
/// A prior that claims to be surer than this is not believed.
const SUREST: f32 = 0.01;
/// How far a comparison moves the two, at most: the winner of an even match did about so much better.
const LEAD: f64 = 0.25;
/// Entries that are kept; later ones are not learned.
const MOST_ENTRIES: usize = 2_000;
/// A symmetric matrix of that many rows, without what is said twice.
const TRIANGLE: usize = TERMS * (TERMS + 1) / 2;

/// What ratings say of every entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    entries: BTreeMap<(Operation, Arc<str>), State>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    prior: Prior,
    /// Where learning began: mean and precision of each adjustment.
    start: Vec<(f64, f64)>,
    /// What ratings added to the precision, row by row up to the diagonal.
    precision: Vec<f64>,
    /// And to the vector on the other side.
    vector: Vec<f64>,
    ratings: f64,
}

impl Learner {
    /// Begins where `expectations` are: further ratings refine them.
    #[must_use]
    pub fn starting_at(expectations: &Expectations) -> Self {
        let state = |entry: &Entry| {
            let start = entry.terms.iter().map(|term| {
                let deviation = f64::from(term.deviation.max(SUREST / 10.0));
                (f64::from(term.mean), deviation.powi(-2))
            });
            State { ratings: f64::from(entry.ratings), ..State::new(entry.prior, start.collect()) }
        };
        let entries = expectations.entries();
        let entries = entries.map(|(operation, model, entry)| ((operation, Arc::clone(model)), state(entry)));
        Self { entries: entries.collect() }
    }

    /// As the ledger keeps it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// From what [`Self::to_bytes`] made; nothing is an empty one. `None` when it is something else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let (learner, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        (rest.is_empty() && learner.entries.values().all(State::is_whole)).then_some(learner)
    }

    /// Takes in one outcome. Only feedback says anything about quality. `prior` is the catalogue's for a candidate of
    /// which nothing was learned yet.
    pub fn learn(&mut self, outcome: &Outcome, prior: impl Fn(&str) -> Option<Prior>) {
        let seen = Seen::of(&outcome.classification);
        let model = outcome.model.as_str();
        match &outcome.observed {
            Observation::Rated(rating) if rating.is_finite() => {
                if let Some(state) = self.state(outcome.operation, model, &prior) {
                    state.fade(1.0);
                    state.add(&seen, f64::from(rating.clamp(0.0, 1.0)), 1.0);
                }
            }
            Observation::PreferredOver(other) => {
                self.compare(outcome.operation, model, other.as_str(), &seen, &prior);
            }
            _ => {}
        }
    }

    /// Takes in one rating, 0 to 1, of many that were collected at one time: their order says nothing, so none fades.
    pub fn fit(
        &mut self,
        operation: Operation,
        model: &str,
        seen: &Seen,
        rating: f64,
        prior: &impl Fn(&str) -> Option<Prior>,
    ) {
        if let Some(state) = self.state(operation, model, prior) {
            state.add(seen, rating, 1.0);
        }
    }

    /// The winner did better than was to be expected of it and the loser worse, the more the less one would have thought so.
    fn compare(
        &mut self,
        operation: Operation,
        winner: &str,
        loser: &str,
        seen: &Seen,
        prior: &impl Fn(&str) -> Option<Prior>,
    ) {
        if own_name(winner) == own_name(loser) {
            return;
        }
        let mut expected = [0.0; 2];
        for (expected, model) in expected.iter_mut().zip([winner, loser]) {
            let Some(state) = self.state(operation, model, prior) else { return };
            *expected = state.at(seen);
        }
        let surprise = 1.0 / (1.0 + ((expected[0] - expected[1]) / LEAD).exp());
        for (model, rating) in [(winner, expected[0] + LEAD * surprise), (loser, expected[1] - LEAD * surprise)] {
            if let Some(state) = self.state(operation, model, prior) {
                state.fade(0.5);
                state.add(seen, rating, 0.5);
            }
        }
    }

    fn state(
        &mut self,
        operation: Operation,
        model: &str,
        prior: &impl Fn(&str) -> Option<Prior>,
    ) -> Option<&mut State> {
        let name: Name = (operation, own_name(model).into());
        let room = self.entries.len() < MOST_ENTRIES;
        if !self.entries.contains_key(&name) {
            if !room {
                return None;
            }
            let prior = prior(model).unwrap_or(UNKNOWN);
            let start = |term: usize| {
                let deviation = if term == 0 { f64::from(prior.deviation.max(SUREST)) } else { ADJUSTMENT };
                (0.0, deviation.powi(-2))
            };
            self.entries.insert(name.clone(), State::new(prior, (0..TERMS).map(start).collect()));
        }
        self.entries.get_mut(&name)
    }

    /// What is to be expected now.
    #[must_use]
    pub fn expectations(&self) -> Expectations {
        let entry = |(name, state): (&Name, &State)| (name.clone(), state.entry());
        self.entries.iter().filter(|(_, state)| state.ratings > 0.0).map(entry).collect()
    }
}

impl State {
    fn new(prior: Prior, start: Vec<(f64, f64)>) -> Self {
        Self { prior, start, precision: vec![0.0; TRIANGLE], vector: vec![0.0; TERMS], ratings: 0.0 }
    }

    fn is_whole(&self) -> bool {
        let finite = self.precision.iter().chain(&self.vector).all(|value| value.is_finite());
        let starts = self.start.iter().all(|(mean, precision)| mean.is_finite() && *precision > 0.0);
        finite
            && starts
            && self.start.len() == TERMS
            && self.precision.len() == TRIANGLE
            && self.vector.len() == TERMS
            && self.ratings.is_finite()
    }

    /// What was said before counts less, by so many ratings.
    fn fade(&mut self, ratings: f64) {
        for value in self.precision.iter_mut().chain(&mut self.vector) {
            *value *= FADES.powf(ratings);
        }
    }

    fn add(&mut self, seen: &Seen, rating: f64, counts: f64) {
        let weight = counts / (NOISE * NOISE);
        let beyond = rating - f64::from(self.prior.mean);
        let mut at = 0;
        for (row, value) in seen.values().iter().enumerate() {
            let value = f64::from(*value);
            for other in &seen.values()[..=row] {
                self.precision[at] += weight * value * f64::from(*other);
                at += 1;
            }
            self.vector[row] += weight * value * beyond;
        }
        self.ratings += counts;
    }

    /// The expectation without the bounds of 0 and 1.
    fn at(&self, seen: &Seen) -> f64 {
        let (means, _) = self.solve();
        let adjustments: f64 = means.iter().zip(seen.values()).map(|(mean, value)| mean * f64::from(*value)).sum();
        f64::from(self.prior.mean) + adjustments
    }

    fn entry(&self) -> Entry {
        let (means, precisions) = self.solve();
        let mut terms = [Prior { mean: 0.0, deviation: 0.0 }; TERMS];
        for (term, (mean, precision)) in terms.iter_mut().zip(means.iter().zip(precisions)) {
            *term = Prior { mean: *mean as f32, deviation: precision.powf(-0.5) as f32 };
        }
        Entry { prior: self.prior, terms, ratings: self.ratings as f32 }
    }

    /// The adjustments' means, and the precision of each while the others are held fast.
    fn solve(&self) -> ([f64; TERMS], [f64; TERMS]) {
        let (mut lower, mut means, mut precisions) = ([[0.0; TERMS]; TERMS], [0.0; TERMS], [0.0; TERMS]);
        for row in 0..TERMS {
            let (start, precision) = self.start[row];
            // Rows of the triangle: the first has one number, the second two.
            let from = row * (row + 1) / 2;
            lower[row][..=row].copy_from_slice(&self.precision[from..=from + row]);
            lower[row][row] += precision;
            precisions[row] = lower[row][row];
            means[row] = self.vector[row] + precision * start;
        }
        // Cholesky: positive definite, because every term begins with some precision.
        for row in 0..TERMS {
            for column in 0..=row {
                let dot: f64 = (0..column).map(|k| lower[row][k] * lower[column][k]).sum();
                let rest = lower[row][column] - dot;
                lower[row][column] =
                    if row == column { rest.max(f64::MIN_POSITIVE).sqrt() } else { rest / lower[column][column] };
            }
        }
        for row in 0..TERMS {
            let dot: f64 = (0..row).map(|k| lower[row][k] * means[k]).sum();
            means[row] = (means[row] - dot) / lower[row][row];
        }
        for row in (0..TERMS).rev() {
            let dot: f64 = (row + 1..TERMS).map(|k| lower[k][row] * means[k]).sum();
            means[row] = (means[row] - dot) / lower[row][row];
        }
        (means, precisions)
    }
}
