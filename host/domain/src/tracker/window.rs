//! One sliding window: a ring of slots.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::Event;
use crate::{
    breaker::Millis,
    failure::{BreakerEffect, FailureKind},
};

/// Latencies are told apart from this many milliseconds up.
const FINEST_MS: u64 = 8;
/// Longest latency that is told from longer ones, in milliseconds.
const LONGEST_MS: u64 = 3_600_000;
/// Of a normal distribution: 95 in 100 lie within so many deviations.
const Z: f64 = 1.96;

const KINDS: usize = FailureKind::ALL.len();

#[derive(Clone, Debug)]
pub(super) struct Window {
    slot_ms: Millis,
    slots: Vec<Slot>,
}

/// What ended within one slot.
#[derive(Clone, Debug, Default)]
struct Slot {
    /// Which slot of all time it is.
    tick: u64,
    delivered: u32,
    failed: [u32; KINDS],
    /// Made with the first delivery: most candidates have none.
    latencies: Option<Box<Histogram<u16>>>,
}

/// What a window knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Deliveries and failures that count.
    pub samples: u32,
    pub delivered: u32,
    /// Share of `samples` that delivered; 1 when there are none.
    pub success: f32,
    /// Where the true share lies in 19 of 20 cases (Wilson's interval): 0 to 1 without samples.
    pub success_low: f32,
    pub success_high: f32,
    pub p50_ms: Option<u32>,
    pub p95_ms: Option<u32>,
    pub p99_ms: Option<u32>,
    /// Everything that went wrong, also what says nothing about the candidate, such as refusals.
    pub failures: Vec<(FailureKind, u32)>,
}

/// One slot as a later run reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedSlot {
    /// Slots ago.
    ago: u64,
    delivered: u32,
    failed: Vec<(FailureKind, u32)>,
    /// Milliseconds, and how many deliveries took as long.
    latencies: Vec<(u32, u16)>,
}

impl Window {
    pub(super) fn new((slot_ms, slots): (Millis, usize)) -> Self {
        Self { slot_ms, slots: vec![Slot::default(); slots] }
    }

    pub(super) fn note(&mut self, now: Millis, event: Event) {
        let tick = now / self.slot_ms;
        let slot = self.slot(tick);
        match event {
            Event::Delivered { latency_ms } => slot.deliver(latency_ms, 1),
            Event::Failed(kind) => {
                let count = &mut slot.failed[kind as usize];
                *count = count.saturating_add(1);
            }
        }
    }

    pub(super) fn delivered(&self, now: Millis) -> u32 {
        self.live(now).map(|slot| slot.delivered).fold(0, u32::saturating_add)
    }

    pub(super) fn summary(&self, now: Millis) -> Summary {
        let (mut delivered, mut failed) = (0u32, [0u32; KINDS]);
        let mut latencies: Option<Histogram<u16>> = None;
        for slot in self.live(now) {
            delivered = delivered.saturating_add(slot.delivered);
            for (sum, count) in failed.iter_mut().zip(slot.failed) {
                *sum = sum.saturating_add(count);
            }
            match (&mut latencies, &slot.latencies) {
                (Some(all), Some(more)) => {
                    // Neither can fail: both have the same bounds.
                    let _ = all.add(&**more);
                }
                (all @ None, Some(first)) => *all = Some((**first).clone()),
                (_, None) => {}
            }
        }
        let failures: Vec<(FailureKind, u32)> =
            FailureKind::ALL.into_iter().zip(failed).filter(|(_, count)| *count > 0).collect();
        let counting = failures.iter().filter(|(kind, _)| kind.breaker() == BreakerEffect::Counts);
        let samples = counting.fold(delivered, |sum, (_, count)| sum.saturating_add(*count));
        let at = |quantile| latencies.as_ref().map(|all| all.value_at_quantile(quantile) as u32);
        let (success_low, success_high) = wilson(delivered, samples);
        Summary {
            samples,
            delivered,
            success: if samples == 0 { 1.0 } else { delivered as f32 / samples as f32 },
            success_low,
            success_high,
            p50_ms: at(0.5),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            failures,
        }
    }

    pub(super) fn save(&self, now: Millis) -> Vec<SavedSlot> {
        let tick = now / self.slot_ms;
        let saved = self.live(now).filter(|slot| !slot.is_empty()).map(|slot| SavedSlot {
            ago: tick - slot.tick,
            delivered: slot.delivered,
            failed: FailureKind::ALL.into_iter().zip(slot.failed).filter(|(_, count)| *count > 0).collect(),
            latencies: slot.latencies.iter().flat_map(|all| all.iter_recorded()).map(recorded).collect(),
        });
        saved.collect()
    }

    pub(super) fn restore(&mut self, saved: &[SavedSlot], now: Millis, age: Millis) {
        let tick = now / self.slot_ms;
        for old in saved {
            let ago = old.ago.saturating_add(age / self.slot_ms);
            let Some(then) = tick.checked_sub(ago).filter(|_| ago < self.slots.len() as u64) else { continue };
            let slot = self.slot(then);
            for (latency_ms, count) in &old.latencies {
                slot.deliver(*latency_ms, *count);
            }
            // The histogram may have been full.
            slot.delivered = slot.delivered.max(old.delivered);
            for (kind, count) in &old.failed {
                slot.failed[*kind as usize] = *count;
            }
        }
    }

    /// The slot of `tick`, emptied if it held an older one.
    fn slot(&mut self, tick: u64) -> &mut Slot {
        let index = (tick % self.slots.len() as u64) as usize;
        let slot = &mut self.slots[index];
        if slot.tick != tick {
            *slot = Slot { tick, ..Slot::default() };
        }
        slot
    }

    /// The slots that still count.
    fn live(&self, now: Millis) -> impl Iterator<Item = &Slot> {
        let newest = now / self.slot_ms;
        let length = self.slots.len() as u64;
        self.slots.iter().filter(move |slot| slot.tick <= newest && newest - slot.tick < length)
    }
}

impl Slot {
    fn deliver(&mut self, latency_ms: u32, count: u16) {
        self.delivered = self.delivered.saturating_add(u32::from(count));
        let latencies = self.latencies.get_or_insert_with(|| Box::new(histogram()));
        // It grows to hold every value up to the longest, so it takes them all.
        let _ = latencies.record_n(u64::from(latency_ms).clamp(1, LONGEST_MS), count);
    }

    fn is_empty(&self) -> bool {
        self.delivered == 0 && self.failed == [0; KINDS]
    }
}

/// Starts small and grows with what it is given: 30 s need 2 KiB.
fn histogram() -> Histogram<u16> {
    let mut histogram = Histogram::new_with_bounds(FINEST_MS, 2 * 256 * FINEST_MS, 2).expect("sound bounds");
    histogram.auto(true);
    histogram
}

fn recorded(value: hdrhistogram::iterators::IterationValue<u16>) -> (u32, u16) {
    (u32::try_from(value.value_iterated_to()).unwrap_or(u32::MAX), value.count_at_value())
}

/// Where the true share of `successes` lies in 19 of 20 cases.
fn wilson(successes: u32, samples: u32) -> (f32, f32) {
    if samples == 0 {
        return (0.0, 1.0);
    }
    let n = f64::from(samples);
    let share = f64::from(successes) / n;
    let centre = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let bound = |value: f64| (value / (1.0 + Z * Z / n)).clamp(0.0, 1.0) as f32;
    (bound(centre - spread), bound(centre + spread))
}
