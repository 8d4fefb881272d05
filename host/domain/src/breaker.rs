//! Circuit breaker: may this attempt go out now?
//!
//! It owns no clock, spawns nothing and performs no I/O. The caller passes `now` in and reports each outcome back, so
//! every transition can be tested without waiting.
//!
//! ## States
//!
//! - `Closed`: attempts go out; consecutive failures are counted.
//! - `Open`: attempts are rejected until the pause ends.
//! - `HalfOpen`: the pause has ended; one probe may be out, its outcome decides.
//!
//! ## Invariants
//!
//! - In `HalfOpen`, at most one attempt is in flight. One that never reports back frees its place after
//!   [`PROBE_PATIENCE_MS`], so a lost probe cannot close a candidate for ever.
//! - A pause is never longer than [`MAX_PAUSE_MS`]: recovery is seen within half a minute of traffic.

use serde::Serialize;

/// Milliseconds on the node's monotonic clock.
pub type Millis = u64;

/// Consecutive failures that open a breaker.
pub const FAILURES_TO_OPEN: u32 = 5;
/// First pause, doubled each time a probe fails.
pub const FIRST_PAUSE_MS: Millis = 2_000;
/// Longest pause, jitter included.
pub const MAX_PAUSE_MS: Millis = 20_000;
/// How long a probe may be out before another is allowed.
pub const PROBE_PATIENCE_MS: Millis = 600_000;

/// The states, as people see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Closed,
    Open { until: Millis },
    HalfOpen { probing: bool },
}

/// One candidate's breaker.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    consecutive_failures: u32,
    /// Times in a row that it opened without a success between.
    trips: u32,
    open_until: Option<Millis>,
    probe_since: Option<Millis>,
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

    /// Takes the one probe of a half-open breaker; `false` when it is taken or the breaker is not half open.
    pub fn take_probe(&mut self, now: Millis) -> bool {
        let free = self.state(now) == (State::HalfOpen { probing: false });
        if free {
            self.probe_since = Some(now);
        }
        free
    }

    /// Gives a probe back that was never sent.
    pub fn return_probe(&mut self) {
        self.probe_since = None;
    }

    /// The provider delivered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The provider answered in a way that says nothing about its health, such as a refusal.
    pub fn answered(&mut self) {
        self.probe_since = None;
    }

    /// A failure that counts. `jitter` is 0 to 1 and shortens the pause by up to a fifth.
    pub fn failed(&mut self, now: Millis, jitter: f64) {
        self.consecutive_failures = self.consecutive_failures.saturating_add(1);
        let was_probe = self.probe_since.take().is_some();
        if was_probe || (self.open_until.is_none() && self.consecutive_failures >= FAILURES_TO_OPEN) {
            let pause = FIRST_PAUSE_MS.saturating_mul(1 << self.trips.min(10)).min(MAX_PAUSE_MS);
            let shortened = pause as f64 * (1.0 - 0.2 * jitter.clamp(0.0, 1.0));
            self.trips = self.trips.saturating_add(1);
            self.open_until = Some(now.saturating_add(shortened as Millis));
        }
    }

    /// No attempts for `pause`, without a failure: the provider asked for it.
    pub fn pause(&mut self, now: Millis, pause: Millis) {
        self.probe_since = None;
        let until = now.saturating_add(pause);
        self.open_until = Some(self.open_until.map_or(until, |open| open.max(until)));
    }

    fn probing(&self, now: Millis) -> bool {
        self.probe_since.is_some_and(|since| now.saturating_sub(since) < PROBE_PATIENCE_MS)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn opened(now: Millis) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES_TO_OPEN {
            breaker.failed(now, 0.0);
        }
        breaker
    }

    #[test]
    fn opens_after_consecutive_failures_only() {
        let mut breaker = Breaker::default();
        for _ in 1..FAILURES_TO_OPEN {
            breaker.failed(0, 0.0);
        }
        breaker.succeeded();
        breaker.failed(0, 0.0);
        assert_eq!(breaker.state(0), State::Closed);
        assert_eq!(opened(0).state(0), State::Open { until: FIRST_PAUSE_MS });
    }

    #[test]
    fn lets_one_probe_out_and_its_outcome_decides() {
        let mut breaker = opened(0);
        assert!(!breaker.take_probe(FIRST_PAUSE_MS - 1));
        assert!(breaker.take_probe(FIRST_PAUSE_MS));
        assert!(!breaker.take_probe(FIRST_PAUSE_MS));
        breaker.failed(FIRST_PAUSE_MS, 0.0);
        assert_eq!(breaker.state(FIRST_PAUSE_MS), State::Open { until: 3 * FIRST_PAUSE_MS });
        assert!(breaker.take_probe(3 * FIRST_PAUSE_MS));
        breaker.succeeded();
        assert_eq!(breaker.state(3 * FIRST_PAUSE_MS), State::Closed);
    }

    #[test]
    fn a_lost_probe_does_not_close_it_for_ever() {
        let mut breaker = opened(0);
        assert!(breaker.take_probe(FIRST_PAUSE_MS));
        assert!(breaker.take_probe(FIRST_PAUSE_MS + PROBE_PATIENCE_MS));
    }

    #[derive(Clone, Debug)]
    enum Event {
        Fail(f64),
        Succeed,
        Answer,
        Probe,
        Wait(Millis),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0.0..=1.0).prop_map(Event::Fail),
            Just(Event::Succeed),
            Just(Event::Answer),
            Just(Event::Probe),
            (0..30_000u64).prop_map(Event::Wait),
        ]
    }

    proptest! {
        #[test]
        fn never_pauses_longer_than_promised(events in prop::collection::vec(event(), 0..200)) {
            let (mut breaker, mut now) = (Breaker::default(), 0);
            for event in events {
                match event {
                    Event::Fail(jitter) => breaker.failed(now, jitter),
                    Event::Succeed => breaker.succeeded(),
                    Event::Answer => breaker.answered(),
                    Event::Probe => { breaker.take_probe(now); }
                    Event::Wait(ms) => now += ms,
                }
                if let State::Open { until } = breaker.state(now) {
                    prop_assert!(until > now && until - now <= MAX_PAUSE_MS);
                }
            }
        }
    }
}
