//! What each model comes to as if all had drawn the same prompts.
//!
//! A figure is taken for the sum of what is its prompt's and what is its model's, and the two are found in turn (least
//! squares). So a model that drew the easy prompts only gains nothing by it. Where all drew all, this is the plain mean.

use super::table::{Mark, Ratings};

/// Most rounds, and by how little of the largest figure the last one may still move any model.
const ROUNDS: usize = 200;
const STILL: f64 = 1e-9;

/// Of each model the figure `of`, over `prompts` that two models or more drew. Zero for one that drew none. Between models that not
/// even a chain of shared prompts connects, it says no more than plain means.
pub(super) fn of_models(ratings: &Ratings, prompts: &[u32], of: impl Fn(Mark) -> f64) -> Vec<f64> {
    let marks = |prompt: &u32| ratings.marks_of(*prompt).map(|(_, mark)| (usize::from(mark.model), of(mark)));
    // The first round is the plain mean: prices that are always the same stay what they are.
    let mut effects = means(ratings.models.len(), prompts.iter().flat_map(marks));
    let largest = effects.iter().copied().fold(0.0, |most: f64, effect| most.max(effect.abs()));
    for _ in 0..ROUNDS {
        let less_prompt = prompts.iter().flat_map(|prompt| {
            let rest = marks(prompt).map(|(model, figure)| figure - effects[model]);
            let (sum, count) = rest.fold((0.0, 0.0), |(sum, count), rest| (sum + rest, count + 1.0));
            marks(prompt).map(move |(model, figure)| (model, figure - sum / count))
        });
        let next = means(ratings.models.len(), less_prompt);
        let moved = next.iter().zip(&effects).map(|(next, effect)| (next - effect).abs()).fold(0.0, f64::max);
        effects = next;
        if moved <= largest * STILL {
            break;
        }
    }
    effects
}

fn means(models: usize, figures: impl Iterator<Item = (usize, f64)>) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); models];
    for (model, figure) in figures {
        sums[model].0 += figure;
        sums[model].1 += 1.0;
    }
    sums.into_iter().map(|(sum, count)| if count > 0.0 { sum / count } else { 0.0 }).collect()
}
