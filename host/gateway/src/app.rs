//! The one place where everything is built and joined.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use axum::Router;
use dispatch::{Dispatcher, Health, SetupError};
use domain::{candidate::Candidate, record::RecordContext, request::Operation};
use ledger::{Ledger, LedgerSettings, PromptPolicy};
use sandbox::{Archive, Compiler, EngineError, LoadError, NotAKey, Panel, Plugins, Sandbox, Setup, Trust};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::{
    archive::{self, LedgerArchive},
    config::{
        self, Config,
        checked::{OnFault, Prompts, Route as RouteConfig},
    },
    fixed::Fixed,
    gate::Gate,
    http::{self, feedback::Pace},
    learning::{self, Learning},
    places::Places,
    reload::{self, ReloadError, Reloaded, Reloads, Source},
    service::{Service, limits, providers},
    shadows,
    snapshot::{Offering, Route, Snapshot},
    state::{Counts, State},
    warm,
};

/// Dry runs at once. They take the processor for a moment and no provider's time, so they need no place of those that do.
const DRY_RUNS: usize = 64;

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
    #[error(transparent)]
    Key(#[from] NotAKey),
    /// A defect of this program.
    #[error("loading the plugins ended unexpectedly")]
    Broken,
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
            Self::Key(_) => Some("a key is the second line of a minisign `.pub` file".to_owned()),
            Self::Engine(_) | Self::Bundled(_) | Self::Broken | Self::Watch(_) => None,
        }
    }

    /// Whether the operator can mend it.
    #[must_use]
    pub fn is_users(&self) -> bool {
        matches!(self, Self::Provider(_) | Self::Ledger(_) | Self::Key(_))
    }
}

impl App {
    /// Opens the ledger, loads the plugins, and joins everything. With a `source`, the configuration can be reloaded.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// The first part that cannot be built.
    pub async fn build(config: &Config, source: Option<Source>, compiler: Compiler) -> Result<Self, BuildError> {
        let fixed = Fixed::new(config);
        let ledger = Arc::new(Ledger::open(ledger_settings(config, &fixed)).await?);
        let archive: Arc<dyn Archive> = Arc::new(LedgerArchive::new(Arc::clone(&ledger)));
        let setup = Setup { archive: Some(archive), ..setup(&config.plugins)? };
        let cache = config.data.dir.join("compiled");
        // Plugins are compiled and their archive is waited for: not on a thread that serves.
        let plugins = tokio::task::spawn_blocking(move || plugins(setup, compiler, Some(&cache)))
            .await
            .map_err(|_| BuildError::Broken)??;
        let health = Arc::new(Health::new());
        warm::restore(&ledger, &health).await;
        let journal: Arc<dyn domain::attempt::Journal> = Arc::clone(&ledger) as _;
        let dispatcher = Dispatcher::new(providers(config), Arc::clone(&health), journal)?;
        let mut snapshot = Snapshot {
            number: 1,
            offering: Arc::new(offering(config, &health, None)),
            roster: plugins.roster(),
            service: Arc::new(Service::new(config, dispatcher)),
            learned: Arc::default(),
        };
        snapshot.learned = Arc::new(learning::restore(&ledger, &snapshot).await);
        let (holder, session_key) = crate::state::identity(0);
        let state = Arc::new(State {
            snapshot: ArcSwap::from_pointee(snapshot),
            making: Mutex::default(),
            reloads: Reloads::new(source, fixed),
            plugins,
            health,
            ledger,
            gate: Gate::new(),
            places: Arc::new(Places::new(limits(config))),
            dry_runs: Semaphore::new(DRY_RUNS),
            shadows: Arc::new(Semaphore::new(shadows::AT_ONCE)),
            tasks: TaskTracker::new(),
            counts: Counts::default(),
            claims: Arc::default(),
            feedback: Pace::default(),
            learning: Learning::new(holder.to_string()),
            session_key,
        });
        // A new roster becomes a new snapshot. Weak, because the plugins belong to the state.
        let weak = Arc::downgrade(&state);
        state.plugins.on_swap(move |_| {
            if let Some(state) = weak.upgrade() {
                // The one in service when it is this snapshot's turn: swaps may overtake each other on their way here.
                state.renew(|next| next.roster = state.plugins.roster());
                // A learner that came may have a memory.
                state.learning.wake();
            }
        });
        // What was dropped between loading and listening for swaps. It may wait for a compiler and for the ledger.
        let scanned = Arc::clone(&state);
        tokio::task::spawn_blocking(move || scanned.plugins.scan()).await.map_err(|_| BuildError::Broken)?;
        state.plugins.watch().map_err(BuildError::Watch)?;
        let snapshot = state.snapshot.load();
        snapshot.offering.warn_of_missing(&snapshot.roster);
        drop(snapshot);
        tokio::spawn(warm::keep(Arc::downgrade(&state)));
        tokio::spawn(learning::keep(Arc::downgrade(&state)));
        tokio::spawn(archive::keep_in_service(Arc::downgrade(&state), config.data.retention));
        Ok(Self { state })
    }

    /// The HTTP interface. Needs no socket.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.state))
    }

    /// Reads the configuration again and serves with it, if nothing is wrong with it. Writes what happened to the log.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, and nothing has changed.
    pub async fn reload(&self) -> Result<Reloaded, ReloadError> {
        reload::reload(&self.state).await
    }

    /// Waits for requests under way, for at most `patience`, and writes down what is queued. Returns whether nothing
    /// was left behind.
    pub async fn finish(&self, patience: Duration) -> bool {
        self.state.tasks.close();
        let done = tokio::time::timeout(patience, self.state.tasks.wait()).await.is_ok();
        warm::save(&self.state, Vec::new()).await;
        let written = self.state.ledger.close().await;
        if let Err(error) = &written {
            tracing::error!(%error, "records were lost");
        }
        done && written.is_ok()
    }
}

/// The sandbox with its plugins: what deciding without a server needs. Nothing is remembered.
///
/// # Errors
///
/// When the engine or a bundled plugin does not come up.
pub fn load_plugins(config: &config::checked::Plugins, compiler: Compiler) -> Result<Plugins, BuildError> {
    plugins(setup(config)?, compiler, None)
}

fn plugins(setup: Setup, compiler: Compiler, cache: Option<&Path>) -> Result<Plugins, BuildError> {
    let mut sandbox = Sandbox::new(compiler)?;
    if let Some(folder) = cache {
        sandbox = sandbox.with_cache(folder);
    }
    Plugins::load(sandbox, setup).map_err(BuildError::Bundled)
}

fn setup(config: &config::checked::Plugins) -> Result<Setup, BuildError> {
    let trust = Trust::new(&config.trusted_keys, config.require_signatures)?;
    Ok(Setup { folder: config.folder.clone(), trust, archive: None })
}

/// What `config` offers. Routes of the same name go on counting where those of the offering `before` are.
pub(crate) fn offering(config: &Config, health: &Health, before: Option<&Offering>) -> Offering {
    let candidates: Vec<Arc<Candidate>> = config.candidates().into_iter().map(Arc::new).collect();
    let cells = candidates.iter().map(|candidate| health.cell(&candidate.id, Operation::ImageGenerate)).collect();
    let context = Arc::new(RecordContext::new(&candidates, config.settings_digest()));
    Offering {
        candidates,
        cells,
        context,
        routes: config
            .routes
            .values()
            .map(|config| (Arc::clone(&config.name), Arc::new(route(config, before))))
            .collect(),
        aliases: config.aliases.clone(),
    }
}

fn route(config: &RouteConfig, before: Option<&Offering>) -> Route {
    let names = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect();
    let same = before.and_then(|before| before.routes.get(&config.name));
    Route {
        panel: Panel {
            route: Arc::clone(&config.name),
            classifier: config.classifier.as_str().into(),
            cost_models: names(&config.cost_models),
            strategies: names(&config.strategies),
            weights: config.weights.clone(),
            unpriced: config.unpriced,
            learn_per: config.learn_per,
            refuse_on_fault: config.on_fault == OnFault::Refuse,
        },
        observe: config.observe,
        split: config.split.clone(),
        shadows: names(&config.shadow),
        caps: config.caps,
        deadline: config.deadline,
        attempt_timeout: config.attempt_timeout,
        fall_over_after_charge: config.fall_over_after_charge,
        baseline: config.baseline.clone(),
        filter: config.candidates.clone(),
        sequence: same.map(|same| Arc::clone(&same.sequence)).unwrap_or_default(),
    }
}

fn ledger_settings(config: &Config, fixed: &Fixed) -> LedgerSettings {
    LedgerSettings {
        prompts: match config.data.prompts {
            Prompts::Store => PromptPolicy::Store,
            Prompts::Hash => PromptPolicy::Hash,
            Prompts::Drop => PromptPolicy::Drop,
        },
        retention: config.data.retention,
        media_bytes: config.data.media,
        media_keep: config.data.media_keep,
        answers_bytes: config.data.answers,
        queue: fixed.slots(),
        ..LedgerSettings::new(&config.data.dir)
    }
}
