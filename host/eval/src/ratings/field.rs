//! Which prompts are scored, and what every single model comes to on them.
//!
//! The best single model is the baseline, so only prompts that it drew are scored, and only those that somebody else drew,
//! too: where there is no choice there is nothing to compare. It is chosen with the very ratings that it is scored with,
//! which flatters it and not those who are compared with it. Models that did not draw the same prompts are compared as if
//! they had (`effects.rs`).

use std::cmp::Ordering;

use super::{effects, mixes::Corners, read::RatingsError, table::Ratings};

/// Only a model that drew at least this share of what the most drawn one did may be the best, the cheapest or part of a
/// mix. Of many models with a few prompts each, the luckiest one would be the best; half is a middle that nobody tuned.
const COVERAGE: f64 = 0.5;

/// What is scored, and against whom.
pub(super) struct Field {
    /// Prompts that are scored, rising.
    pub(super) prompts: Vec<u32>,
    /// By model.
    pub(super) singles: Vec<Single>,
    pub(super) best: usize,
    pub(super) cheapest: usize,
    /// Those that drew enough to be held against, the best among them.
    pub(super) enough: Vec<usize>,
    pub(super) corners: Corners,
}

/// One model for every prompt.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Single {
    /// Scored ones that it drew.
    pub(super) prompts: u64,
    /// Means over all scored prompts, as if it had drawn them all.
    pub(super) quality: f64,
    pub(super) cost: f64,
}

impl Field {
    /// # Errors
    ///
    /// When no prompt was drawn by two models.
    pub(super) fn of(ratings: &Ratings) -> Result<Self, RatingsError> {
        let is_shared = |prompt: &u32| ratings.marks_of(*prompt).nth(1).is_some();
        let shared: Vec<u32> = (0..ratings.prompts.len() as u32).filter(is_shared).collect();
        if shared.is_empty() {
            let file = ratings.path.display().to_string();
            let why = "no prompt was drawn by two models".to_owned();
            let hint = "to choose between models, the same prompts must be rated for several of them";
            return Err(RatingsError::Nothing { file, why, hint });
        }
        let quality = effects::of_models(ratings, &shared, |mark| mark.mean);
        let cost = effects::of_models(ratings, &shared, |mark| mark.price.0 as f64);
        let mut enough = enough(&drawn(ratings, &shared));
        let best = first(&enough, |a, b| quality[b].total_cmp(&quality[a]).then(cost[a].total_cmp(&cost[b])));
        let own =
            |prompt: &u32| ratings.marks_of(*prompt).map(|(_, mark)| mark).find(|mark| usize::from(mark.model) == best);
        let (prompts, own): (Vec<u32>, Vec<_>) =
            shared.iter().filter_map(|prompt| Some((*prompt, own(prompt)?))).unzip();
        // What the best model has is known: the others are told by how far they are from it.
        let mean = |sum: f64| sum / prompts.len() as f64;
        let best_quality = mean(own.iter().map(|mark| mark.mean).sum());
        let best_cost = mean(own.iter().map(|mark| mark.price.0 as f64).sum());
        let single = |(model, prompts): (usize, u64)| Single {
            prompts,
            quality: best_quality + (quality[model] - quality[best]),
            cost: (best_cost + (cost[model] - cost[best])).max(0.0),
        };
        let singles: Vec<Single> = drawn(ratings, &prompts).into_iter().enumerate().map(single).collect();
        enough.retain(|model| singles[*model].prompts > 0);
        let cheapest = first(&enough, |a, b| {
            singles[a].cost.total_cmp(&singles[b].cost).then(singles[b].quality.total_cmp(&singles[a].quality))
        });
        let corners = Corners::of(enough.iter().map(|model| (*model, singles[*model])));
        Ok(Self { prompts, singles, best, cheapest, enough, corners })
    }

    pub(super) fn best(&self) -> Single {
        self.singles[self.best]
    }

    /// Quality of drawing lots between the best and the cheapest so that it costs `cost`. `None` beyond the best's cost.
    pub(super) fn random_mix(&self, cost: f64) -> Option<f64> {
        let (best, cheapest) = (self.best(), self.singles[self.cheapest]);
        let range = best.cost - cheapest.cost;
        if range <= 0.0 {
            return (cost >= best.cost).then_some(best.quality);
        }
        let share = (best.cost - cost) / range;
        // What costs as much but for rounding is as dear.
        (-1e-9..=1.0 + 1e-9).contains(&share).then_some(best.quality + share * (cheapest.quality - best.quality))
    }
}

/// How many of these prompts each model drew.
fn drawn(ratings: &Ratings, prompts: &[u32]) -> Vec<u64> {
    let mut drawn = vec![0; ratings.models.len()];
    for (_, mark) in prompts.iter().flat_map(|prompt| ratings.marks_of(*prompt)) {
        drawn[usize::from(mark.model)] += 1;
    }
    drawn
}

/// Models that drew enough.
fn enough(drawn: &[u64]) -> Vec<usize> {
    let most = drawn.iter().copied().max().unwrap_or(0);
    (0..drawn.len()).filter(|model| drawn[*model] as f64 >= most as f64 * COVERAGE).collect()
}

/// The first of these in this order.
fn first(of: &[usize], order: impl Fn(usize, usize) -> Ordering) -> usize {
    of.iter().copied().min_by(|a, b| order(*a, *b)).unwrap_or(0)
}
