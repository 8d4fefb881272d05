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
/// Standard deviations from the middle: in three cases of four it is better than so many below, in one better than so many
/// above.
const MARGIN: f32 = 0.67;
/// Attempts imagined before the first one, and how they went: a few failures are not yet a tendency, and a few successes
/// are no proof.
const PRIOR_ATTEMPTS: f64 = 10.0;
const PRIOR_SUCCESS: f64 = 0.98;
/// The share of failures at which reliability counts as 0: nobody wants to go lower.
const HOPELESS: f32 = 0.25;
/// Largest operator's weight.
const MOST_WEIGHT: f32 = 10.0;

/// Parts of one candidate's score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    pub quality: f32,
    pub cost: f32,
    pub latency: f32,
    pub reliability: f32,
}

impl Parts {
    /// What one may count on. `count` is that of the request's outputs.
    #[must_use]
    pub fn of(candidate: &Candidate, count: u32) -> Self {
        Self::with(candidate, count, -MARGIN)
    }

    /// What one may hope for.
    #[must_use]
    pub fn hoped_for(candidate: &Candidate, count: u32) -> Self {
        Self::with(candidate, count, MARGIN)
    }

    fn with(candidate: &Candidate, count: u32, margin: f32) -> Self {
        let cost = candidate.cost.map_or(UNKNOWN_COST, |cost| cost.expected as f32 / count.max(1) as f32);
        let latency = candidate.latency.map_or(UNKNOWN_LATENCY, |latency| {
            // Mostly the usual wait, a little the long one.
            (3 * u64::from(latency.p50_ms) + u64::from(latency.p95_ms)) as f32 / 4.0
        });
        let quality = candidate.quality.unwrap_or(UNKNOWN_QUALITY).lower_bound(-margin);
        let full = candidate.max_in_flight > 0 && candidate.in_flight >= candidate.max_in_flight;
        let failing = 1.0 - success(candidate, f64::from(margin));
        Self {
            quality: if quality.is_nan() { 0.0 } else { quality },
            cost: on_scale(cost, CHEAP, DEAR),
            latency: on_scale(latency, QUICK, SLOW),
            reliability: if full { 0.0 } else { (1.0 - failing / HOPELESS).clamp(0.0, 1.0) },
        }
    }

    /// Times what each counts, and the operator's weight.
    #[must_use]
    pub fn weighted(self, weights: &Weights, operator: f32) -> Self {
        let operator = if operator.is_nan() { 1.0 } else { operator.clamp(0.0, MOST_WEIGHT) };
        Self {
            quality: self.quality * weights.quality * operator,
            cost: self.cost * weights.cost * operator,
            latency: self.latency * weights.latency * operator,
            reliability: self.reliability * weights.reliability * operator,
        }
    }

    #[must_use]
    pub fn sum(self) -> f32 {
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

/// A bound of the share of attempts that deliver: Wilson's, from what was measured and the attempts imagined before. Equal
/// data give equal bounds, a higher share never a lower one.
fn success(candidate: &Candidate, margin: f64) -> f32 {
    const STEPS: f64 = 1_000_000.0;
    let samples = f64::from(candidate.samples);
    let measured = f64::from(candidate.success);
    // In steps that are coarse beside what rounding does below: a bound must not fall where the share rises.
    let measured = if (0.0..=1.0).contains(&measured) { (measured * STEPS).floor() / STEPS } else { PRIOR_SUCCESS };
    let attempts = samples + PRIOR_ATTEMPTS;
    let share = (measured * samples + PRIOR_SUCCESS * PRIOR_ATTEMPTS) / attempts;
    let square = margin * margin;
    let middle = share + square / (2.0 * attempts);
    let spread = (share * (1.0 - share) / attempts + square / (4.0 * attempts * attempts)).sqrt();
    (((middle + margin * spread) / (1.0 + square / attempts)) as f32).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(share: f32, samples: u32) -> f32 {
        success(&Candidate::new("p/m").delivering(share, samples), f64::from(-MARGIN))
    }

    #[test]
    fn few_samples_mean_a_wide_margin() {
        let hope = |samples| success(&Candidate::new("p/m").delivering(1.0, samples), f64::from(MARGIN));
        assert!(bound(1.0, 0) < bound(1.0, 5) && bound(1.0, 5) < bound(1.0, 500), "more success, more to count on");
        assert!(bound(0.9, 10) < bound(0.9, 1_000) && bound(0.9, 1_000) < 0.9);
        assert!((0.92..0.93).contains(&bound(1.0, 0)) && hope(0) > 0.99, "{} {}", bound(1.0, 0), hope(0));
        assert!(bound(0.0, 1) > 0.75, "one failure is not yet a tendency");
    }

    #[test]
    fn a_higher_share_never_lowers_the_bound() {
        for samples in [0, 1, 2, 7, 100, 40_000, u32::MAX] {
            let mut last = 0.0;
            for step in 0..=20_000_u32 {
                let bound = bound(step as f32 / 20_000.0, samples);
                assert!(bound >= last, "{samples} {step}: {last} then {bound}");
                last = bound;
            }
        }
    }
}
