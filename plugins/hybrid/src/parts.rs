//! The four parts of a score, each from 0 (bad) to 1 (good) on a fixed scale.

use muxel_sdk::{Candidate, Quality};

use crate::weights::Weights;

/// Per output, in micro-dollars: where a price counts as 1 and as 0. Ten doublings apart.
const CHEAP: f32 = 1_000.0;
const DEAR: f32 = 1_024_000.0;
/// What an unknown price counts as: that of a dear model.
const UNKNOWN_COST: f32 = 250_000.0;
/// In milliseconds. Ten doublings apart.
const QUICK: f32 = 125.0;
const SLOW: f32 = 128_000.0;
/// What an unknown latency counts as: that of a slow model.
const UNKNOWN_LATENCY: f32 = 60_000.0;
/// What an unknown quality counts as.
const UNKNOWN_QUALITY: Quality = Quality { mean: 0.5, deviation: 0.3 };
/// Standard deviations below the mean that one may count on: three in four times it is better than that.
const CAUTION: f32 = 0.67;
/// Attempts imagined before the first one, and how they went: a few failures are not yet a tendency.
const PRIOR_ATTEMPTS: f32 = 10.0;
const PRIOR_SUCCESS: f32 = 0.98;
/// The share of failures at which reliability counts as 0: nobody wants to go lower.
const HOPELESS: f32 = 0.25;
/// Largest operator's weight.
const MOST_WEIGHT: f32 = 10.0;

/// Parts of one candidate's score.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) quality: f32,
    pub(crate) cost: f32,
    pub(crate) latency: f32,
    pub(crate) reliability: f32,
}

impl Parts {
    pub(crate) fn of(candidate: &Candidate, count: u32) -> Self {
        let cost = candidate.cost.map_or(UNKNOWN_COST, |cost| cost.expected as f32 / count.max(1) as f32);
        let latency = candidate.latency.map_or(UNKNOWN_LATENCY, |latency| {
            // Mostly the usual wait, a little the long one.
            (3 * u64::from(latency.p50_ms) + u64::from(latency.p95_ms)) as f32 / 4.0
        });
        let quality = candidate.quality.unwrap_or(UNKNOWN_QUALITY).lower_bound(CAUTION);
        Self {
            quality: if quality.is_nan() { 0.0 } else { quality },
            cost: on_scale(cost, CHEAP, DEAR),
            latency: on_scale(latency, QUICK, SLOW),
            reliability: reliability(candidate),
        }
    }

    /// Times what each counts, and the operator's weight.
    pub(crate) fn weighted(self, weights: &Weights, operator: f32) -> Self {
        let operator = if operator.is_nan() { 1.0 } else { operator.clamp(0.0, MOST_WEIGHT) };
        Self {
            quality: self.quality * weights.quality * operator,
            cost: self.cost * weights.cost * operator,
            latency: self.latency * weights.latency * operator,
            reliability: self.reliability * weights.reliability * operator,
        }
    }

    pub(crate) fn sum(self) -> f32 {
        self.quality + self.cost + self.latency + self.reliability
    }
}

/// 1 at `best` or under, 0 at `worst` or over, even by ratio between.
fn on_scale(value: f32, best: f32, worst: f32) -> f32 {
    ((log2(worst) - log2(value.clamp(best, worst))) / (log2(worst) - log2(best))).clamp(0.0, 1.0)
}

/// A logarithm that is a straight line between two powers of two: never falling, the same on every machine, and free.
/// It is at most a tenth of a doubling off.
fn log2(value: f32) -> f32 {
    value.to_bits() as f32 / (1u32 << 23) as f32
}

fn reliability(candidate: &Candidate) -> f32 {
    let full = candidate.max_in_flight > 0 && candidate.in_flight >= candidate.max_in_flight;
    if full {
        return 0.0;
    }
    let samples = candidate.samples as f32;
    let success = if (0.0..=1.0).contains(&candidate.success) { candidate.success } else { PRIOR_SUCCESS };
    let expected = (success * samples + PRIOR_SUCCESS * PRIOR_ATTEMPTS) / (samples + PRIOR_ATTEMPTS);
    (1.0 - (1.0 - expected) / HOPELESS).clamp(0.0, 1.0)
}
