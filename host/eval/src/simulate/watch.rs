//! Watches outages: whether breakers held a provider back when it returned, how long they went on, and when it was first
//! asked again.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dispatch::{Cell, Clock, Health};
use domain::{
    attempt::{Attempt, AttemptStarted, DecisionId, Journal},
    breaker::State,
};
use tokio::{task::JoinSet, time::Instant};

use super::workload::{Scripted, Workload};

/// How often a breaker is looked at that still holds a provider back.
const LOOK: Duration = Duration::from_millis(100);

/// Hears of every attempt as it goes out.
pub(super) struct Watch {
    clock: Clock,
    outages: Vec<Watched>,
    seen: Mutex<Vec<Seen>>,
}

struct Watched {
    scripted: Scripted,
    /// Of the provider's candidates.
    cells: Vec<Arc<Cell>>,
    prefix: String,
}

#[derive(Clone, Default)]
struct Seen {
    held_back: bool,
    released: Option<Duration>,
    first: Option<Duration>,
}

/// What became of one outage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recovery {
    pub outage: Scripted,
    /// Whether a breaker held the provider back at the moment of its return.
    pub held_back: bool,
    /// From its return to the moment when no breaker held it back any more.
    pub released: Option<Duration>,
    /// From its return to the first request that was sent to it.
    pub first_request: Option<Duration>,
    /// Whether the run went on after its return.
    pub seen_to_end: bool,
}

impl Watch {
    pub(super) fn new(workload: &Workload, cells: &[Arc<Cell>], clock: Clock) -> Self {
        let watched = |scripted: &Scripted| {
            let own = workload.candidates.iter().zip(cells);
            let own = own.filter(|(candidate, _)| candidate.provider.name == scripted.provider);
            Watched {
                scripted: scripted.clone(),
                cells: own.map(|(_, cell)| Arc::clone(cell)).collect(),
                prefix: format!("{}/", scripted.provider),
            }
        };
        let outages: Vec<Watched> = workload.outages.iter().map(watched).collect();
        let seen = Mutex::new(vec![Seen::default(); outages.len()]);
        Self { clock, outages, seen }
    }

    /// Looks at the breakers from the end of each outage on, until they let go. Ends when what it returns is dropped.
    pub(super) fn attend(self: &Arc<Self>, health: &Arc<Health>) -> JoinSet<()> {
        let start = Instant::now() - health.clock().elapsed();
        let attending = (0..self.outages.len()).map(|index| {
            let (watch, health) = (Arc::clone(self), Arc::clone(health));
            async move {
                let Watched { scripted, cells, .. } = &watch.outages[index];
                let is_held = || cells.iter().any(|cell| cell.view(health.now()).state != State::Closed);
                tokio::time::sleep_until(start + scripted.until).await;
                watch.seen()[index].held_back = is_held();
                while is_held() {
                    tokio::time::sleep(LOOK).await;
                }
                watch.seen()[index].released = watch.clock.elapsed().checked_sub(scripted.until);
            }
        });
        attending.collect()
    }

    pub(super) fn recoveries(&self, duration: Option<Duration>) -> Vec<Recovery> {
        let recovery = |(watched, seen): (&Watched, &Seen)| Recovery {
            outage: watched.scripted.clone(),
            held_back: seen.held_back,
            released: seen.released,
            first_request: seen.first,
            seen_to_end: duration.is_none_or(|duration| watched.scripted.until < duration),
        };
        self.outages.iter().zip(self.seen().iter()).map(recovery).collect()
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for Watch {
    fn started(&self, attempt: AttemptStarted) {
        if self.outages.is_empty() {
            return;
        }
        let now = self.clock.elapsed();
        for (watched, seen) in self.outages.iter().zip(self.seen().iter_mut()) {
            if seen.first.is_none() && attempt.candidate.as_str().starts_with(&watched.prefix) {
                seen.first = now.checked_sub(watched.scripted.until);
            }
        }
    }

    fn ended(&self, _: DecisionId, _: &Attempt) {}
}
