//! How sure a ratio of two means over the same prompts is: the paired bootstrap.
//!
//! Prompts are drawn again with replacement, both means are taken over what was drawn, and the middle 95 % of their ratios
//! are the interval. Prompts of equal text are drawn together. The lots are always the same ones.

use dispatch::SplitMix;

const SEED: u64 = 1;
/// Draws of one prompt, and how often all are drawn, at least and at most.
const MOST_DRAWS: usize = 40_000_000;
const FEWEST: usize = 400;
const MOST: usize = 2_000;

/// The interval of each of `series` over `base`: sums, one a group of prompts. `None` without anything to draw from.
pub(super) fn intervals(series: &[Vec<f64>], base: &[f64]) -> Option<Vec<[f64; 2]>> {
    let groups = base.len();
    if groups < 2 {
        return None;
    }
    let rounds = (MOST_DRAWS / groups).clamp(FEWEST, MOST);
    let mut random = SplitMix::of(SEED, "bootstrap");
    let mut ratios = vec![Vec::with_capacity(rounds); series.len()];
    let mut drawn = vec![0u32; groups];
    for _ in 0..rounds {
        drawn.fill(0);
        for _ in 0..groups {
            drawn[(random.bits() % groups as u64) as usize] += 1;
        }
        let below = sum(base, &drawn);
        for (series, ratios) in series.iter().zip(&mut ratios) {
            ratios.push(sum(series, &drawn) / below);
        }
    }
    let interval = |mut ratios: Vec<f64>| {
        ratios.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| ratios[((rounds - 1) as f64 * share).round() as usize];
        [at(0.025), at(0.975)]
    };
    Some(ratios.into_iter().map(interval).collect())
}

fn sum(of: &[f64], drawn: &[u32]) -> f64 {
    of.iter().zip(drawn).map(|(value, times)| value * f64::from(*times)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_always_a_tenth_less_is_surely_so() {
        let base: Vec<f64> = (0..100).map(|at| 1.0 + f64::from(at % 5)).collect();
        let less = base.iter().map(|value| value * 0.9).collect();
        let found = intervals(&[less, base.clone()], &base).expect("enough to draw from");
        assert!((found[0][0] - 0.9).abs() < 1e-9 && (found[0][1] - 0.9).abs() < 1e-9, "{found:?}");
        assert_eq!(found[1], [1.0, 1.0]);
    }

    #[test]
    fn noise_widens_and_more_prompts_narrow() {
        let width = |count: u32| {
            let base = vec![3.0; count as usize];
            let noisy = (0..count).map(|at| 2.0 + f64::from(at * 7 % 11) / 5.0).collect();
            let found = intervals(&[noisy], &base).expect("enough to draw from");
            found[0][1] - found[0][0]
        };
        assert!(width(50) > 1.5 * width(500), "{} {}", width(50), width(500));
        assert_eq!(intervals(&[vec![1.0]], &[1.0]), None);
    }
}
