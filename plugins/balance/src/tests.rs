use std::cell::Cell;

use muxel_sdk::{Estimate, Latency, Priority, Quality, Reason};
use proptest::prelude::{Just, Strategy as Generate, any, prop, prop_assert, prop_assume, prop_oneof, proptest};

use super::*;

fn words(first: Candidate, second: Candidate) -> String {
    let candidates = [first, second];
    let request = Request::for_prompt("");
    let balance = Balance::of(&candidates, &[], &request, &Classification::of("general"));
    let [first, second] = [0, 1].map(|index| (&candidates[index], balance.parts(index)));
    next(facts(Reason::default(), first.0), first, second).into()
}

#[test]
fn the_next_one_is_told_by_what_it_would_mean() {
    let known = |name| {
        let known = Candidate::new(name).good(0.6, 0.05).costing(20_000, 20_000).taking(3_500, 9_000);
        known.delivering(1.0, 100)
    };
    let better = Candidate::new("p/better").good(0.64, 0.05).costing(50_000, 50_000).taking(5_500, 9_000);
    let said = words(known("p/m"), better);
    assert_eq!(
        said,
        "quality 0.60 at 0.02 USD, 3.5 s; next p/better: 0.03 USD more, quality 0.04 higher, 2.0 s slower"
    );
    for (second, said) in [
        (Candidate::new("p/new"), "unknown price, unknown quality, unknown latency"),
        (known("p/vague").good(0.6, 0.3), "same price, but its quality is less certain"),
        (known("p/failing").delivering(0.8, 100), "same price, but less sure to deliver"),
        (known("p/full").busy(4, 4), "same price, but it is full"),
        (known("p/light").weighing(0.5), "same price, but its quality is less certain"),
        (known("p/back").half_open(), "same price, but it only comes back from failing"),
        (known("p/cheap").good(0.2, 0.05).costing(10_000, 10_000), "0.01 USD less, quality 0.40 lower"),
        (known("p/twin"), "same price"),
    ] {
        let whole = words(known("p/m"), second.clone());
        assert!(whole.ends_with(&format!("; next {}: {said}", second.model)), "{whole}");
    }
    let long = Candidate::new(&format!("p/{}", "x".repeat(250)));
    assert_eq!(words(known("p/m"), long), "quality 0.60 at 0.02 USD, 3.5 s", "said whole or not at all");
}

/// What the theorem below allows, happens: among twelve candidates like a catalogue's, where there is a choice.
#[test]
fn a_priority_often_changes_who_is_first() {
    let (cheaper, faster) = (Cell::new(0), Cell::new(0));
    muxel_sdk::testing::each(2_000, |samples| {
        let mut candidates = Vec::new();
        for _ in 0..12 {
            // Prices and latencies spread over five doublings, better pictures mostly dearer and slower.
            let (price, time) = (samples.share() * 5.0, samples.share() * 5.0);
            let quality = 0.2 + (price + time) / 30.0 + samples.share() * 0.3;
            let known = Candidate::new("p/m").good(quality, 0.05);
            let cost = (4_000.0 * price.exp2()) as u32;
            let p50_ms = (1_500.0 * time.exp2()) as u32;
            candidates.push(known.costing(cost, cost).taking(p50_ms, 2 * p50_ms));
        }
        let first = |priority| {
            let request = Request::for_prompt("").as_soon_as(priority);
            let balance = Balance::of(&candidates, &[], &request, &Classification::of("general"));
            let first = (0..candidates.len()).min_by(|a, b| balance.compare(*a, *b)).expect("there are some");
            let known = &candidates[first];
            (known.cost.map(|cost| cost.expected), known.latency.map(|latency| latency.p50_ms))
        };
        let normal = first(Priority::Normal);
        cheaper.set(cheaper.get() + u32::from(first(Priority::Low).0 < normal.0));
        faster.set(faster.get() + u32::from(first(Priority::Urgent).1 < normal.1));
    });
    let shares = [cheaper.get(), faster.get()].map(|count| count * 100 / 2_000);
    assert!(shares[0] >= 30 && shares[1] >= 70, "{shares:?}");
}

fn known_or_not<T: Clone + std::fmt::Debug + 'static>(
    value: impl Generate<Value = T> + 'static,
) -> impl Generate<Value = Option<T>> {
    prop_oneof![1 => Just(None), 4 => value.prop_map(Some)]
}

fn candidate() -> impl Generate<Value = Candidate> {
    (
        known_or_not((0..3_000_000u32, 0..100_000u32)),
        known_or_not((0.0..=1.0f32, 0.0..=0.4f32)),
        known_or_not((0..300_000u32, 0..300_000u32)),
        (0..200u32, 0.0..=1.0f32, 0..5u32),
        0.0..3.0f32,
    )
        .prop_map(|(cost, quality, latency, (samples, success, in_flight), weight)| Candidate {
            cost: cost.map(|(expected, more)| Estimate { expected, upper: expected + more }),
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
fn worse(candidate: &Candidate, by: [u32; 8]) -> Candidate {
    let mut worse = candidate.clone();
    let [cost, upper, mean, deviation, p50_ms, p95_ms, success, load] = by;
    if let Some(known) = &mut worse.cost {
        known.expected += cost;
        known.upper += cost + upper;
    }
    if let Some(known) = &mut worse.quality {
        known.mean = (known.mean - mean as f32 / 1e6).max(0.0);
        known.deviation += deviation as f32 / 1e6;
    }
    if let Some(known) = &mut worse.latency {
        known.p50_ms += p50_ms;
        known.p95_ms += p50_ms + p95_ms;
    }
    worse.success = (worse.success - success as f32 / 1e6).max(0.0);
    worse.in_flight += load % 3;
    worse
}

fn step() -> impl Generate<Value = u32> {
    prop_oneof![2 => Just(0u32), 1 => 1..10u32, 1 => 1..1_000_000u32]
}

fn priority() -> impl Generate<Value = Priority> {
    prop_oneof![Just(Priority::Low), Just(Priority::Normal), Just(Priority::High), Just(Priority::Urgent)]
}

fn classification() -> impl Generate<Value = Classification> {
    (any::<bool>(), 0.0..=1.0f32, 0.0..=1.0f32).prop_map(|(technical, confidence, complexity)| Classification {
        complexity,
        ..Classification::of(if technical { "technical" } else { "general" }).sure(confidence)
    })
}

proptest! {
    #[test]
    fn the_better_in_every_respect_never_ranks_lower(
        candidate in candidate(),
        by in [step(), step(), step(), step(), step(), step(), step(), step()],
        others in prop::collection::vec(candidate(), 0..10),
        weights in [0.0..=1.0f64, 0.0..=1.0, 0.0..=1.0, 0.0..=1.0],
        priority in priority(),
        classification in classification(),
        count in 1..=10u32,
    ) {
        let worse = worse(&candidate, by);
        prop_assume!(worse != candidate);
        // The worse one is offered first, so that a tie would be told apart in its favour.
        let mut candidates = vec![worse];
        candidates.extend(others);
        candidates.push(candidate);
        let better = candidates.len() - 1;
        let request = Request::for_prompt("").as_soon_as(priority).wanting(count);
        let balance = Balance::of(&candidates, &weights.map(Value::Number), &request, &classification);
        prop_assert!(balance.compare(better, 0).is_lt());
    }

    /// Exact but for rounding, which may tell apart what is equal to the seventh digit.
    #[test]
    fn a_higher_priority_is_never_slower_and_a_low_one_never_dearer(
        candidates in prop::collection::vec(candidate(), 2..30),
        weights in [0.01..=1.0f64, 0.01..=1.0, 0.01..=1.0, 0.01..=1.0],
        classification in classification(),
        count in 1..=10u32,
    ) {
        let candidates: Vec<Candidate> =
            candidates.into_iter().map(|candidate| Candidate { weight: 1.0, ..candidate }).collect();
        let settings = weights.map(Value::Number);
        let first = |priority| {
            let request = Request::for_prompt("").as_soon_as(priority).wanting(count);
            let balance = Balance::of(&candidates, &settings, &request, &classification);
            let first = (0..candidates.len()).min_by(|a, b| balance.compare(*a, *b)).expect("there are some");
            Parts::of(&candidates[first], count)
        };
        let [low, normal, high, urgent] =
            [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent].map(first);
        prop_assert!(low.cost >= normal.cost - 1e-4, "{low:?} {normal:?}");
        prop_assert!(high.latency >= normal.latency - 1e-4, "{high:?} {normal:?}");
        prop_assert!(urgent.latency >= high.latency - 1e-4, "{urgent:?} {high:?}");
    }

    #[test]
    fn whatever_is_asked_for_is_said_in_the_limit(first in candidate(), second in candidate(), name in ".{0,120}") {
        let said = words(first, Candidate { model: name, ..second });
        prop_assert!(said.len() <= Reason::LIMIT);
    }
}
