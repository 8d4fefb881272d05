//! The lowest expected price first.
//!
//! Of equal ones the lower upper price goes first, then the better quality. Candidates without a price come after all that
//! have one, because unknown is not free, and half-open ones last: the host sends them their probe whatever the ranking
//! says.

use std::cmp::Ordering;

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Manifest, Ranking, Reason, Refusal, Request, Strategy, Value, export,
};

/// Scores are dollars, negative. What has no price scores lower than any that has one, what is half open lower still.
const UNPRICED: f32 = -10_000.0;
const HALF_OPEN: f32 = -100_000.0;

/// The plugin.
pub struct Cheapest;

impl Describe for Cheapest {
    fn describe() -> Manifest {
        Manifest::new("cheapest", env!("CARGO_PKG_VERSION"), "the lowest expected price first")
    }
}

impl Strategy for Cheapest {
    fn rank(
        _: Request,
        _: Vec<Value>,
        _: Vec<u8>,
        _: Classification,
        candidates: Vec<Candidate>,
        _: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        if candidates.is_empty() {
            return Err(Refusal::Abstain("there is no candidate".to_owned()));
        }
        Ok(Ranking::sorted(
            candidates.len(),
            |a, b| compare(&candidates[a], &candidates[b]),
            |index| score(&candidates[index]),
            |first| reason(&candidates[first]),
        ))
    }
}

/// By price, then by what it may come to, then by quality.
fn compare(a: &Candidate, b: &Candidate) -> Ordering {
    let price = |candidate: &Candidate| candidate.cost.map(|cost| (cost.expected, cost.upper));
    let quality = |candidate: &Candidate| candidate.quality.map_or(0.0, |quality| quality.mean);
    let place = |candidate: &Candidate| (candidate.half_open, candidate.cost.is_none(), price(candidate));
    let by_price = place(a).cmp(&place(b));
    by_price.then_with(|| quality(b).total_cmp(&quality(a)))
}

fn score(candidate: &Candidate) -> f32 {
    let price = candidate.cost.map_or(UNPRICED, |cost| cost.expected as f32 / -1e6);
    if candidate.half_open { HALF_OPEN + price } else { price }
}

fn reason(first: &Candidate) -> String {
    match first.cost {
        Some(cost) => Reason::new("lowest expected price: ").usd(cost.expected).into(),
        None => Reason::new("no candidate has a known price: best quality").into(),
    }
}

export!(Cheapest: strategy);

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(candidates: &[Candidate], columns: &[Column]) -> Ranking {
        let request = Request::for_prompt("a red bicycle").with_fact("phase-of-the-moon-share", 0.5);
        Cheapest::rank(request, vec![], vec![], Classification::of("general"), candidates.to_vec(), columns.to_vec())
            .expect("a ranking")
    }

    fn order(candidates: &[Candidate]) -> Vec<u32> {
        rank(candidates, &[]).order.iter().map(|ranked| ranked.candidate).collect()
    }

    #[test]
    fn the_lowest_price_is_first_and_unknown_is_not_free() {
        let candidates = [
            Candidate::new("p/unpriced"),
            Candidate::new("p/dear").costing(40_000, 40_000),
            Candidate::new("p/probing").costing(1, 1).half_open(),
            Candidate::new("p/cheap").costing(2_000, 9_000),
        ];
        assert_eq!(order(&candidates), [3, 1, 0, 2]);
        assert_eq!(rank(&candidates, &[]).reason, "lowest expected price: 0.002 USD");
    }

    #[test]
    fn equal_prices_are_told_apart_by_quality_then_by_place() {
        let priced = |name| Candidate::new(name).costing(5, 5);
        let candidates = [priced("p/a"), priced("p/b").good(0.7, 0.1), priced("p/c"), priced("p/d").good(0.8, 0.1)];
        assert_eq!(order(&candidates), [3, 1, 0, 2]);
    }

    #[test]
    fn of_equal_prices_the_surer_one_goes_first() {
        let candidates = [
            Candidate::new("p/loose").costing(2_000, 9_000).good(0.9, 0.1),
            Candidate::new("p/sure").costing(2_000, 2_000),
        ];
        assert_eq!(order(&candidates), [1, 0]);
    }

    #[test]
    fn scores_never_rise() {
        let candidates = [
            Candidate::new("p/a").costing(u32::MAX, u32::MAX),
            Candidate::new("p/b"),
            Candidate::new("p/c").half_open(),
            Candidate::new("p/d").costing(0, 0).half_open(),
        ];
        let scores: Vec<f32> = rank(&candidates, &[]).order.iter().map(|ranked| ranked.score).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    }

    #[test]
    fn abstains_without_candidates() {
        let answer = Cheapest::rank(
            Request::for_prompt(""),
            vec![],
            vec![],
            Classification::of("general"),
            Vec::new(),
            Vec::new(),
        );
        assert!(matches!(answer, Err(Refusal::Abstain(_))));
    }

    #[test]
    fn an_unknown_column_changes_nothing() {
        let candidates = [Candidate::new("p/a").costing(2, 2), Candidate::new("p/b").costing(1, 1)];
        let column = Column::new("acme.mood", vec![Some(9.0), None]);
        assert_eq!(rank(&candidates, &[column]), rank(&candidates, &[]));
    }
}
