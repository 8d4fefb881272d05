//! Deciding without a server: for `muxel decide`, and for authors who try a plugin before it serves.

use std::sync::Arc;

use dispatch::Health;
use domain::{
    catalogue::Date,
    decision::Decision,
    explain::Explanation,
    nearest::nearest,
    request::{Moment, Request},
    weights::Weights,
};
use http::HeaderMap;
use sandbox::{Circumstances, Decided, Kind, Learned, Panel, Plugin, Plugins, Roster, Verdict, decide};

mod alternative;

pub use alternative::{Alternative, Instead};

use crate::{
    app::offering,
    config::Config,
    http::{ask, error::ApiError},
    prepare,
    snapshot::{Offering, Target},
};

/// Decides as a server with this config would, with nothing measured yet.
pub struct Preview {
    offering: Offering,
    roster: Arc<Roster>,
    health: Health,
    learned: Learned,
}

/// What to decide, and by whom.
#[derive(Clone, Debug)]
pub struct Ask {
    pub request: Request,
    /// As in a request's `model`.
    pub model: String,
    /// In the place of the route's.
    pub weights: Weights,
    /// Instead of the route's.
    pub strategy: Option<String>,
    /// Instead of the route's.
    pub classifier: Option<String>,
}

/// A request to try a plugin on.
#[derive(Clone, Debug)]
pub struct Case {
    pub request: Request,
    /// As in a request's `model`.
    pub model: String,
    pub route: Option<String>,
    /// Only providers that carry all of these.
    pub tags: Vec<String>,
    /// In the place of the route's.
    pub weights: Weights,
    pub moment: Moment,
}

/// A plugin's decision beside the one that is made without it.
#[derive(Clone, Debug)]
pub struct Tried {
    pub with: Explanation,
    pub with_verdict: Verdict,
    pub without: Explanation,
    pub without_verdict: Verdict,
}

/// What cannot be decided.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    #[error("there is no {kind} `{name}`")]
    NoPlugin { kind: &'static str, name: String, near: Vec<String> },
    #[error("`{name}` is a {is}, no strategy")]
    NoStrategy { name: String, is: String },
    #[error("{message}")]
    NoModel { message: String, hint: Option<String> },
}

impl PreviewError {
    /// The reader's next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoPlugin { near, .. } => Some(format!("there are {}", near.join(", "))),
            Self::NoStrategy { .. } => Some("`muxel plugin inspect` says what a component is".to_owned()),
            Self::NoModel { hint, .. } => hint.clone(),
        }
    }
}

impl From<ApiError> for PreviewError {
    fn from(error: ApiError) -> Self {
        Self::NoModel { message: error.message.clone(), hint: error.hint.clone() }
    }
}

impl Case {
    /// A request as a client sends it: the JSON body of `POST /v1/images/generations`.
    ///
    /// # Errors
    ///
    /// The first field that is wrong, by name.
    pub fn read(body: &[u8], moment: Moment) -> Result<Self, PreviewError> {
        let ask::Ask { request, model, route, tags, weights, .. } = ask::read(body, &HeaderMap::new())?;
        Ok(Self { request, model: model.to_string(), route, tags, weights, moment })
    }

    /// A request as it was recorded, at its own moment and with its caps. `asked` is its `model`.
    #[must_use]
    pub fn recorded(decision: &Decision, asked: &str) -> Self {
        Self {
            request: decision.request.clone(),
            model: asked.to_owned(),
            route: Some(decision.route.to_string()),
            // The record does not say which: the candidates that they left are not known any more.
            tags: Vec::new(),
            // Nor these: the record has the settings that they led to.
            weights: Weights::default(),
            moment: decision.moment,
        }
    }
}

impl Preview {
    /// Needs a tokio runtime for its clock only.
    #[must_use]
    pub fn new(config: &Config, plugins: &Plugins) -> Self {
        let health = Health::new();
        let offering = offering(config, &health, None);
        let expectations = (*config.learning.expectations).clone();
        let learned = Learned { expectations, ..Learned::default() };
        Self { offering, roster: plugins.roster(), health, learned }
    }

    /// Decides on one request. `now_ms` is since 1970-01-01 UTC.
    ///
    /// # Errors
    ///
    /// When a model or a plugin that is named does not exist.
    pub fn decide(&self, ask: &Ask, now_ms: u64, seed: u64) -> Result<(Explanation, Verdict), PreviewError> {
        let (offering, roster) = (&self.offering, &self.roster);
        let target = offering.resolve(roster, &ask.model, None, Vec::new())?.weighing(roster, &ask.weights)?;
        let mut panel = target.panel_for(seed).into_owned();
        if let Some(name) = &ask.strategy {
            panel.strategies = vec![known(roster, name, Kind::Strategy)?];
        }
        if let Some(name) = &ask.classifier {
            panel.classifier = known(roster, name, Kind::Classifier)?;
        }
        let moment = Moment { now_ms, seed, ..Moment::default() };
        Ok(self.run(roster, &target, &panel, &ask.request, moment))
    }

    /// Decides on one request with `plugin` in its place on the route, and as if it were not there.
    ///
    /// # Errors
    ///
    /// When a model or a route that the request names does not exist here.
    pub fn try_out(&self, plugin: &Arc<Plugin>, case: &Case) -> Result<Tried, PreviewError> {
        let name = plugin.name();
        // What asked for this very plugin asks for the route without it.
        let own = case.model.strip_prefix("auto/") == Some(&*name);
        let model = if own { "auto" } else { &case.model };
        let target = self.offering.resolve(&self.roster, model, case.route.as_deref(), case.tags.clone())?;
        let target = target.weighing(&self.roster, &case.weights)?;
        let usual = target.panel_for(case.moment.seed);
        let mut panel = usual.clone().into_owned();
        if plugin.is(Kind::Classifier) {
            panel.classifier = Arc::clone(&name);
        }
        if plugin.is(Kind::CostModel) {
            // What it does not know is priced as without it.
            panel.cost_models.retain(|other| *other != name);
            panel.cost_models.insert(0, Arc::clone(&name));
        }
        if plugin.is(Kind::Strategy) {
            panel.strategies = vec![name];
        }
        let roster = self.roster.with(Arc::clone(plugin));
        let (with, with_verdict) = self.run(&roster, &target, &panel, &case.request, case.moment);
        let (without, without_verdict) = self.run(&self.roster, &target, &usual, &case.request, case.moment);
        Ok(Tried { with, with_verdict, without, without_verdict })
    }

    fn run(
        &self,
        roster: &Roster,
        target: &Target,
        panel: &Panel,
        request: &Request,
        moment: Moment,
    ) -> (Explanation, Verdict) {
        let decided = self.decided(roster, target, panel, request, moment);
        let names = &self.offering.context.candidates;
        let explanation = Explanation::new(&decided.decision, names);
        let explanation = explanation.with_judgement(&decided.judgement, &decided.decision, names);
        (Explanation { warnings: decided.warnings, ..explanation }, decided.verdict)
    }

    fn decided(&self, roster: &Roster, target: &Target, panel: &Panel, request: &Request, moment: Moment) -> Decided {
        let mut request = request.clone();
        request.caps = request.caps.strictest(target.route.caps);
        let deadline_ms = u32::try_from(target.route.deadline.as_millis()).unwrap_or(u32::MAX);
        request.caps.max_latency_ms.get_or_insert(deadline_ms);
        let request = Arc::new(request);
        let offering = &self.offering;
        let today = Date::of_unix_ms(moment.now_ms);
        let field = prepare::field(offering, target, &request, today, self.health.now());
        decide(roster, panel, &request, moment, field, Circumstances::knowing(&self.learned), |_| false)
    }
}

fn known(roster: &Roster, name: &str, kind: Kind) -> Result<Arc<str>, PreviewError> {
    if let Some(plugin) = roster.get(name, kind) {
        return Ok(plugin.name());
    }
    let names: Vec<Arc<str>> = roster.plugins().filter(|plugin| plugin.is(kind)).map(|plugin| plugin.name()).collect();
    let mut near: Vec<String> =
        nearest(name, names.iter().map(|name| &**name), 3).into_iter().map(str::to_owned).collect();
    if near.is_empty() {
        near = names.iter().map(ToString::to_string).collect();
    }
    Err(PreviewError::NoPlugin { kind: kind.word(), name: name.to_owned(), near })
}
