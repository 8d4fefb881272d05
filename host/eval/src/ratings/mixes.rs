//! Mixes of models that look at no prompt: whoever chooses by prompt has to beat them.

use super::field::Single;

/// A model's number and its share of the requests.
pub(super) type Share = (usize, f64);

/// Models in a mix of which nothing cheaper is as good: those at the corners of the upper hull of cost and quality, from
/// the cheapest to the best, both rising. At any cost between two neighbours, lots drawn between these two are the best
/// mix that there is.
pub(super) struct Corners(Vec<(usize, Single)>);

impl Corners {
    /// Of these models. A free choice of two is as good as any: the hull's edges have two ends.
    pub(super) fn of(models: impl Iterator<Item = (usize, Single)>) -> Self {
        let mut models: Vec<_> = models.collect();
        models.sort_by(|(_, a), (_, b)| a.cost.total_cmp(&b.cost).then(b.quality.total_cmp(&a.quality)));
        let mut corners: Vec<(usize, Single)> = Vec::new();
        for (model, single) in models {
            if corners.last().is_some_and(|(_, last)| last.quality >= single.quality) {
                continue;
            }
            while let [.., (_, first), (_, middle)] = corners[..]
                && gain(first, middle) <= gain(first, single)
            {
                corners.pop();
            }
            corners.push((model, single));
        }
        Self(corners)
    }

    pub(super) fn models(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|(model, _)| *model)
    }

    /// The best quality at this cost, and of whom. `None` when nobody is that cheap.
    pub(super) fn at(&self, cost: f64) -> Option<(f64, Vec<Share>)> {
        // What costs as much but for rounding is as dear.
        let near = |single: &Single| single.cost - 1e-9 * single.cost.abs().max(1.0) <= cost;
        let place = self.0.iter().rposition(|(_, single)| near(single))?;
        let (model, single) = self.0[place];
        let Some((next, dearer)) = self.0.get(place + 1).filter(|_| cost > single.cost) else {
            return Some((single.quality, vec![(model, 1.0)]));
        };
        let share = (cost - single.cost) / (dearer.cost - single.cost);
        let quality = single.quality + share * (dearer.quality - single.quality);
        Some((quality, vec![(model, 1.0 - share), (*next, share)]))
    }
}

/// Quality for money from one to a dearer one.
fn gain(from: Single, to: Single) -> f64 {
    (to.quality - from.quality) / (to.cost - from.cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corners(of: &[(f64, f64)]) -> Corners {
        let single = |(cost, quality): &(f64, f64)| Single { prompts: 1, quality: *quality, cost: *cost };
        Corners::of(of.iter().map(single).enumerate())
    }

    #[test]
    fn the_best_mix_is_one_of_neighbours_on_the_hull() {
        // The second lies below the line from the first to the third, the fourth is dearer and worse than that.
        let corners = corners(&[(0.0, 1.0), (50.0, 1.5), (100.0, 3.0), (150.0, 2.0), (200.0, 4.0)]);
        assert_eq!(corners.models().collect::<Vec<_>>(), [0, 2, 4]);
        assert_eq!(corners.at(25.0), Some((1.5, vec![(0, 0.75), (2, 0.25)])));
        assert_eq!(corners.at(100.0), Some((3.0, vec![(2, 1.0)])));
        assert_eq!(corners.at(150.0), Some((3.5, vec![(2, 0.5), (4, 0.5)])));
        assert_eq!(corners.at(900.0), Some((4.0, vec![(4, 1.0)])));
    }

    #[test]
    fn nobody_is_cheaper_than_the_cheapest_and_of_equal_prices_the_better_counts() {
        let corners = corners(&[(10.0, 2.0), (10.0, 3.0), (10.0, 1.0)]);
        assert_eq!(corners.at(9.0), None);
        assert_eq!(corners.at(10.0), Some((3.0, vec![(1, 1.0)])));
    }
}
