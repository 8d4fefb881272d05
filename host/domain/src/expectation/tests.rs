use proptest::prelude::*;

use super::*;
use crate::{
    attempt::DecisionId,
    candidate::CandidateId,
    learning::{Observation, Outcome},
    plugin::Trait,
};

const GENERATE: Operation = Operation::ImageGenerate;
const PRIOR: Prior = Prior { mean: 0.6, deviation: 0.1 };

fn classified(label: &str, traits: &[&str]) -> Classification {
    let seen = |name: &&str| Trait { name: (*name).to_owned(), confidence: 0.9 };
    Classification {
        label: label.to_owned(),
        confidence: 0.8,
        complexity: 0.5,
        traits: traits.iter().map(seen).collect(),
        features: Vec::new(),
    }
}

fn outcome(model: &str, classification: &Classification, observed: Observation) -> Outcome {
    Outcome {
        sequence: 1,
        at_ms: 0,
        decision: DecisionId::new(0, 0),
        operation: GENERATE,
        classification: classification.clone(),
        quality: 0,
        model: candidate(model),
        place: 0,
        propensity: 1.0,
        observed,
    }
}

fn candidate(name: &str) -> CandidateId {
    let (provider, model) = name.split_once('/').expect("provider/model");
    CandidateId::new(provider, model, None)
}

fn rate(learner: &mut Learner, model: &str, classification: &Classification, rating: f32, times: usize) {
    for _ in 0..times {
        learner.learn(&outcome(model, classification, Observation::Rated(rating)), |_| Some(PRIOR));
    }
}

fn expected(learner: &Learner, model: &str, classification: &Classification) -> Prior {
    learner.expectations().of(model, GENERATE, &classification.into(), Some(PRIOR)).expect("a prior at least")
}

#[test]
fn an_expectation_that_had_to_be_bounded_says_so() {
    let mut learner = Learner::default();
    for (traits, rating) in [(&[][..], 0.8), (&["text"], 1.0), (&["quantity"], 1.0)] {
        rate(&mut learner, "openai/a", &classified("technical", traits), rating, 200);
    }
    let told = |classification: &Classification| {
        let explained = learner.expectations().explain("openai/a", GENERATE, &classification.into());
        explained.expect("rated").to_string()
    };
    let both = told(&classified("technical", &["text", "quantity"]));
    assert!(both.starts_with("1.00 ") && both.contains(", bounded, from"), "{both}");
    assert!(!told(&classified("technical", &["text"])).contains("bounded"));
}

#[test]
fn what_was_never_rated_keeps_its_prior() {
    let mut learner = Learner::default();
    let plain = classified("general", &[]);
    rate(&mut learner, "openai/a", &plain, 0.9, 5);
    assert_eq!(Expectations::NONE.of("openai/b", GENERATE, &(&plain).into(), Some(PRIOR)), Some(PRIOR));
    let (rated, unrated) = (expected(&learner, "openai/a", &plain), expected(&learner, "openai/b", &plain));
    assert_eq!(unrated.mean, PRIOR.mean);
    assert!(rated.deviation < unrated.deviation, "{rated:?} {unrated:?}");
    assert!(learner.expectations().of("openai/b", GENERATE, &(&plain).into(), None).is_none());
    assert_eq!(learner.expectations().of("openai/a", Operation::ImageEdit, &(&plain).into(), None), None);
}

#[test]
fn a_trait_is_learned_apart_from_the_rest() {
    let mut learner = Learner::default();
    let (plain, text) = (classified("general", &[]), classified("general", &["text"]));
    for _ in 0..500 {
        rate(&mut learner, "openai/a", &plain, 0.7, 1);
        rate(&mut learner, "openai/a", &text, 0.3, 1);
    }
    let (of_plain, of_text) = (expected(&learner, "openai/a", &plain), expected(&learner, "openai/a", &text));
    assert!((of_plain.mean - 0.7).abs() < 0.05 && (of_text.mean - 0.3).abs() < 0.05, "{of_plain:?} {of_text:?}");
    let explained = learner.expectations().explain("openai/a", GENERATE, &(&text).into()).expect("was rated");
    let told = explained.to_string();
    assert!(told.contains("0.60 prior") && told.contains(" text, ") && told.ends_with("from 1000 ratings"), "{told}");
}

#[test]
fn ratings_of_one_time_count_alike_in_whatever_order_they_stand() {
    let seen = Seen::from(&classified("general", &["text"]));
    let fitted = |ratings: &mut dyn Iterator<Item = f64>| {
        let mut learner = Learner::default();
        for rating in ratings {
            learner.fit(GENERATE, "openai/a", &seen, rating, &|_| Some(PRIOR));
        }
        learner.expectations().of("openai/a", GENERATE, &seen, None).expect("was rated")
    };
    let ratings: Vec<f64> = (0..6_000).map(|place| if place < 3_000 { 0.2 } else { 0.8 }).collect();
    let (rising, falling) = (fitted(&mut ratings.iter().copied()), fitted(&mut ratings.iter().rev().copied()));
    assert!((rising.mean - 0.5).abs() < 0.005, "{rising:?}");
    assert!((rising.mean - falling.mean).abs() < 1e-5, "{rising:?} {falling:?}");
}

#[test]
fn what_is_told_adds_up() {
    let mut learner = Learner::default();
    let text = classified("technical", &["text", "people"]);
    rate(&mut learner, "openai/a", &text, 0.45, 40);
    let explained = learner.expectations().explain("openai/a", GENERATE, &(&text).into()).expect("was rated");
    let sum = explained.prior + explained.terms.iter().map(|(_, by)| by).sum::<f32>();
    assert!((sum - explained.sum.mean).abs() < 0.02, "{explained}");
}

#[test]
fn more_ratings_make_surer() {
    let plain = classified("general", &[]);
    let mut last = f32::MAX;
    for times in [1, 10, 100] {
        let mut learner = Learner::default();
        rate(&mut learner, "openai/a", &plain, 0.8, times);
        let now = expected(&learner, "openai/a", &plain);
        assert!(now.deviation < last, "{now:?}");
        last = now.deviation;
    }
}

#[test]
fn accounts_at_several_providers_share_what_is_learned() {
    let mut learner = Learner::default();
    let plain = classified("general", &[]);
    rate(&mut learner, "openai/a", &plain, 0.9, 50);
    assert_eq!(expected(&learner, "openai-eu/a", &plain), expected(&learner, "openai/a", &plain));
}

#[test]
fn a_comparison_moves_both_and_the_more_the_more_it_surprises() {
    let plain = classified("general", &[]);
    let against = |first: f32, second: f32| {
        let mut learner = Learner::default();
        rate(&mut learner, "openai/a", &plain, first, 100);
        rate(&mut learner, "openai/b", &plain, second, 100);
        let before = (expected(&learner, "openai/a", &plain).mean, expected(&learner, "openai/b", &plain).mean);
        for _ in 0..20 {
            let won = Observation::PreferredOver(candidate("openai/b"));
            learner.learn(&outcome("openai/a", &plain, won), |_| Some(PRIOR));
        }
        (expected(&learner, "openai/a", &plain).mean - before.0, before.1 - expected(&learner, "openai/b", &plain).mean)
    };
    let (even, surprising, expected) = (against(0.6, 0.6), against(0.4, 0.8), against(0.8, 0.4));
    assert!(even.0 > 0.0 && even.1 > 0.0, "{even:?}");
    assert!(surprising.0 > even.0 && even.0 > expected.0, "{surprising:?} {even:?} {expected:?}");
}

#[test]
fn what_changes_is_noticed() {
    let plain = classified("general", &[]);
    let mut learner = Learner::default();
    rate(&mut learner, "openai/a", &plain, 0.8, 20_000);
    rate(&mut learner, "openai/a", &plain, 0.4, 6_000);
    assert!(expected(&learner, "openai/a", &plain).mean < 0.5);
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let mut learner = Learner::default();
    rate(&mut learner, "openai/a@low", &classified("technical", &["text"]), 0.9, 30);
    rate(&mut learner, "bfl/b", &classified("artistic", &[]), 0.2, 30);
    let written = write(&learner.expectations());
    let again = read(&written).expect("what was written");
    assert_eq!(write(&again), written);
    assert_eq!(again.entries().count(), 2);
}

#[test]
fn a_bad_file_is_told_what_is_wrong() {
    let entry = |head: &str, prior: &str, terms: &str| {
        format!(
            "format = 1\n[[models]]\n{head}operation = \"image.generate\"\nprior = {prior}\n[models.terms]\n{terms}\n"
        )
    };
    let good = "{ mean = 0.5, deviation = 0.1 }";
    for (text, wrong) in [
        ("format = 2".to_owned(), "format 2"),
        ("models = 3".to_owned(), "not written as"),
        (entry("model = \"a\"\nratings = 3\n", good, "glow = { mean = 0.1, deviation = 0.1 }"), "no term `glow`"),
        (entry("model = \"a\"\nratings = nan\n", good, ""), "`ratings`"),
        (entry("model = \"a\"\nratings = 3\n", "{ mean = 2.0, deviation = 0.1 }", ""), "prior"),
        (entry("model = \"a\"\nratings = 3\n", good, "text = { mean = inf, deviation = 0.1 }"), "`text`"),
        (entry("model = \"\"\nratings = 3\n", good, ""), "name"),
    ] {
        let error = read(&text).expect_err(&text).to_string();
        assert!(error.contains(wrong), "{error}");
    }
}

#[test]
fn a_memory_is_read_as_it_was_written_and_damage_is_noticed() {
    let mut learner = Learner::default();
    rate(&mut learner, "openai/a", &classified("technical", &["text"]), 0.9, 30);
    let bytes = learner.to_bytes();
    assert_eq!(Learner::from_bytes(&bytes), Some(learner));
    assert_eq!(Learner::from_bytes(&[]), Some(Learner::default()));
    assert_eq!(Learner::from_bytes(&bytes[..bytes.len() - 1]), None);
    assert_eq!(Learner::from_bytes(&[9, 9, 9]), None);
}

proptest! {
    #[test]
    fn whatever_is_said_expectations_stay_shares(
        ratings in proptest::collection::vec((0usize..4, 0usize..3, -2.0f32..3.0, any::<bool>()), 0..60),
    ) {
        let (labels, models) = (["artistic", "technical", "odd", "general"], ["p/a", "p/b", "q/a"]);
        let mut learner = Learner::default();
        for (label, model, rating, compares) in ratings {
            let classification = classified(labels[label], &["text", "other"]);
            let observed = if compares {
                Observation::PreferredOver(candidate(models[(model + 1) % 3]))
            } else {
                Observation::Rated(rating)
            };
            learner.learn(&outcome(models[model], &classification, observed), |_| None);
        }
        for model in models {
            let seen = Seen::of(&classified("technical", &["text"]));
            if let Some(quality) = learner.expectations().of(model, GENERATE, &seen, None) {
                prop_assert!((0.0..=1.0).contains(&quality.mean) && (0.0..=1.0).contains(&quality.deviation));
            }
        }
    }
}
