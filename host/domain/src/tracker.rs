//! Recent performance of one candidate: a bounded window of outcomes, with time passed in.
//!
//! Percentiles are worked out when an outcome arrives, not when a decision asks: decisions come more often.

use std::collections::VecDeque;

use crate::{breaker::Millis, catalogue::Latency};

/// Outcomes kept.
const CAPACITY: usize = 128;
/// How long an outcome counts.
const SPAN_MS: Millis = 300_000;
/// Deliveries needed before measured latency replaces the catalogue's.
const ENOUGH: usize = 5;

/// The window of one candidate.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    outcomes: VecDeque<Outcome>,
    delivered: u32,
    latency: Option<Latency>,
}

#[derive(Clone, Copy, Debug)]
struct Outcome {
    at: Millis,
    /// `None` when nothing was delivered.
    latency_ms: Option<u32>,
}

impl Tracker {
    /// Notes how an attempt ended: with its latency when it delivered.
    pub fn note(&mut self, now: Millis, latency_ms: Option<u32>) {
        while self.outcomes.len() >= CAPACITY || self.outcomes.front().is_some_and(|oldest| stale(oldest, now)) {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back(Outcome { at: now, latency_ms });
        let mut latencies: Vec<u32> = self.outcomes.iter().filter_map(|outcome| outcome.latency_ms).collect();
        latencies.sort_unstable();
        self.delivered = latencies.len() as u32;
        self.latency = (latencies.len() >= ENOUGH)
            .then(|| Latency { p50_ms: percentile(&latencies, 50), p95_ms: percentile(&latencies, 95) });
    }

    /// Outcomes in the window.
    #[must_use]
    pub fn samples(&self, now: Millis) -> u32 {
        if self.fresh(now) { self.outcomes.len() as u32 } else { 0 }
    }

    /// Share that delivered; 1 without samples, because unknown is not failure.
    #[must_use]
    pub fn success(&self, now: Millis) -> f32 {
        match self.samples(now) {
            0 => 1.0,
            samples => self.delivered as f32 / samples as f32,
        }
    }

    /// Measured latency, once there are enough deliveries.
    #[must_use]
    pub fn latency(&self, now: Millis) -> Option<Latency> {
        self.latency.filter(|_| self.fresh(now))
    }

    fn fresh(&self, now: Millis) -> bool {
        self.outcomes.back().is_some_and(|newest| !stale(newest, now))
    }
}

fn stale(outcome: &Outcome, now: Millis) -> bool {
    now.saturating_sub(outcome.at) > SPAN_MS
}

/// The nearest-rank percentile of a sorted, non-empty slice.
fn percentile(sorted: &[u32], percent: usize) -> u32 {
    sorted[(sorted.len() * percent).div_ceil(100).saturating_sub(1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_failure() {
        let tracker = Tracker::default();
        assert_eq!((tracker.samples(0), tracker.success(0), tracker.latency(0)), (0, 1.0, None));
    }

    #[test]
    fn percentiles_need_enough_deliveries() {
        let mut tracker = Tracker::default();
        for latency in [10, 20, 30, 40] {
            tracker.note(0, Some(latency));
        }
        assert_eq!(tracker.latency(0), None);
        tracker.note(0, Some(50));
        tracker.note(0, None);
        assert_eq!(tracker.latency(0), Some(Latency { p50_ms: 30, p95_ms: 50 }));
        assert_eq!(tracker.success(0), 5.0 / 6.0);
    }

    #[test]
    fn old_outcomes_are_forgotten() {
        let mut tracker = Tracker::default();
        tracker.note(0, None);
        assert_eq!(tracker.samples(SPAN_MS + 1), 0);
        tracker.note(SPAN_MS + 1, Some(1));
        assert_eq!(tracker.success(SPAN_MS + 1), 1.0);
    }
}
