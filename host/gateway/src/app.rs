//! The one place where everything is built and joined.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use axum::Router;
use dispatch::{Dispatcher, Health, ProviderSetup, Secret, SetupError, SimulationSettings};
use domain::{candidate::Candidate, digest::Digest, record::RecordContext, request::Operation};
use ledger::{Ledger, LedgerSettings, PromptPolicy};
use sandbox::{EngineError, LoadError, Panel, Plugins, Roster, Sandbox};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::{
    config::{
        Config,
        checked::{Account, Connection, OnFault, Prompts, Route as RouteConfig, Simulation},
    },
    http::{
        self,
        auth::{Key, Keyring},
    },
    snapshot::{Offering, Route, Snapshot},
    state::{Counts, State},
};

/// A gateway that is ready to serve.
pub struct App {
    state: Arc<State>,
}

/// Why a gateway could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("a bundled plugin does not load")]
    Bundled(#[source] LoadError),
    #[error(transparent)]
    Provider(#[from] SetupError),
    #[error(transparent)]
    Ledger(#[from] ledger::OpenError),
    #[error("cannot watch the plugin folder")]
    Watch(#[source] std::io::Error),
}

impl BuildError {
    /// The operator's next step, when there is an obvious one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Provider(error) => error.hint(),
            Self::Ledger(error) => error.hint().map(str::to_owned),
            Self::Engine(_) | Self::Bundled(_) | Self::Watch(_) => None,
        }
    }

    /// Whether the operator can mend it.
    #[must_use]
    pub fn is_users(&self) -> bool {
        matches!(self, Self::Provider(_) | Self::Ledger(_))
    }
}

impl App {
    /// Opens the ledger, loads the plugins, and joins everything. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// The first part that cannot be built.
    pub async fn build(config: &Config) -> Result<Self, BuildError> {
        let plugins = load_plugins(config.plugins.clone())?;
        let ledger = Arc::new(Ledger::open(ledger_settings(config)).await?);
        let health = Arc::new(Health::new());
        let journal: Arc<dyn domain::attempt::Journal> = Arc::clone(&ledger) as _;
        let providers = config.accounts.iter().map(provider_setup).collect();
        let dispatcher = Dispatcher::new(providers, Arc::clone(&health), journal)?;
        let offering = Arc::new(offering(config, &health));
        let snapshot = Snapshot { offering: Arc::clone(&offering), roster: plugins.roster() };
        let (_, session_key) = crate::state::identity(0);
        let state = Arc::new(State {
            snapshot: ArcSwap::from_pointee(snapshot),
            plugins,
            dispatcher,
            health,
            ledger,
            keyring: keyring(config),
            public_url: config.server.public_url.clone(),
            max_body: config.server.max_body,
            places: Arc::new(Semaphore::new(config.server.max_in_flight.min(Semaphore::MAX_PERMITS))),
            tasks: TaskTracker::new(),
            counts: Counts::default(),
            session_key,
        });
        // A new roster becomes a new snapshot. Weak, because the plugins belong to the state.
        let weak = Arc::downgrade(&state);
        state.plugins.on_swap(move |roster: &Arc<Roster>| {
            if let Some(state) = weak.upgrade() {
                let snapshot = Snapshot { offering: Arc::clone(&offering), roster: Arc::clone(roster) };
                state.snapshot.store(Arc::new(snapshot));
            }
        });
        // What was dropped between loading and listening for swaps.
        state.plugins.scan();
        state.plugins.watch().map_err(BuildError::Watch)?;
        Ok(Self { state })
    }

    /// The HTTP interface. Needs no socket.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.state))
    }

    /// Waits for requests under way, for at most `patience`, and writes down what is queued. Returns whether nothing
    /// was left behind.
    pub async fn finish(&self, patience: Duration) -> bool {
        self.state.tasks.close();
        let done = tokio::time::timeout(patience, self.state.tasks.wait()).await.is_ok();
        let written = self.state.ledger.close().await;
        if let Err(error) = &written {
            tracing::error!(%error, "records were lost");
        }
        done && written.is_ok()
    }
}

/// The sandbox with its plugins: what deciding without a server needs.
///
/// # Errors
///
/// When the engine or a bundled plugin does not come up.
pub fn load_plugins(folder: Option<PathBuf>) -> Result<Plugins, BuildError> {
    Plugins::load(Sandbox::new()?, folder).map_err(BuildError::Bundled)
}

pub(crate) fn offering(config: &Config, health: &Health) -> Offering {
    let candidates: Vec<Arc<Candidate>> = config.candidates().into_iter().map(Arc::new).collect();
    let cells = candidates.iter().map(|candidate| health.cell(&candidate.id, Operation::ImageGenerate)).collect();
    let context = Arc::new(RecordContext::new(&candidates, config.settings_digest()));
    Offering {
        candidates,
        cells,
        context,
        routes: config.routes.values().map(|config| (Arc::clone(&config.name), Arc::new(route(config)))).collect(),
        aliases: config.aliases.clone(),
    }
}

fn route(config: &RouteConfig) -> Route {
    let names = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect();
    Route {
        panel: Panel {
            route: Arc::clone(&config.name),
            classifier: config.classifier.as_str().into(),
            cost_models: names(&config.cost_models),
            strategies: names(&config.strategies),
            refuse_on_fault: config.on_fault == OnFault::Refuse,
        },
        caps: config.caps,
        deadline: config.deadline,
        fall_over_after_charge: config.fall_over_after_charge,
        filter: config.candidates.clone(),
        sequence: Default::default(),
    }
}

fn keyring(config: &Config) -> Keyring {
    Keyring::new(config.keys.iter().map(|key| {
        let known = Key {
            name: Arc::clone(&key.name),
            tenant: key.tenant.clone(),
            routes: key.routes.clone(),
            admin: key.admin,
        };
        (Digest::from_bytes(*key.hash.as_bytes()), known)
    }))
}

fn ledger_settings(config: &Config) -> LedgerSettings {
    LedgerSettings {
        prompts: match config.data.prompts {
            Prompts::Store => PromptPolicy::Store,
            Prompts::Hash => PromptPolicy::Hash,
            Prompts::Drop => PromptPolicy::Drop,
        },
        retention: config.data.retention,
        media_bytes: config.data.media,
        media_keep: config.data.media_keep,
        // A request holds its slot to the end: there must be more of them than requests.
        queue: config.server.max_in_flight.saturating_mul(2).max(8_192),
        ..LedgerSettings::new(&config.data.dir)
    }
}

fn provider_setup(account: &Account) -> ProviderSetup {
    let provider = Arc::clone(&account.provider);
    match &account.connection {
        Connection::Openai { base_url, key, result_hosts } => ProviderSetup {
            provider,
            base_url: Some(base_url.parse().expect("the config has checked that it is an address")),
            key: key.as_ref().map(|key| Secret::new(key.expose())),
            result_hosts: result_hosts.clone(),
            simulate: SimulationSettings::default(),
        },
        Connection::Simulated(simulation) => ProviderSetup {
            provider,
            base_url: None,
            key: None,
            result_hosts: Vec::new(),
            simulate: simulated(simulation),
        },
    }
}

fn simulated(simulation: &Simulation) -> SimulationSettings {
    let outage = |outage: &crate::config::checked::Outage| dispatch::Outage {
        from: outage.from,
        duration: outage.lasts,
        error_rate: outage.error_rate,
        latency_factor: outage.latency_factor,
    };
    SimulationSettings {
        latency_scale: simulation.latency_scale,
        sigma: simulation.sigma,
        error_rate: simulation.error_rate,
        hang_rate: simulation.hang_rate,
        refusal_rate: simulation.refusal_rate,
        rate_limited_rate: simulation.rate_limited_rate,
        outages: simulation.outages.iter().map(outage).collect(),
    }
}
