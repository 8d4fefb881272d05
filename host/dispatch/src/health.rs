//! Live health of candidates: breakers, recent outcomes, attempts under way, and accounts that are shut.
//!
//! One [`Cell`] a candidate and operation, handed out once as an `Arc`, so that a snapshot keeps its own and a decision
//! reads forty of them without a lookup. Health outlives snapshots and changes of config; the account of a provider is
//! shared by all its cells.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{breaker::Millis, candidate::CandidateId, request::Operation};
use tokio::time::Instant;

mod account;
mod cell;

pub(crate) use cell::Ended;
pub use cell::{Cell, Probe, View};

use account::Account;

/// The node's monotonic clock, in the milliseconds that breakers and trackers count in.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    #[must_use]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    #[must_use]
    pub fn now(self) -> Millis {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.origin.elapsed()
    }
}

/// All cells and accounts of this node.
#[derive(Debug)]
pub struct Health {
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    cells: HashMap<(CandidateId, Operation), Arc<Cell>>,
    accounts: HashMap<String, Arc<Account>>,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// Everyone healthy, nothing measured. Its clock starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { clock: Clock::start(), known: Mutex::default() }
    }

    /// As if it had been there for a while: tests need a past, not time.
    #[cfg(test)]
    pub(crate) fn running_for(age: Duration) -> Self {
        let origin = Instant::now().checked_sub(age).expect("the machine is older than the test's past");
        Self { clock: Clock { origin }, known: Mutex::default() }
    }

    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The cell of `candidate` for `operation`: the same one however often it is asked for.
    #[must_use]
    pub fn cell(&self, candidate: &CandidateId, operation: Operation) -> Arc<Cell> {
        let mut known = self.lock();
        if let Some(cell) = known.cells.get(&(candidate.clone(), operation)) {
            return Arc::clone(cell);
        }
        let provider = candidate.as_str().split('/').next().unwrap_or_default();
        let account = Arc::clone(known.accounts.entry(provider.to_owned()).or_default());
        let cell = Arc::new(Cell::new(account));
        known.cells.insert((candidate.clone(), operation), Arc::clone(&cell));
        cell
    }

    /// All cells, in no order.
    #[must_use]
    pub fn cells(&self) -> Vec<(CandidateId, Operation, Arc<Cell>)> {
        let known = self.lock();
        known.cells.iter().map(|((id, operation), cell)| (id.clone(), *operation, Arc::clone(cell))).collect()
    }

    /// Opens the account of `provider`, if it is shut: its key or its address has changed.
    pub fn reset_account(&self, provider: &str) {
        if let Some(account) = self.lock().accounts.get(provider) {
            account.reset();
        }
    }

    /// Forgets the cells that nobody holds, and their accounts: those of candidates that no configuration in use offers.
    pub fn forget_unused(&self) {
        let mut known = self.lock();
        known.cells.retain(|_, cell| Arc::strong_count(cell) > 1);
        known.accounts.retain(|_, account| Arc::strong_count(account) > 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
