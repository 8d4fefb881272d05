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
    /// Off the path of requests: it is in no record.
    Learner,
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
    /// It was not called. The reason is a stable code: `quarantined`, `input-blocked`, `disabled`, `busy`. There is
    /// nothing to make again.
    Skipped {
        reason: Cow<'static, str>,
    },
}

/// What one call was allowed: with its inputs, all that is needed to make it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conditions {
    /// Of the sandbox: the costs of operators, the runtime's major version, whatever else changes how a component runs.
    pub policy: u16,
    /// Whether it ran in the slow tier.
    pub slow: bool,
    pub fuel: u64,
    /// All memories and tables together, in bytes.
    pub memory: u64,
    pub deadline_ms: u32,
    /// The request fields it was granted: bits such as [`Self::READS_PROMPT`].
    pub reads: u16,
}

impl Conditions {
    pub const READS_PROMPT: u16 = 1;
    pub const READS_TENANT: u16 = 1 << 1;
    pub const READS_SESSION: u16 = 1 << 2;
    pub const READS_SEED: u16 = 1 << 3;
    pub const READS_SEQUENCE: u16 = 1 << 4;
    pub const READS_NOW: u16 = 1 << 5;
    pub const READS_FACTS: u16 = 1 << 6;
    pub const READS_BUDGET: u16 = 1 << 7;
}

/// What a strategy would have done that was only watched. Recorded, never followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shadow {
    pub call: PluginCall,
    pub settings: Arc<[Setting]>,
    pub conditions: Conditions,
    /// By index into the decision's `considered`. Empty when it did not answer.
    pub order: Vec<Ranked>,
    pub reason: String,
    pub propensity: f32,
}

/// The columns that strategies get beside the contenders: one for each tag that any of them carries, by name. `tags` are
/// those of each contender, in order.
#[must_use]
pub fn tag_columns(tags: &[&[String]]) -> Vec<(String, Vec<bool>)> {
    let mut names: Vec<&String> = tags.iter().copied().flatten().collect();
    names.sort_unstable();
    names.dedup();
    let column = |name: &String| (format!("tag-{name}"), tags.iter().map(|tags| tags.contains(name)).collect());
    names.into_iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_is_a_column_and_says_who_carries_it() {
        let (none, eu, both) = (vec![], vec!["eu".to_owned()], vec!["us".to_owned(), "eu".to_owned()]);
        let columns = tag_columns(&[&none, &eu, &both]);
        let expected = [("tag-eu", vec![false, true, true]), ("tag-us", vec![false, false, true])];
        assert_eq!(columns, expected.map(|(name, carried)| (name.to_owned(), carried)));
        assert!(tag_columns(&[&none, &none]).is_empty());
    }
}
