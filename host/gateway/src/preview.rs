//! Deciding without a server: for `muxel decide`.

use std::sync::Arc;

use dispatch::Health;
use domain::{
    catalogue::Date,
    explain::Explanation,
    nearest::nearest,
    request::{Moment, Request},
};
use sandbox::{Circumstances, Kind, Plugins, Roster, Verdict, decide};

use crate::{app::offering, config::Config, http::error::ApiError, prepare, snapshot::Offering};

/// Decides as a server with this config would, with nothing measured yet.
pub struct Preview {
    offering: Offering,
    roster: Arc<Roster>,
    health: Health,
}

/// What to decide, and by whom.
#[derive(Clone, Debug)]
pub struct Ask {
    pub request: Request,
    /// As in a request's `model`.
    pub model: String,
    /// Instead of the route's.
    pub strategy: Option<String>,
    /// Instead of the route's.
    pub classifier: Option<String>,
}

/// What cannot be decided.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    #[error("there is no {kind} `{name}`")]
    NoPlugin { kind: &'static str, name: String, near: Vec<String> },
    #[error("{message}")]
    NoModel { message: String, hint: Option<String> },
}

impl PreviewError {
    /// The reader's next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoPlugin { near, .. } => Some(format!("there are {}", near.join(", "))),
            Self::NoModel { hint, .. } => hint.clone(),
        }
    }
}

impl From<ApiError> for PreviewError {
    fn from(error: ApiError) -> Self {
        Self::NoModel { message: error.message.clone(), hint: error.hint.clone() }
    }
}

impl Preview {
    /// Needs a tokio runtime for its clock only.
    #[must_use]
    pub fn new(config: &Config, plugins: &Plugins) -> Self {
        let health = Health::new();
        let offering = offering(config, &health, None);
        Self { offering, roster: plugins.roster(), health }
    }

    /// Decides on one request. `now_ms` is since 1970-01-01 UTC.
    ///
    /// # Errors
    ///
    /// When a model or a plugin that is named does not exist.
    pub fn decide(&self, ask: &Ask, now_ms: u64, seed: u64) -> Result<(Explanation, Verdict), PreviewError> {
        let (offering, roster) = (&self.offering, &self.roster);
        let target = offering.resolve(roster, &ask.model, None, Vec::new())?;
        let mut panel = target.panel_for(seed).into_owned();
        if let Some(name) = &ask.strategy {
            panel.strategies = vec![known(roster, name, Kind::Strategy)?];
        }
        if let Some(name) = &ask.classifier {
            panel.classifier = known(roster, name, Kind::Classifier)?;
        }
        let mut request = ask.request.clone();
        request.caps = request.caps.strictest(target.route.caps);
        let request = Arc::new(request);
        let field = prepare::field(offering, &target, &request, Date::of_unix_ms(now_ms), self.health.now());
        let moment = Moment { now_ms, seed, ..Moment::default() };
        let decided = decide(roster, &panel, &request, moment, field, Circumstances::ALONE, |_| false);
        Ok((Explanation::new(&decided.decision, &offering.context.candidates), decided.verdict))
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
