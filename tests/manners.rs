//! Manners towards providers: nothing is sent twice that may have been charged, and who asks for patience gets it.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};

use crate::harness::{Answer, Gateway, Provider, Reply, Setup};

async fn alone() -> (Provider, Gateway) {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    (provider, gateway)
}

fn limited(name: &'static str, value: &str) -> Answer {
    let body = json!({"error": {"message": "slow down", "type": "t", "code": "rate_limit_exceeded"}});
    Answer::Status(429, vec![(name, value.to_owned())], body)
}

async fn attempts(gateway: &Gateway, reply: &Reply) -> Vec<Value> {
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    decision["attempts"].as_array().expect("a list").clone()
}

/// Three seconds from now, as a header says it. Whole seconds only, so at least two of them are ahead.
fn in_three_seconds() -> String {
    let mut date = Command::new("date");
    date.env("LC_ALL", "C").args(["-u", "-d", "+3 seconds", "+%a, %d %b %Y %H:%M:%S GMT"]);
    let said = date.output().expect("date runs").stdout;
    String::from_utf8(said).expect("ASCII").trim().to_owned()
}

#[tokio::test]
async fn what_may_have_been_charged_is_sent_once() {
    for answer in [
        Answer::error(500, "server_error"),
        Answer::Status(503, vec![("retry-after", "0".to_owned())], json!({"error": {"message": "busy"}})),
        Answer::Status(502, vec![("x-should-retry", "true".to_owned())], json!({"error": {"message": "again"}})),
        Answer::HangUp,
        Answer::CutBody,
        Answer::NoPicture,
    ] {
        let (provider, gateway) = alone().await;
        provider.always(answer.clone());
        let reply = gateway.generate("x").await;
        assert_eq!((reply.status, reply.header("x-should-retry")), (502, Some("false")), "{answer:?}");
        assert_eq!(provider.calls().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_refused_is_tried_once_more_and_no_more() {
    let (provider, gateway) = alone().await;
    drop(provider);
    let reply = gateway.generate("x").await;
    assert_eq!((reply.status, reply.header("x-should-retry")), (503, Some("true")), "{:#}", reply.body);
    let attempts = attempts(&gateway, &reply).await;
    let ended: Vec<(&Value, &Value)> =
        attempts.iter().map(|attempt| (&attempt["ended"], &attempt["cost_is"])).collect();
    assert_eq!(ended, [(&json!("connect"), &json!("none")); 2]);
}

#[tokio::test]
async fn patience_is_kept_in_each_of_its_forms() {
    type Form = (&'static str, fn() -> String, u64);
    let forms: [Form; 3] = [
        ("retry-after", || "1".to_owned(), 1_000),
        ("retry-after-ms", || "700".to_owned(), 700),
        ("retry-after", in_three_seconds, 1_900),
    ];
    for (name, value, least) in forms {
        let (provider, gateway) = alone().await;
        // A date is made when everything else is ready.
        let value = value();
        provider.next([limited(name, &value)]);
        // The only provider: it is waited for.
        let reply = gateway.generate("x").await;
        assert_eq!((reply.status, reply.header("x-muxel-attempts")), (200, Some("2")), "{name}: {value}");
        let arrivals = provider.arrivals();
        let gap = arrivals[1] - arrivals[0];
        assert!(gap >= Duration::from_millis(least), "{name}: {value}, and it came after {gap:?}");
    }
}

#[tokio::test]
async fn nobody_else_comes_either_while_a_provider_asks_for_patience() {
    let (provider, gateway) = alone().await;
    provider.next([limited("retry-after-ms", "1500")]);
    let hasty = json!({"prompt": "x", "muxel": {"max_latency_ms": 1_000}});
    let first = gateway.ask(hasty.clone()).await;
    assert_eq!((first.status, first.code()), (429, "rate_limited"), "{:#}", first.body);
    assert!(first.header("retry-after").is_some());
    loop {
        let reply = gateway.ask(hasty.clone()).await;
        if reply.status == 200 {
            break;
        }
        assert_eq!(reply.header("x-should-retry"), Some("true"), "{:#}", reply.body);
        assert!(reply.header("retry-after").is_some());
    }
    let arrivals = provider.arrivals();
    assert_eq!(arrivals.len(), 2);
    assert!(arrivals[1] - arrivals[0] >= Duration::from_millis(1_500), "{arrivals:?}");
}

#[tokio::test]
async fn a_rate_limit_falls_over_at_once_when_there_is_somebody_else() {
    let (busy, free) = (Provider::start(limited("retry-after", "60")).await, Provider::start(Answer::Picture).await);
    let setup =
        Setup::new().provider("busy", &busy, &[("m", 1_000), ("n", 1_000)]).provider("free", &free, &[("m", 9_000)]);
    let gateway = setup.start().await;
    let ask = json!({"model": "auto/cheapest", "prompt": "x"});
    for attempts in ["2", "1", "1"] {
        let reply = gateway.ask(ask.clone()).await;
        assert_eq!((reply.served_by(), reply.header("x-muxel-attempts")), ("free/m", Some(attempts)));
    }
    assert_eq!(busy.calls().len(), 1, "its account rests, all models of it");
}
