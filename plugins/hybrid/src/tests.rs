use muxel_sdk::{Estimate, Latency, Priority, Quality};
use proptest::prelude::{Just, Strategy as Generate, any, prop, prop_assert, prop_oneof, proptest};

use super::*;

fn rank_for(request: Request, classification: Classification, candidates: &[Candidate]) -> Ranking {
    Hybrid::rank(request, vec![], vec![], classification, candidates.to_vec(), vec![]).expect("a ranking")
}

fn rank(candidates: &[Candidate]) -> Ranking {
    rank_for(Request::for_prompt("a red bicycle"), Classification::of("general"), candidates)
}

fn order(ranking: &Ranking) -> Vec<u32> {
    ranking.order.iter().map(|ranked| ranked.candidate).collect()
}

/// Good, dear and slow; then fair, cheap and quick.
fn dear_and_cheap() -> [Candidate; 2] {
    [
        Candidate::new("p/dear").good(0.8, 0.05).costing(120_000, 130_000).taking(30_000, 60_000),
        Candidate::new("p/cheap").good(0.6, 0.05).costing(13_200, 14_000).taking(6_170, 9_000),
    ]
}

#[test]
fn says_why_in_words_and_in_parts_that_add_up() {
    let ranking = rank(&dear_and_cheap());
    assert_eq!(ranking.reason, "best balance: quality 0.60 at 0.0132 USD, 6.2 s");
    let names: Vec<&str> = ranking.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["quality", "cost", "latency", "reliability"]);
    for (place, ranked) in ranking.order.iter().enumerate() {
        let sum: f32 = ranking.parts.iter().map(|part| part.values[place]).sum();
        assert!((sum - ranked.score).abs() < 1e-6);
    }
}

#[test]
fn unknown_facts_are_said_to_be_unknown() {
    let reason = rank(&[Candidate::new("p/new")]).reason;
    assert_eq!(reason, "best balance: unknown quality at an unknown price, unknown latency");
}

#[test]
fn a_technical_and_complex_prompt_asks_for_quality() {
    let candidates = dear_and_cheap();
    let hard = Classification { complexity: 1.0, ..Classification::of("technical") };
    let plain = Classification { complexity: 0.0, ..Classification::of("general") };
    let share = |classification| {
        let ranking = rank_for(Request::for_prompt(""), classification, &candidates);
        let dear = order(&ranking).iter().position(|index| *index == 0).expect("ranked");
        ranking.order[dear].score / ranking.order[1 - dear].score
    };
    assert!(share(hard) > share(plain));
}

#[test]
fn urgency_asks_for_latency_and_low_priority_for_cost() {
    let candidates = [
        Candidate::new("p/quick").good(0.6, 0.05).costing(60_000, 60_000).taking(2_000, 3_000),
        Candidate::new("p/cheap").good(0.6, 0.05).costing(8_000, 8_000).taking(40_000, 60_000),
    ];
    let at = |priority| {
        let request = Request { priority, ..Request::for_prompt("") };
        order(&rank_for(request, Classification::of("general"), &candidates))[0]
    };
    assert_eq!(at(Priority::Urgent), 0);
    assert_eq!(at(Priority::Low), 1);
}

#[test]
fn a_small_difference_makes_a_small_difference() {
    let candidate = |quality| Candidate::new("p/m").good(quality, 0.05).costing(10_000, 10_000).taking(5_000, 9_000);
    let ranking = rank(&[candidate(0.70), candidate(0.71)]);
    assert!(ranking.order[0].score - ranking.order[1].score < 0.01);
}

#[test]
fn unknown_is_neither_free_nor_worthless() {
    let known = Candidate::new("p/known").good(0.5, 0.05).costing(40_000, 40_000).taking(10_000, 20_000);
    let hopeless = Candidate::new("p/hopeless").good(0.1, 0.05).costing(900_000, 900_000).taking(120_000, 200_000);
    let candidates = [hopeless, Candidate::new("p/unknown"), known];
    assert_eq!(order(&rank(&candidates)), [2, 1, 0]);
}

#[test]
fn failing_and_full_candidates_lose_to_their_equals() {
    let candidate = |name| Candidate::new(name).good(0.6, 0.05).costing(10_000, 10_000).taking(5_000, 9_000);
    let full = Candidate { in_flight: 4, max_in_flight: 4, ..candidate("p/full") };
    let candidates = [candidate("p/failing").delivering(0.8, 100), full, candidate("p/steady").delivering(1.0, 100)];
    assert_eq!(order(&rank(&candidates))[0], 2);
}

#[test]
fn the_half_open_come_last_and_the_operators_weight_counts() {
    let [dear, cheap] = dear_and_cheap();
    let ranking = rank(&[cheap.clone().half_open(), dear.clone()]);
    assert_eq!(order(&ranking), [1, 0]);
    assert_eq!(ranking.parts[4].name, "half-open");
    let preferred = Candidate { weight: 2.0, ..dear };
    assert_eq!(order(&rank(&[cheap, preferred])), [1, 0]);
}

#[test]
fn senseless_settings_are_ignored() {
    let settings = |values: [f64; 4]| values.map(Value::Number).to_vec();
    let with = |settings| {
        let candidates = dear_and_cheap().to_vec();
        Hybrid::rank(Request::for_prompt(""), settings, vec![], Classification::of("general"), candidates, vec![])
    };
    for senseless in [[f64::NAN; 4], [-1.0; 4], [f64::INFINITY; 4], [0.0; 4]] {
        assert_eq!(with(settings(senseless)), with(vec![]));
    }
    let quality_only = with(settings([1.0, 0.0, 0.0, 0.0])).expect("a ranking");
    assert_eq!(order(&quality_only), [0, 1]);
}

#[test]
fn an_unknown_fact_or_column_changes_nothing() {
    let request = Request::for_prompt("a red bicycle").with_fact("phase-of-the-moon-share", 0.5);
    let columns = vec![Column::new("acme.mood", vec![Some(9.0), None])];
    let candidates = dear_and_cheap();
    let odd = Hybrid::rank(request, vec![], vec![], Classification::of("general"), candidates.to_vec(), columns);
    assert_eq!(odd, Ok(rank(&candidates)));
}

fn known_or_not<T: Clone + std::fmt::Debug + 'static>(
    value: impl Generate<Value = T> + 'static,
) -> impl Generate<Value = Option<T>> {
    prop_oneof![1 => Just(None), 4 => value.prop_map(Some)]
}

fn candidate() -> impl Generate<Value = Candidate> {
    (
        known_or_not(0..3_000_000u32),
        known_or_not((0.0..=1.0f32, 0.0..=0.4f32)),
        known_or_not((0..300_000u32, 0..300_000u32)),
        (0..200u32, 0.0..=1.0f32, 0..5u32),
        0.0..3.0f32,
    )
        .prop_map(|(cost, quality, latency, (samples, success, in_flight), weight)| Candidate {
            cost: cost.map(|expected| Estimate { expected, upper: expected }),
            quality: quality.map(|(mean, deviation)| Quality { mean, deviation }),
            latency: latency.map(|(p50_ms, more)| Latency { p50_ms, p95_ms: p50_ms + more }),
            samples,
            success,
            in_flight,
            max_in_flight: 4,
            weight,
            ..Candidate::new("p/m")
        })
}

/// `candidate`, a little worse in some respects and better in none.
fn worse(candidate: &Candidate, by: [u32; 4]) -> Candidate {
    let mut worse = candidate.clone();
    if let Some(cost) = &mut worse.cost {
        cost.expected += by[0];
        cost.upper += by[0];
    }
    if let Some(quality) = &mut worse.quality {
        quality.mean = (quality.mean - by[1] as f32 / 1e6).max(0.0);
    }
    if let Some(latency) = &mut worse.latency {
        latency.p50_ms += by[2];
        latency.p95_ms += by[2];
    }
    worse.success = (worse.success - by[3] as f32 / 1e6).max(0.0);
    worse
}

fn step() -> impl Generate<Value = u32> {
    prop_oneof![Just(0u32), 1..10u32, 1..1_000_000u32]
}

proptest! {
    #[test]
    fn the_better_in_every_respect_never_ranks_lower(
        candidate in candidate(),
        by in [step(), step(), step(), step()],
        others in prop::collection::vec(candidate(), 0..10),
        weights in [0.0..=1.0f64, 0.0..=1.0, 0.0..=1.0, 0.0..=1.0],
        priority in prop_oneof![Just(Priority::Low), Just(Priority::Normal), Just(Priority::High), Just(Priority::Urgent)],
        complexity in 0.0..=1.0f32,
        count in 1..=10u32,
    ) {
        let worse = worse(&candidate, by);
        proptest::prop_assume!(worse != candidate);
        // The worse one is offered first, so that a tie would be told apart in its favour.
        let mut candidates = vec![worse];
        candidates.extend(others);
        candidates.push(candidate);
        let better = candidates.len() as u32 - 1;

        let request = Request { priority, count, ..Request::for_prompt("") };
        let classification = Classification { complexity, ..Classification::of("technical") };
        let settings = weights.map(Value::Number).to_vec();
        let ranking = Hybrid::rank(request, settings, vec![], classification, candidates, vec![]).expect("a ranking");
        let place = |index| order(&ranking).iter().position(|ranked| *ranked == index);
        prop_assert!(place(better) < place(0));
    }

    #[test]
    fn scores_are_finite_and_never_rise(
        candidates in prop::collection::vec((candidate(), any::<bool>()), 1..60),
        strange in [any::<f32>(), any::<f32>(), any::<f32>(), any::<f32>()],
    ) {
        let mut candidates: Vec<Candidate> = candidates
            .into_iter()
            .map(|(candidate, half_open)| Candidate { half_open, ..candidate })
            .collect();
        let [weight, success, mean, deviation] = strange;
        candidates.push(Candidate { weight, success, quality: Some(Quality { mean, deviation }), ..Candidate::new("p/odd") });
        let ranking = rank(&candidates);
        prop_assert!(ranking.order.iter().all(|ranked| ranked.score.is_finite()));
        prop_assert!(ranking.order.is_sorted_by(|a, b| a.score >= b.score));
        prop_assert!(ranking.parts.iter().all(|part| part.values.len() == candidates.len()));
        let mut indices = order(&ranking);
        indices.sort_unstable();
        prop_assert!(indices.into_iter().eq(0..candidates.len() as u32));
    }
}
