//! One candidate's live health.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use domain::{
    breaker::{Breaker, Millis, State},
    catalogue::Latency,
    failure::{BreakerEffect, FailureKind},
    plugin::Live,
    tracker::Tracker,
};

use super::Account;

/// Breaker, window and attempts under way of one candidate.
#[derive(Debug)]
pub struct Cell {
    measured: Mutex<Measured>,
    in_flight: AtomicU32,
    account: Arc<Account>,
}

#[derive(Debug, Default)]
struct Measured {
    breaker: Breaker,
    tracker: Tracker,
}

/// A cell at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// `Open` also while the provider's whole account is shut.
    pub state: State,
    pub live: Live,
    /// Measured, once there are enough deliveries.
    pub latency: Option<Latency>,
}

/// How an attempt ended, as far as health is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ended {
    Delivered {
        latency_ms: u32,
    },
    Failed {
        kind: FailureKind,
        retry_after: Option<Duration>,
        /// 0 to 1, for the breaker's pause.
        jitter: f64,
    },
    /// It was cut short by us: that says nothing about the candidate.
    Unfair,
}

impl Cell {
    pub(super) fn new(account: Arc<Account>) -> Self {
        Self { measured: Mutex::default(), in_flight: AtomicU32::new(0), account }
    }

    #[must_use]
    pub fn view(&self, now: Millis) -> View {
        let shut_until = self.account.shut_until(now);
        let measured = self.lock();
        let state = measured.breaker.state(now);
        let live = Live {
            samples: measured.tracker.samples(now),
            success: measured.tracker.success(now),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            half_open: matches!(state, State::HalfOpen { .. }),
        };
        let state = match (shut_until, state) {
            (Some(shut), State::Open { until }) => State::Open { until: until.max(shut) },
            (Some(until), _) => State::Open { until },
            (None, state) => state,
        };
        View { state, live, latency: measured.tracker.latency(now) }
    }

    /// The one probe of a half-open breaker; `None` when it is out, or none is due. Dropping it unsent gives it back.
    #[must_use]
    pub fn take_probe(self: &Arc<Self>, now: Millis) -> Option<Probe> {
        if self.account.shut_until(now).is_some() {
            return None;
        }
        self.lock().breaker.take_probe(now).then(|| Probe { cell: Arc::clone(self), spent: false })
    }

    /// An attempt goes out. When the returned value is dropped without a word, nothing is learned from it.
    pub(crate) fn begin(self: &Arc<Self>, probe: Option<Probe>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { cell: Arc::clone(self), probe, generation: self.account.generation() }
    }

    /// `generation` is the account's when the attempt began.
    fn note(&self, now: Millis, ended: Ended, generation: u64) {
        let mut measured = self.lock();
        let same_account = generation == self.account.generation();
        match ended {
            Ended::Delivered { latency_ms } => {
                measured.breaker.succeeded();
                measured.tracker.note(now, Some(latency_ms));
            }
            Ended::Unfair => measured.breaker.answered(),
            Ended::Failed { kind, retry_after, jitter } => match kind.breaker() {
                BreakerEffect::Counts => {
                    measured.breaker.failed(now, jitter);
                    measured.tracker.note(now, None);
                }
                // The account's pause covers this candidate too. Its breaker is left alone: a provider that asks for
                // patience has not failed, and needs no probe afterwards.
                BreakerEffect::Pauses => {
                    measured.breaker.answered();
                    let asked = retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
                    if same_account {
                        self.account.pause(now, asked);
                    }
                }
                BreakerEffect::OpensAccount => {
                    measured.breaker.answered();
                    if same_account {
                        self.account.shut(now);
                    }
                }
                BreakerEffect::Nothing => measured.breaker.answered(),
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to send the one attempt that a half-open breaker allows.
#[derive(Debug)]
pub struct Probe {
    cell: Arc<Cell>,
    /// Its outcome was noted, so there is nothing to give back.
    spent: bool,
}

impl Drop for Probe {
    fn drop(&mut self) {
        if !self.spent {
            self.cell.lock().breaker.return_probe();
        }
    }
}

/// One attempt under way.
#[derive(Debug)]
pub(crate) struct InFlight {
    cell: Arc<Cell>,
    probe: Option<Probe>,
    generation: u64,
}

impl InFlight {
    pub(crate) fn ended(mut self, now: Millis, ended: Ended) {
        self.cell.note(now, ended, self.generation);
        if let Some(probe) = &mut self.probe {
            probe.spent = true;
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.cell.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
