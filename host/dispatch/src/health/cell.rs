//! One candidate's live health.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use domain::{
    breaker::{self, Breaker, Change, Millis, State, Ticket},
    failure::{BreakerEffect, FailureKind},
    field::View,
    plugin::Live,
    tracker::{Event, SavedSlot, Span, Summary, Tracker},
};
use serde::{Deserialize, Serialize};

use super::account::{Account, KeyView, Rest};

/// A delivery is slow when it took this many times the 95th percentile.
const SLOW: u64 = 3;

/// Breaker, windows and attempts under way of one candidate.
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

/// A cell for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub view: View,
    /// Oldest first.
    pub changes: Vec<Change>,
    pub windows: [(Span, Summary); 3],
}

/// What a later run can begin with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SavedCell {
    windows: [Vec<SavedSlot>; 3],
    breaker: Option<breaker::Saved>,
}

/// How an attempt ended, as far as health is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ended {
    Delivered {
        latency_ms: u32,
        /// What the catalogue says that 19 of 20 deliveries stay under.
        listed_p95_ms: Option<u32>,
        /// How much more than one usual picture was asked for.
        load: u32,
    },
    Failed {
        kind: FailureKind,
        retry_after: Option<Duration>,
    },
    /// It was cut short by us: that says nothing about the candidate.
    Unfair,
}

impl Cell {
    pub(super) fn new(account: Arc<Account>) -> Self {
        Self { measured: Mutex::default(), in_flight: AtomicU32::new(0), account }
    }

    pub(super) fn restored(account: Arc<Account>, saved: &SavedCell, now: Millis, age: Millis) -> Self {
        let breaker = saved.breaker.map(|saved| Breaker::restore(saved, now, age)).unwrap_or_default();
        let measured = Measured { breaker, tracker: Tracker::restore(&saved.windows, now, age) };
        Self { measured: Mutex::new(measured), ..Self::new(account) }
    }

    /// `None` when there is nothing to remember.
    pub(super) fn save(&self, now: Millis) -> Option<SavedCell> {
        let measured = self.lock();
        let saved = SavedCell { windows: measured.tracker.save(now), breaker: measured.breaker.save(now) };
        (saved.breaker.is_some() || saved.windows.iter().any(|slots| !slots.is_empty())).then_some(saved)
    }

    #[must_use]
    pub fn view(&self, now: Millis) -> View {
        let shut_until = self.account.shut_until(now);
        let mut measured = self.lock();
        let state = measured.breaker.state(now);
        let recent = measured.tracker.recent(now);
        let live = Live {
            samples: recent.samples,
            success: recent.success,
            in_flight: self.in_flight.load(Ordering::Relaxed),
            half_open: matches!(state, State::HalfOpen { .. }),
        };
        let state = match (shut_until, state) {
            (Some(shut), State::Open { until }) => State::Open { until: until.max(shut) },
            (Some(until), _) => State::Open { until },
            (None, state) => state,
        };
        View { state, live, latency: recent.latency, shut: shut_until.is_some() }
    }

    /// Everything there is to know, for people.
    #[must_use]
    pub fn report(&self, now: Millis) -> Report {
        let view = self.view(now);
        let measured = self.lock();
        let windows = Span::ALL.map(|span| (span, measured.tracker.summary(span, now)));
        Report { view, changes: measured.breaker.changes().copied().collect(), windows }
    }

    /// The provider's keys, which all its candidates share.
    #[must_use]
    pub fn keys(&self, now: Millis) -> Vec<KeyView> {
        self.account.keys(now)
    }

    /// The one probe of a half-open breaker; `None` when it is out, or none is due. Dropping it unsent gives it back.
    #[must_use]
    pub fn take_probe(self: &Arc<Self>, now: Millis) -> Option<Probe> {
        if self.account.shut_until(now).is_some() {
            return None;
        }
        let ticket = self.lock().breaker.take_probe(now)?;
        Some(Probe { cell: Arc::clone(self), ticket, spent: false })
    }

    /// Whether the provider asked for patience, or takes none of the keys.
    pub(crate) fn is_shut(&self, now: Millis) -> bool {
        self.account.shut_until(now).is_some()
    }

    /// Why the provider may not be asked, and for how long.
    pub(crate) fn shut_for(&self, now: Millis) -> Option<(Rest, Duration)> {
        let (rest, until) = self.account.resting(now)?;
        Some((rest, Duration::from_millis(until.saturating_sub(now))))
    }

    pub(crate) fn key_count(&self) -> usize {
        self.account.key_count()
    }

    /// The longest of what is listed and what is measured, that 19 of 20 deliveries stay under.
    pub(crate) fn usual_p95_ms(&self, now: Millis, listed_ms: Option<u32>) -> Option<u32> {
        self.lock().tracker.usual_p95_ms(now).max(listed_ms)
    }

    /// An attempt goes out. When the returned value is dropped without a word, nothing is learned from it.
    pub(crate) fn begin(self: &Arc<Self>, now: Millis, probe: Option<Probe>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let generation = self.account.generation();
        InFlight { cell: Arc::clone(self), probe, key: self.account.lease(now), generation }
    }

    /// `jitter` is 0 to 1, for pauses.
    fn note(&self, now: Millis, ended: Ended, jitter: f64, flight: &InFlight) {
        let probe = flight.probe.as_ref().map(|probe| probe.ticket);
        let account = (flight.generation == self.account.generation()).then_some(&self.account);
        let mut measured = self.lock();
        let Measured { breaker, tracker } = &mut *measured;
        match ended {
            Ended::Delivered { latency_ms, listed_p95_ms, load } => {
                let usual = tracker.usual_p95_ms(now).max(listed_p95_ms);
                let slow = usual.is_some_and(|usual| u64::from(latency_ms) > SLOW * u64::from(usual) * u64::from(load));
                breaker.succeeded(now, slow, probe, jitter);
                tracker.note(now, Event::Delivered { latency_ms });
                if let Some(account) = account {
                    account.delivered(flight.key);
                }
            }
            Ended::Unfair => breaker.answered(probe),
            Ended::Failed { kind, retry_after } => {
                tracker.note(now, Event::Failed(kind));
                // The clock counts whole milliseconds: never a part of one too early.
                let asked =
                    retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1));
                if kind.breaker() == BreakerEffect::Counts {
                    breaker.failed(now, kind, probe, jitter);
                    if let (Some(account), Some(wait)) = (account, asked) {
                        account.leave_alone(now, flight.key, wait);
                    }
                    return;
                }
                // The breaker is left alone: a provider that asks for patience has not failed, and needs no probe
                // afterwards. Its account's pause covers this candidate, too.
                breaker.answered(probe);
                let Some(account) = account else { return };
                match kind {
                    FailureKind::RateLimited => account.pause(now, flight.key, asked, jitter),
                    FailureKind::Credential => account.shut(now, flight.key, Rest::Credential),
                    FailureKind::Quota => account.shut(now, flight.key, Rest::Quota),
                    _ => {}
                }
            }
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
    ticket: Ticket,
    /// Its outcome was noted, so there is nothing to give back.
    spent: bool,
}

impl Drop for Probe {
    fn drop(&mut self) {
        if !self.spent {
            self.cell.lock().breaker.return_probe(self.ticket);
        }
    }
}

/// One attempt under way.
#[derive(Debug)]
pub(crate) struct InFlight {
    cell: Arc<Cell>,
    probe: Option<Probe>,
    key: usize,
    generation: u64,
}

impl InFlight {
    /// Which of the provider's keys it uses, by its place in the configuration.
    pub(crate) fn key(&self) -> usize {
        self.key
    }

    /// `jitter` is 0 to 1, for pauses.
    pub(crate) fn ended(mut self, now: Millis, ended: Ended, jitter: f64) {
        self.cell.note(now, ended, jitter, &self);
        if let Some(probe) = &mut self.probe {
            probe.spent = true;
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.cell.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.cell.account.give_back(self.key);
    }
}
