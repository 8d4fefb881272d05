//! Who competes: a strategy in service, a component from a file, or one model whatever happens.

use std::sync::Arc;

use domain::{candidate::Candidate, nearest::nearest};
use sandbox::{Kind, Plugin, Roster};

use super::workload::Workload;

/// What a pinned candidate's name begins with.
pub const PINNED: &str = "pinned:";
/// Strategies that compete when none is named, as far as they are there.
const USUAL: [&str; 5] = ["hybrid", "cheapest", "fastest", "round-robin", "weighted"];
/// And who learns, where there is feedback to learn from.
const LEARNS: &str = "bandit";
/// Who ranks the tiers of a pinned model.
const AMONG_TIERS: &str = "hybrid";

/// One of those that are compared.
#[derive(Clone)]
pub struct Contestant {
    /// As asked for.
    pub name: String,
    pub(super) roster: Arc<Roster>,
    pub(super) strategy: Arc<str>,
    /// Only candidates of this name, with or without its tier.
    pub(super) pinned: Option<String>,
}

/// A contestant that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoContestant {
    #[error("there is no strategy `{name}`")]
    Strategy { name: String, near: Vec<String> },
    #[error("there is no candidate `{name}` to pin in this workload")]
    Candidate { name: String, near: Vec<String> },
    #[error("`{name}` is a {is}, no strategy")]
    Kind { name: String, is: String },
    #[error("there is no classifier `{name}`")]
    Classifier { name: String, near: Vec<String> },
    #[error("`{name}` is a {is}, no classifier")]
    NoClassifier { name: String, is: String },
}

impl NoContestant {
    /// The reader's next step.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Strategy { near, .. } => format!(
                "there are {}; a file ends in `.wasm`, and `{PINNED}provider/model@tier` stands for one candidate",
                near.join(", ")
            ),
            Self::Candidate { near, .. } => format!("did you mean {}?", near.join(", ")),
            Self::Classifier { near, .. } => format!("there are {}; a file ends in `.wasm`", near.join(", ")),
            Self::NoClassifier { .. } => "only classifiers say what a prompt is".to_owned(),
            Self::Kind { .. } => "only strategies compete; the workload's route names a classifier".to_owned(),
        }
    }
}

impl Contestant {
    /// A strategy in service, or `pinned:` and a candidate's or model's name.
    ///
    /// # Errors
    ///
    /// When there is nobody of that name, with the nearest names.
    pub fn named(name: &str, roster: &Arc<Roster>, workload: &Workload) -> Result<Self, NoContestant> {
        if let Some(pinned) = name.strip_prefix(PINNED) {
            let names = |candidate: &&Arc<Candidate>| is_named(pinned, candidate);
            if !workload.candidates.iter().any(|candidate| names(&candidate)) {
                let ids = workload.candidates.iter().map(|candidate| candidate.id.as_str());
                let near = nearest(pinned, ids, 3).into_iter().map(str::to_owned).collect();
                return Err(NoContestant::Candidate { name: pinned.to_owned(), near });
            }
            return Ok(Self::pinned(pinned, roster));
        }
        if roster.get(name, Kind::Strategy).is_none() {
            let strategies = roster.plugins().filter(|plugin| plugin.is(Kind::Strategy));
            let near = strategies.map(|plugin| plugin.name().to_string()).collect();
            return Err(NoContestant::Strategy { name: name.to_owned(), near });
        }
        Ok(Self { name: name.to_owned(), roster: Arc::clone(roster), strategy: name.into(), pinned: None })
    }

    /// A component that was admitted from a file. `shown` is what it is called in the results.
    ///
    /// # Errors
    ///
    /// When it is no strategy.
    pub fn of_plugin(shown: &str, plugin: Plugin, roster: &Arc<Roster>) -> Result<Self, NoContestant> {
        if !plugin.is(Kind::Strategy) {
            let kinds: Vec<&str> = plugin.kinds().into_iter().map(Kind::word).collect();
            return Err(NoContestant::Kind { name: shown.to_owned(), is: kinds.join(" and ") });
        }
        let strategy = plugin.name();
        Ok(Self { name: shown.to_owned(), roster: Arc::new(roster.with(Arc::new(plugin))), strategy, pinned: None })
    }

    /// The usual strategies as far as they are there, and the workload's baseline pinned.
    #[must_use]
    pub fn usual(roster: &Arc<Roster>, workload: &Workload) -> Vec<Self> {
        let learns = workload.feedback.is_some().then_some(LEARNS);
        let strategies = USUAL.into_iter().chain(learns).filter_map(|name| Self::named(name, roster, workload).ok());
        let baseline = workload.baseline.iter().map(|candidate| Self::pinned(candidate.id.as_str(), roster));
        strategies.chain(baseline).collect()
    }

    /// Every candidate of the workload, pinned.
    #[must_use]
    pub fn each_pinned(roster: &Arc<Roster>, workload: &Workload) -> Vec<Self> {
        workload.candidates.iter().map(|candidate| Self::pinned(candidate.id.as_str(), roster)).collect()
    }

    fn pinned(name: &str, roster: &Arc<Roster>) -> Self {
        let (roster, strategy) = (Arc::clone(roster), AMONG_TIERS.into());
        Self { name: format!("{PINNED}{name}"), roster, strategy, pinned: Some(name.to_owned()) }
    }

    /// Whether it may be served by `candidate`.
    pub(super) fn admits(&self, candidate: &Candidate) -> bool {
        self.pinned.as_ref().is_none_or(|name| is_named(name, candidate))
    }
}

fn is_named(name: &str, candidate: &Candidate) -> bool {
    candidate.id.as_str() == name || candidate.id.untiered() == name
}
