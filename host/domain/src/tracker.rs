//! Recent performance of one candidate: three sliding windows of outcomes, with time passed in.
//!
//! Each window is a ring of slots, so forgetting costs nothing and memory is bounded however much traffic there is.
//! Latencies go into histograms of two significant digits: a percentile is off by at most a hundredth.
//!
//! Unknown is not failure: without samples the success is 1, with an interval that spans everything. Latency falls back
//! from five minutes to the hour, and where both know too little the caller has the catalogue's.

use serde::Serialize;

use crate::{breaker::Millis, catalogue::Latency, failure::FailureKind};

mod window;

use window::Window;
pub use window::{SavedSlot, Summary};

/// Deliveries needed before measured latency replaces the catalogue's.
const ENOUGH: u32 = 5;
/// Deliveries needed before a 95th percentile says what is slow.
const ENOUGH_FOR_TAIL: u32 = 20;

/// How far back a window reaches. It covers between its span less one slot and its whole span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Span {
    #[serde(rename = "1m")]
    Minute,
    #[serde(rename = "5m")]
    FiveMinutes,
    #[serde(rename = "1h")]
    Hour,
}

impl Span {
    pub const ALL: [Self; 3] = [Self::Minute, Self::FiveMinutes, Self::Hour];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::Hour => "1h",
        }
    }

    /// Length of a slot in milliseconds, and how many there are.
    fn slots(self) -> (Millis, usize) {
        match self {
            Self::Minute => (10_000, 6),
            Self::FiveMinutes => (60_000, 5),
            Self::Hour => (300_000, 12),
        }
    }
}

/// How an attempt ended, as far as performance is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Delivered { latency_ms: u32 },
    Failed(FailureKind),
}

/// What a decision is told: of five minutes, and of the hour where those know too little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recent {
    /// Deliveries and failures that count.
    pub samples: u32,
    /// Share of `samples` that delivered; 1 when there are none.
    pub success: f32,
    /// Measured, once there are enough deliveries.
    pub latency: Option<Latency>,
}

/// The windows of one candidate.
#[derive(Clone, Debug)]
pub struct Tracker {
    windows: [Window; 3],
    /// Worked out when first asked after a change, because decisions come more often than outcomes, and again when the
    /// oldest slot is forgotten.
    recent: Option<(u64, Recent)>,
}

impl Default for Tracker {
    fn default() -> Self {
        Self { windows: Span::ALL.map(|span| Window::new(span.slots())), recent: None }
    }
}

impl Tracker {
    pub fn note(&mut self, now: Millis, event: Event) {
        for window in &mut self.windows {
            window.note(now, event);
        }
        self.recent = None;
    }

    /// What a decision is told.
    pub fn recent(&mut self, now: Millis) -> Recent {
        let (slot_ms, _) = Span::FiveMinutes.slots();
        let tick = now / slot_ms;
        match self.recent {
            Some((known, recent)) if known == tick => recent,
            _ => {
                let recent = self.work_out(now);
                self.recent = Some((tick, recent));
                recent
            }
        }
    }

    /// Everything that one window knows.
    #[must_use]
    pub fn summary(&self, span: Span, now: Millis) -> Summary {
        self.windows[span as usize].summary(now)
    }

    /// The 95th percentile of the hour, once there are enough deliveries to speak of one.
    #[must_use]
    pub fn usual_p95_ms(&self, now: Millis) -> Option<u32> {
        let hour = &self.windows[Span::Hour as usize];
        (hour.delivered(now) >= ENOUGH_FOR_TAIL).then(|| hour.summary(now).p95_ms).flatten()
    }

    /// What a later run can begin with.
    #[must_use]
    pub fn save(&self, now: Millis) -> [Vec<SavedSlot>; 3] {
        self.windows.each_ref().map(|window| window.save(now))
    }

    /// Begins with what an earlier run saved `age` milliseconds ago. What is too old by now is left out.
    #[must_use]
    pub fn restore(saved: &[Vec<SavedSlot>; 3], now: Millis, age: Millis) -> Self {
        let mut tracker = Self::default();
        for (window, slots) in tracker.windows.iter_mut().zip(saved) {
            window.restore(slots, now, age);
        }
        tracker
    }

    fn work_out(&self, now: Millis) -> Recent {
        let few = self.summary(Span::FiveMinutes, now);
        let latency = latency(&few).or_else(|| latency(&self.summary(Span::Hour, now)));
        Recent { samples: few.samples, success: few.success, latency }
    }
}

fn latency(summary: &Summary) -> Option<Latency> {
    let (p50_ms, p95_ms) = summary.p50_ms.zip(summary.p95_ms)?;
    (summary.delivered >= ENOUGH).then_some(Latency { p50_ms, p95_ms })
}

#[cfg(test)]
mod tests;
