//! What plugins answer, in the host's own types: the words of the contract without its wire form.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    candidate::CandidateId,
    catalogue::{Latency, Prior},
    digest::Digest,
    price::{Estimate, Tariff},
};

/// What kind of request this is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    pub label: String,
    /// 0 to 1.
    pub confidence: f32,
    /// 0 to 1.
    pub complexity: f32,
    pub traits: Vec<Trait>,
    pub features: Vec<f32>,
}

/// A property of the request that a classifier saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trait {
    pub name: String,
    pub confidence: f32,
}

impl Default for Classification {
    /// What the host goes on with when no classifier answers.
    fn default() -> Self {
        Self { label: "general".to_owned(), confidence: 0.0, complexity: 0.5, traits: Vec::new(), features: Vec::new() }
    }
}

/// A candidate as a cost model sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    pub model: CandidateId,
    pub tariff: Tariff,
}

/// A candidate as a strategy sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contender {
    pub model: CandidateId,
    pub cost: Option<Estimate>,
    pub quality: Option<Prior>,
    pub latency: Option<Latency>,
    pub live: Live,
    pub max_in_flight: u32,
    pub weight: f32,
}

/// How a candidate has been doing lately, on this node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Live {
    pub samples: u32,
    /// Share of `samples` that delivered; 1 when there are none.
    pub success: f32,
    pub in_flight: u32,
    pub half_open: bool,
}

impl Default for Live {
    fn default() -> Self {
        Self { samples: 0, success: 1.0, in_flight: 0, half_open: false }
    }
}

/// One place in a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// Index into the contenders that were offered.
    pub candidate: u32,
    pub score: f32,
}

/// One ingredient of the scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub name: String,
    /// In the ranking's order.
    pub values: Vec<f32>,
}

/// Candidates in order of preference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    pub order: Vec<Ranked>,
    pub parts: Vec<Part>,
    pub reason: String,
    pub propensity: f32,
}

/// One resolved setting of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Setting {
    Number(f64),
    Flag(bool),
    Choice(u32),
    Text(String),
}

/// What a plugin was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Classifier,
    CostModel,
    Strategy,
}

/// How one plugin call went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginCall {
    pub role: Role,
    pub plugin: Arc<str>,
    /// Of the component.
    pub digest: Digest,
    pub fuel: u64,
    /// Peak linear memory and tables, in bytes.
    pub memory: u64,
    pub micros: u32,
    pub ended: CallEnd,
}

/// How a plugin call ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallEnd {
    Answered,
    /// It has no opinion.
    Abstained {
        reason: String,
    },
    /// The request must not be served.
    Denied {
        reason: String,
    },
    /// Counted against the plugin. The code is stable.
    Faulted {
        code: Cow<'static, str>,
        detail: String,
        replayable: bool,
    },
}
