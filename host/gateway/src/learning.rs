//! Learning, off the path of requests: outcomes are folded in the ledger's order, and what comes of it decides from the next
//! snapshot on.
//!
//! 1. Only the holder of the ledger's lease folds; who has it not only reads what the holder has made.
//! 2. The gateway's own learner turns what callers said into expectations of quality. It begins at the configured
//!    `[learning] quality` file, and anew when that file is another one.
//! 3. Each plugin that learns has a memory for each route that may ask it, or for each tenant where the route says so.
//! 4. A batch that a plugin fails on is halved until it is one outcome; that one is left out, counted, and never tried
//!    again: a learner cannot be stopped by what it does not understand.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use domain::{
    catalogue::Prior,
    expectation::{self, Learner},
    learning::{LearnPer, Memory, Outcome, Scope},
    plugin::CallEnd,
};
use ledger::{Ledger, ReadError, StoredMemory, Wanted};
use sandbox::{Kind, Learned, Plugin};
use tokio::sync::Notify;

use crate::{
    config::checked::DEFAULT_ROUTE,
    snapshot::Snapshot,
    state::{State, unix_ms},
};

/// The name of the gateway's own learner. No plugin can have it: their names are those of files.
pub(crate) const QUALITY: &str = "quality/feedback";
/// Lines of the ledger that are looked at in one go.
const STRETCH: u32 = 256;
/// Outcomes in one call.
const BATCH: usize = 64;
/// Calls for one outcome that this machine, and not the plugin, ended.
const TRIES: usize = 3;
/// How long the lease lasts when its holder no longer renews it.
const LEASE_MS: u64 = 60_000;

/// Who folds here, and when.
pub(crate) struct Learning {
    /// Of this process.
    holder: String,
    wake: Arc<Notify>,
}

impl Learning {
    /// `name` is nobody else's.
    pub(crate) fn new(name: String) -> Self {
        Self { holder: name, wake: Arc::default() }
    }

    /// There is something new to learn from.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Folds now and then. Ends with the gateway.
pub(crate) async fn keep(state: Weak<State>) {
    loop {
        let Some(state) = state.upgrade() else { return };
        let every = state.snapshot.load().service.learning.every;
        if let Err(error) = round(&state).await {
            tracing::warn!(%error, "what was observed could not be learned from: it will be tried again");
        }
        let wake = Arc::clone(&state.learning.wake);
        // Nothing of the gateway is held while nothing happens.
        drop(state);
        let _ = tokio::time::timeout(every, wake.notified()).await;
    }
}

/// What went wrong with the ledger.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LearningError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] ledger::DatabaseError),
    /// A defect of this program.
    #[error("a fold ended unexpectedly")]
    Broken,
}

/// One round: everything that is new is folded, and decides from now on.
pub(crate) async fn round(state: &Arc<State>) -> Result<(), LearningError> {
    let snapshot = state.snapshot.load_full();
    let mut known: BTreeMap<(Arc<str>, Scope, u32), StoredMemory> = BTreeMap::new();
    for stored in state.ledger.memories().await? {
        known.insert((Arc::clone(&stored.learner), stored.scope.clone(), stored.memory.format), stored);
    }
    if state.ledger.lease_learning(&state.learning.holder, LEASE_MS).await? {
        let quality = known.get(&(QUALITY.into(), Scope::All, expectation::FORMAT)).cloned();
        let folded = fold_quality(state, &snapshot, quality).await?;
        known.insert((QUALITY.into(), Scope::All, expectation::FORMAT), folded);
        for (plugin, scope) in learners(&snapshot) {
            let name = (plugin.name(), scope, plugin.memory_format());
            let before = known.get(&name).cloned();
            if let Some(folded) = fold_plugin(state, &plugin, &name.1, before).await? {
                known.insert(name, folded);
            }
        }
    }
    let learned = learned(&snapshot, known);
    let now = &snapshot.learned;
    if learned.expectations != now.expectations || learned.memories != now.memories {
        state.relearn(learned);
    }
    Ok(())
}

/// What decides, of what is known.
fn learned(snapshot: &Snapshot, known: BTreeMap<(Arc<str>, Scope, u32), StoredMemory>) -> Learned {
    let base = &snapshot.service.learning;
    let mut learned = Learned { expectations: (*base.expectations).clone(), memories: BTreeMap::new() };
    for ((learner, scope, format), stored) in known {
        if &*learner == QUALITY {
            let is_of_this_file = stored.component == base.digest;
            if let Some(learner) = Learner::from_bytes(&stored.memory.bytes).filter(|_| is_of_this_file)
                && format == expectation::FORMAT
                && !stored.memory.bytes.is_empty()
            {
                learned.expectations = learner.expectations();
            }
            continue;
        }
        let reads = |plugin: &Arc<Plugin>| plugin.memory_format() == format;
        if snapshot.roster.get(&learner, Kind::Learner).is_some_and(reads) && !stored.memory.bytes.is_empty() {
            learned.memories.insert((learner, scope), stored.memory);
        }
    }
    learned
}

/// Every plugin that learns, with each scope that it may be asked in.
fn learners(snapshot: &Snapshot) -> Vec<(Arc<Plugin>, Scope)> {
    let learns = |plugin: &&Arc<Plugin>| plugin.is(Kind::Learner);
    let mut found = Vec::new();
    for plugin in snapshot.roster.plugins().filter(learns) {
        let name = plugin.name();
        let mut scopes = BTreeSet::new();
        for (route, own) in &snapshot.offering.routes {
            // Any strategy may be asked for by name on the default route.
            if !own.asks(&name) && **route != *DEFAULT_ROUTE {
                continue;
            }
            match own.panel.learn_per {
                LearnPer::Route => {
                    scopes.insert(Scope::Route(Arc::clone(route)));
                }
                LearnPer::Tenant => {
                    scopes.extend(snapshot.service.keyring.tenants().map(Scope::Tenant));
                }
            }
        }
        found.extend(scopes.into_iter().map(|scope| (Arc::clone(plugin), scope)));
    }
    found
}

/// Folds what callers said into expectations of quality.
async fn fold_quality(
    state: &State,
    snapshot: &Arc<Snapshot>,
    known: Option<StoredMemory>,
) -> Result<StoredMemory, LearningError> {
    let base = &snapshot.service.learning;
    let of_this_file = known.as_ref().filter(|known| known.component == base.digest);
    let whole = of_this_file.and_then(|known| Some((Learner::from_bytes(&known.memory.bytes)?, known)));
    let (mut learner, mut now) = match whole {
        Some((learner, known)) if !known.memory.bytes.is_empty() => (learner, known.clone()),
        // Emptied by an operator: from the file on, and from where they said.
        Some((_, known)) => (Learner::starting_at(&base.expectations), known.clone()),
        None => {
            let now = StoredMemory {
                learner: QUALITY.into(),
                scope: Scope::All,
                memory: Memory::new(expectation::FORMAT, 0, Vec::new()),
                component: base.digest,
                folded: 0,
                skipped: 0,
                at_ms: 0,
            };
            (Learner::starting_at(&base.expectations), now)
        }
    };
    let mut before = known;
    loop {
        let wanted = Wanted { scope: &Scope::All, after: now.memory.sequence, feedback_only: true, limit: STRETCH };
        let stretch = state.ledger.outcomes(&wanted).await?;
        let same_file = before.as_ref().is_some_and(|before| before.component == base.digest);
        if stretch.outcomes.is_empty() && same_file {
            return Ok(before.unwrap_or(now));
        }
        for outcome in &stretch.outcomes {
            learner.learn(outcome, |model| prior(snapshot, model));
        }
        now.memory = Memory::new(expectation::FORMAT, stretch.reached, learner.to_bytes());
        now.folded += stretch.outcomes.len() as u64;
        now.at_ms = unix_ms();
        if !state.ledger.put_memory(&now, before.as_ref(), &state.learning.holder, false).await? {
            // Somebody reset it meanwhile, or has the lease: the next round begins with what they left.
            return Ok(before.unwrap_or(now));
        }
        before = Some(now.clone());
        if !stretch.more {
            return Ok(now);
        }
    }
}

/// The catalogue's prior of a candidate.
fn prior(snapshot: &Snapshot, model: &str) -> Option<Prior> {
    let candidates = snapshot.offering.candidates.iter();
    candidates.filter(|candidate| candidate.id.as_str() == model).find_map(|candidate| candidate.tier().quality)
}

/// Folds what is new for one plugin in one scope. `None` when nothing was new.
async fn fold_plugin(
    state: &State,
    plugin: &Arc<Plugin>,
    scope: &Scope,
    known: Option<StoredMemory>,
) -> Result<Option<StoredMemory>, LearningError> {
    let mut before = known;
    let mut folded = None;
    loop {
        let after = before.as_ref().map_or(0, |before| before.memory.sequence);
        let stretch = state.ledger.outcomes(&Wanted { scope, after, feedback_only: false, limit: STRETCH }).await?;
        if stretch.outcomes.is_empty() || !state.ledger.lease_learning(&state.learning.holder, LEASE_MS).await? {
            return Ok(folded);
        }
        let now = before.clone().unwrap_or_else(|| StoredMemory {
            learner: plugin.name(),
            scope: scope.clone(),
            memory: Memory::new(plugin.memory_format(), 0, Vec::new()),
            component: None,
            folded: 0,
            skipped: 0,
            at_ms: 0,
        });
        let (learner, reached, more) = (Arc::clone(plugin), stretch.reached, stretch.more);
        let task = tokio::task::spawn_blocking(move || fold(&learner, now, &stretch.outcomes, reached));
        let now = task.await.map_err(|_| LearningError::Broken)?;
        if !state.ledger.put_memory(&now, before.as_ref(), &state.learning.holder, true).await? {
            return Ok(folded);
        }
        folded = Some(now.clone());
        before = Some(now);
        if !more {
            return Ok(folded);
        }
    }
}

/// What a plugin remembers after `outcomes`.
fn fold(plugin: &Plugin, mut known: StoredMemory, outcomes: &[Outcome], reached: u64) -> StoredMemory {
    sandbox::prepare_thread();
    let mut bytes = known.memory.bytes.to_vec();
    let (mut at, mut size) = (0, BATCH);
    while at < outcomes.len() {
        let batch = &outcomes[at..outcomes.len().min(at + size)];
        match learn(plugin, &bytes, batch) {
            Ok(learned) => {
                bytes = learned;
                known.folded += batch.len() as u64;
                at += batch.len();
                size = (size * 2).min(BATCH);
            }
            Err(why) if batch.len() == 1 => {
                tracing::warn!(plugin = %plugin.name(), sequence = batch[0].sequence, %why, "a learner left an outcome out");
                known.skipped += 1;
                at += 1;
            }
            Err(_) => size = batch.len() / 2,
        }
    }
    known.memory = Memory::new(plugin.memory_format(), reached, bytes);
    known.component = Some(plugin.digest());
    known.at_ms = unix_ms();
    known
}

fn learn(plugin: &Plugin, memory: &[u8], batch: &[Outcome]) -> Result<Vec<u8>, String> {
    let mut why = "it is no learner".to_owned();
    for _ in 0..TRIES {
        let Some(called) = plugin.learn(memory, batch) else { break };
        if let Some(learned) = called.answer {
            return Ok(learned);
        }
        let replayable = match called.call.ended {
            CallEnd::Faulted { code, detail, replayable } => {
                why = format!("{code}: it {detail}");
                replayable
            }
            CallEnd::Abstained { reason } | CallEnd::Denied { reason } => {
                why = reason;
                true
            }
            CallEnd::Answered | CallEnd::Skipped { .. } => true,
        };
        if replayable {
            break;
        }
    }
    Err(why)
}

/// What was learned before this start, so that the first request is decided with it.
pub(crate) async fn restore(ledger: &Ledger, snapshot: &Snapshot) -> Learned {
    let stored = ledger.memories().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "what was learned cannot be read");
        Vec::new()
    });
    let name =
        |stored: StoredMemory| ((Arc::clone(&stored.learner), stored.scope.clone(), stored.memory.format), stored);
    learned(snapshot, stored.into_iter().map(name).collect())
}
