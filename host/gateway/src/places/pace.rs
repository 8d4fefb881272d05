//! How fast places come free, so that who is sent away is told honestly when to come back.
//!
//! Only the time in which all places are taken counts: a quiet night says nothing about a queue.

use std::time::Duration;

use tokio::time::Instant;

/// Intervals that the mean remembers.
const MEMORY: u32 = 32;
/// Least and longest time to come back after.
const BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the last place was taken, while all are.
    full_since: Option<Instant>,
    /// Mean time between two places that come free.
    each: Duration,
    /// Intervals seen, up to [`MEMORY`].
    seen: u32,
}

impl Pace {
    /// The last place was taken.
    pub(super) fn full(&mut self, now: Instant) {
        self.full_since.get_or_insert(now);
    }

    /// A place came free.
    pub(super) fn freed(&mut self, now: Instant) {
        let Some(since) = self.full_since.take() else { return };
        let interval = now.saturating_duration_since(since);
        self.seen = (self.seen + 1).min(MEMORY);
        // A running mean; every interval is at most some days, so nothing overflows.
        self.each = (self.each * (self.seen - 1) + interval) / self.seen;
    }

    /// How long it takes until `turns` places have come free: at least a second, at most five minutes.
    pub(super) fn expect(&self, turns: usize, now: Instant) -> Duration {
        let turns = u32::try_from(turns).unwrap_or(u32::MAX);
        let usual = self.each.saturating_mul(turns);
        // When nothing has come free for longer than usual, it will not be quicker now.
        let stuck = self.full_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        usual.max(stuck).clamp(BOUNDS.0, BOUNDS.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_wait_is_as_many_intervals_as_there_are_turns() {
        let start = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.expect(9, start), seconds(1), "nothing is known");
        for at in 0..100 {
            pace.full(start + seconds(2 * at));
            pace.freed(start + seconds(2 * at + 2));
        }
        assert_eq!(pace.expect(1, start), seconds(2));
        assert_eq!(pace.expect(9, start), seconds(18));
        assert_eq!(pace.expect(usize::MAX, start), seconds(300));
    }

    #[test]
    fn idle_time_does_not_count_and_a_stall_does() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.full(start);
        pace.freed(start + seconds(1));
        pace.freed(start + seconds(1_000));
        assert_eq!(pace.expect(3, start + seconds(1_000)), seconds(3));
        pace.full(start + seconds(2_000));
        pace.full(start + seconds(2_010));
        assert_eq!(pace.expect(3, start + seconds(2_020)), seconds(20));
    }
}
