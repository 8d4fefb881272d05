//! Which failure leads to which next attempt.

use std::{sync::Arc, time::Duration};

use domain::{breaker::State, failure::FailureKind, provider::Provider};
use serde_json::json;
use tokio::time::Instant;

use super::{
    stage::{Stage, ends},
    upstream::{Act, Upstream},
};
use crate::{CallerPresence, Job, ProviderSetup, Stopped};

/// `a` plays the act, `b` always delivers: how the attempts ended, and how often each was called.
async fn first(act: Act) -> (Vec<String>, usize, usize) {
    let (a, b) = (Upstream::playing([act]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    let dispatched = play.try_all(&["a", "b"]).await;
    (ends(&dispatched), a.calls(), b.calls())
}

#[tokio::test]
async fn a_server_error_falls_over_and_is_never_sent_twice() {
    for status in [500, 502, 503, 408] {
        let ends = vec!["a/m server".to_owned(), "b/m delivered".to_owned()];
        assert_eq!(first(Act::error(status, "oops")).await, (ends, 1, 1), "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_falls_over_and_is_never_sent_twice() {
    for act in [Act::CutBody, Act::Close, Act::Garbage] {
        let ends = vec!["a/m timeout".to_owned(), "b/m delivered".to_owned()];
        assert_eq!(first(act.clone()).await, (ends, 1, 1), "{act:?}");
    }
}

#[tokio::test]
async fn an_answer_without_a_picture_is_no_delivery() {
    let answers = [
        Act::json(200, json!({ "data": [] })),
        Act::json(200, json!({ "data": [{ "b64_json": "aGVsbG8=" }] })),
        Act::json(200, json!({ "data": [{ "b64_json": "not base64" }] })),
        Act::json(200, json!("what?")),
        Act::bytes(200, b"<html>busy</html>"),
        Act::Endless,
    ];
    for act in answers {
        let ends = vec!["a/m empty".to_owned(), "b/m delivered".to_owned()];
        assert_eq!(first(act.clone()).await, (ends, 1, 1), "{act:?}");
    }
}

#[tokio::test]
async fn a_refusal_does_not_fall_over_and_keeps_the_providers_words() {
    let refusal = json!({ "error": {
        "message": "no. safety_violations=[violence]", "type": "image_generation_user_error",
        "code": "moderation_blocked",
    } });
    let (a, b) = (Upstream::playing([Act::json(400, refusal)]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    for _ in 0..6 {
        let failure = play.try_all(&["a", "b"]).await.result.expect_err("a refusal");
        assert_eq!((failure.kind, failure.stopped), (Some(FailureKind::Refused), Stopped::Final));
        assert_eq!(failure.error.expect("its words").code.as_deref(), Some("moderation_blocked"));
    }
    assert_eq!(b.calls(), 0);
    assert_eq!(play.cell("a").view(play.health.now()).state, State::Closed);
}

#[tokio::test]
async fn the_callers_mistake_ends_the_request() {
    let (ends, _, calls) = first(Act::error(400, "invalid_user")).await;
    assert_eq!((ends, calls), (vec!["a/m caller".to_owned()], 0));
}

#[tokio::test]
async fn a_refused_connection_is_tried_once_more() {
    let b = Upstream::playing([Act::picture()]).await;
    let play = Stage::default().at("a", &Upstream::absent().await).at("b", &b.url).play();
    let dispatched = play.try_all(&["a", "b"]).await;
    assert_eq!(ends(&dispatched), ["a/m connect", "a/m connect", "b/m delivered"]);
}

#[tokio::test]
async fn when_nobody_can_be_reached_the_request_may_be_sent_again() {
    let absent = Upstream::absent().await;
    let play = Stage::default().at("a", &absent).play();
    let failure = play.try_all(&["a"]).await.result.expect_err("a failure");
    assert!(failure.should_retry() && !failure.may_have_been_charged);
    assert!(!failure.detail.contains(absent.as_str()), "{}", failure.detail);
}

#[tokio::test]
async fn a_rate_limit_falls_over_and_pauses_the_account() {
    let limited = Act::error(429, "rate_limit_exceeded").with_header("retry-after: 30");
    let (a, b) = (Upstream::playing([limited]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    let dispatched = play.try_all(&["a", "a/other", "b"]).await;
    assert_eq!(ends(&dispatched), ["a/m rate-limited", "b/m delivered"]);
    let now = play.health.now();
    let state = play.cell("a/third").view(now).state;
    assert!(matches!(state, State::Open { until } if until > now + 25_000), "{state:?}");
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_when_there_is_nobody_else() {
    let limited = Act::error(429, "rate_limit_exceeded").with_header("retry-after-ms: 20");
    let a = Upstream::playing([limited, Act::picture()]).await;
    let play = Stage::default().at("a", &a.url).play();
    assert_eq!(ends(&play.try_all(&["a"]).await), ["a/m rate-limited", "a/m delivered"]);
}

#[tokio::test]
async fn a_rate_limit_that_does_not_fit_the_deadline_is_told_to_the_caller() {
    let limited = Act::error(429, "rate_limit_exceeded").with_header("retry-after: 55");
    let a = Upstream::playing([limited]).await;
    let play = Stage::default().at("a", &a.url).play();
    let failure = play.try_all(&["a"]).await.result.expect_err("a failure");
    assert_eq!((failure.kind, failure.retry_after), (Some(FailureKind::RateLimited), Some(Duration::from_secs(55))));
    assert!(failure.should_retry());
}

#[tokio::test]
async fn a_refused_key_shuts_the_whole_account() {
    for act in [Act::error(401, "invalid_api_key"), Act::error(429, "insufficient_quota"), Act::error(402, "credit")] {
        let (a, b) = (Upstream::playing([act]).await, Upstream::playing([Act::picture()]).await);
        let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
        let dispatched = play.try_all(&["a", "a/other", "b"]).await;
        assert_eq!((dispatched.attempts.len(), a.calls()), (2, 1));
        let other = play.cell("a/other");
        assert!(matches!(other.view(play.health.now()).state, State::Open { .. }));
        play.health.reset_account("a");
        assert_eq!(other.view(play.health.now()).state, State::Closed);
    }
}

#[tokio::test]
async fn a_deadline_ends_the_request_and_the_charge_is_possible() {
    let (a, b) = (Upstream::playing([Act::Hang]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    for fall_over_after_charge in [true, false] {
        let deadline = Instant::now() + Duration::from_millis(60);
        let dispatched = play.run(Job { deadline, fall_over_after_charge, ..play.job(&["a", "b"]) }).await;
        assert_eq!((ends(&dispatched), dispatched.charge.word()), (vec!["a/m timeout".to_owned()], "possible"));
        let failure = dispatched.result.expect_err("a failure");
        assert!(failure.deadline() && failure.may_have_been_charged && !failure.should_retry());
    }
    assert_eq!(b.calls(), 0);
}

#[tokio::test]
async fn lateness_counts_only_against_who_had_a_fair_time() {
    let a = Upstream::playing([Act::Hang]).await;
    let play = Stage::default().at("a", &a.url).play();
    for (usual_ms, counted) in [(8_000, 0), (10, 1)] {
        let mut job = Job { deadline: Instant::now() + Duration::from_millis(60), ..play.job(&["a"]) };
        job.steps[0].p50_ms = Some(usual_ms);
        play.run(job).await;
        assert_eq!(play.cell("a").view(play.health.now()).live.samples, counted);
    }
}

#[tokio::test]
async fn after_a_cut_answer_only_who_is_quick_enough_is_asked() {
    let cut = Upstream::playing([Act::CutBody]).await;
    let (slow, quick) = (Upstream::playing([Act::picture()]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &cut.url).at("slow", &slow.url).at("quick", &quick.url).play();
    let mut job = play.job(&["a", "slow", "quick"]);
    job.steps[1].p50_ms = Some(100_000);
    assert_eq!(ends(&play.run(job).await), ["a/m timeout", "quick/m delivered"]);
}

#[tokio::test]
async fn no_attempt_begins_after_the_caller_left_but_the_running_one_is_finished() {
    let held = Act::Held(Box::new(Act::error(500, "oops")));
    let (a, b) = (Upstream::playing([held]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    let (caller, guard) = CallerPresence::new();
    let leaving = async {
        a.arrival().await;
        drop(guard);
        a.release();
    };
    let (dispatched, ()) = tokio::join!(play.dispatcher.run(play.job(&["a", "b"]), &caller), leaving);
    assert_eq!(ends(&dispatched), ["a/m server"]);
    assert_eq!(dispatched.result.expect_err("a failure").stopped, Stopped::CallerLeft);
    assert_eq!(b.calls(), 0);
}

#[tokio::test]
async fn a_route_may_forbid_paying_twice() {
    let (a, b) = (Upstream::playing([Act::error(500, "oops")]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    let dispatched = play.run(Job { fall_over_after_charge: false, ..play.job(&["a", "b"]) }).await;
    assert_eq!(ends(&dispatched), ["a/m server"]);
    assert!(!dispatched.result.expect_err("a failure").should_retry());
}

#[tokio::test]
async fn who_is_resting_is_asked_only_when_nobody_else_is_left() {
    let (a, b) = (Upstream::playing([Act::picture()]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    play.trip("a", false);
    assert_eq!(ends(&play.try_all(&["a", "b"]).await), ["b/m delivered"]);
    assert_eq!(ends(&play.try_all(&["a"]).await), ["a/m delivered"], "the last resort");
}

#[tokio::test]
async fn a_probe_that_fails_falls_over_at_once() {
    let b = Upstream::playing([Act::picture()]).await;
    let play = Stage::default().at("a", &Upstream::absent().await).at("b", &b.url).play();
    play.trip("a", true);
    let mut job = play.job(&["a", "b"]);
    job.steps[0].probe = job.steps[0].cell.take_probe(play.health.now());
    assert!(job.steps[0].probe.is_some(), "a probe is due");
    assert_eq!(ends(&play.run(job).await), ["a/m connect", "b/m delivered"]);
    assert!(matches!(play.cell("a").view(play.health.now()).state, State::Open { .. }));
}

#[tokio::test]
async fn a_probe_that_succeeds_brings_its_candidate_back() {
    let a = Upstream::playing([Act::picture()]).await;
    let play = Stage::default().at("a", &a.url).play();
    play.trip("a", true);
    let mut job = play.job(&["a"]);
    job.steps[0].probe = job.steps[0].cell.take_probe(play.health.now());
    assert_eq!(ends(&play.run(job).await), ["a/m delivered"]);
    assert_eq!(play.cell("a").view(play.health.now()).state, State::Closed);
}

#[tokio::test]
async fn a_probe_that_is_never_sent_is_given_back() {
    let a = Upstream::playing([Act::picture()]).await;
    let play = Stage::default().at("a", &a.url).play();
    play.trip("a", true);
    let (caller, guard) = CallerPresence::new();
    drop(guard);
    let mut job = play.job(&["a"]);
    job.steps[0].probe = job.steps[0].cell.take_probe(play.health.now());
    play.dispatcher.run(job, &caller).await;
    assert_eq!(a.calls(), 0);
    assert!(play.cell("a").take_probe(play.health.now()).is_some());
}

#[tokio::test]
async fn a_provider_takes_no_more_at_once_than_its_limit() {
    let a = Upstream::playing([Act::Held(Box::new(Act::picture()))]).await;
    let b = Upstream::playing([Act::picture()]).await;
    let limit = |setup: &mut ProviderSetup| {
        setup.provider = Arc::new(Provider { max_in_flight: 1, ..(*setup.provider).clone() });
    };
    let play = Stage::default().at("a", &a.url).but(limit).at("b", &b.url).play();
    let second = async {
        a.arrival().await;
        let dispatched = play.try_all(&["a", "b"]).await;
        a.release();
        dispatched
    };
    let (first, second) = tokio::join!(play.try_all(&["a", "b"]), second);
    assert_eq!((ends(&first), ends(&second)), (vec!["a/m delivered".to_owned()], vec!["b/m delivered".to_owned()]));
}

#[tokio::test]
async fn the_journal_hears_of_every_attempt() {
    let (a, b) = (Upstream::playing([Act::error(500, "oops")]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    play.try_all(&["a", "b"]).await;
    let heard = play.journal.lines();
    assert_eq!(heard, ["1 started a/m", "1 server possible", "2 started b/m", "2 delivered estimated"]);
}

#[tokio::test]
async fn who_hangs_is_given_up_for_somebody_else_and_may_have_been_paid() {
    let (a, b) = (Upstream::playing([Act::Hang]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    let job = Job { attempt_timeout: Some(Duration::from_millis(50)), ..play.job(&["a", "b"]) };
    let dispatched = play.run(job).await;
    assert_eq!(ends(&dispatched), ["a/m timeout", "b/m delivered"]);
    assert_eq!(dispatched.attempts[0].charge.word(), "possible");
}

#[tokio::test]
async fn nobody_is_given_up_when_nobody_else_could_take_over() {
    let held = || Act::Held(Box::new(Act::picture()));
    let (a, b) = (Upstream::playing([held()]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    let impatient = |steps: &[&str]| Job { attempt_timeout: Some(Duration::ZERO), ..play.job(steps) };
    let alone = impatient(&["a"]);
    let paying_once = Job { fall_over_after_charge: false, ..impatient(&["a", "b"]) };
    // Two pictures may not cost so much.
    let capped = Job { max_cost: Some(domain::money::MicroUsd(12_000)), ..impatient(&["a", "b"]) };
    for job in [alone, paying_once, capped] {
        let release = async {
            a.arrival().await;
            a.release();
        };
        let (dispatched, ()) = tokio::join!(play.run(job), release);
        assert_eq!(ends(&dispatched), ["a/m delivered"]);
    }
    assert_eq!(b.calls(), 0);
}
