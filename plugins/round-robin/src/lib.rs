//! Everybody in turn.
//!
//! 1. The host has taken out what the caps forbid before this is asked.
//! 2. The candidates stand in a circle in the order of their names. The route's count of requests says whose turn it is;
//!    those after it follow round the circle, to fall over to.
//! 3. Half-open candidates take no turn and come last: the host sends them their probe.
//!
//! Equal requests one after another give each candidate the same number of turns. A candidate is a model at a tier, so a
//! model with three tiers has three turns: `candidates.only` of a route narrows that. Where the operator withholds
//! `sequence`, it is always the first one's turn.

use std::cmp::Ordering;

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Manifest, Ranked, Ranking, Reason, Refusal, Request, Strategy, Value,
    export,
};

/// The plugin.
pub struct RoundRobin;

impl Describe for RoundRobin {
    fn describe() -> Manifest {
        Manifest::new("round-robin", env!("CARGO_PKG_VERSION"), "everybody in turn").reads("sequence")
    }
}

impl Strategy for RoundRobin {
    fn rank(
        request: Request,
        _: Vec<Value>,
        _: Vec<u8>,
        _: Classification,
        candidates: Vec<Candidate>,
        _: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        if candidates.is_empty() {
            return Err(Refusal::Abstain("there is no candidate".to_owned()));
        }
        let mut ranking = Ranking::sorted(
            candidates.len(),
            |a, b| compare(&candidates[a], &candidates[b]),
            |_| 0.0,
            |_| String::new(),
        );
        let closed = candidates.iter().filter(|candidate| !candidate.half_open).count();
        // When all are half open, they take turns among themselves.
        let circle = if closed == 0 { candidates.len() } else { closed };
        let turn = (request.sequence % circle as u64) as usize;
        ranking.order[..circle].rotate_left(turn);
        for (place, ranked) in ranking.order.iter_mut().enumerate() {
            ranked.score = -(place as f32);
        }
        ranking.reason = reason(turn, circle, &ranking.order[0], &candidates);
        Ok(ranking)
    }
}

fn compare(a: &Candidate, b: &Candidate) -> Ordering {
    a.half_open.cmp(&b.half_open).then_with(|| by_name(a.model.as_bytes(), b.model.as_bytes()))
}

/// Byte by byte, eight at a time: a sandbox has no quicker way, and most of this plugin's work is comparing names.
fn by_name(a: &[u8], b: &[u8]) -> Ordering {
    let (heads_a, heads_b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    for (a, b) in heads_a.iter().zip(heads_b) {
        if a != b {
            return u64::from_be_bytes(*a).cmp(&u64::from_be_bytes(*b));
        }
    }
    let common = heads_a.len().min(heads_b.len()) * 8;
    a[common..].cmp(&b[common..])
}

fn reason(turn: usize, circle: usize, first: &Ranked, candidates: &[Candidate]) -> String {
    let reason = Reason::new("its turn: ").number(turn as u64 + 1).text(" of ").number(circle as u64);
    let reason = reason.text(" by name");
    match candidates[first.candidate as usize].cost {
        Some(cost) => reason.text(", at ").usd(cost.expected).into(),
        None => reason.text(", at an unknown price").into(),
    }
}

export!(RoundRobin: strategy);

#[cfg(test)]
mod tests {
    use muxel_sdk::testing;

    use super::*;

    fn rank(sequence: u64, candidates: &[Candidate]) -> Ranking {
        let request = Request { sequence, ..Request::for_prompt("") };
        RoundRobin::rank(request, vec![], vec![], Classification::of("general"), candidates.to_vec(), vec![])
            .expect("a ranking")
    }

    fn order(sequence: u64, candidates: &[Candidate]) -> Vec<u32> {
        rank(sequence, candidates).order.iter().map(|ranked| ranked.candidate).collect()
    }

    #[test]
    fn the_turn_goes_round_by_name_and_the_half_open_wait() {
        let candidates = [
            Candidate::new("p/c"),
            Candidate::new("p/a").costing(20_000, 20_000),
            Candidate::new("p/back").half_open(),
            Candidate::new("p/b"),
        ];
        assert_eq!(order(0, &candidates), [1, 3, 0, 2]);
        assert_eq!(order(1, &candidates), [3, 0, 1, 2]);
        assert_eq!(order(2, &candidates), [0, 1, 3, 2]);
        assert_eq!(order(3, &candidates), order(0, &candidates));
        assert_eq!(rank(0, &candidates).reason, "its turn: 1 of 3 by name, at 0.02 USD");
        assert_eq!(rank(1, &candidates).reason, "its turn: 2 of 3 by name, at an unknown price");
        let all_back = candidates.map(Candidate::half_open);
        assert_eq!(order(1, &all_back), [3, 2, 0, 1]);
    }

    #[test]
    fn every_candidate_has_the_same_number_of_turns_in_whatever_order_they_are_offered() {
        testing::each(100, |samples| {
            let mut candidates = samples.candidates();
            let closed = candidates.iter().filter(|candidate| !candidate.half_open).count();
            let circle = if closed == 0 { candidates.len() } else { closed } as u64;
            let begin = samples.below(1_000);
            let mut turns = vec![0; candidates.len()];
            for sequence in begin..begin + 3 * circle {
                turns[order(sequence, &candidates)[0] as usize] += 1;
            }
            let due = |candidate: &Candidate| if candidate.half_open && closed > 0 { 0 } else { 3 };
            assert!(turns.iter().zip(&candidates).all(|(turns, candidate)| *turns == due(candidate)), "{turns:?}");

            let first = candidates[order(begin, &candidates)[0] as usize].model.clone();
            let mut names: Vec<&[u8]> = candidates.iter().map(|candidate| candidate.model.as_bytes()).collect();
            names.sort_unstable_by(|a, b| by_name(a, b));
            assert!(names.is_sorted(), "by name means what it always means");

            candidates.reverse();
            assert_eq!(candidates[order(begin, &candidates)[0] as usize].model, first);
        });
    }

    #[test]
    fn whatever_a_host_sends_gets_a_valid_answer() {
        testing::assert_manifest(&RoundRobin::describe());
        testing::each(300, |samples| {
            let (request, candidates) = (samples.request(), samples.candidates());
            let classification = samples.classification();
            let answer = RoundRobin::rank(request, vec![], vec![], classification, candidates.clone(), vec![]);
            let ranking = answer.expect("a ranking");
            testing::assert_ranking(&ranking, &candidates);
            assert_eq!((ranking.order.len(), ranking.propensity), (candidates.len(), 1.0));
        });
    }
}
