//! Which prompts are scored, and what every single model comes to on them.
//!
//! The best single model is the baseline, so only prompts that it drew are scored, and only those that somebody else drew,
//! too: where there is no choice there is nothing to compare. It is chosen with the very ratings that it is scored with,
//! which flatters it and not those who are compared with it.

use std::cmp::Ordering;

use super::{mixes::Corners, read::RatingsError, table::Ratings};

/// Only models that drew at least this share of what the most drawn one did may be the best or the cheapest.
const COVERAGE: f64 = 0.5;

/// What is scored, and against whom.
pub(super) struct Field {
    /// Prompts that are scored, rising.
    pub(super) prompts: Vec<u32>,
    /// By model.
    pub(super) singles: Vec<Single>,
    pub(super) best: usize,
    pub(super) cheapest: usize,
    /// Those that drew enough to be held against.
    pub(super) enough: Vec<usize>,
    pub(super) corners: Corners,
}

/// One model for every prompt that it drew.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Single {
    pub(super) prompts: u64,
    /// Means over those prompts.
    pub(super) quality: f64,
    pub(super) cost: f64,
}

impl Field {
    /// # Errors
    ///
    /// When no prompt was drawn by the best model and by another one.
    pub(super) fn of(ratings: &Ratings) -> Result<Self, RatingsError> {
        let everywhere = singles(ratings, 0..ratings.prompts.len() as u32);
        let best = first(&everywhere, &enough(&everywhere), |a, b| {
            b.quality.total_cmp(&a.quality).then(a.cost.total_cmp(&b.cost))
        });
        let has_choice = |prompt: &u32| {
            let mut drawn = (0, false);
            for (_, mark) in ratings.marks_of(*prompt) {
                drawn = (drawn.0 + 1, drawn.1 || usize::from(mark.model) == best);
            }
            drawn.0 > 1 && drawn.1
        };
        let prompts: Vec<u32> = (0..ratings.prompts.len() as u32).filter(has_choice).collect();
        if prompts.is_empty() {
            let file = ratings.path.display().to_string();
            let why = format!("no prompt was drawn by `{}` and by another model", ratings.models[best].name);
            let hint = "to choose between models, the same prompts must be rated for several of them";
            return Err(RatingsError::Nothing { file, why, hint });
        }
        let singles = singles(ratings, prompts.iter().copied());
        let enough = enough(&singles);
        let cheapest = first(&singles, &enough, |a, b| a.cost.total_cmp(&b.cost).then(b.quality.total_cmp(&a.quality)));
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

fn singles(ratings: &Ratings, prompts: impl Iterator<Item = u32>) -> Vec<Single> {
    let mut singles = vec![Single::default(); ratings.models.len()];
    for prompt in prompts {
        for (_, mark) in ratings.marks_of(prompt) {
            let single = &mut singles[usize::from(mark.model)];
            single.prompts += 1;
            single.quality += mark.mean;
            single.cost += mark.price.0 as f64;
        }
    }
    for single in &mut singles {
        let count = single.prompts.max(1) as f64;
        single.quality /= count;
        single.cost /= count;
    }
    singles
}

/// Those that drew enough.
fn enough(singles: &[Single]) -> Vec<usize> {
    let most = singles.iter().map(|single| single.prompts).max().unwrap_or(0);
    let is_enough = |model: &usize| singles[*model].prompts as f64 >= most as f64 * COVERAGE;
    (0..singles.len()).filter(is_enough).collect()
}

/// The first of these in this order.
fn first(singles: &[Single], of: &[usize], order: impl Fn(&Single, &Single) -> Ordering) -> usize {
    of.iter().copied().min_by(|a, b| order(&singles[*a], &singles[*b])).unwrap_or(0)
}
