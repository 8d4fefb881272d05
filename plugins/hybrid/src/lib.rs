//! Quality, cost, latency and reliability in one score.
//!
//! 1. The host has taken out what the caps forbid before this is asked: what is offered here may all be used.
//! 2. Each candidate gets a score of four weighted parts on fixed reference scales (the crate `balance`); the request's
//!    priority and kind shift the weights. The best score goes first. A candidate that is better in every respect never
//!    ranks lower.
//! 3. Now and then, in `exploration-share` of the requests, one little-known candidate that may be as good as the first is
//!    put before it: what is never tried is never known. `propensity` says how likely that was.

mod explore;

use balance::{Balance, column};
use muxel_sdk::{
    Candidate, Classification, Column, Describe, Manifest, Ranked, Ranking, Reason, Refusal, Request, Strategy, Value,
    export,
};

/// The share of requests that explore, unless the operator says otherwise, and the most it may be.
const EXPLORATION: f64 = 0.02;
const MOST_EXPLORATION: f64 = 0.5;

/// The plugin.
pub struct Hybrid;

impl Describe for Hybrid {
    fn describe() -> Manifest {
        let summary = "best balance of quality, cost, latency and reliability";
        let share = "requests that try a little-known candidate first";
        balance::with_weights(Manifest::new("hybrid", env!("CARGO_PKG_VERSION"), summary))
            .number("exploration-share", share, "share", EXPLORATION, 0.0, MOST_EXPLORATION)
            .reads("seed")
    }
}

impl Strategy for Hybrid {
    fn rank(
        request: Request,
        settings: Vec<Value>,
        _: Vec<u8>,
        classification: Classification,
        candidates: Vec<Candidate>,
        _: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        if candidates.is_empty() {
            return Err(Refusal::Abstain("there is no candidate".to_owned()));
        }
        let balance = Balance::of(&candidates, &settings, &request, &classification);
        let score = |index| balance.score(index);
        let mut ranking = Ranking::sorted(candidates.len(), |a, b| balance.compare(a, b), score, |_| String::new());
        let share = settings.get(balance::SETTINGS.len()).map_or(EXPLORATION, |value| value.number_or(EXPLORATION));
        let share = if share.is_nan() { EXPLORATION } else { share.clamp(0.0, MOST_EXPLORATION) };
        let chance = explore::chance(&request, share);
        let promoted = if chance > 0.0 { explore::worth_trying(&balance, &candidates, &ranking) } else { None };
        if promoted.is_some() {
            ranking.propensity = (1.0 - chance) as f32;
        }
        let Some(place) = promoted.filter(|_| explore::draw(&request, chance)) else {
            ranking.reason = usual(&ranking, &candidates, &balance);
            ranking.parts = balance.columns(&ranking);
            return Ok(ranking);
        };
        let best = ranking.order[0];
        let tried = ranking.order.remove(place).candidate;
        ranking.order.insert(0, Ranked { candidate: tried, score: best.score });
        ranking.reason = explored(&candidates, tried as usize, best.candidate as usize, chance);
        ranking.parts = balance.columns(&ranking);
        let lift = |index| if index == tried as usize { best.score - balance.score(index) } else { 0.0 };
        ranking.parts.push(column(&ranking, "exploration", lift));
        ranking.propensity = chance as f32;
        Ok(ranking)
    }
}

/// Why the first one is first, and what the second would mean.
fn usual(ranking: &Ranking, candidates: &[Candidate], balance: &Balance<'_>) -> String {
    let at = |ranked: &Ranked| (&candidates[ranked.candidate as usize], balance.parts(ranked.candidate as usize));
    let first = at(&ranking.order[0]);
    let reason = balance::facts(Reason::new("best balance: "), first.0);
    match ranking.order.get(1) {
        Some(second) => balance::next(reason, first, at(second)).into(),
        None => reason.into(),
    }
}

fn explored(candidates: &[Candidate], tried: usize, best: usize, chance: f64) -> String {
    let (tried, best) = (&candidates[tried], &candidates[best]);
    let reason = Reason::new("exploring (").share(chance as f32).text(" of requests): tried ");
    let reason = reason.number(tried.samples.into()).text(" times lately, may be as good as the best balance; ");
    let reason = balance::facts(reason, tried);
    let usual = Reason::new("; usual choice: ").text(&best.model);
    reason.text(&String::from(usual)).into()
}

export!(Hybrid: strategy);

#[cfg(test)]
mod tests;
