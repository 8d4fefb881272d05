use proptest::prelude::*;

use super::*;

const KIND: FailureKind = FailureKind::Server;

fn opened(now: Millis) -> Breaker {
    let mut breaker = Breaker::default();
    for _ in 0..FAILURES_TO_OPEN {
        breaker.failed(now, KIND, None, 0.0);
    }
    breaker
}

fn last(breaker: &Breaker) -> Option<Reason> {
    breaker.changes().next_back().map(|change| change.reason)
}

#[test]
fn opens_after_failures_in_a_row() {
    let mut breaker = Breaker::default();
    for _ in 1..FAILURES_TO_OPEN {
        breaker.failed(0, KIND, None, 0.0);
    }
    breaker.succeeded(0, false, None, 0.0);
    breaker.failed(0, KIND, None, 0.0);
    assert_eq!(breaker.state(0), State::Closed);
    let breaker = opened(0);
    assert_eq!(breaker.state(0), State::Open { until: FIRST_PAUSE_MS });
    assert_eq!(last(&breaker), Some(Reason::InARow { failures: FAILURES_TO_OPEN, last: KIND }));
}

#[test]
fn opens_when_half_of_enough_outcomes_failed() {
    let mut breaker = Breaker::default();
    for call in 0..LEAST_OUTCOMES {
        assert_eq!(breaker.state(call as u64), State::Closed);
        match call % 2 {
            0 => breaker.succeeded(call as u64, false, None, 0.0),
            _ => breaker.failed(call as u64, KIND, None, 0.0),
        }
    }
    assert_eq!(last(&breaker), Some(Reason::FailureRate { failed: 5, of: 10, last: KIND }));
}

#[test]
fn failures_of_long_ago_are_no_rate() {
    let mut breaker = Breaker::default();
    for call in 0..4 {
        breaker.failed(call, KIND, None, 0.0);
    }
    for call in 0..6 {
        breaker.succeeded(CALM_MS + 10 + call, false, None, 0.0);
    }
    breaker.failed(CALM_MS + 20, KIND, None, 0.0);
    assert_eq!(breaker.state(CALM_MS + 20), State::Closed);
}

#[test]
fn opens_when_half_of_enough_deliveries_are_slow_and_stays_open_while_probes_are() {
    let mut breaker = Breaker::default();
    for call in 0..LEAST_OUTCOMES {
        breaker.succeeded(0, call % 2 == 0, None, 0.0);
    }
    assert_eq!(last(&breaker), Some(Reason::SlowCalls { slow: 5, of: 10 }));
    let probe = breaker.take_probe(FIRST_PAUSE_MS);
    breaker.succeeded(FIRST_PAUSE_MS, true, probe, 0.0);
    assert_eq!(breaker.state(FIRST_PAUSE_MS), State::Open { until: 3 * FIRST_PAUSE_MS });
    assert_eq!(last(&breaker), Some(Reason::ProbeSlow));
    let probe = breaker.take_probe(3 * FIRST_PAUSE_MS);
    breaker.succeeded(3 * FIRST_PAUSE_MS, false, probe, 0.0);
    assert_eq!(breaker.state(3 * FIRST_PAUSE_MS), State::Closed);
}

#[test]
fn a_slow_probe_closes_what_was_not_opened_for_slowness() {
    let mut breaker = opened(0);
    let probe = breaker.take_probe(FIRST_PAUSE_MS);
    breaker.succeeded(FIRST_PAUSE_MS, true, probe, 0.0);
    assert_eq!(breaker.state(FIRST_PAUSE_MS), State::Closed);
}

#[test]
fn lets_one_probe_out_and_its_outcome_decides() {
    let mut breaker = opened(0);
    assert_eq!(breaker.take_probe(FIRST_PAUSE_MS - 1), None);
    let probe = breaker.take_probe(FIRST_PAUSE_MS);
    assert!(probe.is_some());
    assert_eq!(breaker.take_probe(FIRST_PAUSE_MS), None);
    breaker.failed(FIRST_PAUSE_MS, KIND, probe, 0.0);
    assert_eq!(breaker.state(FIRST_PAUSE_MS), State::Open { until: 3 * FIRST_PAUSE_MS });
    let probe = breaker.take_probe(3 * FIRST_PAUSE_MS);
    breaker.succeeded(3 * FIRST_PAUSE_MS, false, probe, 0.0);
    assert_eq!(breaker.state(3 * FIRST_PAUSE_MS), State::Closed);
}

#[test]
fn a_probe_that_hangs_does_not_keep_it_closed_and_its_end_changes_nothing() {
    let mut breaker = opened(0);
    let hanging = breaker.take_probe(FIRST_PAUSE_MS);
    let later = FIRST_PAUSE_MS + PROBE_PATIENCE_MS;
    assert_eq!(breaker.take_probe(later - 1), None);
    let next = breaker.take_probe(later);
    assert!(next.is_some());
    breaker.failed(later, FailureKind::Timeout, hanging, 0.0);
    assert_eq!(breaker.state(later), State::HalfOpen { probing: true });
    breaker.succeeded(later, false, next, 0.0);
    assert_eq!(breaker.state(later), State::Closed);
}

#[test]
fn the_time_that_a_probe_took_counts_towards_the_next_pause() {
    let mut breaker = opened(0);
    let mut now = FIRST_PAUSE_MS;
    for _ in 0..4 {
        let probe = breaker.take_probe(now);
        breaker.failed(now, KIND, probe, 0.0);
        let State::Open { until } = breaker.state(now) else { panic!("open") };
        now = until;
    }
    // By now pauses are the longest there are.
    let probe = breaker.take_probe(now);
    breaker.failed(now + 15_000, FailureKind::Timeout, probe, 0.0);
    assert_eq!(breaker.state(now + 15_000), State::Open { until: now + MAX_PAUSE_MS });
    let probe = breaker.take_probe(now + MAX_PAUSE_MS);
    let late = now + MAX_PAUSE_MS + 24_000;
    breaker.failed(late, FailureKind::Timeout, probe, 0.0);
    assert_eq!(breaker.state(late), State::Open { until: late + FIRST_PAUSE_MS / 2 });
}

#[test]
fn what_was_out_before_it_opened_does_not_open_it_again() {
    let mut breaker = opened(0);
    breaker.failed(FIRST_PAUSE_MS + 1, KIND, None, 0.0);
    assert_eq!(breaker.state(FIRST_PAUSE_MS + 1), State::HalfOpen { probing: false });
}

#[test]
fn pauses_grow_until_it_was_calm_for_a_while() {
    let mut breaker = opened(0);
    let close = |breaker: &mut Breaker, at| {
        let probe = breaker.take_probe(at);
        breaker.succeeded(at, false, probe, 0.0);
    };
    let trip = |breaker: &mut Breaker, at| {
        for _ in 0..FAILURES_TO_OPEN {
            breaker.failed(at, KIND, None, 0.0);
        }
        breaker.state(at)
    };
    close(&mut breaker, 10_000);
    assert_eq!(trip(&mut breaker, 11_000), State::Open { until: 11_000 + 2 * FIRST_PAUSE_MS });
    close(&mut breaker, 20_000);
    let calm = 20_000 + CALM_MS;
    assert_eq!(trip(&mut breaker, calm), State::Open { until: calm + FIRST_PAUSE_MS });
}

#[test]
fn a_later_run_goes_on_where_this_one_was() {
    let breaker = opened(0);
    let saved = breaker.save(500).expect("open");
    assert_eq!(Breaker::restore(saved, 9_000, 700).state(9_000), State::Open { until: 9_800 });
    let mut long_after = Breaker::restore(saved, 9_000, 1_000_000);
    let probe = long_after.take_probe(9_000);
    long_after.failed(9_000, KIND, probe, 0.0);
    assert_eq!(long_after.state(9_000), State::Open { until: 9_000 + 2 * FIRST_PAUSE_MS });
    assert_eq!(Breaker::default().save(0), None);
}

#[derive(Clone, Debug)]
enum Event {
    Fail { jitter: f64, probe: bool },
    Succeed { slow: bool, probe: bool },
    Answer,
    Probe,
    Wait(Millis),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0.0..=1.0, any::<bool>()).prop_map(|(jitter, probe)| Event::Fail { jitter, probe }),
        any::<(bool, bool)>().prop_map(|(slow, probe)| Event::Succeed { slow, probe }),
        Just(Event::Answer),
        Just(Event::Probe),
        (0..30_000u64).prop_map(Event::Wait),
    ]
}

proptest! {
    #[test]
    fn it_keeps_its_promises(events in prop::collection::vec(event(), 0..300)) {
        let (mut breaker, mut now, mut ticket, mut probed_at) = (Breaker::default(), 0, None, None);
        for event in events {
            match event {
                Event::Fail { jitter, probe } => breaker.failed(now, KIND, ticket.filter(|_| probe), jitter),
                Event::Succeed { slow, probe } => breaker.succeeded(now, slow, ticket.filter(|_| probe), 0.5),
                Event::Answer => breaker.answered(ticket),
                Event::Probe => {
                    if let Some(taken) = breaker.take_probe(now) {
                        ticket = Some(taken);
                        probed_at = Some(now);
                    }
                }
                Event::Wait(ms) => now += ms,
            }
            match breaker.state(now) {
                State::Open { until } => prop_assert!(until > now && until - now <= MAX_PAUSE_MS),
                State::HalfOpen { probing: true } => {
                    prop_assert!(probed_at.is_some_and(|at| now - at < PROBE_PATIENCE_MS));
                }
                State::HalfOpen { probing: false } | State::Closed => {}
            }
            prop_assert!(breaker.changes().count() <= CHANGES && breaker.outcomes.len() <= OUTCOMES);
        }
    }
}
