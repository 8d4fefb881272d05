//! The results, as programs read them.
//!
//! Qualities are means of ratings, 1 to 5; a `quality_ratio` is one of them over that of the best single model. Costs are
//! micro-dollars a request. What is not known is `null`.

use serde::{Serialize, Serializer};

use super::{contestant::Weights, notes::Warning};

/// Savings at which frontiers are read.
pub(super) const TARGETS: [f64; 2] = [0.20, 0.38];

/// How the numbers came about, for those who read nothing else.
pub(super) const METHOD_FOLDS: &str = "what is expected of a prompt was learned from the other folds only, a mean over \
    deals; settings are read by cost, never by the quality that is scored; the best single model and the best mix of any \
    two are picked by the very ratings that score them, which flatters them and nobody else";
pub(super) const METHOD_FILE: &str = "expectations are those of the quality file, as they are; settings are read by cost, \
    never by the quality that is scored; the best single model and the best mix of any two are picked by the very \
    ratings that score them, which flatters them and nobody else";

/// All of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub ratings: About,
    pub best_single: Single,
    pub cheapest_single: Single,
    /// Single models in the best mixes that look at no prompt, from the cheapest to the best: lots are drawn between neighbours.
    pub mixed_singles: Vec<Single>,
    /// Every model for all prompts, the best first.
    pub singles: Vec<Single>,
    pub oracle: Oracle,
    pub strategies: Vec<Strategy>,
    pub warnings: Vec<Warning>,
}

/// What was rated, and how expectations came about.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    pub file: String,
    pub digest: String,
    pub rows: u64,
    pub rows_used: u64,
    pub prompts: u64,
    /// Those that the best single model and another one drew.
    pub prompts_scored: u64,
    pub models: u64,
    pub raters: u64,
    /// `cross-validated`, or the quality file.
    pub quality: String,
    pub folds: Option<u32>,
    /// How often the prompts were dealt into folds; results are means over deals.
    pub deals: Option<u64>,
    pub seed: u64,
    pub method: &'static str,
}

/// One model for all scored prompts: where it did not draw them all, as if it had.
#[derive(Clone, Debug, Serialize)]
pub struct Single {
    pub model: String,
    /// Scored ones that it drew.
    pub prompts: u64,
    /// Whether it drew enough, half of what the most drawn one did, to be the best, the cheapest or part of a mix.
    pub is_compared: bool,
    #[serde(serialize_with = "short")]
    pub quality: f64,
    #[serde(serialize_with = "short")]
    pub cost_usd_micros: f64,
}

/// Whoever knows each prompt's best model.
#[derive(Clone, Debug, Serialize)]
pub struct Oracle {
    /// Scored ones of which it knows something: two models, one of them rated twice.
    pub prompts: u64,
    /// Chosen without the rater who scores.
    #[serde(serialize_with = "short_or_null")]
    pub quality: Option<f64>,
    #[serde(serialize_with = "short_or_null")]
    pub cost_usd_micros: Option<f64>,
    pub why_unknown: Option<&'static str>,
    /// Chosen and scored with the same ratings: too good by their noise.
    pub in_sample: InSample,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct InSample {
    #[serde(serialize_with = "short")]
    pub quality: f64,
    #[serde(serialize_with = "short")]
    pub cost_usd_micros: f64,
}

/// One strategy.
#[derive(Clone, Debug, Serialize)]
pub struct Strategy {
    pub name: String,
    /// Of its own settings, as a route would name them.
    pub weights: Weights,
    /// At its own settings.
    #[serde(flatten)]
    pub own: Outcome,
    /// By weight of quality against cost, all quality first; only its own settings when it has no such weights.
    pub frontier: Vec<Point>,
    pub at_savings: Vec<AtSaving>,
    /// Decisions to which it had no answer, its frontier included; the host's own order decided.
    pub unanswered: u64,
}

/// What a way of choosing comes to.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    #[serde(serialize_with = "short")]
    pub quality: f64,
    #[serde(serialize_with = "short")]
    pub cost_usd_micros: f64,
    /// Share of the best single model's cost; `None` when that is free.
    #[serde(serialize_with = "short_or_null")]
    pub savings: Option<f64>,
    #[serde(serialize_with = "short")]
    pub quality_ratio: f64,
    /// Of `quality_ratio`: 95 %, paired bootstrap over prompts.
    #[serde(serialize_with = "short_pair")]
    pub interval: Option<[f64; 2]>,
    /// What the oracle's quality is beyond this one, over the prompts of the oracle.
    #[serde(serialize_with = "short_or_null")]
    pub regret: Option<f64>,
    /// Lots drawn between the best and the cheapest single model, at the same cost.
    pub random_mix: Option<RandomMix>,
    /// Lots drawn between any two single models, the two that are best at the same cost.
    pub best_mix: Option<BestMix>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct RandomMix {
    #[serde(serialize_with = "short")]
    pub quality: f64,
    #[serde(serialize_with = "short")]
    pub quality_ratio: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct BestMix {
    #[serde(serialize_with = "short")]
    pub quality: f64,
    #[serde(serialize_with = "short")]
    pub quality_ratio: f64,
    /// One or two.
    pub models: Vec<Share>,
}

/// A model's share of the requests.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    pub model: String,
    #[serde(serialize_with = "short")]
    pub share: f64,
}

/// One setting of a frontier.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// Of quality; cost has the rest. `None` for a strategy's own settings.
    #[serde(serialize_with = "short_or_null")]
    pub weight: Option<f64>,
    #[serde(serialize_with = "short")]
    pub quality: f64,
    #[serde(serialize_with = "short")]
    pub cost_usd_micros: f64,
    #[serde(serialize_with = "short_or_null")]
    pub savings: Option<f64>,
    #[serde(serialize_with = "short")]
    pub quality_ratio: f64,
}

/// A frontier read at one saving.
#[derive(Clone, Debug, Serialize)]
pub struct AtSaving {
    pub target: f64,
    /// `None` when there is nothing to read.
    #[serde(flatten)]
    pub outcome: Option<Outcome>,
    /// The one setting that this is, or the neighbours on the frontier between which lots are drawn.
    pub settings: Vec<Setting>,
    /// The `quality_ratio` of each deal read alone, when there are several.
    #[serde(serialize_with = "short_all")]
    pub each_deal: Vec<f64>,
    pub note: Option<String>,
}

/// One setting as a route has it, and its share of the requests.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    pub weights: Weights,
    #[serde(serialize_with = "short")]
    pub share: f64,
    /// Of all requests, when it decides alone.
    #[serde(serialize_with = "short_or_null")]
    pub savings: Option<f64>,
}

/// Six decimals: behind them there is only noise.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn short<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(rounded(*value))
}

#[allow(clippy::ref_option, reason = "the form that serde calls")]
fn short_or_null<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(rounded).serialize(serializer)
}

#[allow(clippy::ref_option, reason = "the form that serde calls")]
fn short_pair<S: Serializer>(value: &Option<[f64; 2]>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|pair| pair.map(rounded)).serialize(serializer)
}

fn short_all<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().copied().map(rounded))
}
