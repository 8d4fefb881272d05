use domain::breaker::{FAILURES_TO_OPEN, FIRST_PAUSE_MS, State};
use domain::failure::FailureKind;

use super::*;

fn cell(health: &Health, provider: &str, model: &str) -> Arc<Cell> {
    health.cell(&CandidateId::new(provider, model, None), Operation::ImageGenerate)
}

fn failed(kind: FailureKind) -> Ended {
    Ended::Failed { kind, retry_after: Some(Duration::from_secs(7)), jitter: 0.0 }
}

fn trip(cell: &Arc<Cell>) {
    for _ in 0..FAILURES_TO_OPEN {
        cell.begin(None).ended(0, failed(FailureKind::Server));
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
    let (first, second) = (cell.begin(None), cell.begin(None));
    assert_eq!(cell.view(0).live.in_flight, 2);
    first.ended(0, Ended::Delivered { latency_ms: 5 });
    drop(second);
    assert_eq!(cell.view(0).live.in_flight, 0);
    assert_eq!(cell.view(0).live.samples, 1);
}

#[test]
fn a_refused_key_shuts_every_candidate_of_the_account_until_the_config_changes() {
    let health = Health::new();
    let (one, other, elsewhere) = (cell(&health, "p", "a"), cell(&health, "p", "b"), cell(&health, "q", "a"));
    one.begin(None).ended(10, failed(FailureKind::Credential));
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
    let (old, other) = (cell.begin(None), cell.begin(None));
    health.reset_account("p");
    old.ended(10, failed(FailureKind::Credential));
    other.ended(10, failed(FailureKind::RateLimited));
    assert_eq!(cell.view(10).state, State::Closed);
    cell.begin(None).ended(10, failed(FailureKind::Credential));
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
    one.begin(None).ended(0, failed(FailureKind::RateLimited));
    assert_eq!(other.view(6_999).state, State::Open { until: 7_000 });
    assert_eq!(one.view(7_000).state, State::Closed);
    assert_eq!(one.view(7_000).live.samples, 0);
}

#[test]
fn an_absurd_retry_after_does_not_shut_for_ever() {
    let health = Health::new();
    let cell = cell(&health, "p", "a");
    let retry_after = Some(Duration::MAX);
    cell.begin(None).ended(0, Ended::Failed { kind: FailureKind::RateLimited, retry_after, jitter: 0.0 });
    assert_eq!(cell.view(300_000).state, State::Closed);
}

#[test]
fn refusals_and_attempts_cut_short_by_us_leave_health_alone() {
    let health = Health::new();
    let cell = cell(&health, "p", "m");
    for _ in 0..2 * FAILURES_TO_OPEN {
        cell.begin(None).ended(0, failed(FailureKind::Refused));
        cell.begin(None).ended(0, Ended::Unfair);
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
    cell.begin(probe).ended(FIRST_PAUSE_MS, Ended::Delivered { latency_ms: 1 });
    assert_eq!(cell.view(FIRST_PAUSE_MS).state, State::Closed);
}

#[test]
fn no_probe_goes_to_a_shut_account() {
    let health = Health::new();
    let (cell, other) = (cell(&health, "p", "m"), cell(&health, "p", "n"));
    trip(&cell);
    other.begin(None).ended(FIRST_PAUSE_MS, failed(FailureKind::Quota));
    assert!(cell.take_probe(FIRST_PAUSE_MS).is_none());
}
