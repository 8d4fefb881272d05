//! What all requests share.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;
use dispatch::{CallerGuard, Health};
use domain::{attempt::DecisionId, request::Moment};
use ledger::Ledger;
use sandbox::{Learned, Plugins};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::{
    claims::Claims,
    gate::Gate,
    http::{feedback::Pace, idempotency::Given},
    learning::Learning,
    places::Places,
    reload::Reloads,
    snapshot::Snapshot,
};

pub(crate) struct State {
    pub(crate) snapshot: ArcSwap<Snapshot>,
    /// Held while the next snapshot is made.
    pub(crate) making: Mutex<()>,
    pub(crate) reloads: Reloads,
    pub(crate) plugins: Plugins,
    pub(crate) health: Arc<Health>,
    pub(crate) ledger: Arc<Ledger>,
    /// Before plugins of the slow tier.
    pub(crate) gate: Gate,
    /// Places for requests under way.
    pub(crate) places: Arc<Places>,
    /// For dry runs, which do not wait behind requests that take a provider's time.
    pub(crate) dry_runs: Semaphore,
    /// For requests whose shadows are asked.
    pub(crate) shadows: Arc<Semaphore>,
    /// Requests under way, also those whose caller has left.
    pub(crate) tasks: TaskTracker,
    pub(crate) counts: Counts,
    /// Requests with an idempotency key that are being answered.
    pub(crate) claims: Arc<Claims<Given>>,
    /// How often callers say something of their pictures.
    pub(crate) feedback: Pace,
    pub(crate) learning: Learning,
    /// Makes `session` tell nothing about the name it was made from.
    pub(crate) session_key: u64,
}

/// What becomes of requests, since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Got an id, and a record.
    pub(crate) admitted: AtomicU64,
    /// Refused before: key, limits, bad input.
    pub(crate) refused: AtomicU64,
    /// Answered as before, by their idempotency key.
    pub(crate) replayed: AtomicU64,
    /// Callers that wait for their answer.
    pub(crate) waiting: AtomicU64,
}

/// One caller that waits. Dropping it says that it waits no longer.
pub(crate) struct Waiting {
    state: Arc<State>,
    _presence: Option<CallerGuard>,
}

impl Waiting {
    /// `presence` is of a caller whose leaving the request is to notice.
    pub(crate) fn new(state: &Arc<State>, presence: Option<CallerGuard>) -> Self {
        state.counts.waiting.fetch_add(1, Ordering::Relaxed);
        Self { state: Arc::clone(state), _presence: presence }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.state.counts.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counts {
    pub(crate) fn admit(&self) -> u64 {
        self.admitted.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// Milliseconds since 1970-01-01 UTC.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Keeps ids in the order in which requests came, within a millisecond, too.
static TURN: AtomicU16 = AtomicU16::new(0);

/// Fresh random bits: a request's id and its seed.
pub(crate) fn identity(now_ms: u64) -> (DecisionId, u64) {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the operating system has random bits");
    let (id, seed) = bits.split_at(8);
    let word = |bytes: &[u8]| bytes.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
    let turn = u128::from(TURN.fetch_add(1, Ordering::Relaxed));
    (DecisionId::new(now_ms, turn << 64 | u128::from(word(id))), word(seed))
}

impl State {
    /// Makes the next snapshot from the one in service, and returns its number. One at a time: a plugin that is swapped
    /// while the configuration is reloaded is not lost, and neither is the configuration.
    pub(crate) fn renew(&self, change: impl FnOnce(&mut Snapshot)) -> u64 {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&self.snapshot.load());
        change(&mut next);
        next.number += 1;
        let number = next.number;
        self.snapshot.store(Arc::new(next));
        number
    }

    /// Decides with this from now on. Not counted as a change: it happens by itself, and often.
    pub(crate) fn relearn(&self, learned: Learned) {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&self.snapshot.load());
        next.learned = Arc::new(learned);
        self.snapshot.store(Arc::new(next));
    }

    /// The moment of a decision for `user`, who is hashed with this run's key.
    pub(crate) fn moment(&self, now_ms: u64, seed: u64, sequence: u64, user: Option<&str>) -> Moment {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let session = user.map_or(0, |user| {
            let mut hasher = DefaultHasher::new();
            (self.session_key, user).hash(&mut hasher);
            hasher.finish()
        });
        Moment { now_ms, seed, sequence, session }
    }
}
