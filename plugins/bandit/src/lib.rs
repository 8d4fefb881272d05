//! Learns from what people say of pictures: Thompson sampling over the balanced score.
//!
//! 1. The host has taken out what the caps forbid before this is asked.
//! 2. What memory holds of a model, in general and for the request's label, refines the quality that the host expects of it
//!    (`memory`): the more ratings, the less the expectation counts, and the surer the result.
//! 3. A quality is drawn from what is still possible (`exploration` times its deviation): a model that may well be better
//!    than the usual one is tried now and then, and what turns out worse is tried ever less. Cost, latency and
//!    reliability count as in `hybrid` (the crate `balance`).
//! 4. Nothing is drawn for who is in a hurry, without a seed, or before the first rating: where nobody says how pictures
//!    turned out, trying others teaches nothing. What is half open, full or without a price gets no luck.
//! 5. What disappoints gets the benefit of the doubt: one deviation, up to what the host expects. Otherwise a few bad
//!    ratings at the start bury the best model for long, because what is no longer chosen is no longer rated.
//! 6. A model whose ratings depart from what it was known for begins anew. For a while more is tried, and what the host
//!    expects is no defence: the best of before is not what is looked for.
//!
//! Thompson sampling rather than an upper bound: it needs no schedule, two requests of one moment do not all rush to the
//! same model, and the chance that is recorded as `propensity` is real. It is worked out for the first two by the normal
//! distribution, so it is close rather than exact where three models are about as good.
//!
//! Only `rated` and `preferred-over` teach quality. Deliveries and failures are in the host's live facts, which every
//! ranking is given.

mod memory;

use balance::Balance;
use muxel_sdk::{
    Candidate, Classification, Column, Describe, Draws, Learner, Manifest, Observation, Outcome, Priority, Quality,
    Ranking, Reason, Refusal, Request, Strategy, Value, export,
};

use crate::memory::{Belief, Memory};

/// What a model of which the host expects nothing is expected to be.
const UNKNOWN: Quality = Quality { mean: 0.5, deviation: 0.3 };
const EXPLORATION: f64 = 0.5;
const HALF_LIFE: f64 = 600.0;
/// A benefit of the doubt that is worth telling.
const DOUBT: f32 = 0.005;
/// A comparison is half a rating: the better one good, the other one poor.
const WON: f32 = 0.75;
const LOST: f32 = 0.25;

/// The plugin.
pub struct Bandit;

impl Describe for Bandit {
    fn describe() -> Manifest {
        let summary = "learns which model people like for which kind of picture";
        let manifest = Manifest::new("bandit", env!("CARGO_PKG_VERSION"), summary);
        let exploration = "how much is tried: 0 nothing, 1 as much as may be better, 2 twice that";
        let half_life = "ratings of all models after which one counts half";
        let mut manifest = balance::with_weights(manifest)
            .number("exploration", exploration, "", EXPLORATION, 0.0, 2.0)
            .number("half-life", half_life, "", HALF_LIFE, 10.0, 1e6)
            .reads("seed");
        manifest.memory_format = 2;
        manifest
    }
}

impl Strategy for Bandit {
    fn rank(
        request: Request,
        settings: Vec<Value>,
        memory: Vec<u8>,
        classification: Classification,
        mut candidates: Vec<Candidate>,
        _: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        if candidates.is_empty() {
            return Err(Refusal::Abstain("there is no candidate".to_owned()));
        }
        let memory = Memory::read(memory, half_life(&settings));
        let label = memory::label(&classification.label);
        let doubt = memory.doubt();
        let exploration = if request.priority == Priority::Urgent || request.seed == 0 || memory.is_empty() {
            0.0
        } else {
            (1.0 + 2.0 * doubt) * number(&settings, 0, EXPLORATION, 0.0, 2.0) as f32
        };
        let mut draws = Draws::new(request.seed, "bandit draws");
        let mut beliefs = Vec::with_capacity(candidates.len());
        for candidate in &mut candidates {
            let expected = candidate.quality.unwrap_or(UNKNOWN);
            let belief = memory.belief(&candidate.model, label, expected, 1.0 - doubt);
            let luck = if is_lucky(candidate) { exploration * normal(&mut draws) } else { 0.0 };
            let drawn = (belief.usual + luck * belief.deviation).clamp(0.0, 1.0);
            candidate.quality = Some(Quality { mean: drawn, deviation: 0.0 });
            beliefs.push(belief);
        }
        let balance = Balance::of(&candidates, &settings, &request, &classification);
        let score = |index| balance.score(index);
        let mut ranking = Ranking::sorted(candidates.len(), |a, b| balance.compare(a, b), score, |_| String::new());
        ranking.parts = balance.columns(&ranking);

        // The score without luck: its quality part is in proportion to the quality.
        let without_luck = |index: usize| {
            let drawn = candidates[index].quality.map_or(0.0, |quality| quality.mean);
            let part = if drawn > 0.0 { balance.parts(index).quality / drawn } else { 0.0 };
            (balance.score(index) + part * (beliefs[index].usual - drawn), part * beliefs[index].deviation)
        };
        let usual: Vec<(f32, f32)> = (0..candidates.len()).map(without_luck).collect();
        let first = ranking.order[0].candidate as usize;
        let mut best = (first, usual[first]);
        let mut rival = None;
        for place in ranking.order.iter().skip(1) {
            let index = place.candidate as usize;
            let its = usual[index];
            if its.0 > best.1.0 {
                best = (index, its);
            }
            if rival.is_none_or(|rival: (f32, f32)| its.0 > rival.0) {
                rival = Some(its);
            }
        }
        if let (Some(rival), true) = (rival, exploration > 0.0) {
            let own = usual[first];
            let spread = exploration * (own.1 * own.1 + rival.1 * rival.1).sqrt();
            ranking.propensity = chance(own.0 - rival.0, spread);
        }
        ranking.reason = reason(&candidates, &beliefs, first, best.0);
        Ok(ranking)
    }
}

impl Learner for Bandit {
    fn learn(memory: Vec<u8>, settings: Vec<Value>, outcomes: Vec<Outcome>) -> Result<Vec<u8>, Refusal> {
        let mut memory = Memory::read(memory, half_life(&settings));
        for outcome in &outcomes {
            let label = memory::label(&outcome.label);
            match &outcome.observed {
                Observation::Rated(rating) if rating.is_finite() => {
                    memory.add(&outcome.model, label, rating.clamp(0.0, 1.0), 1.0);
                }
                Observation::PreferredOver(other) if *other != outcome.model => {
                    memory.add(&outcome.model, label, WON, 0.5);
                    memory.add(other, label, LOST, 0.5);
                }
                _ => {}
            }
        }
        Ok(memory.write())
    }
}

/// Who may be first by luck.
fn is_lucky(candidate: &Candidate) -> bool {
    let full = candidate.max_in_flight > 0 && candidate.in_flight >= candidate.max_in_flight;
    !candidate.half_open && !full && candidate.cost.is_some()
}

fn number(settings: &[Value], own: usize, default: f64, least: f64, most: f64) -> f64 {
    let value = settings.get(balance::SETTINGS.len() + own).map_or(default, |value| value.number_or(default));
    if value.is_nan() { default } else { value.clamp(least, most) }
}

fn half_life(settings: &[Value]) -> f32 {
    number(settings, 1, HALF_LIFE, 10.0, 1e6) as f32
}

/// A number of the standard normal distribution, near enough: the sum of four even ones. Never beyond 3.5.
fn normal(draws: &mut Draws) -> f32 {
    let bits = draws.bits();
    let sum: u32 = [0, 16, 32, 48].into_iter().map(|shift| (bits >> shift) as u16).map(u32::from).sum();
    // Four even numbers from 0 to 1 have mean 2 and deviation 1 / sqrt 3.
    (sum as f32 / 65_535.0 - 2.0) * 1.732_050_8
}

/// That a difference of this mean and spread is over 0: the logistic curve nearest to the normal one.
fn chance(lead: f32, spread: f32) -> f32 {
    if spread <= 0.0 {
        return if lead >= 0.0 { 1.0 } else { 0.0 };
    }
    (1.0 / (1.0 + (-1.702 * lead / spread).exp())).clamp(0.0, 1.0)
}

fn reason(candidates: &[Candidate], beliefs: &[Belief], first: usize, best: usize) -> String {
    let tell = |reason: Reason, index: usize| {
        let belief = &beliefs[index];
        let reason = reason.text("quality ").share(belief.mean);
        if belief.ratings < 0.5 {
            return reason.text(" expected, not rated here");
        }
        let reason = reason.text(" from ratings worth ").number((belief.ratings + 0.5) as u64);
        let reason = reason.text(", expected ").share(belief.expected);
        if belief.usual > belief.mean + DOUBT { reason.text(", counted as ").share(belief.usual) } else { reason }
    };
    let price = |reason: Reason, index: usize| match candidates[index].cost {
        Some(cost) => reason.text(" at ").usd(cost.expected),
        None => reason.text(" at an unknown price"),
    };
    if first == best {
        return price(tell(Reason::new("learned: "), first), first).into();
    }
    let reason = price(tell(Reason::new("exploring: may be better; "), first), first);
    reason.text("; usual choice: ").text(&candidates[best].model).into()
}

export!(Bandit: learner);

#[cfg(test)]
mod tests;
