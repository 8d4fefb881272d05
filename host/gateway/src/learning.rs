//! Learning, off the path of requests: outcomes are folded in the ledger's order, and what comes of it decides from the next
//! snapshot on.
//!
//! 1. Only the holder of the ledger's lease changes a memory. It is taken when there is something to change: a gateway that
//!    nobody asks writes nothing.
//! 2. The gateway's own learner turns what callers said into expectations of quality, the same for all. It begins at the
//!    configured `[learning] quality` file, and anew when that file is another one. What is said on a route that learns for
//!    each tenant apart is not for it: no rating given there moves anybody's expectations.
//! 3. Each plugin that learns has a memory for each route that names it, or for each tenant where the route says so. One that
//!    no route names costs nothing; named later, it learns from what the ledger still holds.
//! 4. A batch that a plugin fails on is halved until it is one outcome; that one is left out, counted, and never tried
//!    again: a learner cannot be stopped by what it does not understand.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
    time::Duration,
};

use domain::{
    catalogue::Prior,
    expectation::{self, Learner},
    learning::{LearnPer, Memory, Outcome, Scope},
};
use ledger::{Ledger, ReadError, StoredMemory, Wanted};
use sandbox::{Kind, Learned, Plugin};
use tokio::sync::Notify;

use crate::{
    snapshot::Snapshot,
    state::{State, unix_ms},
};

/// The name of the gateway's own learner. No plugin can have it: their names are those of files.
pub(crate) const QUALITY: &str = "quality/feedback";
/// Lines of the ledger that are looked at in one go.
const STRETCH: u32 = 256;
/// Lines that are not of a learner's scope, after which its place is written down all the same.
const QUIET: u64 = 4_096;
/// Least time between two rounds, however much is said.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the lease lasts when its holder no longer renews it.
const LEASE_MS: u64 = 60_000;

/// Who folds here, and when.
pub(crate) struct Learning {
    /// Of this process.
    holder: String,
    wake: Arc<Notify>,
    /// Held by the round that is under way, so that a later one is not overtaken.
    turn: tokio::sync::Mutex<()>,
}

impl Learning {
    /// `name` is nobody else's.
    pub(crate) fn new(name: String) -> Self {
        Self { holder: name, wake: Arc::default(), turn: tokio::sync::Mutex::default() }
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
        tokio::time::sleep(PAUSE).await;
        let _ = tokio::time::timeout(every.saturating_sub(PAUSE), wake.notified()).await;
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

/// One round: everything that is new is folded, and decides from now on. One at a time.
pub(crate) async fn round(state: &Arc<State>) -> Result<(), LearningError> {
    let _turn = state.learning.turn.lock().await;
    let snapshot = state.snapshot.load_full();
    let mut known = by_name(state.ledger.memories().await?);
    let quality = (Arc::from(QUALITY), Scope::All, expectation::FORMAT);
    let since = since(&known, &quality);
    if let Some(folded) = fold_quality(state, &snapshot, known.get(&quality), since).await? {
        known.insert(quality, folded);
    }
    for (plugin, scope) in learners(&snapshot) {
        let name = (plugin.name(), scope, plugin.memory_format());
        let since = self::since(&known, &name);
        if let Some(folded) = fold_plugin(state, &plugin, &name.1, known.get(&name), since).await? {
            known.insert(name, folded);
        }
    }
    let learned = learned(&snapshot, known);
    let now = &snapshot.learned;
    if learned.expectations != now.expectations || learned.memories != now.memories {
        state.relearn(learned);
    }
    Ok(())
}

/// A learner, a scope and a format.
type Name = (Arc<str>, Scope, u32);

fn by_name(memories: Vec<StoredMemory>) -> BTreeMap<Name, StoredMemory> {
    let name = |stored: &StoredMemory| (Arc::clone(&stored.learner), stored.scope.clone(), stored.memory.format);
    memories.into_iter().map(|stored| (name(&stored), stored)).collect()
}

/// Where a learner that begins anew in a scope begins: behind what somebody has emptied, in whatever format that was.
fn since(known: &BTreeMap<Name, StoredMemory>, (learner, scope, _): &Name) -> u64 {
    let of_this = known.values().filter(|stored| stored.learner == *learner && stored.scope == *scope);
    of_this.map(|stored| stored.since).max().unwrap_or(0)
}

/// What decides, of what is known.
fn learned(snapshot: &Snapshot, known: BTreeMap<Name, StoredMemory>) -> Learned {
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

/// Every plugin that learns, with each scope of the routes that name it.
fn learners(snapshot: &Snapshot) -> Vec<(Arc<Plugin>, Scope)> {
    let learns = |plugin: &&Arc<Plugin>| plugin.is(Kind::Learner);
    let mut found = Vec::new();
    for plugin in snapshot.roster.plugins().filter(learns) {
        let name = plugin.name();
        let mut scopes = BTreeSet::new();
        for (route, own) in snapshot.offering.routes.iter().filter(|(_, own)| own.asks(&name)) {
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

/// Folds what callers said into expectations of quality. `None` when nothing was new.
async fn fold_quality(
    state: &State,
    snapshot: &Arc<Snapshot>,
    known: Option<&StoredMemory>,
    since: u64,
) -> Result<Option<StoredMemory>, LearningError> {
    let digest = snapshot.service.learning.digest;
    let readable = |known: &&StoredMemory| Learner::from_bytes(&known.memory.bytes).is_some();
    let of_this_file = known.filter(|known| known.component == digest).filter(readable);
    let from = of_this_file.cloned().unwrap_or_else(|| StoredMemory {
        component: digest,
        ..nothing(QUALITY.into(), Scope::All, expectation::FORMAT, since)
    });
    let routes = snapshot.offering.routes.iter();
    let apart = routes.filter(|(_, own)| own.panel.learn_per == LearnPer::Tenant).map(|(name, _)| Arc::clone(name));
    let apart = apart.collect();
    let snapshot = Arc::clone(snapshot);
    let fold = move |mut known: StoredMemory, outcomes: &[Outcome], reached| {
        let mut learner = Learner::from_bytes(&known.memory.bytes)
            .filter(|_| !known.memory.bytes.is_empty())
            .unwrap_or_else(|| Learner::starting_at(&snapshot.service.learning.expectations));
        for outcome in outcomes {
            learner.learn(outcome, |model| prior(&snapshot, model));
        }
        known.memory = Memory::new(expectation::FORMAT, reached, learner.to_bytes());
        known.folded += outcomes.len() as u64;
        known.at_ms = unix_ms();
        known
    };
    advance(state, Wants::Feedback { apart }, known, from, fold).await
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
    known: Option<&StoredMemory>,
    since: u64,
) -> Result<Option<StoredMemory>, LearningError> {
    let from = known.cloned().unwrap_or_else(|| nothing(plugin.name(), scope.clone(), plugin.memory_format(), since));
    let plugin = Arc::clone(plugin);
    let fold = move |known, outcomes: &[Outcome], reached| fold(&plugin, known, outcomes, reached);
    advance(state, Wants::Everything, known, from, fold).await
}

/// The memory of a learner that has learned nothing and begins behind the outcome `since`.
fn nothing(learner: Arc<str>, scope: Scope, format: u32, since: u64) -> StoredMemory {
    let memory = Memory::new(format, since, Vec::new());
    StoredMemory { learner, scope, memory, since, component: None, folded: 0, skipped: 0, at_ms: 0 }
}

/// What a learner learns from.
#[derive(PartialEq)]
enum Wants {
    /// The gateway's own: what callers said and nothing else, and not on routes whose tenants are kept apart.
    Feedback {
        apart: Vec<Arc<str>>,
    },
    Everything,
}

/// Folds what comes after `from` in its scope, a stretch of the ledger's order at a time. What is `known` gives way to it.
async fn advance<F>(
    state: &State,
    wants: Wants,
    known: Option<&StoredMemory>,
    from: StoredMemory,
    fold: F,
) -> Result<Option<StoredMemory>, LearningError>
where
    F: Fn(StoredMemory, &[Outcome], u64) -> StoredMemory + Send + Sync + 'static,
{
    let (fold, scope) = (Arc::new(fold), from.scope.clone());
    let (feedback_only, except) = match &wants {
        Wants::Feedback { apart } => (true, &apart[..]),
        Wants::Everything => (false, &[][..]),
    };
    let (mut before, mut now, mut folded) = (known.cloned(), from, None);
    let mut after = now.memory.sequence;
    loop {
        let stretch =
            state.ledger.outcomes(&Wanted { scope: &scope, after, feedback_only, except, limit: STRETCH }).await?;
        after = stretch.reached;
        // Finding what was said is quick however far away it is, unless much of it is not for this learner.
        let is_far = (!feedback_only || !except.is_empty()) && after.saturating_sub(now.memory.sequence) >= QUIET;
        if stretch.outcomes.is_empty() && !is_far {
            if stretch.more {
                continue;
            }
            return Ok(folded);
        }
        let (fold, last, more) = (Arc::clone(&fold), now, stretch.more);
        let task = tokio::task::spawn_blocking(move || fold(last, &stretch.outcomes, after));
        now = task.await.map_err(|_| LearningError::Broken)?;
        let (ledger, holder) = (&state.ledger, &state.learning.holder);
        // Not when somebody has reset it meanwhile: the next round begins with what they left.
        let put = ledger.lease_learning(holder, LEASE_MS).await?
            && ledger.put_memory(&now, before.as_ref(), holder, wants == Wants::Everything).await?;
        if !put {
            return Ok(folded);
        }
        before = Some(now.clone());
        folded = Some(now.clone());
        if !more {
            return Ok(folded);
        }
    }
}

/// What a plugin remembers after `outcomes`.
fn fold(plugin: &Plugin, mut known: StoredMemory, outcomes: &[Outcome], reached: u64) -> StoredMemory {
    sandbox::prepare_thread();
    let folded = sandbox::fold(plugin, &known.memory.bytes, outcomes, |outcome, why| {
        tracing::warn!(plugin = %plugin.name(), sequence = outcome.sequence, why, "a learner left an outcome out");
    });
    known.folded += folded.folded;
    known.skipped += folded.skipped;
    known.memory = Memory::new(plugin.memory_format(), reached, folded.bytes);
    known.component = Some(plugin.digest());
    known.at_ms = unix_ms();
    known
}

/// What was learned before this start, so that the first request is decided with it.
pub(crate) async fn restore(ledger: &Ledger, snapshot: &Snapshot) -> Learned {
    let stored = ledger.memories().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "what was learned cannot be read");
        Vec::new()
    });
    learned(snapshot, by_name(stored))
}
