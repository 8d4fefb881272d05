//! Decisions: every candidate that was considered, why some were not offered, and the order of the rest.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{Date, Latency, Prior},
    money::MicroUsd,
    plugin::{Classification, Live, Part, PluginCall, Ranking},
    price::{Estimate, Tariff},
    quality::AskedQuality,
    request::{Moment, Operation, Request},
    size::Size,
};

/// Why a candidate may not serve a request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Veto {
    /// The route, the key or the caller's `model` leaves it out.
    NotNamed,
    Retired {
        last: Date,
    },
    Operation {
        asked: Operation,
    },
    Quality {
        asked: AskedQuality,
    },
    Size {
        asked: Size,
    },
    Count {
        asked: u32,
        max: u32,
    },
    PromptLength {
        max: u32,
    },
    Transparent,
    /// Its breaker is open.
    Breaker {
        wait_ms: u32,
    },
    Unpriced {
        cap: MicroUsd,
    },
    MaxCost {
        upper: MicroUsd,
        cap: MicroUsd,
    },
    MaxLatency {
        p50_ms: u32,
        cap_ms: u32,
    },
    MinQuality {
        mean: Option<f32>,
        least: f32,
    },
    /// It was offered and the strategy left it out.
    LeftOut,
    /// Nobody knows its price, and the route leaves such out.
    UnpricedSkipped,
    /// Nobody knows its price, and somebody with a price can serve.
    PricedFirst,
}

impl Veto {
    /// Stable word for records and clients.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotNamed => "not-named",
            Self::Retired { .. } => "retired",
            Self::Operation { .. } => "operation",
            Self::Quality { .. } => "quality",
            Self::Size { .. } => "size",
            Self::Count { .. } => "count",
            Self::PromptLength { .. } => "prompt-length",
            Self::Transparent => "transparent",
            Self::Breaker { .. } => "breaker",
            Self::Unpriced { .. } => "unpriced",
            Self::MaxCost { .. } => "max-cost",
            Self::MaxLatency { .. } => "max-latency",
            Self::MinQuality { .. } => "min-quality",
            Self::LeftOut => "left-out",
            Self::UnpricedSkipped => "unpriced-skipped",
            Self::PricedFirst => "priced-first",
        }
    }

    /// Whether cost models were asked about the candidate before this came up.
    #[must_use]
    pub fn comes_after_price(&self) -> bool {
        matches!(self, Self::Unpriced { .. } | Self::MaxCost { .. } | Self::MaxLatency { .. } | Self::MinQuality { .. })
            || matches!(self, Self::UnpricedSkipped | Self::PricedFirst)
            || self.comes_after_offer()
    }

    /// Whether strategies were offered the candidate before this came up.
    #[must_use]
    pub fn comes_after_offer(&self) -> bool {
        matches!(self, Self::LeftOut)
    }
}

/// For people, to be read after the candidate's name.
impl fmt::Display for Veto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNamed => write!(f, "is not among those that route, key and `model` allow"),
            Self::Retired { last } => write!(f, "was retired by its vendor on {last}"),
            Self::Operation { asked } => write!(f, "cannot do {}", asked.word()),
            Self::Quality { asked } => write!(f, "is another tier than the asked `{asked}`"),
            Self::Size { asked } => write!(f, "cannot draw {asked}"),
            Self::Count { asked, max } => write!(f, "makes at most {max} a call, {asked} asked"),
            Self::PromptLength { max } => write!(f, "takes prompts of at most {max} characters"),
            Self::Transparent => write!(f, "cannot leave the background transparent"),
            Self::Breaker { wait_ms } => write!(f, "is resting after failures for {wait_ms} ms more"),
            Self::Unpriced { cap } => write!(f, "has no known price, and the cap is {cap}"),
            Self::MaxCost { upper, cap } => write!(f, "may cost {upper}, the cap is {cap}"),
            Self::MaxLatency { p50_ms, cap_ms } => write!(f, "usually takes {p50_ms} ms, the cap is {cap_ms} ms"),
            Self::MinQuality { mean: Some(mean), least } => {
                write!(f, "has quality {mean:.2}, at least {least:.2} is asked")
            }
            Self::MinQuality { mean: None, least } => {
                write!(f, "has no known quality, at least {least:.2} is asked")
            }
            Self::LeftOut => write!(f, "was left out by the strategy"),
            Self::UnpricedSkipped => write!(f, "has no known price, and the route leaves such out"),
            Self::PricedFirst => write!(f, "has no known price, and others that have one can serve"),
        }
    }
}

/// One candidate in a decision. What is `None` was not known or not asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Considered {
    /// Index into the snapshot's candidates.
    pub candidate: u32,
    pub veto: Option<Veto>,
    /// Given to the cost models, when it got that far.
    pub tariff: Option<Tariff>,
    pub cost: Option<Estimate>,
    pub quality: Option<Prior>,
    pub latency: Option<Latency>,
    pub live: Live,
    pub score: Option<f32>,
}

impl Considered {
    /// A candidate of which nothing is known yet.
    #[must_use]
    pub fn new(candidate: u32) -> Self {
        Self {
            candidate,
            veto: None,
            tariff: None,
            cost: None,
            quality: None,
            latency: None,
            live: Live::default(),
            score: None,
        }
    }
}

/// What was decided, and everything it was decided from: the part of a record that explains it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub request: Request,
    pub moment: Moment,
    pub route: Arc<str>,
    /// The strategy whose ranking was followed; [`NATIVE`] when none answered.
    pub strategy: Arc<str>,
    pub classification: Classification,
    pub considered: Vec<Considered>,
    /// Indices into `considered`, in the order of attempts.
    pub order: Vec<u32>,
    /// Ingredients of the scores, in the order of `order`.
    pub parts: Vec<Part>,
    pub reason: String,
    pub propensity: f32,
    /// The first of `order` is a probe that the host put there.
    pub probe: bool,
    /// All breakers were open: the one that is due first is tried all the same.
    pub last_resort: bool,
    pub calls: Vec<PluginCall>,
    /// Of the snapshot.
    pub revision: u64,
    /// Time spent deciding.
    pub micros: u32,
}

/// The name of the host's own order in `strategy`.
pub const NATIVE: &str = "native";

/// A ranking brought back to the considered candidates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Order {
    /// Indices into `considered`.
    pub order: Vec<u32>,
    pub probe: bool,
}

/// Follows a ranking over the offered candidates, and puts a due probe first.
///
/// `offered` maps the ranking's indices to `considered`. Scores are written back, and what the strategy left out is
/// vetoed: a candidate left out is not used, also not as a last resort. `probe` is an index into `considered`.
#[must_use]
pub fn follow(ranking: &Ranking, offered: &[u32], considered: &mut [Considered], probe: Option<u32>) -> Order {
    for index in offered {
        considered[*index as usize].veto = Some(Veto::LeftOut);
    }
    let mut order = Vec::with_capacity(ranking.order.len() + 1);
    order.extend(probe);
    for place in &ranking.order {
        let index = offered[place.candidate as usize];
        let candidate = &mut considered[index as usize];
        candidate.veto = None;
        candidate.score = Some(place.score);
        if probe != Some(index) {
            order.push(index);
        }
    }
    if let Some(probe) = probe {
        considered[probe as usize].veto = None;
    }
    Order { order, probe: probe.is_some() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::Ranked;

    fn ranking(order: &[u32]) -> Ranking {
        let order = order.iter().map(|candidate| Ranked { candidate: *candidate, score: 1.0 }).collect();
        Ranking { order, parts: Vec::new(), reason: String::new(), propensity: 1.0 }
    }

    #[test]
    fn what_the_strategy_leaves_out_is_not_used() {
        let mut all: Vec<Considered> = (0..4).map(Considered::new).collect();
        let followed = follow(&ranking(&[2, 0]), &[1, 2, 3], &mut all, None);
        assert_eq!(followed.order, [3, 1]);
        assert_eq!(all[2].veto, Some(Veto::LeftOut));
        assert_eq!(all[0].veto, None);
    }

    #[test]
    fn a_due_probe_goes_first_and_only_once() {
        let mut all: Vec<Considered> = (0..3).map(Considered::new).collect();
        let followed = follow(&ranking(&[0, 1]), &[0, 1, 2], &mut all, Some(1));
        assert_eq!(followed, Order { order: vec![1, 0], probe: true });
        let unranked = follow(&ranking(&[0]), &[0, 1, 2], &mut all, Some(2));
        assert_eq!(unranked.order, [2, 0]);
    }
}
