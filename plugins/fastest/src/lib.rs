//! The shortest time to a delivered picture first.
//!
//! A candidate that fails every second time needs two attempts, so its usual latency counts double. Few attempts say
//! little: success is taken as if some usual ones had come before. Candidates of unknown latency come after all others,
//! half-open ones last: the host sends them their probe whatever the ranking says.

use std::cmp::Ordering;

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Manifest, Ranking, Reason, Refusal, Request, Strategy, Value, export,
};

/// Attempts imagined before the first one, and how they went.
const PRIOR_ATTEMPTS: f32 = 10.0;
const PRIOR_SUCCESS: f32 = 0.98;
/// Scores are seconds, negative. Unknown latency scores lower than any known, half open lower still.
const SLOWEST_MS: f32 = 1e9;
const UNKNOWN: f32 = -2e6;
const HALF_OPEN: f32 = -4e6;

/// The plugin.
pub struct Fastest;

impl Describe for Fastest {
    fn describe() -> Manifest {
        Manifest::new("fastest", env!("CARGO_PKG_VERSION"), "the shortest time to a delivered picture first")
    }
}

impl Strategy for Fastest {
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

/// By score, then by price.
fn compare(a: &Candidate, b: &Candidate) -> Ordering {
    let price = |candidate: &Candidate| candidate.cost.map_or(u64::MAX, |cost| cost.expected.into());
    score(b).total_cmp(&score(a)).then_with(|| price(a).cmp(&price(b)))
}

fn score(candidate: &Candidate) -> f32 {
    let seconds = match candidate.latency {
        Some(latency) => ((latency.p50_ms as f32) / success(candidate)).min(SLOWEST_MS) / -1_000.0,
        None => UNKNOWN,
    };
    if candidate.half_open { HALF_OPEN + seconds } else { seconds }
}

fn success(candidate: &Candidate) -> f32 {
    let samples = candidate.samples as f32;
    let success = if (0.0..=1.0).contains(&candidate.success) { candidate.success } else { PRIOR_SUCCESS };
    (success * samples + PRIOR_SUCCESS * PRIOR_ATTEMPTS) / (samples + PRIOR_ATTEMPTS)
}

fn reason(first: &Candidate) -> String {
    match first.latency {
        Some(latency) => Reason::new("shortest time to delivery: usually ").seconds(latency.p50_ms).into(),
        None => Reason::new("no candidate has a known latency: lowest price").into(),
    }
}

export!(Fastest: strategy);

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(candidates: &[Candidate], columns: &[Column]) -> Ranking {
        let request = Request::for_prompt("a red bicycle").with_fact("phase-of-the-moon-share", 0.5);
        Fastest::rank(request, vec![], vec![], Classification::of("general"), candidates.to_vec(), columns.to_vec())
            .expect("a ranking")
    }

    fn order(candidates: &[Candidate]) -> Vec<u32> {
        rank(candidates, &[]).order.iter().map(|ranked| ranked.candidate).collect()
    }

    #[test]
    fn the_shortest_usual_latency_is_first_and_unknown_is_last() {
        let candidates = [
            Candidate::new("p/unknown"),
            Candidate::new("p/slow").taking(30_000, 60_000),
            Candidate::new("p/probing").taking(10, 10).half_open(),
            Candidate::new("p/quick").taking(4_000, 90_000),
        ];
        assert_eq!(order(&candidates), [3, 1, 0, 2]);
        assert_eq!(rank(&candidates, &[]).reason, "shortest time to delivery: usually 4.0 s");
    }

    #[test]
    fn failing_often_is_being_slow() {
        let candidates = [
            Candidate::new("p/flaky").taking(4_000, 8_000).delivering(0.3, 50),
            Candidate::new("p/steady").taking(6_000, 8_000).delivering(1.0, 50),
        ];
        assert_eq!(order(&candidates), [1, 0]);
    }

    #[test]
    fn one_failure_of_one_is_not_yet_failing_often() {
        let candidates = [
            Candidate::new("p/unlucky").taking(4_000, 8_000).delivering(0.0, 1),
            Candidate::new("p/steady").taking(6_000, 8_000).delivering(1.0, 50),
        ];
        assert_eq!(order(&candidates), [0, 1]);
    }

    #[test]
    fn scores_are_finite_and_never_rise() {
        let candidates = [
            Candidate::new("p/a").taking(u32::MAX, u32::MAX).delivering(0.0, u32::MAX),
            Candidate::new("p/b"),
            Candidate::new("p/c").half_open(),
            Candidate::new("p/d").taking(0, 0).half_open(),
            Candidate::new("p/e").taking(5, 5).delivering(f32::NAN, 3),
        ];
        let scores: Vec<f32> = rank(&candidates, &[]).order.iter().map(|ranked| ranked.score).collect();
        assert!(scores.iter().all(|score| score.is_finite()) && scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    }

    #[test]
    fn an_unknown_column_changes_nothing() {
        let candidates = [Candidate::new("p/a").taking(2, 2), Candidate::new("p/b").taking(1, 1)];
        let column = Column::new("acme.mood", vec![Some(9.0), None]);
        assert_eq!(rank(&candidates, &[column]), rank(&candidates, &[]));
    }
}
