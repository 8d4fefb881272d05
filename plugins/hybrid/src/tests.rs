use muxel_sdk::{Priority, testing};

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

fn assert_parts_add_up(ranking: &Ranking) {
    for (place, ranked) in ranking.order.iter().enumerate() {
        let sum: f32 = ranking.parts.iter().map(|part| part.values[place]).sum();
        assert!((sum - ranked.score).abs() < 1e-4, "{sum} {}", ranked.score);
    }
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
    assert_eq!(
        ranking.reason,
        "best balance: quality 0.60 at 0.0132 USD, 6.2 s; \
         next p/dear: 0.1068 USD more, quality 0.20 higher, 23.8 s slower"
    );
    let names: Vec<&str> = ranking.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["quality", "cost", "latency", "reliability"]);
    assert_parts_add_up(&ranking);
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

/// The first is well known. One of the others is new and promising, one new and hopeless, one known and worse.
fn known_and_new() -> [Candidate; 4] {
    let usual = |name| Candidate::new(name).good(0.6, 0.02).costing(20_000, 20_000).taking(5_000, 9_000);
    [
        usual("p/known").delivering(1.0, 400),
        usual("p/new").good(0.6, 0.12).delivering(1.0, 3),
        usual("p/hopeless").good(0.2, 0.12),
        usual("p/worse").good(0.55, 0.02).delivering(1.0, 400),
    ]
}

fn seeded(seed: u64, share: f64, priority: Priority, candidates: &[Candidate]) -> Ranking {
    let request = Request { seed, ..Request::for_prompt("").as_soon_as(priority) };
    let mut settings = Hybrid::describe().defaults();
    settings[4] = Value::Number(share);
    Hybrid::rank(request, settings, vec![], Classification::of("general"), candidates.to_vec(), vec![])
        .expect("a ranking")
}

#[test]
fn a_share_of_the_requests_tries_who_is_little_known() {
    let candidates = known_and_new();
    let mut explored = 0;
    for seed in 1..=10_000 {
        let ranking = seeded(seed, 0.1, Priority::Normal, &candidates);
        testing::assert_ranking(&ranking, &candidates);
        assert_parts_add_up(&ranking);
        if order(&ranking) == [1, 0, 3, 2] {
            explored += 1;
            assert_eq!((ranking.propensity, &*ranking.parts[4].name), (0.1, "exploration"));
            assert_eq!(
                ranking.reason,
                "exploring (0.10 of requests): tried 3 times lately, may be as good as the best balance; \
                 quality 0.60 at 0.02 USD, 5.0 s; usual choice: p/known"
            );
        } else {
            assert_eq!((order(&ranking), ranking.propensity), (vec![0, 3, 1, 2], 0.9));
        }
    }
    assert!((900..1_100).contains(&explored), "{explored}");
}

#[test]
fn nobody_is_tried_who_is_hopeless_half_open_full_unpriced_or_known_and_nobody_in_a_hurry_pays_for_it() {
    let always = |priority, candidates: &[Candidate]| {
        (1..200).any(|seed| order(&seeded(seed, 0.5, priority, candidates))[0] != 0)
    };
    let [known, new, hopeless, worse] = known_and_new();
    assert!(always(Priority::Normal, &[known.clone(), new.clone()]));
    assert!(!always(Priority::Urgent, &[known.clone(), new.clone()]));
    for other in [
        hopeless,
        worse,
        new.clone().half_open(),
        new.clone().busy(4, 4),
        Candidate { cost: None, ..new.clone() },
        new.clone().delivering(1.0, 20),
    ] {
        assert!(!always(Priority::Normal, &[known.clone(), other.clone()]), "{other:?}");
    }
    // Until the first one is known itself, every request teaches something.
    assert!(!always(Priority::Normal, &[known.delivering(1.0, 19), new]));
    let nothing_measured = known_and_new().map(|one| one.delivering(1.0, 0));
    assert!((1..200).all(|seed| seeded(seed, 0.5, Priority::Normal, &nothing_measured).propensity == 1.0));
}

#[test]
fn whatever_a_host_sends_the_order_without_exploring_stays_and_the_propensity_is_true() {
    testing::assert_manifest(&Hybrid::describe());
    testing::each(500, |samples| {
        let (request, classification, candidates) = (samples.request(), samples.classification(), samples.candidates());
        let mut settings = samples.settings(&Hybrid::describe());
        let mut rank = |share: Option<f64>| {
            if let Some(share) = share {
                settings[4] = Value::Number(share);
            }
            let (request, classification) = (request.clone(), classification.clone());
            Hybrid::rank(request, settings.clone(), vec![], classification, candidates.clone(), vec![])
                .expect("a ranking")
        };
        let ranking = rank(None);
        testing::assert_ranking(&ranking, &candidates);
        let usual = rank(Some(0.0));
        assert_eq!((usual.order.len(), usual.propensity), (candidates.len(), 1.0));
        if ranking.parts.iter().any(|part| part.name == "exploration") {
            assert!(ranking.propensity <= 0.5 && request.priority != Priority::Urgent);
            let tried = order(&ranking)[0];
            let others = |ranking: &Ranking| order(ranking).into_iter().filter(|it| *it != tried).collect::<Vec<_>>();
            assert_eq!(others(&ranking), others(&usual));
        } else {
            assert!(ranking.propensity >= 0.5);
            assert_eq!(order(&ranking), order(&usual));
        }
    });
}
