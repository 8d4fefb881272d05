//! What is to be done, and what came of it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{
    attempt::{Attempt, Charge, DecisionId},
    candidate::Candidate,
    failure::FailureKind,
    money::MicroUsd,
    price::{Estimate, Tariff},
    request::Request,
};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    failure::ProviderError,
    health::{Cell, Probe},
    picture::Format,
};

/// A decision to carry out.
#[derive(Debug)]
pub struct Job {
    pub decision: DecisionId,
    pub request: Arc<Request>,
    /// Fields of the caller that Muxel does not know, for providers that do.
    pub extra: Map<String, Value>,
    /// In the order of attempts.
    pub steps: Vec<Step>,
    /// Over all attempts, those counted that only may have been charged.
    pub max_cost: Option<MicroUsd>,
    /// Over all attempts.
    pub deadline: Instant,
    /// For each attempt that somebody else could take over from; `None` for three times the 95th percentile.
    pub attempt_timeout: Option<Duration>,
    /// Whether another candidate may be tried after one that may have been charged: it may pay twice.
    pub fall_over_after_charge: bool,
    /// For jitter and for simulated providers.
    pub seed: u64,
}

/// One candidate of a job.
#[derive(Debug)]
pub struct Step {
    pub candidate: Arc<Candidate>,
    pub cell: Arc<Cell>,
    pub tariff: Tariff,
    /// `None` when nobody knows a price.
    pub estimate: Option<Estimate>,
    pub p50_ms: Option<u32>,
    /// When this attempt is the one probe of a half-open breaker. Given back when it is never sent.
    pub probe: Option<Probe>,
}

/// A job that was carried out, well or not.
#[derive(Debug)]
pub struct Dispatched {
    pub attempts: Vec<Attempt>,
    /// Of all attempts.
    pub charge: Charge,
    pub result: Result<Delivery, DispatchFailure>,
}

/// Pictures, and what the provider said about them.
#[derive(Debug)]
pub struct Delivery {
    /// Index into the job's steps.
    pub step: usize,
    /// At least one, at most as many as asked.
    pub pictures: Vec<Picture>,
    /// Seconds since 1970-01-01 UTC, when the provider said so.
    pub created: Option<u64>,
    /// As the provider sent it.
    pub usage: Option<Value>,
    /// Other fields of the provider's answer, such as `output_format`.
    pub other: Map<String, Value>,
    pub warnings: Vec<String>,
}

/// One delivered picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Base64 text.
    pub b64: Bytes,
    pub format: Format,
    /// Width and height, where they were easy to see.
    pub size: Option<(u32, u32)>,
    pub revised_prompt: Option<String>,
}

/// Why nothing was delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct DispatchFailure {
    /// Of the attempt that tells most; `None` when nobody was asked.
    pub kind: Option<FailureKind>,
    /// For the record and the operator: bounded, without keys.
    pub detail: String,
    /// What the provider said, for the caller: after a refusal or a mistake of the caller it is the answer.
    pub error: Option<Box<ProviderError>>,
    /// The shortest wait that a provider asked for.
    pub retry_after: Option<Duration>,
    pub may_have_been_charged: bool,
    pub stopped: Stopped,
}

/// Why there was no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing may follow such a failure.
    Final,
    /// Everyone was asked who could be.
    Exhausted,
    /// No time was left.
    Deadline,
    /// Nobody was asked, because each would have cost more than the cap.
    Cap,
    /// The caller left.
    CallerLeft,
}

impl DispatchFailure {
    /// Whether the caller's SDK should send the request again: only when nobody may have been paid, and another try
    /// may well go better.
    #[must_use]
    pub fn should_retry(&self) -> bool {
        let is_passing = matches!(self.kind, Some(FailureKind::Connect | FailureKind::RateLimited));
        is_passing && !self.may_have_been_charged && self.stopped != Stopped::Deadline
    }

    /// Whether it failed for lack of time.
    #[must_use]
    pub fn deadline(&self) -> bool {
        self.stopped == Stopped::Deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cost_nothing_and_may_pass_is_worth_repeating() {
        let failure = |kind, may_have_been_charged, stopped| {
            let detail = String::new();
            DispatchFailure { kind, detail, error: None, retry_after: None, may_have_been_charged, stopped }
        };
        assert!(failure(Some(FailureKind::Connect), false, Stopped::Exhausted).should_retry());
        assert!(failure(Some(FailureKind::RateLimited), false, Stopped::Exhausted).should_retry());
        assert!(!failure(Some(FailureKind::Connect), true, Stopped::Exhausted).should_retry());
        assert!(!failure(Some(FailureKind::Connect), false, Stopped::Deadline).should_retry());
        assert!(!failure(Some(FailureKind::Server), true, Stopped::Final).should_retry());
        assert!(!failure(Some(FailureKind::Refused), false, Stopped::Final).should_retry());
        assert!(!failure(None, false, Stopped::Cap).should_retry());
    }
}
