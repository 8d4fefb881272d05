//! Everything one request is served with, held from its start to its finish: plugins, routes, candidates, and how
//! callers and providers are met.
//!
//! A reload makes a new snapshot and swaps it in; requests under way keep theirs.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use dispatch::Cell;
use domain::{
    candidate::{Candidate, CandidateId},
    nearest::nearest,
    record::RecordContext,
    request::Caps,
    split::Split,
    weights::Weights,
};
use sandbox::{Kind, Learned, Panel, Roster};

use crate::{
    config::checked::{DEFAULT_ROUTE, Filter},
    http::error::ApiError,
    service::Service,
};

/// What callers write for "you decide".
const AUTO: &str = "auto";

/// A named way of deciding.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) panel: Panel,
    /// Whose arm comes before the panel's strategies.
    pub(crate) split: Option<Split>,
    /// Strategies that are asked as well and never followed.
    pub(crate) shadows: Vec<Arc<str>>,
    pub(crate) caps: Caps,
    pub(crate) deadline: Duration,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) fall_over_after_charge: bool,
    /// Whether requests that name a model only watch what would have been chosen.
    pub(crate) observe: bool,
    /// The model that the route's callers use now.
    pub(crate) baseline: Option<CandidateId>,
    pub(crate) filter: Filter,
    /// Requests decided before this one, on this node. Goes on over reloads.
    pub(crate) sequence: Arc<AtomicU64>,
}

/// What does not change with the plugins.
pub(crate) struct Offering {
    pub(crate) candidates: Vec<Arc<Candidate>>,
    /// The live health of each candidate, in the same order.
    pub(crate) cells: Vec<Arc<Cell>>,
    pub(crate) context: Arc<RecordContext>,
    pub(crate) routes: BTreeMap<Arc<str>, Arc<Route>>,
    pub(crate) aliases: BTreeMap<String, String>,
}

/// What serves from one change of plugins or configuration to the next.
#[derive(Clone)]
pub(crate) struct Snapshot {
    /// Rises by one with every change.
    pub(crate) number: u64,
    pub(crate) offering: Arc<Offering>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) service: Arc<Service>,
    /// Changes without a new number.
    pub(crate) learned: Arc<Learned>,
}

/// What a caller's `model` comes to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) route: Arc<Route>,
    /// The route's panel, or that panel with one strategy named by the caller.
    pub(crate) panel: Panel,
    /// Whether the route's split, if it has one, does not matter.
    chose_strategy: bool,
    named: Named,
    tags: Vec<String>,
}

#[derive(Clone, Debug)]
enum Named {
    All,
    /// `provider/model` or `provider/model@tier`.
    Pinned(String),
    /// A bare `model` or `model@tier`, at any provider.
    Model(String),
}

impl Target {
    /// With a request's own weights in the place of the route's.
    ///
    /// # Errors
    ///
    /// 400 when a strategy that may decide would be left without any weight.
    pub(crate) fn weighing(mut self, roster: &Roster, weights: &Weights) -> Result<Self, ApiError> {
        if weights.is_empty() {
            return Ok(self);
        }
        self.panel.weights = weights.over(&self.panel.weights);
        let split = self.route.split.iter().filter(|_| !self.chose_strategy).flat_map(Split::arms);
        let names = self.panel.strategies.iter().chain(split.map(|arm| &arm.strategy));
        let weightless = |name: &&Arc<str>| {
            let plugin = roster.get(name, Kind::Strategy);
            plugin.is_some_and(|plugin| plugin.is_left_weightless(&self.panel.weights))
        };
        match names.into_iter().find(weightless) {
            None => Ok(self),
            Some(name) => Err(ApiError::invalid("weights", format!("every weight of strategy `{name}` would be 0"))
                .hint("give one of them some weight")),
        }
    }

    /// The same, had the caller left the choice.
    pub(crate) fn at_large(&self) -> Self {
        Self { named: Named::All, ..self.clone() }
    }

    /// Whether the caller named a model.
    pub(crate) fn is_named(&self) -> bool {
        !matches!(self.named, Named::All)
    }

    /// Whether the caller, the route and the request's tags allow this candidate.
    pub(crate) fn admits(&self, candidate: &Candidate) -> bool {
        self.names(candidate)
            && self.route.filter.admits(candidate)
            && self.tags.iter().all(|tag| candidate.provider.tags.contains(tag))
    }

    /// Who decides on one request. `key` chooses among the route's split: equal keys, equal arms.
    pub(crate) fn panel_for(&self, key: u64) -> Cow<'_, Panel> {
        let Some(split) = self.route.split.as_ref().filter(|_| !self.chose_strategy) else {
            return Cow::Borrowed(&self.panel);
        };
        let arm = &split.choose(key).strategy;
        let mut panel = self.panel.clone();
        panel.strategies.retain(|strategy| strategy != arm);
        panel.strategies.insert(0, Arc::clone(arm));
        Cow::Owned(panel)
    }

    /// Whether any plugin that may decide here runs in the slow tier.
    pub(crate) fn is_slow(&self, roster: &Roster) -> bool {
        let arms = self.route.split.iter().flat_map(|split| split.arms());
        self.panel.is_slow(roster) || arms.into_iter().any(|arm| roster.is_slow(&arm.strategy))
    }

    fn names(&self, candidate: &Candidate) -> bool {
        match &self.named {
            Named::All => true,
            Named::Pinned(name) => candidate.id.as_str() == name || candidate.id.untiered() == name,
            Named::Model(name) => model_of(candidate.id.as_str()) == name || candidate.model.name == *name,
        }
    }
}

/// A candidate's name without its provider. Model names may hold slashes, provider names do not.
fn model_of(id: &str) -> &str {
    id.split_once('/').map_or(id, |(_, model)| model)
}

impl Route {
    /// Whether `strategy` may be asked here without being asked for by name.
    pub(crate) fn asks(&self, strategy: &str) -> bool {
        self.has_strategy(strategy) || self.shadows.iter().any(|shadow| **shadow == *strategy)
    }

    /// Whether `strategy` is one of its own.
    fn has_strategy(&self, strategy: &str) -> bool {
        let arms = self.split.iter().flat_map(Split::arms).map(|arm| &arm.strategy);
        self.panel.strategies.iter().chain(arms).any(|own| **own == *strategy)
    }
}

impl Offering {
    /// What `model` means, with the route that the request names beside it.
    ///
    /// # Errors
    ///
    /// 404 with the nearest names for a model, route or strategy that is not there.
    pub(crate) fn resolve(
        &self,
        roster: &Roster,
        model: &str,
        route: Option<&str>,
        tags: Vec<String>,
    ) -> Result<Target, ApiError> {
        let aliased = self.aliases.get(model).map_or(model, String::as_str);
        let (name, beside) = match aliased.strip_prefix("auto/") {
            Some(name) if self.routes.contains_key(name) => (AUTO, Some(name)),
            _ => (aliased, route),
        };
        let route = self.route(beside.unwrap_or(DEFAULT_ROUTE))?;
        let mut panel = route.panel.clone();
        let mut chose_strategy = false;
        let named = match name.strip_prefix("auto/") {
            Some(strategy) if roster.get(strategy, Kind::Strategy).is_some() => {
                // A route whose plugins carry a policy is not to be had without them.
                if panel.refuse_on_fault && !route.has_strategy(strategy) {
                    let message = format!("route `{}` decides with its own strategies only", panel.route);
                    let error = ApiError::with(403, "invalid_request_error", "strategy_not_allowed", message);
                    return Err(error.param("model").hint(format!("send `model: \"auto/{}\"`", panel.route)));
                }
                panel.strategies = vec![strategy.into()];
                chose_strategy = true;
                Named::All
            }
            Some(_) => return Err(self.unknown_model(roster, model)),
            None if name == AUTO => Named::All,
            None => self.named(name).ok_or_else(|| self.unknown_model(roster, model))?,
        };
        Ok(Target { route, panel, chose_strategy, named, tags })
    }

    fn route(&self, name: &str) -> Result<Arc<Route>, ApiError> {
        self.routes.get(name).cloned().ok_or_else(|| {
            let shown: String = name.chars().take(60).collect();
            let near = nearest(name, self.routes.keys().map(|name| &**name), 3);
            let error =
                ApiError::with(404, "invalid_request_error", "route_not_found", format!("there is no route `{shown}`"));
            error.param("route").hint(format!("routes here: {}", near.join(", ")))
        })
    }

    fn named(&self, name: &str) -> Option<Named> {
        let candidates = || self.candidates.iter();
        if candidates().any(|candidate| candidate.id.as_str() == name || candidate.id.untiered() == name) {
            return Some(Named::Pinned(name.to_owned()));
        }
        let bare = |candidate: &Arc<Candidate>| candidate.model.name == name || model_of(candidate.id.as_str()) == name;
        candidates().any(bare).then(|| Named::Model(name.to_owned()))
    }

    /// Writes to the log which routes name plugins that nobody has: what may be a slip of the pen is passed over silently
    /// else.
    pub(crate) fn warn_of_missing(&self, roster: &Roster) {
        for (route, own) in &self.routes {
            let named =
                |names: &[Arc<str>], kind| names.iter().map(move |name| (Arc::clone(name), kind)).collect::<Vec<_>>();
            let mut all = named(std::slice::from_ref(&own.panel.classifier), Kind::Classifier);
            all.extend(named(&own.panel.cost_models, Kind::CostModel));
            all.extend(named(&own.panel.strategies, Kind::Strategy));
            all.extend(named(&own.shadows, Kind::Strategy));
            let arms = own.split.iter().flat_map(|split| split.arms());
            all.extend(arms.map(|arm| (Arc::clone(&arm.strategy), Kind::Strategy)));
            for (plugin, kind) in all.into_iter().filter(|(name, kind)| roster.get(name, *kind).is_none()) {
                let hint = "put it into the plugin folder, or mend its name; until then the next one decides";
                tracing::warn!(%route, %plugin, kind = kind.word(), hint, "the route names a plugin that does not serve");
            }
        }
    }

    pub(crate) fn unknown_model(&self, roster: &Roster, model: &str) -> ApiError {
        let shown: String = model.chars().take(80).collect();
        let names = self.names(roster);
        // A bare name is near to a model's own name, too.
        let own: BTreeSet<&str> = names.iter().flat_map(|name| [name.as_str(), model_of(name)]).collect();
        let near = nearest(model, own, 3);
        let error =
            ApiError::with(404, "invalid_request_error", "model_not_found", format!("there is no model `{shown}`"));
        let error = error.param("model");
        let plugin =
            model.strip_prefix("auto/").and_then(|name| roster.plugins().find(|plugin| *plugin.name() == *name));
        let asked = model.strip_prefix("auto/").unwrap_or_default();
        if roster.is_disabled(asked) {
            error.hint(format!("`{asked}` was taken out of service: POST /admin/plugins/{asked}/enable puts it back"))
        } else if roster.refused().contains_key(asked) {
            error.hint(format!("`{asked}` is in the plugin folder and was refused: GET /readyz says why"))
        } else if let Some(plugin) = plugin {
            let kinds: Vec<&str> = plugin.kinds().into_iter().map(Kind::word).collect();
            error.hint(format!("`{}` is a {}, no strategy: a route names it", plugin.name(), kinds.join(" and ")))
        } else if near.is_empty() {
            error.hint("`auto` lets Muxel decide; GET /v1/models lists all")
        } else {
            error.hint(format!("did you mean {}? GET /v1/models lists all", near.join(", ")))
        }
    }

    /// Everything that may stand in `model`: `auto`, routes, strategies, models, aliases.
    pub(crate) fn names(&self, roster: &Roster) -> Vec<String> {
        let routes = self.routes.keys().map(|name| format!("auto/{name}"));
        let strategies = roster.plugins().filter(|plugin| plugin.is(Kind::Strategy));
        let strategies = strategies.map(|plugin| format!("auto/{}", plugin.name()));
        let models: BTreeSet<&str> = self.candidates.iter().map(|candidate| candidate.id.untiered()).collect();
        let mut names = vec![AUTO.to_owned()];
        let autos: BTreeSet<String> = routes.chain(strategies).collect();
        names.extend(autos);
        names.extend(models.into_iter().map(str::to_owned));
        names.extend(self.aliases.keys().cloned());
        names
    }
}
