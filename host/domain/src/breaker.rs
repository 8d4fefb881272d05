//! Circuit breaker: may this attempt go out now?
//!
//! It owns no clock, spawns nothing and performs no I/O. The caller passes `now` in and reports each outcome back, so
//! every transition can be tested without waiting.
//!
//! ## States
//!
//! - `Closed`: attempts go out, and their outcomes are counted.
//! - `Open`: attempts are rejected until the pause ends.
//! - `HalfOpen`: the pause has ended; one probe may be out, its outcome decides.
//!
//! ## What opens it
//!
//! - [`FAILURES_TO_OPEN`] failures in a row.
//! - Half of the latest outcomes failed, once there are [`LEAST_OUTCOMES`] of the last minute.
//! - Half of the latest deliveries were slow, once there are as many. What is slow is for the caller to say.
//! - A probe that failed, or was as slow as what it had been opened for.
//!
//! Refusals and the caller's own mistakes are [`answered`](Breaker::answered): they say nothing about health.
//!
//! ## Invariants
//!
//! - In `HalfOpen`, one probe is out at a time. When it has said nothing for [`PROBE_PATIENCE_MS`], another may go: a
//!   probe that hangs must not keep a provider closed that has come back. Only the latest probe's failure opens again.
//! - A pause is never longer than [`MAX_PAUSE_MS`]: recovery is seen within half a minute of traffic.

use std::{collections::VecDeque, fmt};

use serde::{Deserialize, Serialize};

use crate::failure::FailureKind;

/// Milliseconds on the node's monotonic clock.
pub type Millis = u64;

/// Failures in a row that open a breaker.
pub const FAILURES_TO_OPEN: u32 = 5;
/// Outcomes of the last minute before their rate means something.
pub const LEAST_OUTCOMES: usize = 10;
/// First pause, doubled each time it opens again.
pub const FIRST_PAUSE_MS: Millis = 2_000;
/// Longest pause, jitter included.
pub const MAX_PAUSE_MS: Millis = 20_000;
/// How long a probe may be out before another is allowed.
pub const PROBE_PATIENCE_MS: Millis = 25_000;
/// How long outcomes count towards a rate, and how long it must have been closed for its next pause to be a first one.
const CALM_MS: Millis = 60_000;
/// Outcomes that are kept for rates.
const OUTCOMES: usize = 40;
/// Changes that are kept for people.
const CHANGES: usize = 32;

/// The states, as people see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Closed,
    Open { until: Millis },
    HalfOpen { probing: bool },
}

/// Why a breaker changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "code")]
pub enum Reason {
    /// Opened: so many failures in a row, the last of this kind.
    InARow { failures: u32, last: FailureKind },
    /// Opened: so many of the latest outcomes failed, the last with this kind.
    FailureRate { failed: u32, of: u32, last: FailureKind },
    /// Opened: so many of the latest deliveries were slow.
    SlowCalls { slow: u32, of: u32 },
    /// Opened again.
    ProbeFailed { kind: FailureKind },
    /// Opened again.
    ProbeSlow,
    /// Closed: somebody was served.
    Delivered,
}

/// For people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InARow { failures, last } => write!(f, "{failures} failures in a row, the last: {}", last.code()),
            Self::FailureRate { failed, of, last } => {
                write!(f, "{failed} of the latest {of} outcomes failed, the last: {}", last.code())
            }
            Self::SlowCalls { slow, of } => write!(f, "{slow} of the latest {of} deliveries were slow"),
            Self::ProbeFailed { kind } => write!(f, "the probe failed: {}", kind.code()),
            Self::ProbeSlow => f.write_str("the probe was slow"),
            Self::Delivered => f.write_str("it delivered"),
        }
    }
}

/// One change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub at: Millis,
    pub reason: Reason,
    /// Until when it is open; `None` when it closed.
    pub until: Option<Millis>,
}

/// The right to send the one attempt that a half-open breaker allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// What a later run can begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Milliseconds that its pause had left.
    open_for: Millis,
    trips: u32,
}

/// One candidate's breaker.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    failures_in_a_row: u32,
    /// The latest, oldest first.
    outcomes: VecDeque<Outcome>,
    /// Times that it opened without being calm between.
    trips: u32,
    closed_since: Option<Millis>,
    open_until: Option<Millis>,
    was_slow: bool,
    probe: Option<(Ticket, Millis)>,
    tickets: u64,
    changes: VecDeque<Change>,
}

#[derive(Clone, Copy, Debug)]
struct Outcome {
    at: Millis,
    failed: bool,
    slow: bool,
}

impl Breaker {
    #[must_use]
    pub fn state(&self, now: Millis) -> State {
        match self.open_until {
            None => State::Closed,
            Some(until) if now < until => State::Open { until },
            Some(_) => State::HalfOpen { probing: self.probing(now) },
        }
    }

    /// The latest changes, oldest first.
    pub fn changes(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.changes.iter()
    }

    /// Takes the one probe of a half-open breaker; `None` when it is out or the breaker is not half open.
    pub fn take_probe(&mut self, now: Millis) -> Option<Ticket> {
        if self.state(now) != (State::HalfOpen { probing: false }) {
            return None;
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.probe = Some((ticket, now));
        Some(ticket)
    }

    /// A probe that was never sent, or whose end says nothing, is given back.
    pub fn return_probe(&mut self, ticket: Ticket) {
        if self.is_latest(Some(ticket)) {
            self.probe = None;
        }
    }

    /// The provider delivered; `slow` when it took far longer than usual.
    pub fn succeeded(&mut self, now: Millis, slow: bool, probe: Option<Ticket>, jitter: f64) {
        self.failures_in_a_row = 0;
        if self.open_until.is_some() {
            if !(slow && self.was_slow) {
                self.close(now);
            } else if self.is_latest(probe) {
                self.reopen(now, Reason::ProbeSlow, jitter);
            }
            return;
        }
        self.note(Outcome { at: now, failed: false, slow });
        let deliveries = || self.outcomes.iter().filter(|outcome| !outcome.failed);
        let (slow, of) = (deliveries().filter(|outcome| outcome.slow).count(), deliveries().count());
        if of >= LEAST_OUTCOMES && 2 * slow >= of {
            self.open(now, Reason::SlowCalls { slow: slow as u32, of: of as u32 }, jitter);
            self.was_slow = true;
        }
    }

    /// The provider answered in a way that says nothing about its health, such as a refusal.
    pub fn answered(&mut self, probe: Option<Ticket>) {
        if let Some(ticket) = probe {
            self.return_probe(ticket);
        }
    }

    /// A failure that counts. `jitter` is 0 to 1 and shortens the pause by up to a fifth.
    pub fn failed(&mut self, now: Millis, kind: FailureKind, probe: Option<Ticket>, jitter: f64) {
        if self.open_until.is_some() {
            // What others that are still out come to says nothing new.
            if self.is_latest(probe) {
                self.reopen(now, Reason::ProbeFailed { kind }, jitter);
            }
            return;
        }
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.note(Outcome { at: now, failed: true, slow: false });
        let (failed, of) = (self.outcomes.iter().filter(|outcome| outcome.failed).count(), self.outcomes.len());
        if self.failures_in_a_row >= FAILURES_TO_OPEN {
            self.open(now, Reason::InARow { failures: self.failures_in_a_row, last: kind }, jitter);
        } else if of >= LEAST_OUTCOMES && 2 * failed >= of {
            self.open(now, Reason::FailureRate { failed: failed as u32, of: of as u32, last: kind }, jitter);
        }
    }

    /// `None` while it is closed: then there is nothing to remember.
    #[must_use]
    pub fn save(&self, now: Millis) -> Option<Saved> {
        self.open_until.map(|until| Saved { open_for: until.saturating_sub(now), trips: self.trips })
    }

    /// Goes on where an earlier run was `age` milliseconds ago: its pause ends when it would have ended.
    #[must_use]
    pub fn restore(saved: Saved, now: Millis, age: Millis) -> Self {
        let left = saved.open_for.min(MAX_PAUSE_MS).saturating_sub(age);
        Self { open_until: Some(now.saturating_add(left)), trips: saved.trips, ..Self::default() }
    }

    /// After a probe. Its pause is counted from when the probe was sent, because one that hangs has been a pause itself.
    fn reopen(&mut self, now: Millis, reason: Reason, jitter: f64) {
        let sent = self.probe.map_or(now, |(_, since)| since);
        self.open(now, reason, jitter);
        if let (Some(until), Some(change)) = (self.open_until, self.changes.back_mut()) {
            let earlier = until.saturating_sub(now.saturating_sub(sent)).max(now.saturating_add(FIRST_PAUSE_MS / 2));
            let until = until.min(earlier);
            self.open_until = Some(until);
            change.until = Some(until);
        }
    }

    fn open(&mut self, now: Millis, reason: Reason, jitter: f64) {
        if self.closed_since.is_some_and(|since| now.saturating_sub(since) >= CALM_MS) {
            self.trips = 0;
        }
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << self.trips.min(10)).min(MAX_PAUSE_MS);
        let shortened = pause as f64 * (1.0 - 0.2 * jitter.clamp(0.0, 1.0));
        let until = now.saturating_add(shortened as Millis);
        self.trips = self.trips.saturating_add(1);
        self.open_until = Some(until);
        self.closed_since = None;
        self.probe = None;
        self.forget();
        self.remember(Change { at: now, reason, until: Some(until) });
    }

    fn close(&mut self, now: Millis) {
        self.open_until = None;
        self.closed_since = Some(now);
        self.was_slow = false;
        self.probe = None;
        self.forget();
        self.remember(Change { at: now, reason: Reason::Delivered, until: None });
    }

    fn forget(&mut self) {
        self.failures_in_a_row = 0;
        self.outcomes.clear();
    }

    fn note(&mut self, outcome: Outcome) {
        let is_old = |oldest: &Outcome| outcome.at.saturating_sub(oldest.at) >= CALM_MS;
        while self.outcomes.len() >= OUTCOMES || self.outcomes.front().is_some_and(is_old) {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back(outcome);
    }

    fn remember(&mut self, change: Change) {
        if self.changes.len() >= CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
    }

    fn is_latest(&self, probe: Option<Ticket>) -> bool {
        probe.is_some() && self.probe.map(|(ticket, _)| ticket) == probe
    }

    fn probing(&self, now: Millis) -> bool {
        self.probe.is_some_and(|(_, since)| now.saturating_sub(since) < PROBE_PATIENCE_MS)
    }
}

#[cfg(test)]
mod tests;
