//! What a run comes to: the numbers of each strategy, as JSON has them.

use std::{collections::BTreeMap, collections::HashMap, time::Duration};

use serde::Serialize;

use super::{
    contestant::PINNED,
    learning::Account,
    tally::{End, Mark, Tally, Times},
    watch::Recovery,
    workload::Workload,
};

/// One contestant's run.
pub struct Outcome {
    pub(super) name: String,
    pub(super) tally: Tally,
    pub(super) recoveries: Vec<Recovery>,
    pub(super) learned: Account,
}

mod truth;

pub use truth::{Block, TruthReport};

/// All of a simulation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub workload: About,
    pub strategies: Vec<StrategyReport>,
}

/// What was simulated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct About {
    pub title: String,
    pub seed: u64,
    pub date: String,
    pub duration_s: Option<f64>,
    pub providers: usize,
    pub candidates: usize,
    /// Share of the candidates without a quality prior, and without a price.
    pub unrated_candidates_share: f64,
    pub unpriced_candidates_share: f64,
    pub outages: usize,
    pub baseline: Option<String>,
    /// Requests after which what is true changes, as far as they come.
    pub shifts: Vec<u64>,
}

/// One strategy. Shares are 0 to 1; what is `null` has nothing it could be the share, time or price of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StrategyReport {
    pub name: String,
    pub requests: u64,
    /// Delivered, or refused on content grounds by a provider: both are answers.
    pub success_rate: f64,
    pub delivered: u64,
    pub refused: u64,
    /// Requests without an answer, by reason.
    pub unanswered: BTreeMap<&'static str, u64>,
    /// Share of requests that went on to another candidate.
    pub fall_over_share: f64,
    /// Share of those that were delivered.
    pub fall_over_success: Option<f64>,
    /// Time before the attempt that delivered.
    pub fall_over_ms: Percentiles,
    /// The longest of `outages`.
    pub recovery_s: Option<f64>,
    /// Why `recovery_s` is `null`.
    pub recovery_note: Option<&'static str>,
    pub outages: Vec<OutageReport>,
    /// Everything that was or may have been charged, failed attempts included. A lower bound when
    /// `unknown_charges` is not 0.
    pub cost_usd_micros: u64,
    /// The part of it that only may have been charged.
    pub possible_usd_micros: u64,
    /// Requests with a charge that nobody knows, because a price is not known.
    pub unknown_charges: u64,
    /// Cost by delivered request, rounded up.
    pub cost_per_request_usd_micros: Option<u64>,
    /// Share of deliveries that the baseline could have made.
    pub compared_share: Option<f64>,
    /// What it would have charged for them.
    pub baseline_usd_micros: Option<u64>,
    /// Share of that which was saved, what failed attempts cost taken off; negative when it cost more.
    pub savings: Option<f64>,
    pub savings_usd_micros: Option<i64>,
    /// Mean quality prior of what was delivered.
    pub expected_quality: Option<f64>,
    /// Share of deliveries whose candidate has no prior.
    pub unrated_share: Option<f64>,
    /// What was delivered, held against how good everybody really is. `null` when the workload does not say.
    pub truth: Option<TruthReport>,
    /// Of deliveries, from arrival.
    pub latency_ms: Percentiles,
    pub attempts: u64,
    /// Failed attempts, by kind.
    pub attempt_failures: BTreeMap<&'static str, u64>,
    pub load: Load,
    pub probes: u64,
    pub last_resorts: u64,
    /// Decisions that the host made, because the strategy failed or abstained.
    pub native_decisions: u64,
    pub plugin_faults: u64,
    /// Plugin calls that the machine's clock ended: with any, another run may differ.
    pub calls_ended_by_clock: u64,
    #[serde(skip)]
    pub(super) marks: Vec<Mark>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    pub p50: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
}

/// How attempts and deliveries spread. Shares, without those of nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Load {
    /// Of attempts, by provider.
    pub attempts: BTreeMap<String, f64>,
    /// Of deliveries, by provider.
    pub deliveries: BTreeMap<String, f64>,
    /// Of deliveries, by candidate.
    pub candidates: BTreeMap<String, f64>,
}

/// One outage, as a strategy lived through it. Times in seconds since the start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutageReport {
    pub provider: String,
    pub from_s: f64,
    pub until_s: f64,
    /// Whether a breaker held the provider back when it returned.
    pub held_back: bool,
    /// From the return to the first request that was sent to it.
    pub first_request_s: Option<f64>,
    /// From the return to the moment when no breaker held it back any more.
    pub released_s: Option<f64>,
    /// The earlier of the two, and 0 when nothing held it back: then it had only not been chosen. `None` when no request
    /// went to it.
    pub recovery_s: Option<f64>,
}

const NO_OUTAGE: &str = "there was no outage";
const NOT_OVER: &str = "no outage ended within the run";
const NOT_ASKED: &str = "no request went to the provider after its return";

impl Report {
    /// Puts the runs together, in their order.
    #[must_use]
    pub fn new(workload: &Workload, outcomes: Vec<Outcome>) -> Self {
        Self {
            workload: About::of(workload),
            strategies: outcomes.into_iter().map(|outcome| strategy(outcome, workload)).collect(),
        }
    }
}

impl StrategyReport {
    /// Whether it stands for one candidate or model.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.name.starts_with(PINNED)
    }
}

impl About {
    fn of(workload: &Workload) -> Self {
        let count = workload.candidates.len();
        let without = |is: fn(&domain::catalogue::Tier) -> bool| {
            let without = workload.candidates.iter().filter(|candidate| is(candidate.tier())).count();
            part(without as u64, count as u64).unwrap_or_default()
        };
        Self {
            title: workload.title.clone(),
            seed: workload.seed,
            date: workload.date.to_string(),
            duration_s: workload.duration.map(|duration| duration.as_secs_f64()),
            providers: workload.accounts.len(),
            candidates: count,
            unrated_candidates_share: without(|tier| tier.quality.is_none()),
            unpriced_candidates_share: without(|tier| tier.price.is_none()),
            outages: workload.outages.len(),
            baseline: workload.baseline.as_ref().map(|candidate| candidate.id.to_string()),
            shifts: truth::shifts(workload),
        }
    }
}

fn strategy(outcome: Outcome, workload: &Workload) -> StrategyReport {
    let Outcome { name, tally, recoveries, learned } = outcome;
    let requests = tally.marks.len() as u64;
    let answered = tally.marks.iter().filter(|mark| mark.end != End::Unanswered).count() as u64;
    let outages: Vec<OutageReport> = recoveries.iter().map(outage).collect();
    let ended = || recoveries.iter().zip(&outages).filter(|(recovery, _)| recovery.seen_to_end);
    let recovery_s = ended().filter_map(|(_, outage)| outage.recovery_s).reduce(f64::max);
    let recovery_note = match recovery_s {
        Some(_) => None,
        None if workload.outages.is_empty() => Some(NO_OUTAGE),
        None if ended().count() == 0 => Some(NOT_OVER),
        None => Some(NOT_ASKED),
    };
    let is_comparable = tally.has_baseline() && tally.uncharted == 0 && tally.compared > 0;
    let baseline = tally.baseline_cost.0;
    let saved = i128::from(baseline) - i128::from(tally.charged.minus(tally.beyond_compare).0);
    StrategyReport {
        name,
        requests,
        success_rate: if requests == 0 { 0.0 } else { answered as f64 / requests as f64 },
        delivered: tally.delivered,
        refused: tally.refused,
        unanswered: sorted(&tally.unanswered),
        fall_over_share: part(tally.fell_over, requests).unwrap_or_default(),
        fall_over_success: part(tally.fell_over_delivered, tally.fell_over),
        fall_over_ms: percentiles(&tally.fall_over_ms),
        recovery_s,
        recovery_note,
        outages,
        cost_usd_micros: tally.charged.0,
        possible_usd_micros: tally.possible.0,
        unknown_charges: tally.uncharted,
        cost_per_request_usd_micros: (tally.delivered > 0 && tally.uncharted == 0)
            .then(|| tally.charged.0.div_ceil(tally.delivered)),
        compared_share: part(tally.compared, tally.delivered).filter(|_| tally.has_baseline()),
        baseline_usd_micros: tally.has_baseline().then_some(baseline),
        savings: (is_comparable && baseline > 0).then(|| round(saved as f64 / baseline as f64)),
        savings_usd_micros: is_comparable.then(|| i64::try_from(saved).unwrap_or(i64::MAX)),
        expected_quality: (tally.rated > 0).then(|| round(tally.quality / tally.rated as f64)),
        unrated_share: part(tally.delivered - tally.rated, tally.delivered),
        truth: workload.truth.as_ref().map(|_| TruthReport::of(&tally.marks, learned)),
        latency_ms: percentiles(&tally.latency_ms),
        attempts: tally.attempts,
        attempt_failures: sorted(&tally.failures),
        load: load(&tally),
        probes: tally.probes,
        last_resorts: tally.last_resorts,
        native_decisions: tally.native,
        plugin_faults: tally.plugin_faults,
        calls_ended_by_clock: tally.by_clock,
        marks: tally.marks,
    }
}

fn outage(recovery: &Recovery) -> OutageReport {
    let seconds = |time: Duration| time.as_millis() as f64 / 1e3;
    let first_request_s = recovery.first_request.map(seconds);
    let released_s = recovery.released.filter(|_| recovery.held_back).map(seconds);
    OutageReport {
        provider: recovery.outage.provider.clone(),
        from_s: seconds(recovery.outage.from),
        until_s: seconds(recovery.outage.until),
        held_back: recovery.held_back,
        first_request_s,
        released_s,
        recovery_s: first_request_s.map(|first| match recovery.held_back {
            true => released_s.map_or(first, |released| first.min(released)),
            false => 0.0,
        }),
    }
}

fn load(tally: &Tally) -> Load {
    let mut load = Load::default();
    let attempts: u64 = tally.attempts_of.iter().sum();
    for (index, candidate) in tally.candidates().iter().enumerate() {
        let provider = || candidate.provider.name.clone();
        if let Some(share) = part(tally.attempts_of[index], attempts).filter(|share| *share > 0.0) {
            *load.attempts.entry(provider()).or_default() += share;
        }
        if let Some(share) = part(tally.delivered_by[index], tally.delivered).filter(|share| *share > 0.0) {
            *load.deliveries.entry(provider()).or_default() += share;
            load.candidates.insert(candidate.id.to_string(), share);
        }
    }
    load
}

fn percentiles(times: &Times) -> Percentiles {
    Percentiles { p50: times.at(0.5), p95: times.at(0.95), p99: times.at(0.99) }
}

fn sorted(counts: &HashMap<&'static str, u64>) -> BTreeMap<&'static str, u64> {
    counts.iter().map(|(word, count)| (*word, *count)).collect()
}

/// A part of a whole; `None` of nothing.
fn part(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| round(part as f64 / whole as f64))
}

/// To six decimals: enough for one in a million, and the same on every machine.
fn round(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
