//! A configuration as meant: checked, with every default filled in and every reference resolved.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use domain::{
    candidate::{Candidate, CandidateId, Pattern},
    catalogue::Model,
    digest::Digest,
    expectation::Expectations,
    learning::LearnPer,
    policy::Unpriced,
    provider::Provider,
    request::Caps,
    split::Split,
    weights::Weights,
};
use serde::Serialize;

pub use super::{
    secret::{KeyHash, Secret, SecretError},
    written::{OnFault, Prompts},
};

/// The route of `model: "auto"`. It exists in every configuration.
pub const DEFAULT_ROUTE: &str = "default";

/// Everything an operator can decide.
#[derive(Clone, Debug)]
pub struct Config {
    pub server: Server,
    pub data: Data,
    pub plugins: Plugins,
    pub learning: Learning,
    /// By name.
    pub accounts: Vec<Account>,
    /// What callers may send as `model`, with what it means in the end: never another alias.
    pub aliases: BTreeMap<String, String>,
    /// By name; [`DEFAULT_ROUTE`] is among them.
    pub routes: BTreeMap<String, Arc<Route>>,
    /// No two have the same name or hash.
    pub keys: Vec<Key>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub listen: SocketAddr,
    /// Without a slash at its end.
    pub public_url: Option<String>,
    /// In bytes.
    pub max_body: usize,
    pub header_timeout: Duration,
    pub drain: Duration,
    pub max_in_flight: usize,
    /// Most requests that wait while so many are under way.
    pub max_queue: usize,
    pub queue_timeout: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    pub dir: PathBuf,
    pub prompts: Prompts,
    pub retention: Duration,
    /// Most space for kept pictures, in bytes.
    pub media: u64,
    pub media_keep: Duration,
    /// Most space for answers that may be asked for again, in bytes.
    pub answers: u64,
}

/// Whose plugins serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plugins {
    /// The folder to watch; `None` when only the bundled ones serve.
    pub folder: Option<PathBuf>,
    /// minisign public keys, as base64.
    pub trusted_keys: Vec<String>,
    /// Whether a plugin without the signature of a trusted key is refused.
    pub require_signatures: bool,
}

/// Where learning begins, and how often it goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Learning {
    pub expectations: Arc<Expectations>,
    /// Of the file that they are from.
    pub digest: Option<Digest>,
    pub every: Duration,
}

impl Default for Learning {
    fn default() -> Self {
        Self { expectations: Arc::default(), digest: None, every: Duration::from_secs(2) }
    }
}

/// A provider, what it offers and how it is reached.
#[derive(Clone, Debug)]
pub struct Account {
    pub provider: Arc<Provider>,
    /// In the catalogue's order, then those that only the configuration knows.
    pub models: Vec<Arc<Model>>,
    pub connection: Connection,
}

/// How an account is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Connection {
    Openai {
        /// Without a slash at its end.
        base_url: String,
        /// Empty for servers that ask for none.
        keys: Vec<Secret>,
        /// Hosts besides its own from which pictures may be fetched: `host` or `host:port`.
        result_hosts: Vec<String>,
    },
    Simulated(Simulation),
}

/// How a simulated provider behaves. Rates are shares of calls; their sum is at most 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// On the catalogue's latencies.
    pub latency_scale: f64,
    /// Spread of the log-normal latencies.
    pub sigma: f64,
    pub error_rate: f64,
    pub hang_rate: f64,
    pub refusal_rate: f64,
    pub rate_limited_rate: f64,
    pub outages: Vec<Outage>,
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            latency_scale: 1.0,
            sigma: 0.35,
            error_rate: 0.0,
            hang_rate: 0.0,
            refusal_rate: 0.0,
            rate_limited_rate: 0.0,
            outages: Vec::new(),
        }
    }
}

/// A bad time of a simulated provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    /// Since the gateway started.
    pub from: Duration,
    pub lasts: Duration,
    pub error_rate: f64,
    pub latency_factor: f64,
}

/// A named way of deciding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Route {
    pub name: Arc<str>,
    pub classifier: String,
    pub cost_models: Vec<String>,
    /// At least one. With a split: who follows when its arm has no answer.
    pub strategies: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Strategies that are asked as well and never followed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shadow: Vec<String>,
    #[serde(skip_serializing_if = "Weights::is_empty")]
    pub weights: Weights,
    pub caps: Caps,
    /// Over all attempts.
    pub deadline: Duration,
    /// For an attempt that somebody else could take over from; `None` for what is usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt_timeout: Option<Duration>,
    pub on_fault: OnFault,
    pub fall_over_after_charge: bool,
    #[serde(skip_serializing_if = "is_usual")]
    pub unpriced: Unpriced,
    #[serde(skip_serializing_if = "is_per_route")]
    pub learn_per: LearnPer,
    #[serde(skip_serializing_if = "is_off")]
    pub observe: bool,
    /// The model that the route's callers use now: one of the candidates there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<CandidateId>,
    pub candidates: Filter,
}

/// What was always done is written down as it always was.
fn is_usual(unpriced: &Unpriced) -> bool {
    *unpriced == Unpriced::default()
}

fn is_off(observe: &bool) -> bool {
    !observe
}

fn is_per_route(learn_per: &LearnPer) -> bool {
    *learn_per == LearnPer::Route
}

impl Route {
    /// The route `name` with every default.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            classifier: "context-classifier".to_owned(),
            cost_models: vec!["list-price".to_owned()],
            strategies: vec!["hybrid".to_owned()],
            split: None,
            shadow: Vec::new(),
            weights: Weights::default(),
            caps: Caps::default(),
            deadline: Duration::from_secs(300),
            attempt_timeout: None,
            on_fault: OnFault::Fallback,
            fall_over_after_charge: true,
            unpriced: Unpriced::default(),
            learn_per: LearnPer::Route,
            observe: false,
            baseline: None,
            candidates: Filter::default(),
        }
    }
}

/// Which candidates a route may use.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Filter {
    /// A provider must have all of them.
    pub tags: Vec<String>,
    /// Empty when every candidate is named.
    pub only: Vec<Pattern>,
    pub never: Vec<Pattern>,
}

impl Filter {
    /// Whether the route may use `candidate`.
    #[must_use]
    pub fn admits(&self, candidate: &Candidate) -> bool {
        let named = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(&candidate.id));
        self.tags.iter().all(|tag| candidate.provider.tags.contains(tag))
            && (self.only.is_empty() || named(&self.only))
            && !named(&self.never)
    }
}

/// A key that callers present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub name: Arc<str>,
    pub hash: KeyHash,
    pub tenant: Option<Arc<str>>,
    /// `None` when it may use every route.
    pub routes: Option<Vec<String>>,
    pub admin: bool,
}

impl Config {
    /// Every candidate there is: by provider, then model, then tier.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        candidates(&self.accounts)
    }

    #[must_use]
    pub fn route(&self, name: &str) -> Option<&Arc<Route>> {
        self.routes.get(name)
    }
}

/// Every candidate of `accounts`, in their order.
pub(super) fn candidates(accounts: &[Account]) -> Vec<Candidate> {
    let of_account = |account: &Account| -> Vec<Candidate> {
        account.models.iter().flat_map(|model| Candidate::all(&account.provider, model)).collect()
    };
    accounts.iter().flat_map(of_account).collect()
}
