//! Whoever knows each prompt's best model beforehand.
//!
//! A rating is noisy, and the best of several noisy means is too good by chance. So one rater at a time is held back: the
//! others choose the model, the one held back says how good it was, and each has its turn. The naive oracle, which
//! chooses and scores with the same ratings, is reported beside it as what it is.

use super::table::{Mark, Ratings};

/// Means over prompts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Known {
    pub(super) quality: f64,
    pub(super) cost: f64,
}

/// What it gets of one prompt. `None` when no rater can be held back.
pub(super) fn honest(ratings: &Ratings, prompt: u32) -> Option<Known> {
    let marks: Vec<(&[f32], Mark)> =
        ratings.marks_of(prompt).map(|(place, mark)| (ratings.given(place), mark)).collect();
    let (mut sum, mut turns) = (Known::default(), 0.0);
    for rater in 0..ratings.raters {
        let chosen = best(marks.iter().filter_map(|(given, mark)| {
            let held_back = Some(given[rater]).filter(|rating| !rating.is_nan())?;
            Some((mean_without(given, rater)?, f64::from(held_back), *mark))
        }));
        if let Some((_, held_back, mark)) = chosen {
            sum.quality += held_back;
            sum.cost += mark.price.0 as f64;
            turns += 1.0;
        }
    }
    (turns > 0.0).then(|| Known { quality: sum.quality / turns, cost: sum.cost / turns })
}

/// What the naive one gets of one prompt.
pub(super) fn naive(ratings: &Ratings, prompt: u32) -> Option<Known> {
    let (_, quality, mark) = best(ratings.marks_of(prompt).map(|(_, mark)| (mark.mean, mark.mean, mark)))?;
    Some(Known { quality, cost: mark.price.0 as f64 })
}

/// The best by the first figure; of equal ones the cheapest.
fn best(of: impl Iterator<Item = (f64, f64, Mark)>) -> Option<(f64, f64, Mark)> {
    of.min_by(|(a, _, left), (b, _, right)| {
        b.total_cmp(a).then_with(|| (left.price, left.model).cmp(&(right.price, right.model)))
    })
}

fn mean_without(given: &[f32], rater: usize) -> Option<f64> {
    let others = given.iter().enumerate().filter(|(other, rating)| *other != rater && !rating.is_nan());
    let (sum, count) = others.fold((0.0, 0.0), |(sum, count), (_, rating)| (sum + f64::from(*rating), count + 1.0));
    (count > 0.0).then(|| sum / count)
}
