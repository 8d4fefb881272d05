//! What a contestant's choices come to: quality and cost over the scored prompts, and its frontier read at a saving.

use super::{choices::Choices, field::Field, table::Ratings};

/// Quality and cost of one way of choosing, one of each for every scored prompt.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    pub(super) quality: Vec<f64>,
    pub(super) cost: Vec<f64>,
}

impl Series {
    /// Of the setting of this number, counted over all contestants: the mean over deals, or of one deal alone.
    pub(super) fn of(ratings: &Ratings, field: &Field, choices: &Choices, setting: usize, deal: Option<usize>) -> Self {
        Self::by(ratings, field, |prompt| {
            let all = choices.of(prompt, setting);
            deal.map_or(all, |deal| &all[deal..=deal])
        })
    }

    /// Of the best single model.
    pub(super) fn of_best(ratings: &Ratings, field: &Field) -> Self {
        let best = [field.best as u16];
        Self::by(ratings, field, |_| &best)
    }

    fn by<'c>(ratings: &Ratings, field: &Field, chosen: impl Fn(u32) -> &'c [u16]) -> Self {
        let mut series = Self::default();
        for prompt in &field.prompts {
            let models = chosen(*prompt);
            let (mut quality, mut cost) = (0.0, 0.0);
            for model in models {
                let mark = ratings.marks_of(*prompt).map(|(_, mark)| mark).find(|mark| mark.model == *model);
                // Strategies choose among those who drew the prompt.
                quality += mark.map_or(f64::NAN, |mark| mark.mean);
                cost += mark.map_or(f64::NAN, |mark| mark.price.0 as f64);
            }
            series.quality.push(quality / models.len() as f64);
            series.cost.push(cost / models.len() as f64);
        }
        series
    }

    /// Drawing lots: `share` of the requests this way, the others the other way.
    pub(super) fn mixed(&self, other: &Self, share: f64) -> Self {
        let mix = |these: &[f64], those: &[f64]| {
            these.iter().zip(those).map(|(this, that)| share * this + (1.0 - share) * that).collect()
        };
        Self { quality: mix(&self.quality, &other.quality), cost: mix(&self.cost, &other.cost) }
    }

    pub(super) fn mean_quality(&self) -> f64 {
        mean(&self.quality)
    }

    pub(super) fn mean_cost(&self) -> f64 {
        mean(&self.cost)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Where a frontier has a saving.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reading {
    /// The two neighbouring settings, and the share of requests that the first one gets.
    Between(usize, usize, f64),
    /// Its dearest setting saves more than that already.
    Beyond(usize),
    /// None of its settings saves as much.
    Never,
}

/// Reads a frontier by its savings alone, from all quality to all cost: quality has no part in which settings are taken.
pub(super) fn read_at(savings: &[f64], target: f64) -> Reading {
    let Some(place) = savings.iter().position(|saving| *saving >= target) else { return Reading::Never };
    if place == 0 {
        return Reading::Beyond(0);
    }
    let (before, after) = (savings[place - 1], savings[place]);
    Reading::Between(place - 1, place, (after - target) / (after - before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frontier_is_read_between_its_neighbours_by_cost_alone() {
        let between = read_at(&[0.0, 0.125, 0.375, 0.75], 0.25);
        assert_eq!(between, Reading::Between(1, 2, 0.5));
        assert_eq!(read_at(&[0.3, 0.5], 0.2), Reading::Beyond(0));
        assert_eq!(read_at(&[0.0, 0.1], 0.2), Reading::Never);
        // One that turns back is read where it first gets there.
        assert_eq!(read_at(&[0.0, 0.4, 0.2, 0.6], 0.2), Reading::Between(0, 1, 0.5));
    }

    #[test]
    fn drawing_lots_is_linear() {
        let series = |quality, cost| Series { quality: vec![quality], cost: vec![cost] };
        let mixed = series(4.0, 100.0).mixed(&series(2.0, 20.0), 0.75);
        assert_eq!((mixed.mean_quality(), mixed.mean_cost()), (3.5, 80.0));
    }
}
