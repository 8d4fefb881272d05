//! Quality, cost, latency and reliability in one score.
//!
//! - Each is a number from 0 to 1 on a fixed reference scale, so that a candidate's score does not depend on who else
//!   is offered: scaling between the worst and the best on offer would blow a difference of 1 % up to all or nothing.
//! - Cost and latency count by their ratio: from 1 to 2 cents is as far as from 10 to 20.
//! - Unknown is uncertain, neither free nor worthless: it counts as a middling guess with a wide margin.
//! - Quality is what one may count on: the mean less a part of its deviation.
//!
//! The request shifts the weights: an urgent one asks for latency, a low-priority one for cost, a technical or complex
//! prompt for quality (`Weights::for_request`). A candidate that is better in every respect never ranks lower.

mod parts;
mod weights;

use std::cmp::Ordering;

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Manifest, Part, Ranking, Reason, Refusal, Request, Strategy, Value,
    export,
};

use crate::{parts::Parts, weights::Weights};

/// Added to what is half open. Under every other score: the host sends it its probe whatever the ranking says.
const HALF_OPEN: f32 = -100.0;

/// The plugin.
pub struct Hybrid;

impl Describe for Hybrid {
    fn describe() -> Manifest {
        let summary = "best balance of quality, cost, latency and reliability";
        let mut manifest = Manifest::new("hybrid", env!("CARGO_PKG_VERSION"), summary);
        for (name, summary, default) in weights::SETTINGS {
            manifest = manifest.number(name, summary, "share", default, 0.0, 1.0);
        }
        manifest
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
        let weights = Weights::from_settings(&settings).for_request(request.priority, &classification);
        let mut scored = Vec::with_capacity(candidates.len());
        for candidate in &candidates {
            let parts = Parts::of(candidate, request.count).weighted(&weights, candidate.weight);
            scored.push((parts, parts.sum() + if candidate.half_open { HALF_OPEN } else { 0.0 }));
        }
        let compare = |a: usize, b: usize| {
            scored[b].1.total_cmp(&scored[a].1).then_with(|| better(&candidates[a], &candidates[b]))
        };
        let reason = |first: usize| reason(&candidates[first]);
        let mut ranking = Ranking::sorted(candidates.len(), compare, |index| scored[index].1, reason);

        let column = |name: &str, value: &dyn Fn(usize) -> f32| Part {
            name: name.to_owned(),
            values: ranking.order.iter().map(|ranked| value(ranked.candidate as usize)).collect(),
        };
        let mut parts = Vec::with_capacity(5);
        parts.push(column("quality", &|index| scored[index].0.quality));
        parts.push(column("cost", &|index| scored[index].0.cost));
        parts.push(column("latency", &|index| scored[index].0.latency));
        parts.push(column("reliability", &|index| scored[index].0.reliability));
        if candidates.iter().any(|candidate| candidate.half_open) {
            parts.push(column("half-open", &|index| if candidates[index].half_open { HALF_OPEN } else { 0.0 }));
        }
        ranking.parts = parts;
        Ok(ranking)
    }
}

/// Of equal scores, who comes first: every respect in turn, so that the better in all of them does.
fn better(a: &Candidate, b: &Candidate) -> Ordering {
    let quality = |candidate: &Candidate| candidate.quality.map_or(0.0, |quality| quality.mean);
    let cost = |candidate: &Candidate| candidate.cost.map_or(u64::MAX, |cost| cost.expected.into());
    let latency = |candidate: &Candidate| candidate.latency.map_or(u64::MAX, |latency| latency.p50_ms.into());
    quality(b)
        .total_cmp(&quality(a))
        .then_with(|| cost(a).cmp(&cost(b)))
        .then_with(|| latency(a).cmp(&latency(b)))
        .then_with(|| b.success.total_cmp(&a.success))
}

fn reason(first: &Candidate) -> String {
    let reason = Reason::new("best balance: ");
    let reason = match first.quality {
        Some(quality) => reason.text("quality ").share(quality.mean),
        None => reason.text("unknown quality"),
    };
    let reason = match first.cost {
        Some(cost) => reason.text(" at ").usd(cost.expected),
        None => reason.text(" at an unknown price"),
    };
    match first.latency {
        Some(latency) => reason.text(", ").seconds(latency.p50_ms),
        None => reason.text(", unknown latency"),
    }
    .into()
}

export!(Hybrid: strategy);

#[cfg(test)]
mod tests;
