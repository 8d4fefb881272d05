use domain::breaker::{FAILURES_TO_OPEN, FIRST_PAUSE_MS, State};
use domain::failure::FailureKind;

use super::*;

fn cell(health: &Health, provider: &str, model: &str) -> Arc<Cell> {
    health.cell(&CandidateId::new(provider, model, None), Operation::ImageGenerate)
}

fn failed(kind: FailureKind) -> Ended {
    let retry_after = (kind == FailureKind::RateLimited).then_some(Duration::from_secs(7));
    Ended::Failed { kind, retry_after }
}

fn delivered(latency_ms: u32) -> Ended {
    Ended::Delivered { latency_ms, listed_p95_ms: None, load: 1 }
}

fn trip(cell: &Arc<Cell>) {
    for _ in 0..FAILURES_TO_OPEN {
        cell.begin(0, None).ended(0, failed(FailureKind::Server), 0.0);
    }
}

#[test]
fn a_candidate_has_one_cell_an_operation() {
    let health = Health::new();
    assert!(Arc::ptr_eq(&cell(&health, "p", "m"), &cell(&health, "p", "m")));
    let edit = health.cell(&CandidateId::new("p", "m", None), Operation::ImageEdit);
    assert!(!Arc::ptr_eq(&cell(&health, "p", "m"), &edit));
    assert_eq!(health.cells().len(), 2);
}

#[test]
fn attempts_under_way_are_counted_until_they_end_or_are_dropped() {
    let health = Health::new();
    let cell = cell(&health, "p", "m");
    let (first, second) = (cell.begin(0, None), cell.begin(0, None));
    assert_eq!(cell.view(0).live.in_flight, 2);
    first.ended(0, delivered(5), 0.0);
    drop(second);
    assert_eq!(cell.view(0).live.in_flight, 0);
    assert_eq!(cell.view(0).live.samples, 1);
}

#[test]
fn a_refused_key_shuts_every_candidate_of_the_account_until_the_config_changes() {
    let health = Health::new();
    let (one, other, elsewhere) = (cell(&health, "p", "a"), cell(&health, "p", "b"), cell(&health, "q", "a"));
    one.begin(10, None).ended(10, failed(FailureKind::Credential), 0.0);
    assert_eq!(other.view(10).state, State::Open { until: 300_010 });
    assert_eq!(elsewhere.view(10).state, State::Closed);
    assert_eq!(other.view(300_010).state, State::Closed);
    health.reset_account("q");
    assert_eq!(other.view(11).state, State::Open { until: 300_010 });
    health.reset_account("p");
    assert_eq!(other.view(11).state, State::Closed);
}

#[test]
fn what_is_said_of_an_old_key_does_not_shut_the_new_one() {
    let health = Health::new();
    let cell = cell(&health, "p", "a");
    let (old, other) = (cell.begin(0, None), cell.begin(0, None));
    health.reset_account("p");
    old.ended(10, failed(FailureKind::Credential), 0.0);
    other.ended(10, failed(FailureKind::RateLimited), 0.0);
    assert_eq!(cell.view(10).state, State::Closed);
    cell.begin(10, None).ended(10, failed(FailureKind::Credential), 0.0);
    assert_eq!(cell.view(10).state, State::Open { until: 300_010 });
}

#[test]
fn a_cell_is_kept_for_whoever_holds_it_and_forgotten_when_nobody_does() {
    let health = Health::new();
    let (kept, dropped) = (cell(&health, "p", "a"), cell(&health, "q", "b"));
    drop(dropped);
    health.forget_unused();
    assert_eq!(health.cells().len(), 1);
    assert!(Arc::ptr_eq(&kept, &cell(&health, "p", "a")));
}

#[test]
fn a_retry_after_pauses_the_account_and_counts_no_failure() {
    let health = Health::new();
    let (one, other) = (cell(&health, "p", "a"), cell(&health, "p", "b"));
    one.begin(0, None).ended(0, failed(FailureKind::RateLimited), 0.0);
    assert_eq!(other.view(7_000).state, State::Open { until: 7_001 });
    assert_eq!(one.view(7_001).state, State::Closed);
    assert_eq!(one.view(7_001).live.samples, 0);
}

#[test]
fn an_absurd_retry_after_does_not_shut_for_ever() {
    let health = Health::new();
    let cell = cell(&health, "p", "a");
    let retry_after = Some(Duration::MAX);
    cell.begin(0, None).ended(0, Ended::Failed { kind: FailureKind::RateLimited, retry_after }, 0.0);
    assert_eq!(cell.view(3_600_000).state, State::Closed);
}

#[test]
fn refusals_and_attempts_cut_short_by_us_leave_health_alone() {
    let health = Health::new();
    let cell = cell(&health, "p", "m");
    for _ in 0..2 * FAILURES_TO_OPEN {
        cell.begin(0, None).ended(0, failed(FailureKind::Refused), 0.0);
        cell.begin(0, None).ended(0, Ended::Unfair, 0.0);
    }
    assert_eq!((cell.view(0).state, cell.view(0).live.samples), (State::Closed, 0));
}

#[test]
fn a_probe_that_was_never_sent_is_given_back() {
    let health = Health::new();
    let cell = cell(&health, "p", "m");
    trip(&cell);
    assert!(cell.take_probe(FIRST_PAUSE_MS - 1).is_none());
    let probe = cell.take_probe(FIRST_PAUSE_MS).expect("a due probe");
    assert!(cell.take_probe(FIRST_PAUSE_MS).is_none());
    drop(probe);
    let probe = cell.take_probe(FIRST_PAUSE_MS);
    assert!(probe.is_some());
    cell.begin(FIRST_PAUSE_MS, probe).ended(FIRST_PAUSE_MS, delivered(1), 0.0);
    assert_eq!(cell.view(FIRST_PAUSE_MS).state, State::Closed);
}

#[test]
fn no_probe_goes_to_a_shut_account() {
    let health = Health::new();
    let (cell, other) = (cell(&health, "p", "m"), cell(&health, "p", "n"));
    trip(&cell);
    other.begin(FIRST_PAUSE_MS, None).ended(FIRST_PAUSE_MS, failed(FailureKind::Quota), 0.0);
    assert!(cell.take_probe(FIRST_PAUSE_MS).is_none());
}

#[test]
fn a_later_run_begins_with_what_this_one_measured() {
    let health = Health::new();
    let (broken, busy, unused) = (cell(&health, "p", "m"), cell(&health, "q", "m"), cell(&health, "q", "n"));
    let now = health.now();
    for _ in 0..FAILURES_TO_OPEN {
        broken.begin(now, None).ended(now, failed(FailureKind::Server), 0.0);
        busy.begin(now, None).ended(now, delivered(700), 0.0);
    }
    let text = serde_json::to_string(&health.save()).expect("JSON");
    assert!(!text.contains("q/n"), "{text}");
    let later = Health::new();
    later.restore(&serde_json::from_str(&text).expect("as it was written"), 500);
    let view = |model: &str, provider: &str| cell(&later, provider, model).view(later.now());
    assert!(matches!(view("m", "p").state, State::Open { until } if until < later.now() + FIRST_PAUSE_MS));
    assert_eq!(view("m", "q").latency, busy.view(now).latency);
    assert_eq!(view("m", "q").live.samples, FAILURES_TO_OPEN);
    assert_eq!(view("n", "q"), unused.view(now));
}

#[test]
fn pauses_that_a_provider_did_not_time_grow_until_it_delivers() {
    let health = Health::new();
    let cell = cell(&health, "p", "a");
    let limited = Ended::Failed { kind: FailureKind::RateLimited, retry_after: None };
    let mut now = 0;
    for pause in [1, 2, 4, 8, 10, 10].map(|factor| factor * FIRST_PAUSE_MS) {
        cell.begin(now, None).ended(now, limited, 0.0);
        assert_eq!(cell.view(now).state, State::Open { until: now + pause });
        now += pause;
    }
    cell.begin(now, None).ended(now, delivered(5), 0.0);
    cell.begin(now, None).ended(now, limited, 0.0);
    assert_eq!(cell.view(now).state, State::Open { until: now + FIRST_PAUSE_MS });
}

#[test]
fn deliveries_far_beyond_the_usual_open_the_breaker() {
    let health = Health::new();
    let (cell, other) = (cell(&health, "p", "a"), cell(&health, "p", "b"));
    let drew = |latency_ms, load| Ended::Delivered { latency_ms, listed_p95_ms: Some(1_000), load };
    let took = |latency_ms| drew(latency_ms, 1);
    for _ in 0..domain::breaker::LEAST_OUTCOMES {
        cell.begin(0, None).ended(0, took(3_000), 0.0);
    }
    assert_eq!(cell.view(0).state, State::Closed, "three times is not beyond three times");
    for _ in 0..domain::breaker::LEAST_OUTCOMES {
        other.begin(0, None).ended(0, drew(3_100, 4), 0.0);
    }
    assert_eq!(other.view(0).state, State::Closed, "four pictures may take longer");
    for _ in 0..domain::breaker::LEAST_OUTCOMES {
        cell.begin(0, None).ended(0, took(3_100), 0.0);
    }
    assert_eq!(cell.view(0).state, State::Open { until: FIRST_PAUSE_MS });
}
