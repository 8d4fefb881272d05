//! What is asked for: the n-th request of a workload, the same for every strategy.

use std::sync::Arc;

use dispatch::SplitMix;
use domain::{
    quality::AskedQuality,
    request::{Caps, Priority, Request},
    size::Size,
};

/// Prompts, and how often what is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// At least one.
    pub prompts: Vec<Arc<str>>,
    /// Every prompt once, in their order, and then no more; else at random.
    pub once: bool,
    pub sizes: Weighted<Option<Size>>,
    pub counts: Weighted<u32>,
    pub priorities: Weighted<Priority>,
    pub qualities: Weighted<AskedQuality>,
}

/// Values with their weights: above 0 in all.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighted<T>(pub Vec<(T, f64)>);

impl<T: Copy> Weighted<T> {
    /// A value whose weight's share of all holds `unit`, 0 to 1.
    fn choose(&self, unit: f64) -> T {
        let all: f64 = self.0.iter().map(|(_, weight)| weight).sum();
        let mut left = unit * all;
        let mut chosen = self.0[0].0;
        for (value, weight) in self.0.iter().filter(|(_, weight)| *weight > 0.0) {
            chosen = *value;
            if left < *weight {
                break;
            }
            left -= weight;
        }
        chosen
    }
}

impl Mix {
    /// Requests there are, when they come to an end by themselves.
    pub(super) fn len(&self) -> Option<u64> {
        self.once.then_some(self.prompts.len() as u64)
    }

    /// The request number `n`, from 0, with its random bits.
    pub(super) fn request(&self, seed: u64, n: u64, caps: Caps) -> (Request, u64) {
        let mut random = SplitMix::of(seed.rotate_left(32) ^ n, "requests");
        let bits = random.bits();
        let prompts = self.prompts.len() as u64;
        let prompt = if self.once { n % prompts } else { random.bits() % prompts };
        let request = Request {
            prompt: Arc::clone(&self.prompts[prompt as usize]),
            size: self.sizes.choose(random.unit()),
            count: self.counts.choose(random.unit()),
            priority: self.priorities.choose(random.unit()),
            quality: self.qualities.choose(random.unit()),
            caps,
            ..Request::for_prompt("")
        };
        (request, bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix() -> Mix {
        Mix {
            prompts: vec!["a".into(), "b".into(), "c".into()],
            once: false,
            sizes: Weighted(vec![(None, 1.0)]),
            counts: Weighted(vec![(1, 3.0), (2, 0.0), (4, 1.0)]),
            priorities: Weighted(vec![(Priority::Normal, 1.0)]),
            qualities: Weighted(vec![(AskedQuality::Any, 1.0)]),
        }
    }

    #[test]
    fn weights_are_shares() {
        let four = (0..4_000).filter(|n| mix().request(1, *n, Caps::default()).0.count == 4).count();
        assert!((900..1_100).contains(&four), "{four} of 4000 ask for four");
        assert!((0..4_000).all(|n| mix().request(1, n, Caps::default()).0.count != 2));
    }

    #[test]
    fn a_number_gives_the_same_request_and_others_other_bits() {
        assert_eq!(mix().request(7, 3, Caps::default()), mix().request(7, 3, Caps::default()));
        assert_ne!(mix().request(7, 3, Caps::default()).1, mix().request(7, 4, Caps::default()).1);
    }

    #[test]
    fn every_prompt_comes_once_in_order() {
        let mix = Mix { once: true, ..mix() };
        let prompts: Vec<String> = (0..3).map(|n| mix.request(1, n, Caps::default()).0.prompt.to_string()).collect();
        assert_eq!(prompts, ["a", "b", "c"]);
        assert_eq!(mix.len(), Some(3));
    }
}
