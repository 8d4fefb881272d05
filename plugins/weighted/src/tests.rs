use muxel_sdk::testing;

use super::*;

fn rank(seed: u64, candidates: &[Candidate]) -> Ranking {
    let request = Request { seed, ..Request::for_prompt("") };
    Weighted::rank(request, vec![], vec![], Classification::of("general"), candidates.to_vec(), vec![])
        .expect("a ranking")
}

fn order(seed: u64, candidates: &[Candidate]) -> Vec<u32> {
    rank(seed, candidates).order.iter().map(|ranked| ranked.candidate).collect()
}

/// How often each candidate is first, of 10,000 seeds.
fn firsts(candidates: &[Candidate]) -> Vec<usize> {
    let mut counts = vec![0; candidates.len()];
    (1..=10_000).for_each(|seed| counts[order(seed, candidates)[0] as usize] += 1);
    counts
}

#[test]
fn a_providers_share_is_its_weight_however_many_models_it_has() {
    let candidates = [
        Candidate::new("big/a@low").weighing(75.0),
        Candidate::new("big/a@high").weighing(75.0),
        Candidate::new("small/b").weighing(25.0).costing(20_000, 20_000),
    ];
    let counts = firsts(&candidates);
    assert!((3_600..3_900).contains(&counts[0]) && (3_600..3_900).contains(&counts[1]), "{counts:?}");
    let seed = (1..).find(|seed| order(*seed, &candidates)[0] == 2).expect("one in four");
    let ranking = rank(seed, &candidates);
    assert_eq!(ranking.reason, "drawn by weight, a share of 0.25 of the requests; at 0.02 USD");
    assert_eq!(ranking.propensity, 0.25);
}

#[test]
fn further_draws_order_the_rest() {
    let candidates =
        ["a/m", "b/m", "c/m"].map(|name| Candidate::new(name).weighing(if name == "c/m" { 8.0 } else { 1.0 }));
    let second = (1..=10_000).filter(|seed| order(*seed, &candidates)[..2] == [0, 2]).count();
    // One in ten is first, and eight of the nine parts that are left come second.
    assert!((800..980).contains(&second), "{second}");
}

#[test]
fn who_has_no_weight_or_is_half_open_waits() {
    let candidates = [
        Candidate::new("a/none").weighing(0.0),
        Candidate::new("b/back").weighing(50.0).half_open(),
        Candidate::new("b/one").weighing(1.0),
        Candidate::new("c/odd").weighing(f32::NAN),
    ];
    for seed in 1..200 {
        let ranking = rank(seed, &candidates);
        assert_eq!((ranking.order[0].candidate, ranking.order[3].candidate, ranking.propensity), (2, 1, 1.0));
    }
    let counts = firsts(&[candidates[0].clone(), candidates[3].clone()]);
    assert!((4_800..5_200).contains(&counts[0]), "without any weight, all are as likely: {counts:?}");
}

#[test]
fn without_a_seed_the_largest_share_goes_first() {
    let candidates = [Candidate::new("a/m").weighing(1.0), Candidate::new("b/m").weighing(2.0)];
    let ranking = rank(0, &candidates);
    assert_eq!((ranking.order[0].candidate, ranking.propensity), (1, 1.0));
    assert_eq!(ranking.reason, "largest weight, as nothing may be drawn; at an unknown price");
}

#[test]
fn the_propensity_is_how_often_it_happens_and_every_answer_is_valid() {
    testing::assert_manifest(&Weighted::describe());
    testing::each(40, |samples| {
        let candidates = samples.candidates();
        let (mut seen, mut told) = (vec![0.0_f64; candidates.len()], vec![None; candidates.len()]);
        const SEEDS: u64 = 500;
        for _ in 0..SEEDS {
            let ranking = rank(samples.bits() | 1, &candidates);
            testing::assert_ranking(&ranking, &candidates);
            assert_eq!(ranking.order.len(), candidates.len());
            let first = ranking.order[0].candidate as usize;
            seen[first] += 1.0;
            let known = told[first].get_or_insert(ranking.propensity);
            assert_eq!(*known, ranking.propensity, "it depends on who is first alone");
        }
        for (seen, told) in seen.into_iter().zip(&told) {
            let expected = f64::from(told.unwrap_or(0.0)) * SEEDS as f64;
            assert!((seen - expected).abs() <= 6.0 * expected.sqrt() + 3.0, "{seen} instead of {expected}");
        }
    });
}
