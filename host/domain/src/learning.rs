//! What can be learned from: outcomes in the ledger's order, and what learners made of them.
//!
//! A learner is a fold. It is given what it remembers and the outcomes after that, in order, and gives back what it
//! remembers now. The ledger keeps that together with the place it has reached, so no outcome counts twice.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    attempt::DecisionId, candidate::CandidateId, catalogue::Prior, digest::Digest, money::MicroUsd,
    plugin::Classification, price::Estimate, request::Operation,
};

/// One thing to learn from, with all the context it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Place in the ledger's order: strictly rising, never given twice.
    pub sequence: u64,
    /// Milliseconds since 1970-01-01 UTC when it was observed.
    pub at_ms: u64,
    pub decision: DecisionId,
    pub operation: Operation,
    /// As it was decided with.
    pub classification: Classification,
    /// On the contract's ladder, as it was asked for.
    pub quality: u8,
    pub model: CandidateId,
    /// Its place in the order of attempts, 0 for the first.
    pub place: u32,
    /// The chance that its decision would have put its first one first.
    pub propensity: f32,
    pub observed: Observation,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    Delivered {
        latency_ms: u32,
        /// Charged for the attempt, after settlement.
        cost: MicroUsd,
    },
    /// Refused on content grounds.
    Refused,
    /// The kind of failure.
    Failed(&'static str),
    /// Feedback: 0 to 1.
    Rated(f32),
    /// Feedback: better than what that other model made of the same request.
    PreferredOver(CandidateId),
}

/// Whose outcomes a memory is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everybody's.
    All,
    Route(Arc<str>),
    /// `None`: those of requests without a tenant.
    Tenant(Option<Arc<str>>),
}

impl Scope {
    /// From its text, as `Display` writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "all" {
            return Some(Self::All);
        }
        match text.split_once(':')? {
            ("route", name) if !name.is_empty() => Some(Self::Route(name.into())),
            ("tenant", name) => Some(Self::Tenant(Some(name).filter(|name| !name.is_empty()).map(Arc::from))),
            _ => None,
        }
    }
}

/// `all`, `route:NAME`, `tenant:NAME`, `tenant:`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Route(name) => write!(f, "route:{name}"),
            Self::Tenant(name) => write!(f, "tenant:{}", name.as_deref().unwrap_or_default()),
        }
    }
}

/// How a route's learners split their outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LearnPer {
    /// One memory for the route.
    #[default]
    Route,
    /// One memory for each tenant.
    Tenant,
}

impl LearnPer {
    /// Whose memory a request of `tenant` on `route` is decided with.
    #[must_use]
    pub fn scope(self, route: &Arc<str>, tenant: Option<&Arc<str>>) -> Scope {
        match self {
            Self::Route => Scope::Route(Arc::clone(route)),
            Self::Tenant => Scope::Tenant(tenant.cloned()),
        }
    }
}

/// What a learner remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The learner's own number for the form of `bytes`.
    pub format: u32,
    /// The last outcome that is in it.
    pub sequence: u64,
    pub bytes: Arc<[u8]>,
    /// Of `bytes`.
    pub digest: Digest,
}

impl Memory {
    #[must_use]
    pub fn new(format: u32, sequence: u64, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        Self { format, sequence, bytes, digest }
    }
}

/// What a record keeps of a decision beside its trace: what was learned before and went into it, and what was only watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Memories that strategies were given: the digest of the component, and that of the memory.
    pub memories: Vec<(Digest, Digest)>,
    /// How the quality that is expected of the first few came about: an index into `considered`, and one line.
    pub expected: Vec<(u32, String)>,
    /// On a route that only observes: what would have been chosen, had the caller left the choice.
    pub observed: Option<Observed>,
}

/// What would have been chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    pub model: CandidateId,
    pub strategy: Arc<str>,
    pub cost: Option<Estimate>,
    pub quality: Option<Prior>,
    pub reason: String,
}

impl Judgement {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.memories.is_empty() && self.expected.is_empty() && self.observed.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        for scope in [
            Scope::All,
            Scope::Route("default".into()),
            Scope::Tenant(Some("studio".into())),
            Scope::Tenant(None),
            Scope::Tenant(Some("a:b".into())),
        ] {
            assert_eq!(Scope::parse(&scope.to_string()), Some(scope));
        }
        for text in ["", "route", "route:", "everyone", "key:a"] {
            assert_eq!(Scope::parse(text), None, "{text}");
        }
    }
}
