//! When requests arrive.

use std::time::Duration;

use dispatch::SplitMix;

/// How often requests arrive, from which moment on.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrivals {
    /// At random, independent of each other; else evenly spaced.
    pub poisson: bool,
    /// From this second on so many a second, ascending and from 0 on. Rates are above 0.
    pub steps: Vec<(f64, f64)>,
}

impl Arrivals {
    /// How many are expected before `end`.
    #[must_use]
    pub fn expected(&self, end: Duration) -> f64 {
        let end = end.as_secs_f64();
        let until = |index: usize| self.steps.get(index + 1).map_or(end, |(at, _)| at.min(end));
        self.steps.iter().enumerate().map(|(index, (at, rate))| (until(index) - at).max(0.0) * rate).sum()
    }

    /// The moments, without an end. Equal seeds, equal moments.
    pub(super) fn times(&self, seed: u64) -> impl Iterator<Item = Duration> {
        let mut random = SplitMix::of(seed, "arrivals");
        let (mut now, mut step) = (0.0_f64, 0);
        std::iter::from_fn(move || {
            // Each arrival uses up a part of the area under the rate.
            let mut part = if self.poisson { -(1.0 - random.unit()).ln() } else { 1.0 };
            loop {
                let (_, rate) = self.steps[step];
                let until = self.steps.get(step + 1).map_or(f64::INFINITY, |(at, _)| *at);
                let left = (until - now) * rate;
                if part <= left {
                    now += part / rate;
                    return Duration::try_from_secs_f64(now).ok();
                }
                part -= left;
                now = until;
                step += 1;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(arrivals: &Arrivals, end: u64) -> usize {
        arrivals.times(1).take_while(|at| *at < Duration::from_secs(end)).count()
    }

    #[test]
    fn even_arrivals_keep_their_distance_over_steps() {
        let arrivals = Arrivals { poisson: false, steps: vec![(0.0, 2.0), (10.0, 1.0)] };
        let times: Vec<f64> = arrivals.times(1).take(22).map(|at| at.as_secs_f64()).collect();
        assert_eq!((times[0], times[19], times[20], times[21]), (0.5, 10.0, 11.0, 12.0));
        assert_eq!(arrivals.expected(Duration::from_secs(20)), 30.0);
        assert_eq!(arrivals.expected(Duration::from_secs(5)), 10.0);
    }

    #[test]
    fn random_arrivals_come_as_often_as_expected() {
        let arrivals = Arrivals { poisson: true, steps: vec![(0.0, 1.0), (1_000.0, 9.0)] };
        let (slow, all) = (before(&arrivals, 1_000), before(&arrivals, 2_000));
        assert!((900..1_100).contains(&slow), "{slow}");
        assert!((8_700..9_300).contains(&(all - slow)), "{all}");
    }

    #[test]
    fn a_seed_gives_the_same_moments() {
        let arrivals = Arrivals { poisson: true, steps: vec![(0.0, 1.0)] };
        let first = |seed| arrivals.times(seed).take(5).collect::<Vec<_>>();
        assert_eq!(first(7), first(7));
        assert_ne!(first(7), first(8));
    }
}
