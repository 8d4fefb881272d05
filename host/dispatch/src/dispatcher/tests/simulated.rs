//! Simulated providers go the way of real ones.

use std::{sync::Arc, time::Duration};

use domain::{attempt::Charge, failure::FailureKind, money::MicroUsd, price::Tariff, request::Request, size::Size};
use tokio::time::Instant;

use super::stage::{Stage, ends};
use crate::{Job, Outage, OutageKind, SimulationSettings};

/// A thousand times quicker than life.
fn quick() -> SimulationSettings {
    SimulationSettings { latency_scale: 0.001, sigma: Some(0.0), ..SimulationSettings::default() }
}

#[tokio::test]
async fn a_simulated_provider_takes_its_time_and_draws() {
    let play = Stage::default().simulated("s", quick()).play();
    let request = Arc::new(Request { size: Size::new(96, 64), count: 2, ..Request::for_prompt("x") });
    let dispatched = play.run(Job { request, ..play.job(&["s"]) }).await;
    assert!(dispatched.attempts[0].latency_ms >= 8);
    let delivery = dispatched.result.expect("pictures");
    assert_eq!(delivery.pictures.len(), 2);
    assert_ne!(delivery.pictures[0].b64, delivery.pictures[1].b64);
    assert!(delivery.pictures.iter().all(|picture| picture.size == Some((96, 64))));
}

#[tokio::test]
async fn a_simulated_failure_goes_the_way_of_a_real_one() {
    for (failing, kind) in [
        (SimulationSettings { error_rate: 1.0, ..quick() }, FailureKind::Server),
        (SimulationSettings { refusal_rate: 1.0, ..quick() }, FailureKind::Refused),
        (SimulationSettings { rate_limited_rate: 1.0, ..quick() }, FailureKind::RateLimited),
        (SimulationSettings { hang_rate: 1.0, ..quick() }, FailureKind::Timeout),
    ] {
        let play = Stage::default().simulated("s", failing).play();
        let deadline = Instant::now() + Duration::from_millis(100);
        let failure = play.run(Job { deadline, ..play.job(&["s"]) }).await.result.expect_err("a failure");
        assert_eq!(failure.kind, Some(kind));
        assert_eq!(failure.retry_after.is_some(), kind == FailureKind::RateLimited);
        assert_eq!(failure.deadline(), kind == FailureKind::Timeout);
    }
}

#[tokio::test]
async fn an_outage_sends_requests_elsewhere() {
    let (from, duration) = (Duration::ZERO, Duration::from_secs(7_200));
    let outage = Outage { from, duration, error_rate: 1.0, latency_factor: 1.0, kind: OutageKind::ServerError };
    let failing = SimulationSettings { outages: vec![outage], ..quick() };
    let play = Stage::default().simulated("a", failing).simulated("b", quick()).play();
    for _ in 0..5 {
        assert_eq!(ends(&play.try_all(&["a", "b"]).await), ["a/m server", "b/m delivered"]);
    }
    assert_eq!(ends(&play.try_all(&["a", "b"]).await), ["b/m delivered"], "the breaker is open");
}

#[tokio::test]
async fn a_model_billed_by_token_settles_from_its_report() {
    let play = Stage::default().simulated("s", quick()).play();
    let mut job = play.job(&["s"]);
    let tokens_out = MicroUsd(30_000_000);
    job.steps[0].tariff = Tariff { known: true, tokens_out, expected_tokens_out: 1_000, ..Tariff::default() };
    let dispatched = play.run(job).await;
    let Charge::Reported(amount) = dispatched.charge else { panic!("{:?}", dispatched.charge) };
    assert!((27_000..32_000).contains(&amount.0) && amount.0 != 30_000, "{amount}");
    assert_eq!(dispatched.result.expect("a picture").usage.expect("usage")["input_tokens"], 4);
}
