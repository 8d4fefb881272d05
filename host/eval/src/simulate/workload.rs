//! A workload that makes sense: who is asked for what and when, who answers, and what goes wrong meanwhile.

use std::{path::Path, sync::Arc, time::Duration};

use dispatch::SimulationSettings;
use domain::{
    candidate::Candidate,
    catalogue::{Catalogue, Date},
    learning::LearnPer,
    policy::Unpriced,
    provider::Provider,
    request::Caps,
    weights::Weights,
};
use sandbox::Panel;

use super::{
    arrivals::Arrivals,
    check,
    feedback::Feedback,
    mix::Mix,
    problem::{Findings, Problems},
    truth::Truth,
    written::Written,
};

/// The one route.
pub(super) const ROUTE: &str = "default";
/// Most requests of one run.
pub(super) const MOST_REQUESTS: u64 = 2_000_000;
/// Largest workload file, in bytes.
const MOST_BYTES: u64 = 4 << 20;

/// A workload, checked.
#[derive(Debug)]
pub struct Workload {
    /// As written, or the file's name.
    pub title: String,
    pub seed: u64,
    /// The day on which it plays: models that retired before are not offered.
    pub date: Date,
    /// Nobody arrives afterwards. `None` when the requests come to an end by themselves.
    pub duration: Option<Duration>,
    pub arrivals: Arrivals,
    pub mix: Mix,
    pub terms: Terms,
    pub accounts: Vec<Account>,
    /// In the order of accounts, models and tiers.
    pub candidates: Vec<Arc<Candidate>>,
    /// By their beginning.
    pub outages: Vec<Scripted>,
    /// Whom costs are held against.
    pub baseline: Option<Arc<Candidate>>,
    /// How good everybody really is, when that is known.
    pub truth: Option<Truth>,
    /// `None` when nobody says anything of what was delivered.
    pub feedback: Option<Feedback>,
}

/// The terms of the one route.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    pub classifier: Arc<str>,
    pub cost_models: Vec<Arc<str>>,
    pub weights: Weights,
    pub unpriced: Unpriced,
    pub caps: Caps,
    pub deadline: Duration,
    /// As in `muxel.toml`: `None` for three times what 19 of 20 calls stay under.
    pub attempt_timeout: Option<Duration>,
    pub fall_over_after_charge: bool,
}

/// A simulated provider.
#[derive(Clone, Debug)]
pub struct Account {
    pub provider: Arc<Provider>,
    pub settings: SimulationSettings,
}

/// An outage as scripted. What it does is in its account's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Scripted {
    pub provider: String,
    pub from: Duration,
    pub until: Duration,
}

/// What the command line puts in the place of what the file says.
#[derive(Clone, Debug, Default)]
pub struct Overrides<'a> {
    pub seed: Option<u64>,
    /// A CSV file with a column `prompt`.
    pub prompts: Option<&'a Path>,
}

impl Workload {
    /// Reads and checks a workload file.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its line and a hint.
    pub fn read(path: &Path, overrides: &Overrides<'_>) -> Result<Self, Problems> {
        let file = path.display().to_string();
        let cannot = |why: String| {
            let mut findings = Findings::new(&file, "");
            findings.whole(why, "name a workload file, such as `examples/workloads/outage.toml`");
            findings.into_problems()
        };
        let facts = std::fs::metadata(path).map_err(|error| cannot(format!("cannot read it: {error}")))?;
        if !facts.is_file() || facts.len() > MOST_BYTES {
            return Err(cannot("it is no regular file of at most 4 MiB".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| cannot(format!("cannot read it: {error}")))?;
        Self::parse(&file, &text, path.parent().unwrap_or(Path::new("")), overrides)
    }

    /// Checks a workload's text. Names of files in it are relative to `folder`.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn parse(file: &str, text: &str, folder: &Path, overrides: &Overrides<'_>) -> Result<Self, Problems> {
        let mut findings = Findings::new(file, text);
        let written: Written = match toml::from_str(text) {
            Ok(written) => written,
            Err(error) => {
                findings.malformed(&error);
                return Err(findings.into_problems());
            }
        };
        let checked = check::check(&mut findings, &written, &Catalogue::embedded(), folder, overrides);
        match checked {
            Some(mut workload) if findings.is_clean() => {
                if workload.title.is_empty() {
                    let stem = Path::new(file).file_stem().unwrap_or_default();
                    workload.title = stem.to_string_lossy().into_owned();
                }
                Ok(workload)
            }
            _ => Err(findings.into_problems()),
        }
    }

    /// Requests that are expected.
    #[must_use]
    pub fn expected_requests(&self) -> u64 {
        let arriving = self.duration.map(|duration| self.arrivals.expected(duration).round() as u64);
        let asked = self.mix.len();
        arriving.into_iter().chain(asked).min().unwrap_or(0)
    }

    /// Who decides: the route's classifier and cost models, and `strategy`.
    pub(super) fn panel(&self, strategy: &Arc<str>) -> Panel {
        Panel {
            route: ROUTE.into(),
            classifier: Arc::clone(&self.terms.classifier),
            cost_models: self.terms.cost_models.clone(),
            strategies: vec![Arc::clone(strategy)],
            weights: self.terms.weights.clone(),
            unpriced: self.terms.unpriced,
            learn_per: LearnPer::Route,
            refuse_on_fault: false,
        }
    }
}
