//! Splitting a route's requests between strategies.
//!
//! Which arm serves is a pure function of a key: the end user's session where a request names one, its seed otherwise. So
//! a user stays with an arm, also on another node and after a reload. Each arm draws a number from the key and its own
//! name, and the weights decide whose draw wins (weighted rendezvous): when one weight changes, requests move only to or
//! from that arm.

use std::sync::Arc;

use serde::Serialize;

/// Most arms of one split.
pub const MAX_ARMS: usize = 16;

/// One strategy of a split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arm {
    pub strategy: Arc<str>,
    /// Share of the requests, as part of all weights. 0 is never chosen.
    pub weight: f64,
}

/// Strategies that share a route's requests: 1 to [`MAX_ARMS`], no two alike, and at least one that can be chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Split(Vec<Arm>);

/// Why arms are no split.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    #[error("a split has no arms")]
    Empty,
    #[error("a split has {0} arms, at most {MAX_ARMS} are allowed")]
    Many(usize),
    #[error("the weight of `{0}` is not a number from 0 up")]
    Weight(Arc<str>),
    #[error("strategy `{0}` is named twice")]
    Twice(Arc<str>),
    #[error("every weight is 0")]
    Nobody,
}

impl Split {
    /// # Errors
    ///
    /// The first rule that `arms` break.
    pub fn new(arms: Vec<Arm>) -> Result<Self, SplitError> {
        if arms.is_empty() {
            return Err(SplitError::Empty);
        }
        if arms.len() > MAX_ARMS {
            return Err(SplitError::Many(arms.len()));
        }
        for (index, arm) in arms.iter().enumerate() {
            if !arm.weight.is_finite() || arm.weight < 0.0 {
                return Err(SplitError::Weight(Arc::clone(&arm.strategy)));
            }
            if arms[..index].iter().any(|other| other.strategy == arm.strategy) {
                return Err(SplitError::Twice(Arc::clone(&arm.strategy)));
            }
        }
        if arms.iter().all(|arm| arm.weight == 0.0) {
            return Err(SplitError::Nobody);
        }
        Ok(Self(arms))
    }

    /// As they were written.
    #[must_use]
    pub fn arms(&self) -> &[Arm] {
        &self.0
    }

    /// Part of all requests that `arm` is to get, 0 to 1.
    #[must_use]
    pub fn share(&self, arm: &Arm) -> f64 {
        // Halved before they are added: the largest weights do not add up to infinity.
        let halves = self.0.iter().map(|arm| arm.weight / (2.0 * MAX_ARMS as f64)).sum::<f64>();
        arm.weight / (2.0 * MAX_ARMS as f64) / halves
    }

    /// The arm that serves `key`.
    #[must_use]
    pub fn choose(&self, key: u64) -> &Arm {
        // The time until an arm's alarm rings, exponentially distributed with its weight: who rings first serves.
        let alarm = |arm: &Arm| -unit(key, &arm.strategy).ln() / arm.weight;
        let chosen = self.0.iter().filter(|arm| arm.weight > 0.0).min_by(|a, b| alarm(a).total_cmp(&alarm(b)));
        // There is one that can be chosen; this only spares a panic.
        chosen.unwrap_or(&self.0[0])
    }
}

/// A number between 0 and 1, without both, from a key and a name.
fn unit(key: u64, name: &str) -> f64 {
    // FNV-1a, then the finish of SplitMix64.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mix = |mut mixed: u64| {
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let bits = mix(mix(key.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ mix(hash));
    ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arm(strategy: &str, weight: f64) -> Arm {
        Arm { strategy: strategy.into(), weight }
    }

    fn split(weights: &[f64]) -> Split {
        let arms = weights.iter().enumerate().map(|(index, weight)| arm(&format!("strategy-{index}"), *weight));
        Split::new(arms.collect()).expect("a split")
    }

    #[test]
    fn what_cannot_be_a_split_is_refused() {
        assert_eq!(Split::new(Vec::new()), Err(SplitError::Empty));
        assert_eq!(Split::new(vec![arm("a", 0.0)]), Err(SplitError::Nobody));
        assert_eq!(Split::new(vec![arm("a", 1.0), arm("a", 2.0)]), Err(SplitError::Twice("a".into())));
        for weight in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Split::new(vec![arm("a", weight)]), Err(SplitError::Weight("a".into())));
        }
        let many = (0..17).map(|index| arm(&index.to_string(), 1.0)).collect();
        assert_eq!(Split::new(many), Err(SplitError::Many(17)));
    }

    #[test]
    fn the_largest_weights_still_have_shares() {
        let split = split(&[f64::MAX; 16]);
        assert_eq!(split.share(&split.arms()[3]), 1.0 / 16.0);
    }

    proptest! {
        #[test]
        fn shares_come_out_and_weight_0_is_never_chosen(
            weights in prop::collection::vec(prop_oneof![Just(0.0), 0.01..1e3], 1..6),
            first in any::<u64>(),
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0.0));
            let split = split(&weights);
            let mut served = vec![0_u32; weights.len()];
            for key in 0..4_000_u64 {
                // Neighbouring keys, which must not go together.
                let chosen = split.choose(first.wrapping_add(key));
                served[split.arms().iter().position(|arm| arm == chosen).expect("one of them")] += 1;
            }
            for (arm, served) in split.arms().iter().zip(served) {
                let share = f64::from(served) / 4_000.0;
                // Five standard deviations of a fair draw are 0.04.
                prop_assert!((share - split.share(arm)).abs() < 0.04, "{arm:?} got {share}");
                prop_assert!(arm.weight > 0.0 || served == 0);
            }
        }

        #[test]
        fn another_weight_moves_requests_to_or_from_its_arm_only(
            mut weights in prop::collection::vec(0.1..10.0, 2..6),
            weight in 0.0..10.0,
            keys in prop::collection::vec(any::<u64>(), 50),
        ) {
            let before = split(&weights);
            weights[0] = weight;
            let after = split(&weights);
            for key in keys {
                let (old, new) = (&before.choose(key).strategy, &after.choose(key).strategy);
                let is_first = |name: &str| name == "strategy-0";
                prop_assert!(old == new || is_first(old) || is_first(new), "{old} to {new}");
            }
        }
    }
}
