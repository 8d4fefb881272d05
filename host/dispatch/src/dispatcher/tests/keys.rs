//! Accounts with several keys, and providers that ask for patience.

use std::time::Duration;

use domain::failure::FailureKind;
use serde_json::json;

use super::{
    stage::{Stage, ends},
    upstream::{Act, Received, Upstream},
};

fn key(call: &Received) -> &str {
    call.head.split("authorization: Bearer ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or("none")
}

fn slow_down(seconds: u32) -> Act {
    come_back(429, seconds)
}

fn come_back(status: u16, seconds: u32) -> Act {
    let body = json!({ "error": { "message": "slow down", "code": "rate_limit_exceeded" } });
    Act::Reply { status, headers: vec![format!("retry-after: {seconds}")], body: body.to_string().into_bytes() }
}

fn two_keys(upstream: &Upstream) -> Stage {
    Stage::default().at("a", &upstream.url).key("sk-1").key("sk-2")
}

#[tokio::test]
async fn calls_at_once_use_the_least_busy_key() {
    let held = || Act::Held(Box::new(Act::picture()));
    let a = Upstream::playing([held(), held(), Act::picture()]).await;
    let play = two_keys(&a).play();
    let third = async {
        a.arrival().await;
        a.arrival().await;
        a.release();
        a.release();
    };
    let (first, second, ()) = tokio::join!(play.try_all(&["a"]), play.try_all(&["a"]), third);
    assert!(first.result.is_ok() && second.result.is_ok());
    let mut used: Vec<String> = a.received().iter().map(|call| key(call).to_owned()).collect();
    used.sort();
    assert_eq!(used, ["sk-1", "sk-2"]);
}

#[tokio::test]
async fn a_limited_key_rests_and_the_other_serves() {
    let a = Upstream::playing([slow_down(60), Act::picture()]).await;
    let play = two_keys(&a).play();
    assert_eq!(ends(&play.try_all(&["a"]).await), ["a/m rate-limited", "a/m delivered"]);
    assert_eq!(ends(&play.try_all(&["a"]).await), ["a/m delivered"]);
    let used: Vec<String> = a.received().iter().map(|call| key(call).to_owned()).collect();
    assert_eq!(used, ["sk-1", "sk-2", "sk-2"]);
    let keys = play.cell("a").keys(play.health.now());
    assert!(keys[0].resting.is_some() && keys[1].resting.is_none());
    assert!(!play.cell("a").view(play.health.now()).shut);
}

#[tokio::test]
async fn every_refused_key_is_tried_once_and_then_somebody_else() {
    let refuse = Act::error(401, "invalid_api_key");
    let (a, b) = (Upstream::playing([refuse]).await, Upstream::playing([Act::picture()]).await);
    let play = two_keys(&a).at("b", &b.url).play();
    let expected = ["a/m credential", "a/m credential", "b/m delivered"];
    assert_eq!(ends(&play.try_all(&["a", "a/n", "b"]).await), expected);
    assert_eq!(ends(&play.try_all(&["a", "a/n", "b"]).await), ["b/m delivered"], "both keys rest");
}

#[tokio::test]
async fn a_provider_that_asked_for_patience_gets_it() {
    let a = Upstream::playing([slow_down(600)]).await;
    let play = Stage::default().at("a", &a.url).play();
    assert!(play.try_all(&["a"]).await.result.is_err());
    let failure = play.try_all(&["a"]).await.result.expect_err("nobody may be asked");
    assert_eq!((failure.kind, failure.should_retry(), a.calls()), (Some(FailureKind::RateLimited), true, 1));
    assert!(failure.retry_after.is_some_and(|wait| wait > Duration::from_secs(590)));
}

#[tokio::test]
async fn when_nobody_else_is_left_a_short_pause_is_waited_for() {
    let brief = Act::Reply {
        status: 503,
        headers: vec!["retry-after-ms: 50".to_owned()],
        body: json!({ "error": { "message": "busy" } }).to_string().into_bytes(),
    };
    let a = Upstream::playing([brief, Act::picture()]).await;
    let play = Stage::default().at("a", &a.url).play();
    assert_eq!(ends(&play.try_all(&["a"]).await), ["a/m server"]);
    assert!(play.cell("a").view(play.health.now()).shut);
    assert_eq!(ends(&play.try_all(&["a"]).await), ["a/m delivered"]);
}

#[tokio::test]
async fn a_server_error_that_says_how_long_it_lasts_is_believed() {
    let (a, b) = (Upstream::playing([come_back(503, 60)]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    assert_eq!(ends(&play.try_all(&["a", "b"]).await), ["a/m server", "b/m delivered"]);
    assert_eq!(ends(&play.try_all(&["a", "a/n", "b"]).await), ["b/m delivered"]);
    assert_eq!(a.calls(), 1);
}
