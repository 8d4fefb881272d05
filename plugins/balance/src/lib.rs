//! Quality, cost, latency and reliability in one score: what the strategies `hybrid` and `context-aware` have in common.
//!
//! This is no plugin. A plugin exports its functions under names that only one may have, so what two of them share lives
//! beside them.
//!
//! - Each respect is a number from 0 to 1 on a fixed reference scale, so that a candidate's score does not depend on who
//!   else is offered: scaling between the worst and the best on offer would blow a difference of 1 % up to all or nothing.
//! - Cost and latency count by their ratio: from 1 to 2 cents is as far as from 10 to 20.
//! - Unknown is uncertain, neither free nor worthless: it counts as a middling guess with a wide margin.
//! - Quality and success are what one may count on in three cases of four: the fewer ratings or attempts, the less.
//!
//! A candidate that is better in every respect never ranks lower.

mod parts;
mod weights;
mod words;

use std::cmp::Ordering;

use muxel_sdk::{Candidate, Classification, Manifest, Part, Ranking, Request, Value};

pub use crate::{
    parts::Parts,
    weights::{SETTINGS, Weights},
    words::{facts, next},
};

/// Added to what is half open. Under every other score: the host sends it its probe whatever the ranking says.
const HALF_OPEN: f32 = -100.0;

/// Adds the weights' settings to a manifest. They come in one row; [`Balance::of`] wants their values.
#[must_use]
pub fn with_weights(mut manifest: Manifest) -> Manifest {
    for (name, summary, default) in SETTINGS {
        manifest = manifest.number(name, summary, "share", default, 0.0, 1.0);
    }
    manifest
}

/// The scores of one request's candidates.
pub struct Balance<'a> {
    candidates: &'a [Candidate],
    weights: Weights,
    count: u32,
    parts: Vec<Parts>,
    scores: Vec<f32>,
}

impl<'a> Balance<'a> {
    /// Scores `candidates` by the weights in `settings`, shifted by what the request asks for.
    #[must_use]
    pub fn of(
        candidates: &'a [Candidate],
        settings: &[Value],
        request: &Request,
        classification: &Classification,
    ) -> Self {
        let weights = Weights::from_settings(settings).for_request(request.priority, classification);
        let count = request.count;
        let (mut all, mut scores) = (Vec::with_capacity(candidates.len()), Vec::with_capacity(candidates.len()));
        for candidate in candidates {
            let parts = Parts::of(candidate, count).weighted(&weights, candidate.weight);
            all.push(parts);
            scores.push(parts.sum() + half_open(candidate));
        }
        Self { candidates, weights, count, parts: all, scores }
    }

    /// The parts of one candidate's score.
    #[must_use]
    pub fn parts(&self, index: usize) -> Parts {
        self.parts[index]
    }

    /// What they add up to, less what being half open takes off.
    #[must_use]
    pub fn score(&self, index: usize) -> f32 {
        self.scores[index]
    }

    /// The score it would have if it turned out as good as one may hope for, in one case of four.
    #[must_use]
    pub fn hoped_for(&self, index: usize) -> f32 {
        let candidate = &self.candidates[index];
        Parts::hoped_for(candidate, self.count).weighted(&self.weights, candidate.weight).sum() + half_open(candidate)
    }

    /// The higher score first; of equal ones the better in each respect in turn.
    #[must_use]
    pub fn compare(&self, a: usize, b: usize) -> Ordering {
        let by_score = self.score(b).total_cmp(&self.score(a));
        by_score.then_with(|| better(&self.candidates[a], &self.candidates[b]))
    }

    /// The columns of `ranking` that add up to [`Balance::score`], in its order.
    #[must_use]
    pub fn columns(&self, ranking: &Ranking) -> Vec<Part> {
        let mut columns = Vec::with_capacity(6);
        columns.push(column(ranking, "quality", |index| self.parts[index].quality));
        columns.push(column(ranking, "cost", |index| self.parts[index].cost));
        columns.push(column(ranking, "latency", |index| self.parts[index].latency));
        columns.push(column(ranking, "reliability", |index| self.parts[index].reliability));
        if self.candidates.iter().any(|candidate| candidate.half_open) {
            columns.push(column(ranking, "half-open", |index| half_open(&self.candidates[index])));
        }
        columns
    }
}

fn half_open(candidate: &Candidate) -> f32 {
    if candidate.half_open { HALF_OPEN } else { 0.0 }
}

/// One column of a ranking.
#[must_use]
pub fn column(ranking: &Ranking, name: &str, value: impl Fn(usize) -> f32) -> Part {
    Part {
        name: name.to_owned(),
        values: ranking.order.iter().map(|ranked| value(ranked.candidate as usize)).collect(),
    }
}

/// Of equal scores, who comes first: every respect in turn, so that the better in all of them does.
fn better(a: &Candidate, b: &Candidate) -> Ordering {
    let quality = |candidate: &Candidate| candidate.quality.map_or((0.0, f32::MAX), |it| (it.mean, it.deviation));
    let cost = |candidate: &Candidate| candidate.cost.map_or((u32::MAX, u32::MAX), |it| (it.expected, it.upper));
    let latency = |candidate: &Candidate| candidate.latency.map_or((u32::MAX, u32::MAX), |it| (it.p50_ms, it.p95_ms));
    let by_quality = quality(b).0.total_cmp(&quality(a).0).then_with(|| quality(a).1.total_cmp(&quality(b).1));
    by_quality
        .then_with(|| cost(a).cmp(&cost(b)))
        .then_with(|| latency(a).cmp(&latency(b)))
        .then_with(|| b.success.total_cmp(&a.success))
        .then_with(|| b.weight.total_cmp(&a.weight))
        .then_with(|| a.in_flight.cmp(&b.in_flight))
}

#[cfg(test)]
mod tests;
