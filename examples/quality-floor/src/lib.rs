//! The cheapest candidate that is good enough.
//!
//! A strategy as a team might write it: one setting, the floor. Good enough is a candidate whose quality, less one
//! standard deviation, reaches the floor; of those the cheapest serves. The others stay in the ranking, best first, so
//! that there is somebody to fall over to when every good one is down.

use std::cmp::Ordering;

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Manifest, Ranking, Reason, Refusal, Request, Strategy, Value, export,
};

const DEFAULT_FLOOR: f64 = 0.6;

struct QualityFloor;

impl Describe for QualityFloor {
    fn describe() -> Manifest {
        Manifest::new("quality-floor", env!("CARGO_PKG_VERSION"), "the cheapest candidate that is good enough").number(
            "floor",
            "least quality that is good enough",
            "share",
            DEFAULT_FLOOR,
            0.0,
            1.0,
        )
    }
}

impl Strategy for QualityFloor {
    fn rank(
        _: Request,
        settings: Vec<Value>,
        _: Vec<u8>,
        _: Classification,
        candidates: Vec<Candidate>,
        _: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        let floor = settings.first().map_or(DEFAULT_FLOOR, |floor| floor.number_or(DEFAULT_FLOOR)) as f32;
        if candidates.is_empty() {
            return Err(Refusal::Abstain("there is no candidate".to_owned()));
        }
        Ok(Ranking::sorted(
            candidates.len(),
            |a, b| compare(&candidates[a], &candidates[b], floor),
            |index| score(&candidates[index], floor),
            |first| reason(&candidates[first], floor),
        ))
    }
}

/// Good enough before not; of the good enough the cheaper one, of the others the better one.
fn compare(a: &Candidate, b: &Candidate, floor: f32) -> Ordering {
    score(b, floor).total_cmp(&score(a, floor)).then_with(|| sure_quality(b).total_cmp(&sure_quality(a)))
}

/// From 1 to 2 for a good one by its price, 1 when that is unknown; from 0 to 1 for another by its quality.
fn score(candidate: &Candidate, floor: f32) -> f32 {
    if sure_quality(candidate) < floor {
        return sure_quality(candidate);
    }
    match candidate.cost {
        Some(cost) => 1.0 + 1.0 / (1.0 + cost.expected as f32 / 1e6),
        None => 1.0,
    }
}

/// What one may count on. Nothing, when nothing is known.
fn sure_quality(candidate: &Candidate) -> f32 {
    candidate.quality.map_or(0.0, |quality| quality.lower_bound(1.0))
}

fn reason(first: &Candidate, floor: f32) -> String {
    if sure_quality(first) < floor {
        return Reason::new("none reaches quality ").share(floor).text(": the best of the rest").into();
    }
    let reason = Reason::new("cheapest above quality ").share(floor);
    match first.cost {
        Some(cost) => reason.text(": ").usd(cost.expected).into(),
        None => reason.into(),
    }
}

export!(QualityFloor: strategy);

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(settings: &[Value], candidates: &[Candidate], columns: &[Column]) -> Ranking {
        let request = Request::for_prompt("a red bicycle").with_fact("phase-of-the-moon-share", 0.5);
        let general = Classification::of("general");
        QualityFloor::rank(request, settings.to_vec(), vec![], general, candidates.to_vec(), columns.to_vec())
            .expect("a ranking")
    }

    fn order(settings: &[Value], candidates: &[Candidate]) -> Vec<u32> {
        rank(settings, candidates, &[]).order.iter().map(|ranked| ranked.candidate).collect()
    }

    fn candidates() -> [Candidate; 5] {
        [
            Candidate::new("p/poor").good(0.4, 0.05).costing(1_000, 1_000),
            Candidate::new("p/good-and-dear").good(0.9, 0.05).costing(90_000, 90_000),
            Candidate::new("p/good-and-cheap").good(0.7, 0.05).costing(20_000, 20_000),
            Candidate::new("p/good-on-paper").good(0.7, 0.3).costing(2_000, 2_000),
            Candidate::new("p/unknown").costing(500, 500),
        ]
    }

    #[test]
    fn the_cheapest_good_one_serves_and_the_rest_wait_best_first() {
        assert_eq!(order(&[], &candidates()), [2, 1, 3, 0, 4]);
        assert_eq!(rank(&[], &candidates(), &[]).reason, "cheapest above quality 0.60: 0.02 USD");
    }

    #[test]
    fn the_floor_is_a_setting() {
        assert_eq!(order(&[Value::Number(0.8)], &candidates())[0], 1);
        assert_eq!(order(&[Value::Number(0.0)], &candidates())[0], 4);
    }

    #[test]
    fn without_a_good_one_the_best_serves() {
        assert_eq!(order(&[Value::Number(0.99)], &candidates()), [1, 2, 3, 0, 4]);
        let reason = rank(&[Value::Number(0.99)], &candidates(), &[]).reason;
        assert_eq!(reason, "none reaches quality 0.99: the best of the rest");
    }

    #[test]
    fn an_unknown_column_changes_nothing() {
        let column = Column::new("acme.mood", vec![Some(9.0); 5]);
        assert_eq!(rank(&[], &candidates(), &[column]), rank(&[], &candidates(), &[]));
    }
}
