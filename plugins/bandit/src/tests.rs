use muxel_sdk::{Estimate, Strategy};
use proptest::{prelude::*, strategy::Strategy as Strategies};

use super::*;

const PRIOR: Quality = Quality { mean: 0.6, deviation: 0.1 };

fn candidate(model: &str) -> Candidate {
    let mut candidate = Candidate::new(model);
    candidate.quality = Some(PRIOR);
    candidate.cost = Some(Estimate { expected: 20_000, upper: 20_000 });
    candidate
}

fn classified(label: &str) -> Classification {
    Classification { label: label.to_owned(), confidence: 0.9, complexity: 0.5, traits: vec![], features: vec![] }
}

fn outcome(model: &str, label: &str, observed: Observation) -> Outcome {
    Outcome {
        sequence: 1,
        at_ms: 0,
        operation: "image.generate".to_owned(),
        label: label.to_owned(),
        features: vec![],
        quality: 0,
        model: model.to_owned(),
        place: 0,
        propensity: 1.0,
        observed,
    }
}

fn learn(memory: Vec<u8>, outcomes: Vec<Outcome>) -> Vec<u8> {
    Bandit::learn(memory, vec![], outcomes).expect("a fold")
}

fn rated(model: &str, label: &str, rating: f32, times: usize) -> Vec<Outcome> {
    (0..times).map(|_| outcome(model, label, Observation::Rated(rating))).collect()
}

fn rank(memory: &[u8], label: &str, seed: u64, candidates: Vec<Candidate>) -> Ranking {
    let request = Request { seed, ..Request::for_prompt("a fox") };
    Bandit::rank(request, vec![], memory.to_vec(), classified(label), candidates, vec![]).expect("a ranking")
}

fn three() -> Vec<Candidate> {
    ["p/a", "p/b", "p/c"].map(candidate).into()
}

fn share_of(memory: &[u8], label: &str, index: u32) -> f64 {
    let first = |seed: &u64| rank(memory, label, *seed, three()).order[0].candidate == index;
    (1..=400).filter(first).count() as f64 / 400.0
}

#[test]
fn what_people_like_is_chosen_and_the_rest_is_tried_ever_less() {
    let mut outcomes = rated("p/a", "general", 0.4, 30);
    outcomes.extend(rated("p/b", "general", 0.9, 30));
    outcomes.extend(rated("p/c", "general", 0.6, 5));
    let memory = learn(vec![], outcomes);
    assert!(share_of(&memory, "general", 1) > 0.9, "{}", share_of(&memory, "general", 1));
    assert!(share_of(&memory, "general", 0) < 0.02);
    let hardly = learn(vec![], rated("p/z", "general", 0.5, 1));
    let even = share_of(&hardly, "general", 2);
    assert!((0.2..0.5).contains(&even), "{even}");
}

#[test]
fn nothing_is_tried_where_nobody_says_how_it_turned_out() {
    let good = Candidate { quality: Some(Quality { mean: 0.61, deviation: 0.2 }), ..candidate("p/c") };
    let delivered = learn(vec![], vec![outcome("p/a", "general", Observation::Refused)]);
    for memory in [vec![], delivered] {
        for seed in 1..100 {
            let ranked = rank(&memory, "general", seed, vec![candidate("p/a"), candidate("p/b"), good.clone()]);
            assert_eq!((ranked.order[0].candidate, ranked.propensity), (2, 1.0));
        }
    }
}

#[test]
fn what_is_good_at_one_kind_is_chosen_for_that_kind() {
    let mut outcomes = Vec::new();
    for _ in 0..40 {
        for (model, technical, artistic) in [("p/a", 0.9, 0.4), ("p/b", 0.4, 0.9), ("p/c", 0.5, 0.5)] {
            outcomes.extend(rated(model, "technical", technical, 1));
            outcomes.extend(rated(model, "artistic", artistic, 1));
        }
    }
    let memory = learn(vec![], outcomes);
    assert!(share_of(&memory, "technical", 0) > 0.9 && share_of(&memory, "artistic", 1) > 0.9);
}

#[test]
fn bad_luck_at_the_start_does_not_bury_what_is_expected_to_be_best() {
    let better = || Candidate { quality: Some(Quality { mean: 0.66, deviation: 0.1 }), ..candidate("p/b") };
    let usual = |memory: &[u8]| rank(memory, "general", 0, vec![candidate("p/a"), better()]).order[0].candidate;
    // What is believed of it is under the other one's 0.6 in both.
    let unlucky = learn(vec![], rated("p/b", "general", 0.45, 5));
    assert_eq!(usual(&unlucky), 1);
    let reason = rank(&unlucky, "general", 0, vec![candidate("p/a"), better()]).reason;
    assert!(reason.contains("from ratings worth 5, expected 0.66, counted as "), "{reason}");
    assert_eq!(usual(&learn(vec![], rated("p/b", "general", 0.45, 50))), 0);
    // Grace is no bonus: nothing counts as more than the host expects of it.
    let memory = learn(vec![], rated("p/a", "general", 0.59, 1));
    assert_eq!(usual(&memory), 1);
}

#[test]
fn a_model_that_changed_begins_with_what_gave_it_away() {
    let memory = learn(vec![], rated("p/a", "general", 0.8, 30));
    let memory = learn(memory, rated("p/a", "general", 0.3, 7));
    let reason = rank(&memory, "general", 0, vec![candidate("p/a")]).reason;
    assert!(reason.contains("from ratings worth 11"), "{reason}");
    assert!(reason.starts_with("learned: quality 0.48"), "{reason}");
}

#[test]
fn what_changes_is_found_out() {
    let memory = learn(vec![], rated("p/a", "general", 0.9, 400));
    let memory = learn(memory, rated("p/b", "general", 0.7, 100));
    assert!(share_of(&memory, "general", 0) > 0.9);
    // A little worse for long, and much worse for a short while.
    let little = learn(memory.clone(), rated("p/a", "general", 0.6, 600));
    assert!(share_of(&little, "general", 0) < 0.4, "{}", share_of(&little, "general", 0));
    let much = learn(memory.clone(), rated("p/a", "general", 0.4, 20));
    assert!(share_of(&much, "general", 0) < 0.1, "{}", share_of(&much, "general", 0));
    // The other one stays what it was.
    let reason = rank(&much, "general", 0, three()).reason;
    assert!(reason.starts_with("learned: quality 0.70 from ratings worth 9"), "{reason}");
}

#[test]
fn what_only_varies_has_not_changed() {
    // As unlike as people's ratings are, and for the label as good as always.
    let ratings = [0.2, 0.9, 0.6, 1.0, 0.3, 0.6, 0.9, 0.5, 0.1, 0.9];
    let mut memory = vec![];
    for _ in 0..40 {
        for rating in ratings {
            memory = learn(memory, rated("p/a", "general", rating, 1));
        }
        memory = learn(memory, rated("p/a", "technical", 0.2, 3));
    }
    let reason = rank(&memory, "general", 0, vec![candidate("p/a")]).reason;
    assert!(reason.contains("worth 3") || reason.contains("worth 4"), "{reason}");
}

#[test]
fn who_is_in_a_hurry_or_has_no_seed_gets_the_usual_choice() {
    let memory = learn(vec![], rated("p/b", "general", 0.7, 10));
    for (seed, priority) in [(0, Priority::Normal), (7, Priority::Urgent)] {
        let request = Request { seed, priority, ..Request::for_prompt("a fox") };
        let ranked = Bandit::rank(request, vec![], memory.clone(), classified("general"), three(), vec![]);
        let ranked = ranked.expect("a ranking");
        assert_eq!((ranked.order[0].candidate, ranked.propensity), (1, 1.0));
        assert!(ranked.reason.starts_with("learned: quality 0.6"), "{}", ranked.reason);
        assert!(ranked.reason.contains("ratings worth 10, expected 0.60"), "{}", ranked.reason);
    }
}

#[test]
fn luck_says_that_it_was_luck() {
    let memory = learn(vec![], rated("p/b", "general", 0.8, 10));
    let explored = (1..500).map(|seed| rank(&memory, "general", seed, three())).find(|it| it.order[0].candidate != 1);
    let explored = explored.expect("somebody else is tried now and then");
    assert!(explored.reason.starts_with("exploring"), "{}", explored.reason);
    assert!(explored.reason.ends_with("usual choice: p/b"), "{}", explored.reason);
    assert!(explored.propensity < 0.5);
}

#[test]
fn what_may_not_be_tried_gets_no_luck() {
    let half_open = || Candidate { half_open: true, ..candidate("p/b") };
    let full = || Candidate { in_flight: 2, max_in_flight: 2, ..candidate("p/b") };
    let unpriced = || Candidate { cost: None, ..candidate("p/b") };
    let memory = learn(vec![], rated("p/z", "general", 0.5, 1));
    for other in [half_open(), full(), unpriced()] {
        let surely_better = Candidate { quality: Some(Quality { mean: 0.9, deviation: 0.0 }), ..candidate("p/a") };
        for seed in 1..200 {
            assert_eq!(
                rank(&memory, "general", seed, vec![surely_better.clone(), other.clone()]).order[0].candidate,
                0
            );
        }
    }
}

#[test]
fn propensity_is_about_the_share_of_the_first() {
    let mut outcomes = rated("p/a", "general", 0.62, 20);
    outcomes.extend(rated("p/b", "general", 0.6, 20));
    let memory = learn(vec![], outcomes);
    let two = || vec![candidate("p/a"), candidate("p/b")];
    let all: Vec<Ranking> = (1..=2_000).map(|seed| rank(&memory, "general", seed, two())).collect();
    let of = |index: u32| all.iter().filter(move |ranking| ranking.order[0].candidate == index);
    for index in [0, 1] {
        let share = of(index).count() as f32 / 2_000.0;
        let said = of(index).next().expect("some").propensity;
        assert!((share - said).abs() < 0.05, "{share} {said}");
    }
}

#[test]
fn a_comparison_helps_one_and_hurts_the_other() {
    let won = || outcome("p/a", "general", Observation::PreferredOver("p/b".to_owned()));
    let memory = learn(vec![], (0..20).map(|_| won()).collect());
    assert!(share_of(&memory, "general", 0) > share_of(&memory, "general", 2));
    assert!(share_of(&memory, "general", 2) > share_of(&memory, "general", 1));
}

#[test]
fn memory_is_bounded_and_keeps_what_is_known_best() {
    let mut memory = learn(vec![], rated("p/best", "general", 0.9, 50));
    for model in 0..1_000 {
        memory = learn(memory, rated(&format!("p/{model}"), "general", 0.5, 1));
    }
    assert!(memory.len() <= 16_384, "{}", memory.len());
    let candidates = vec![candidate("p/best"), candidate("p/other")];
    assert_eq!(rank(&memory, "general", 0, candidates).order[0].candidate, 0);
}

fn observed() -> impl Strategies<Value = Observation> {
    prop_oneof![
        any::<f32>().prop_map(Observation::Rated),
        (0.0f32..1.0).prop_map(Observation::Rated),
        "p/[a-d]".prop_map(Observation::PreferredOver),
        Just(Observation::Refused),
        "[a-z]{0,9}".prop_map(Observation::Failed),
    ]
}

proptest! {
    #[test]
    fn a_batch_in_two_parts_gives_the_same_memory(
        said in prop::collection::vec(("p/[a-d]", "artistic|general|odd", observed()), 0..40),
        at in 0usize..40,
    ) {
        let outcomes: Vec<Outcome> =
            said.into_iter().map(|(model, label, observed)| outcome(&model, &label, observed)).collect();
        let whole = learn(vec![], outcomes.clone());
        let at = at.min(outcomes.len());
        let parts = learn(learn(vec![], outcomes[..at].to_vec()), outcomes[at..].to_vec());
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn any_memory_gives_a_valid_ranking(
        memory in prop::collection::vec(any::<u8>(), 0..300),
        cells in prop::collection::vec(any::<u32>(), 0..70),
        seed in any::<u64>(),
    ) {
        let forged = [vec![0x6d75_7802, 9, 3], cells].concat().into_iter().flat_map(u32::to_le_bytes).collect();
        for memory in [memory, forged] {
            let ranking = rank(&memory, "technical", seed, three());
            prop_assert_eq!(ranking.order.len(), 3);
            prop_assert!(ranking.order.iter().all(|place| place.score.is_finite()));
            prop_assert!((0.0..=1.0).contains(&ranking.propensity) && ranking.reason.len() <= 256);
            learn(memory, rated("p/a", "general", 0.5, 1));
        }
    }
}
