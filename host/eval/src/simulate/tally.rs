//! Counting what became of requests, while a run is under way.

use std::{collections::HashMap, sync::Arc, time::Duration};

use dispatch::{Dispatched, Stopped};
use domain::{
    attempt::{AttemptEnd, Charge},
    baseline,
    candidate::{Candidate, CandidateId},
    decision::{Considered, NATIVE},
    failure::FailureKind,
    money::MicroUsd,
    plugin::CallEnd,
    request::Request,
};
use hdrhistogram::Histogram;
use sandbox::{Decided, Verdict};

use super::{workload::Workload, worth::Worth};

/// A request that has ended.
pub(super) struct Ended<'a> {
    /// Its number, from 0.
    pub(super) n: u64,
    /// When it arrived, since the start.
    pub(super) at: Duration,
    pub(super) latency: Duration,
    pub(super) request: &'a Request,
    pub(super) decided: &'a Decided,
    /// `None` when nobody was asked.
    pub(super) dispatched: Option<Dispatched>,
    /// `None` when nobody knows how good anybody is.
    pub(super) worth: Option<Worth>,
}

/// What is kept of each request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mark {
    /// The request's number, from 0.
    pub(super) n: u64,
    pub(super) at_ms: u32,
    pub(super) latency_ms: u32,
    pub(super) end: End,
    pub(super) worth: Option<Worth>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Delivered,
    /// Refused on content grounds: an answer.
    Refused,
    Unanswered,
}

/// What is counted. Money in whole micro-dollars.
#[derive(Debug, Default)]
pub(super) struct Tally {
    candidates: Vec<Arc<Candidate>>,
    index: HashMap<CandidateId, usize>,
    baseline: Option<Arc<Candidate>>,

    pub(super) marks: Vec<Mark>,
    pub(super) delivered: u64,
    pub(super) refused: u64,
    /// Requests without an answer, by reason.
    pub(super) unanswered: HashMap<&'static str, u64>,
    /// Failed attempts, by kind.
    pub(super) failures: HashMap<&'static str, u64>,
    pub(super) attempts: u64,
    /// By candidate.
    pub(super) attempts_of: Vec<u64>,
    pub(super) delivered_by: Vec<u64>,
    /// Requests that went on to another candidate, and how many of those were delivered.
    pub(super) fell_over: u64,
    pub(super) fell_over_delivered: u64,
    /// Time before the attempt that delivered, in milliseconds.
    pub(super) fall_over_ms: Times,
    /// Of deliveries, in milliseconds.
    pub(super) latency_ms: Times,
    pub(super) charged: MicroUsd,
    pub(super) possible: MicroUsd,
    /// Requests with a charge that nobody knows.
    pub(super) uncharted: u64,
    /// Deliveries that the baseline could have made, what it would have charged for them, and what was charged for the
    /// others.
    pub(super) compared: u64,
    pub(super) baseline_cost: MicroUsd,
    pub(super) beyond_compare: MicroUsd,
    /// Sum and number of the quality priors of what was delivered.
    pub(super) quality: f64,
    pub(super) rated: u64,
    pub(super) probes: u64,
    pub(super) last_resorts: u64,
    /// Decisions that no strategy made.
    pub(super) native: u64,
    pub(super) plugin_faults: u64,
    /// Of those, calls that the real clock ended: they make a run hard to repeat.
    pub(super) by_clock: u64,
}

/// Milliseconds as a histogram.
#[derive(Debug)]
pub(super) struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, 10 * 86_400_000, 3).expect("the bounds are constants in range"))
    }
}

impl Times {
    pub(super) fn add(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }

    /// `None` without any.
    pub(super) fn at(&self, quantile: f64) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(quantile))
    }
}

impl Tally {
    pub(super) fn new(workload: &Workload) -> Self {
        let candidates = workload.candidates.clone();
        let index = candidates.iter().enumerate().map(|(index, candidate)| (candidate.id.clone(), index)).collect();
        let zeros = vec![0; candidates.len()];
        Self {
            index,
            baseline: workload.baseline.clone(),
            attempts_of: zeros.clone(),
            delivered_by: zeros,
            candidates,
            ..Self::default()
        }
    }

    pub(super) fn candidates(&self) -> &[Arc<Candidate>] {
        &self.candidates
    }

    pub(super) fn has_baseline(&self) -> bool {
        self.baseline.is_some()
    }

    pub(super) fn add(&mut self, ended: Ended<'_>) {
        self.note_decision(ended.decided);
        let end = match &ended.dispatched {
            None => {
                *self.unanswered.entry(undecided(&ended.decided.verdict)).or_default() += 1;
                End::Unanswered
            }
            Some(dispatched) => self.note_dispatched(&ended, dispatched),
        };
        let millis = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        let (at_ms, latency_ms) = (millis(ended.at), millis(ended.latency));
        self.marks.push(Mark { n: ended.n, at_ms, latency_ms, end, worth: ended.worth });
    }

    fn note_decision(&mut self, decided: &Decided) {
        let decision = &decided.decision;
        self.probes += u64::from(decision.probe);
        self.last_resorts += u64::from(decision.last_resort);
        self.native += u64::from(decided.verdict == Verdict::Go && *decision.strategy == *NATIVE);
        for call in &decision.calls {
            if let CallEnd::Faulted { code, .. } = &call.ended {
                self.plugin_faults += 1;
                self.by_clock += u64::from(code == "deadline");
            }
        }
    }

    fn note_dispatched(&mut self, ended: &Ended<'_>, dispatched: &Dispatched) -> End {
        let mut is_uncharted = false;
        for attempt in &dispatched.attempts {
            self.attempts += 1;
            if let Some(index) = self.index.get(&attempt.candidate) {
                self.attempts_of[*index] += 1;
            }
            if let AttemptEnd::Failed { kind, .. } = &attempt.end {
                *self.failures.entry(kind.code()).or_default() += 1;
            }
            self.charged = self.charged.plus(attempt.charge.amount());
            match attempt.charge {
                Charge::Possible(amount) => self.possible = self.possible.plus(amount),
                Charge::Unknown(_) => is_uncharted = true,
                _ => {}
            }
        }
        self.uncharted += u64::from(is_uncharted);
        let first = dispatched.attempts.first().map(|attempt| &attempt.candidate);
        let fell_over = dispatched.attempts.iter().any(|attempt| Some(&attempt.candidate) != first);
        self.fell_over += u64::from(fell_over);
        match &dispatched.result {
            Ok(delivery) => {
                self.note_delivery(ended, dispatched, delivery.step);
                if fell_over {
                    self.fell_over_delivered += 1;
                    let last = dispatched.attempts.last().map_or(0, |attempt| u64::from(attempt.latency_ms));
                    self.fall_over_ms.add(ended.latency.saturating_sub(Duration::from_millis(last)));
                }
                End::Delivered
            }
            Err(failure) if failure.kind == Some(FailureKind::Refused) => {
                self.refused += 1;
                End::Refused
            }
            Err(failure) => {
                let reason = match (failure.stopped, failure.kind) {
                    (Stopped::Deadline, _) => "deadline",
                    (Stopped::Cap, _) => "cap",
                    (_, Some(kind)) => kind.code(),
                    (_, None) => "nobody-asked",
                };
                *self.unanswered.entry(reason).or_default() += 1;
                End::Unanswered
            }
        }
    }

    fn note_delivery(&mut self, ended: &Ended<'_>, dispatched: &Dispatched, step: usize) {
        self.delivered += 1;
        self.latency_ms.add(ended.latency);
        let decision = &ended.decided.decision;
        let considered = &decision.considered[decision.order[step] as usize];
        self.delivered_by[considered.candidate as usize] += 1;
        if let Some(prior) = considered.quality {
            self.quality += f64::from(prior.mean);
            self.rated += 1;
        }
        match self.at_baseline(ended, dispatched, considered) {
            Some(price) => {
                self.compared += 1;
                self.baseline_cost = self.baseline_cost.plus(price);
            }
            None => self.beyond_compare = self.beyond_compare.plus(dispatched.charge.amount()),
        }
    }

    /// What the delivery would have cost at the baseline. Where that made it, what it charged: an estimate that was off is
    /// no saving.
    fn at_baseline(&self, ended: &Ended<'_>, dispatched: &Dispatched, served: &Considered) -> Option<MicroUsd> {
        let baseline = self.baseline.as_ref()?;
        let at = self.index.get(&baseline.id)?;
        if served.candidate as usize == *at {
            return dispatched.attempts.last()?.charge.known();
        }
        let estimate = ended.decided.decision.considered.get(*at).and_then(|row| row.cost);
        baseline::price(baseline, ended.request, estimate)
    }
}

/// Why nobody was asked.
fn undecided(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Go => "nobody-asked",
        Verdict::Denied { .. } => "denied",
        Verdict::NoCandidate => "no-candidate",
        Verdict::PluginFailed { .. } => "plugin-failed",
    }
}
