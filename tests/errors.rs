//! What callers are told when it does not work: status, code, `x-should-retry`, hint.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Gateway, Provider, Reply, Setup};

async fn lab() -> (Provider, Gateway) {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    (provider, gateway)
}

fn assert_error(reply: &Reply, status: u16, code: &str, should_retry: bool) {
    assert_eq!((reply.status, reply.code()), (status, code), "{:#}", reply.body);
    assert_eq!(reply.header("x-should-retry"), Some(if should_retry { "true" } else { "false" }), "{:#}", reply.body);
}

#[tokio::test]
async fn bad_fields_are_named() {
    let (provider, gateway) = lab().await;
    for (field, value) in [
        ("n", json!(0)),
        ("n", json!(1000)),
        ("size", json!("0x0")),
        ("size", json!("99999x1")),
        ("size", json!("big")),
        ("prompt", json!("")),
        ("prompt", json!("x".repeat(32_001))),
    ] {
        let mut body = json!({"prompt": "x"});
        body[field] = value;
        let reply = gateway.ask(body).await;
        assert_error(&reply, 400, "invalid_value", false);
        assert_eq!(reply.body["error"]["param"], field);
    }
    assert_error(&gateway.ask(json!({"model": "auto"})).await, 400, "invalid_value", false);
    assert_error(&gateway.post("/v1/images/generations", "not json").await, 400, "invalid_json", false);
    assert_eq!(provider.calls().len(), 0);
    assert_eq!(gateway.ask(json!({"prompt": "x", "size": "auto"})).await.status, 200);
}

#[tokio::test]
async fn unknown_models_and_strategies_get_the_nearest_names() {
    let (_provider, gateway) = lab().await;
    for (model, near) in [("cheep", "cheap"), ("lab/deer", "lab/dear"), ("auto/hybird", "auto/hybrid")] {
        let reply = gateway.ask(json!({"model": model, "prompt": "x"})).await;
        assert_error(&reply, 404, "model_not_found", false);
        let hint = reply.body["error"]["hint"].as_str().expect("a hint");
        assert!(hint.contains(near), "{model}: {hint}");
    }
}

#[tokio::test]
async fn when_nobody_can_do_it_every_veto_is_listed() {
    let (provider, gateway) = lab().await;
    let reply = gateway.ask(json!({"prompt": "x", "size": "9000x9000"})).await;
    assert_error(&reply, 422, "no_candidate", false);
    let candidates = reply.body["error"]["candidates"].as_array().expect("vetoes");
    assert!(candidates.len() == 2 && candidates.iter().all(|line| line["veto"] == "size"), "{candidates:?}");
    assert_eq!(provider.calls().len(), 0);
}

#[tokio::test]
async fn a_refusal_is_the_callers_and_nobody_else_is_tried() {
    let (provider, gateway) = lab().await;
    provider.always(Answer::error(400, "moderation_blocked"));
    let reply = gateway.generate("something").await;
    assert_error(&reply, 400, "moderation_blocked", false);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test]
async fn a_provider_that_fails_after_accepting_is_called_once_a_candidate() {
    let (provider, gateway) = lab().await;
    provider.always(Answer::error(500, "server_error"));
    let reply = gateway.generate("a red bicycle").await;
    assert_error(&reply, 502, "upstream_failed", false);
    let models: Vec<Value> = provider.calls().iter().map(|call| call["model"].clone()).collect();
    assert_eq!(models.len(), 2);
    assert_ne!(models[0], models[1]);
}

#[tokio::test]
async fn what_failed_without_a_picture_falls_over() {
    for answer in [Answer::HangUp, Answer::CutBody, Answer::NoPicture, Answer::error(503, "overloaded")] {
        let (provider, gateway) = lab().await;
        provider.next([answer.clone()]);
        let reply = gateway.generate("a red bicycle").await;
        assert_eq!(reply.status, 200, "{answer:?}: {:#}", reply.body);
        assert_eq!((reply.header("x-muxel-attempts"), provider.calls().len()), (Some("2"), 2), "{answer:?}");
        assert_eq!(reply.body["muxel"]["cost_is"], "possible", "{answer:?}");
    }
}

#[tokio::test]
async fn a_route_may_forbid_to_pay_twice() {
    let provider = Provider::start(Answer::error(500, "server_error")).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)])
        .config("[routes.default]\nfall-over-after-charge = false\n")
        .start()
        .await;
    assert_error(&gateway.generate("x").await, 502, "upstream_failed", false);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test]
async fn nobody_reachable_is_worth_repeating() {
    let (provider, gateway) = lab().await;
    drop(provider);
    let reply = gateway.generate("x").await;
    assert_error(&reply, 503, "unavailable", true);
}

#[tokio::test]
async fn a_rate_limit_everywhere_is_worth_repeating_later() {
    let (provider, gateway) = lab().await;
    let body = json!({"error": {"message": "slow down", "type": "t", "code": "rate_limit_exceeded"}});
    provider.always(Answer::Status(429, vec![("retry-after", "600".to_owned())], body));
    let reply = gateway.generate("x").await;
    assert_error(&reply, 429, "rate_limited", true);
    let after: u64 = reply.header("retry-after").expect("a Retry-After").parse().expect("seconds");
    assert!((1..=600).contains(&after), "{after}");
}

#[tokio::test]
async fn a_rejected_key_closes_the_account_and_shows_no_secret() {
    let (provider, gateway) = lab().await;
    let echo = json!({"error": {"message": "Incorrect API key provided: sk-lab-secret", "code": "invalid_api_key"}});
    provider.always(Answer::Status(401, vec![], echo));
    let reply = gateway.generate("x").await;
    assert_eq!(reply.status, 503, "{:#}", reply.body);
    assert!(!reply.body.to_string().contains("sk-lab-secret"));
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await;
    assert!(!decision.body.to_string().contains("sk-lab-secret"));
    assert_eq!(provider.calls().len(), 1, "the second candidate has the same account");
}

#[tokio::test]
async fn a_deadline_ends_the_request() {
    let provider = Provider::start(Answer::Hold).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)])
        .config("[routes.default]\ndeadline = \"300ms\"\n")
        .start()
        .await;
    assert_error(&gateway.generate("x").await, 504, "deadline", false);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test]
async fn a_caller_may_have_less_patience_than_the_route() {
    let provider = Provider::start(Answer::Hold).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    let reply = gateway.ask(json!({"prompt": "x", "muxel": {"max_latency_ms": 300}})).await;
    assert_error(&reply, 504, "deadline", false);
}

#[tokio::test]
async fn when_everyone_rests_somebody_is_tried_all_the_same() {
    let provider = Provider::start(Answer::error(500, "server_error")).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    for _ in 0..domain::breaker::FAILURES_TO_OPEN {
        assert_error(&gateway.generate("x").await, 502, "upstream_failed", false);
    }
    provider.always(Answer::Picture);
    let reply = gateway.generate("x").await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    // On a slow machine its rest may be over by now: then it is a probe.
    assert!(decision["last_resort"] == true || decision["probe"] == true, "{decision:#}");
}

#[tokio::test]
async fn keys_are_checked_and_bound_to_their_routes() {
    let provider = Provider::start(Answer::Picture).await;
    let hash = domain::digest::Digest::of(b"mux-studio");
    let config = format!(
        "[[keys]]\nname = \"studio\"\nhash = \"{hash}\"\ntenant = \"studio\"\nroutes = [\"thumbs\"]\n[routes.thumbs]\n"
    );
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).config(&config).start().await;
    let ask = async |key: Option<&str>, model: &str| {
        let mut request = gateway.request(Method::POST, "/v1/images/generations");
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let body = json!({"prompt": "x", "model": model}).to_string();
        Reply::of(request.body(body).send().await.expect("an answer")).await
    };
    assert_error(&ask(None, "auto").await, 401, "invalid_api_key", false);
    assert_error(&ask(Some("mux-other"), "auto").await, 401, "invalid_api_key", false);
    assert_error(&ask(Some("mux-studio"), "auto").await, 403, "route_not_allowed", false);
    let served = ask(Some("mux-studio"), "auto/thumbs").await;
    assert_eq!(served.status, 200, "{:#}", served.body);
    let path = format!("/v1/decisions/{}", served.decision());
    assert_error(&gateway.get(&path).await, 401, "invalid_api_key", false);
}

#[tokio::test]
async fn a_web_page_cannot_spend_money() {
    let (provider, gateway) = lab().await;
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example")] {
        let request = gateway.request(Method::POST, "/v1/images/generations").header(name, value);
        let reply = Reply::of(request.body(r#"{"prompt": "x"}"#).send().await.expect("an answer")).await;
        assert_error(&reply, 403, "foreign_origin", false);
    }
    assert_eq!(provider.calls().len(), 0);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway =
        Setup::with_provider(&provider, &[("cheap", 10_000)]).config("[server]\nmax-body = \"64KiB\"\n").start().await;
    let body = json!({"prompt": "x", "padding": "y".repeat(100_000)});
    assert_error(&gateway.ask(body).await, 413, "body_too_large", false);
}
