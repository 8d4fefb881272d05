//! Live health of candidates: breakers, recent outcomes, attempts under way, and accounts that are shut.
//!
//! One [`Cell`] a candidate and operation, handed out once as an `Arc`, so that a snapshot keeps its own and a decision
//! reads forty of them without a lookup. Health outlives snapshots and changes of config; the account of a provider is
//! shared by all its cells. What was measured outlives the process, too: [`Health::save`], [`Health::restore`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{breaker::Millis, candidate::CandidateId, request::Operation};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

mod account;
mod cell;

pub use account::{KeyView, Rest};
pub(crate) use cell::Ended;
pub use cell::{Cell, Probe, Report};

use account::Account;
use cell::SavedCell;

/// What the clock shows at the start, in milliseconds: an earlier run's last hours have a place before it.
const START_MS: Millis = 4 * 3_600_000;

/// The node's monotonic clock, in the milliseconds that breakers and trackers count in.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

/// What a later run can begin with.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedHealth {
    cells: Vec<(CandidateId, Operation, SavedCell)>,
}

impl Clock {
    #[must_use]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    #[must_use]
    pub fn now(self) -> Millis {
        START_MS.saturating_add(u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX))
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

impl Known {
    fn account_of(&mut self, candidate: &CandidateId) -> Arc<Account> {
        let provider = candidate.as_str().split('/').next().unwrap_or_default();
        Arc::clone(self.accounts.entry(provider.to_owned()).or_default())
    }
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
        let cell = Arc::new(Cell::new(known.account_of(candidate)));
        known.cells.insert((candidate.clone(), operation), Arc::clone(&cell));
        cell
    }

    /// Tells how many keys the account of `provider` has.
    pub(crate) fn set_keys(&self, provider: &str, count: usize) {
        self.lock().accounts.entry(provider.to_owned()).or_default().set_keys(count);
    }

    /// What a later run can begin with.
    #[must_use]
    pub fn save(&self) -> SavedHealth {
        let now = self.now();
        let cells = self.cells().into_iter().filter_map(|(id, operation, cell)| Some((id, operation, cell.save(now)?)));
        let mut cells: Vec<_> = cells.collect();
        // In one order, so that equal health gives equal bytes.
        cells.sort_by(|(a, a_operation, _), (b, b_operation, _)| (a, a_operation).cmp(&(b, b_operation)));
        SavedHealth { cells }
    }

    /// Begins with what an earlier run saved `age` milliseconds ago, before anyone asks for a cell.
    pub fn restore(&self, saved: &SavedHealth, age: Millis) {
        let now = self.now();
        let mut known = self.lock();
        for (id, operation, cell) in &saved.cells {
            let cell = Cell::restored(known.account_of(id), cell, now, age);
            known.cells.entry((id.clone(), *operation)).or_insert_with(|| Arc::new(cell));
        }
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
