//! Audit records: exactly one for every request that got an id.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    attempt::{Attempt, Charge, DecisionId},
    candidate::{Candidate, CandidateId},
    decision::Decision,
    digest::Digest,
    learning::Judgement,
    money::MicroUsd,
    plugin::{Conditions, Setting, Shadow},
    price::Estimate,
};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Delivered,
    /// A provider refused on content grounds.
    Refused,
    /// A strategy denied it.
    Denied,
    /// Nobody could do it.
    NoCandidate,
    Failed,
    /// The caller left before the answer.
    Abandoned,
    /// This program ended before the answer.
    Interrupted,
    /// Explained only, nobody was called.
    DryRun,
}

impl Outcome {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::NoCandidate => "no-candidate",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Interrupted => "interrupted",
            Self::DryRun => "dry-run",
        }
    }
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub id: DecisionId,
    /// Milliseconds since 1970-01-01 UTC when it arrived.
    pub at_ms: u64,
    pub tenant: Option<Arc<str>>,
    /// The configured name of the caller's key, never the key.
    pub key: Option<Arc<str>>,
    /// `model` as the caller wrote it.
    pub asked: Arc<str>,
    pub outcome: Outcome,
    /// HTTP status of the answer.
    pub status: u16,
    /// Stable code of the error answer.
    pub error: Option<Arc<str>>,
    pub served: Option<CandidateId>,
    pub charge: Charge,
    pub comparison: Comparison,
    pub latency_ms: u32,
    /// What was learned before and went into the decision.
    pub judgement: Judgement,
    pub trace: Trace,
    /// What the trace refers to by digest.
    pub context: Arc<RecordContext>,
}

/// What a delivered request was expected to cost, and what it is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Whose price was used for the candidate that served: a cost model, or
    /// [`HOST_PRICE`](crate::price::HOST_PRICE).
    pub cost_model: Option<Arc<str>>,
    /// Of the candidate that served.
    pub estimate: Option<Estimate>,
    /// The model that the caller uses now.
    pub baseline: Option<CandidateId>,
    /// What this request would have cost there.
    pub baseline_cost: Option<MicroUsd>,
}

/// What many records share: kept once by digest.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordContext {
    /// The names of the snapshot's candidates: [`Considered::candidate`](crate::decision::Considered::candidate)
    /// points into it.
    pub candidates: Vec<CandidateId>,
    /// What strategies were told of each besides, in the same order.
    pub terms: Vec<Terms>,
    /// Of both lists.
    pub catalogue: Digest,
    /// Of models, prices, priors, routes, caps and whatever else of the configuration a decision depends on.
    pub settings: Digest,
}

/// What the operator's configuration says of a candidate's provider, as far as strategies are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    pub weight: f32,
    pub max_in_flight: u32,
    pub tags: Vec<String>,
}

impl RecordContext {
    /// The context of decisions about `candidates`.
    #[must_use]
    pub fn new(candidates: &[Arc<Candidate>], settings: Digest) -> Self {
        let names = candidates.iter().map(|candidate| candidate.id.clone()).collect();
        let terms = candidates.iter().map(|candidate| {
            let provider = &candidate.provider;
            Terms { weight: provider.weight, max_in_flight: provider.max_in_flight, tags: provider.tags.clone() }
        });
        Self::of(names, terms.collect(), settings)
    }

    /// The same, from names and terms: as many of one as of the other.
    #[must_use]
    pub fn of(candidates: Vec<CandidateId>, terms: Vec<Terms>, settings: Digest) -> Self {
        let listed: String = candidates.iter().zip(&terms).map(|(name, terms)| format!("{name} {terms:?}\n")).collect();
        Self { candidates, terms, catalogue: Digest::of(listed.as_bytes()), settings }
    }
}

/// Everything a decision was made from and led to: one compact blob in the record, with its version in front.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    pub decision: Decision,
    /// Settings given to each plugin call, in the order of `decision.calls`.
    pub settings: Vec<Arc<[Setting]>>,
    pub attempts: Vec<Attempt>,
    pub warnings: Vec<String>,
    /// What each plugin call was allowed, in the order of `decision.calls`.
    pub conditions: Vec<Conditions>,
    /// What strategies would have done that were only watched.
    pub shadows: Vec<Shadow>,
}
