//! What is said of what was delivered: who is asked, and what they say.

use std::time::Duration;

use dispatch::SplitMix;

/// How callers rate. The same for every strategy: who rates depends on the request alone, and what they say on the request
/// and on who served it.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    /// Share of deliveries that are rated, 0 to 1.
    pub share: f64,
    /// Standard deviation of a rating around the truth, before it is kept within 0 and 1.
    pub noise: f64,
    /// From delivery until it is said.
    pub delay: Duration,
    /// Whether the gateway's own learner listens, too: then every strategy is told other qualities than the priors.
    pub quality: bool,
}

impl Feedback {
    /// The rating of request number `n`, if its caller gives one. `quality` is the true one of `served`.
    pub(super) fn rating(&self, seed: u64, n: u64, served: &str, quality: f64) -> Option<f32> {
        let seed = seed.rotate_left(32) ^ n;
        if SplitMix::of(seed, "whether it is rated").unit() >= self.share {
            return None;
        }
        let off = SplitMix::of(seed ^ 0x7261_7465, served).normal() * self.noise;
        Some((quality + off).clamp(0.0, 1.0) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_are_about_the_truth_and_the_same_for_whoever_asks() {
        let feedback = Feedback { share: 0.25, noise: 0.1, delay: Duration::ZERO, quality: false };
        let said = |n| feedback.rating(7, n, "p/a", 0.6);
        let all: Vec<f32> = (0..8_000).filter_map(said).collect();
        assert!((1_850..2_150).contains(&all.len()), "{}", all.len());
        let mean = all.iter().sum::<f32>() / all.len() as f32;
        let variance = all.iter().map(|rating| (rating - mean).powi(2)).sum::<f32>() / all.len() as f32;
        assert!((mean - 0.6).abs() < 0.01 && (variance.sqrt() - 0.1).abs() < 0.01, "{mean} {variance}");
        // Whoever serves is rated by the same callers, each with another word.
        let other = |n| feedback.rating(7, n, "p/b", 0.6);
        assert!(
            (0..500).all(|n| said(n).is_some() == other(n).is_some() && (said(n).is_none() || said(n) != other(n)))
        );
        assert!((0..500).filter_map(|n| feedback.rating(7, n, "p/a", 1.0)).all(|rating| rating <= 1.0));
    }
}
