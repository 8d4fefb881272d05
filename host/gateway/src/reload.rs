//! Reading the configuration again, while requests are served.
//!
//! It is checked as a whole and taken or refused as a whole: a refused one changes nothing but what is said of it. What
//! is taken serves the next request; those under way end with what they began with. Breakers and windows go on by the
//! candidates' names, the routes' counts of requests by the routes' names.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::{
    app::offering,
    config::{Loaded, Problem, Problems, objection_to},
    fixed::Fixed,
    service::{Service, providers},
    state::{State, unix_ms},
};

type Read = dyn Fn() -> Result<Loaded, Problems> + Send + Sync;

/// Where the configuration came from, to be read again.
pub struct Source {
    /// For problems that are not in the text.
    file: String,
    read: Box<Read>,
}

impl Source {
    /// `read` reads `file` again, with whatever else had a say at the start, such as the command line.
    pub fn new(file: impl Into<String>, read: impl Fn() -> Result<Loaded, Problems> + Send + Sync + 'static) -> Self {
        Self { file: file.into(), read: Box::new(read) }
    }
}

/// What a reload has come to.
#[derive(Clone, Debug, Serialize)]
pub struct Reloaded {
    /// The number of the snapshot that serves now.
    pub snapshot: u64,
    /// Keys that differ and wait for a restart.
    pub needs_restart: Vec<&'static str>,
    pub warnings: Vec<Problem>,
}

/// Why a reload changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("there is no configuration file to read again")]
    NoFile,
    #[error("the configuration is refused")]
    Refused(#[source] Problems),
    /// A defect of this program.
    #[error("the reload ended unexpectedly")]
    Broken,
}

/// A configuration that was refused after the one that serves was taken.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Refusal {
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) at_ms: u64,
    pub(crate) problems: Problems,
}

/// What reloads need, and what the last of them said.
pub(crate) struct Reloads {
    source: Option<Source>,
    pub(crate) fixed: Fixed,
    /// Held by the one that is under way.
    turn: Arc<tokio::sync::Mutex<()>>,
    last: Mutex<Last>,
}

/// Of the last reload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Last {
    pub(crate) refused: Option<Arc<Refusal>>,
    /// Since the start, as of the last one that was taken.
    pub(crate) needs_restart: Vec<&'static str>,
}

impl Reloads {
    pub(crate) fn new(source: Option<Source>, fixed: Fixed) -> Self {
        Self { source, fixed, turn: Arc::default(), last: Mutex::default() }
    }

    pub(crate) fn last(&self) -> Last {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, change: impl FnOnce(&mut Last)) {
        change(&mut self.last.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Reads the configuration again and serves with it, if nothing is wrong with it. One at a time.
///
/// # Errors
///
/// Everything that is wrong, and nothing has changed.
pub(crate) async fn reload(state: &Arc<State>) -> Result<Reloaded, ReloadError> {
    let turn = Arc::clone(&state.reloads.turn).lock_owned().await;
    let state = Arc::clone(state);
    // Files are read, and whoever asked may leave: the turn goes along, so that the next one waits all the same.
    let task = tokio::task::spawn_blocking(move || {
        let result = apply(&state);
        report(&state, &result);
        drop(turn);
        result
    });
    task.await.unwrap_or(Err(ReloadError::Broken))
}

fn apply(state: &State) -> Result<Reloaded, ReloadError> {
    let Reloads { source, fixed, .. } = &state.reloads;
    let source = source.as_ref().ok_or(ReloadError::NoFile)?;
    let Loaded { mut config, warnings } = (source.read)().map_err(ReloadError::Refused)?;
    let refuse =
        |message: &str, hint: Option<&str>| ReloadError::Refused(Problem::of_file(&source.file, message, hint).into());
    // The new file may name another address, but this process goes on listening where it does.
    if let Some((message, hint)) = objection_to(fixed.listen(), !config.keys.is_empty()) {
        return Err(refuse(&message, Some(hint)));
    }
    let before = state.snapshot.load_full();
    let needs_restart = fixed.keep(&mut config, before.service.limits.places);
    let dispatcher = before.service.dispatcher.renewed(providers(&config));
    let dispatcher = dispatcher.map_err(|error| refuse(&error.to_string(), error.hint().as_deref()))?;
    let service = Arc::new(Service::new(&config, dispatcher));
    let offering = Arc::new(offering(&config, &state.health, Some(&before.offering)));
    let snapshot = state.renew(|next| {
        next.service = Arc::clone(&service);
        next.offering = offering;
    });
    state.places.limit(service.limits);
    for provider in service.reconnected(&before.service) {
        state.health.reset_account(provider);
    }
    // Learning may begin elsewhere, and for other routes.
    state.learning.wake();
    drop(before);
    let now = state.snapshot.load();
    now.offering.warn_of_missing(&now.roster);
    state.health.forget_unused();
    Ok(Reloaded { snapshot, needs_restart, warnings })
}

/// Writes down what happened, for the log and for `GET /readyz`.
fn report(state: &State, result: &Result<Reloaded, ReloadError>) {
    match result {
        Ok(reloaded) => {
            let needs_restart = reloaded.needs_restart.clone();
            tracing::info!(
                snapshot = reloaded.snapshot,
                needs_restart = needs_restart.join(", "),
                "configuration reloaded"
            );
            for Problem { path, line, message, hint, .. } in &reloaded.warnings {
                tracing::warn!(path, line, hint, "{message}");
            }
            state.reloads.note(|last| *last = Last { refused: None, needs_restart });
        }
        Err(ReloadError::Refused(problems)) => {
            tracing::error!(problems = problems.problems.len(), "configuration refused: the one before serves on");
            for Problem { path, line, message, hint, .. } in &problems.problems {
                tracing::error!(path, line, hint, "{message}");
            }
            let refusal = Arc::new(Refusal { at_ms: unix_ms(), problems: problems.clone() });
            state.reloads.note(|last| last.refused = Some(refusal));
        }
        Err(error) => tracing::warn!("{error}"),
    }
}
