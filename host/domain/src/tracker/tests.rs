use proptest::prelude::*;

use super::*;

const MINUTE: Millis = 60_000;

fn delivered(tracker: &mut Tracker, now: Millis, latencies: &[u32]) {
    for latency_ms in latencies {
        tracker.note(now, Event::Delivered { latency_ms: *latency_ms });
    }
}

#[test]
fn unknown_is_not_failure() {
    let mut tracker = Tracker::default();
    assert_eq!(tracker.recent(0), Recent { samples: 0, success: 1.0, latency: None });
    let summary = tracker.summary(Span::Hour, 0);
    assert_eq!((summary.success_low, summary.success_high, summary.p99_ms), (0.0, 1.0, None));
}

#[test]
fn measured_latency_needs_enough_deliveries() {
    let mut tracker = Tracker::default();
    delivered(&mut tracker, 0, &[1_000, 2_000, 3_000, 4_000]);
    assert_eq!(tracker.recent(0).latency, None);
    delivered(&mut tracker, 0, &[5_000]);
    tracker.note(0, Event::Failed(FailureKind::Server));
    let recent = tracker.recent(0);
    let Latency { p50_ms, p95_ms } = recent.latency.expect("measured");
    assert!(p50_ms.abs_diff(3_000) <= 30 && p95_ms.abs_diff(5_000) <= 50, "{p50_ms} {p95_ms}");
    assert_eq!((recent.samples, recent.success), (6, 5.0 / 6.0));
}

#[test]
fn what_says_nothing_about_the_candidate_is_counted_and_no_sample() {
    let mut tracker = Tracker::default();
    for kind in [FailureKind::Refused, FailureKind::RateLimited, FailureKind::Caller, FailureKind::Timeout] {
        tracker.note(0, Event::Failed(kind));
    }
    let summary = tracker.summary(Span::Minute, 0);
    assert_eq!((summary.samples, summary.failures.len(), summary.success), (1, 4, 0.0));
}

#[test]
fn each_window_forgets_at_its_own_pace() {
    let mut tracker = Tracker::default();
    delivered(&mut tracker, 0, &[1_000; 6]);
    tracker.note(0, Event::Failed(FailureKind::Server));
    let samples = |tracker: &Tracker, now| Span::ALL.map(|span| tracker.summary(span, now).samples);
    assert_eq!(samples(&tracker, MINUTE - 1), [7, 7, 7]);
    assert_eq!(samples(&tracker, MINUTE), [0, 7, 7]);
    assert_eq!(samples(&tracker, 5 * MINUTE), [0, 0, 7]);
    assert_eq!(samples(&tracker, 60 * MINUTE), [0, 0, 0]);
    // Success is what it was lately; how long it takes is better known from the hour than from nothing.
    let recent = tracker.recent(5 * MINUTE);
    assert_eq!((recent.samples, recent.success, recent.latency.is_some()), (0, 1.0, true));
    assert_eq!(tracker.recent(60 * MINUTE).latency, None);
}

#[test]
fn few_samples_leave_much_open() {
    let mut tracker = Tracker::default();
    delivered(&mut tracker, 0, &[1_000]);
    let one = tracker.summary(Span::Minute, 0);
    delivered(&mut tracker, 0, &[1_000; 99]);
    let many = tracker.summary(Span::Minute, 0);
    assert!((one.success_low - 0.2065).abs() < 1e-3, "{}", one.success_low);
    assert!((many.success_low - 0.963).abs() < 1e-3, "{}", many.success_low);
}

#[test]
fn a_later_run_begins_with_what_is_not_too_old() {
    let mut tracker = Tracker::default();
    delivered(&mut tracker, 100 * MINUTE, &[2_000; 10]);
    tracker.note(100 * MINUTE, Event::Failed(FailureKind::Empty));
    let saved = tracker.save(100 * MINUTE);
    let json = serde_json::to_string(&saved).expect("JSON");
    let saved = serde_json::from_str(&json).expect("as it was written");
    let mut restored = Tracker::restore(&saved, 500 * MINUTE, 0);
    assert_eq!(restored.recent(500 * MINUTE), tracker.recent(100 * MINUTE));
    let aged = Tracker::restore(&saved, 500 * MINUTE, 2 * MINUTE);
    assert_eq!(Span::ALL.map(|span| aged.summary(span, 500 * MINUTE).samples), [0, 11, 11]);
    let ancient = Tracker::restore(&saved, 500 * MINUTE, u64::MAX);
    assert_eq!(ancient.summary(Span::Hour, 500 * MINUTE).samples, 0);
}

proptest! {
    #[test]
    fn counts_and_percentiles_are_those_of_a_list(
        events in prop::collection::vec((0..50_000u64, prop::option::of(1..4_000_000u32)), 0..200),
    ) {
        let (mut tracker, mut now, mut latencies, mut failed) = (Tracker::default(), 0, Vec::new(), 0);
        for (wait, latency) in events {
            // All within one slot of the hour.
            now = (now + wait) % 299_999;
            match latency {
                Some(latency_ms) => {
                    tracker.note(now, Event::Delivered { latency_ms });
                    latencies.push(latency_ms.min(3_600_000));
                }
                None => {
                    tracker.note(now, Event::Failed(FailureKind::Server));
                    failed += 1;
                }
            }
        }
        latencies.sort_unstable();
        let summary = tracker.summary(Span::Hour, now);
        prop_assert_eq!((summary.delivered as usize, summary.samples as usize), (latencies.len(), latencies.len() + failed));
        if let Some(p50) = summary.p50_ms {
            let exact = latencies[(latencies.len().div_ceil(2)) - 1];
            prop_assert!(f64::from(p50.abs_diff(exact)) <= 8.0 + f64::from(exact) * 0.011, "{} is not {}", p50, exact);
        }
        prop_assert!(summary.success_low <= summary.success + 1e-6 && summary.success <= summary.success_high + 1e-6);
    }
}
