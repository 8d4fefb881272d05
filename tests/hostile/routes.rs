//! What a route makes of a plugin that fails.

use serde_json::json;

use crate::harness::{Answer, Gateway, Guest, Provider, Setup, TRIGGER};

async fn with(guest: Guest) -> (Provider, Gateway) {
    let provider = Provider::start(Answer::Picture).await;
    let gateway =
        Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).plugin("hostile", guest).start().await;
    (provider, gateway)
}

#[tokio::test]
async fn a_failing_strategy_leaves_the_hosts_own_order() {
    let (_provider, gateway) = with(Guest::LOOPS).await;
    let reply = gateway.ask(json!({"model": "auto/hostile", "prompt": "x".repeat(TRIGGER)})).await;
    assert_eq!((reply.status, reply.header("x-muxel-strategy")), (200, Some("native")), "{:#}", reply.body);
    assert_eq!(reply.served_by(), "lab/cheap");
    let next = gateway.ask(json!({"model": "auto/hostile", "prompt": "a red bicycle"})).await;
    assert_eq!(next.header("x-muxel-strategy"), Some("hostile"));
}

#[tokio::test]
async fn a_plugin_that_always_loops_is_never_admitted() {
    let (_provider, gateway) = with(Guest::LOOPS_ALWAYS).await;
    let ready = gateway.get("/readyz").await.body;
    assert_eq!(ready["refused"]["hostile"]["code"], "trial");
    let reply = gateway.ask(json!({"model": "auto/hostile", "prompt": "a red bicycle"})).await;
    assert_eq!((reply.status, reply.code()), (404, "model_not_found"));
}

#[tokio::test]
async fn a_route_with_a_policy_refuses_rather_than_go_on_without_it() {
    let provider = Provider::start(Answer::Picture).await;
    let route = "[routes.brand]\nstrategies = [\"hostile\"]\non-fault = \"refuse\"\n";
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)])
        .config(route)
        .plugin("hostile", Guest::TRAPS)
        .start()
        .await;
    let body = json!({"model": "auto/brand", "prompt": "x".repeat(TRIGGER)});
    let reply = gateway.ask(body).await;
    assert_eq!((reply.status, reply.code()), (503, "plugin_failed"));
    let around = gateway.ask(json!({"model": "auto/cheapest", "prompt": "x", "muxel": {"route": "brand"}})).await;
    assert_eq!((around.status, around.code()), (403, "strategy_not_allowed"));
    assert_eq!(provider.calls().len(), 0);
}

#[tokio::test]
async fn a_failing_classifier_means_general_with_no_confidence() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)])
        .plugin("context-classifier", Guest::named("classifier-traps"))
        .start()
        .await;
    let reply = gateway.generate(&"x".repeat(TRIGGER)).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    assert_eq!((&decision["label"], &decision["confidence"]), (&json!("general"), &json!(0.0)));
    assert_eq!((&decision["plugins"][0]["fault"], &decision["strategy"]), (&json!("unreachable"), &json!("hybrid")));
}

#[tokio::test]
async fn a_failing_cost_model_means_the_list_price() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)])
        .plugin("list-price", Guest::named("cost-model-traps"))
        .start()
        .await;
    let reply = gateway.generate(&"x".repeat(TRIGGER)).await;
    assert_eq!((reply.status, reply.header("x-muxel-cost-usd")), (200, Some("0.010000")), "{:#}", reply.body);
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    assert_eq!(
        (&decision["plugins"][1]["fault"], &decision["candidates"][0]["cost_usd_micros"]),
        (&json!("unreachable"), &json!(10_000))
    );
}

#[tokio::test]
async fn a_plugin_that_imports_anything_is_refused_by_name() {
    let (_provider, gateway) = with(Guest::Imports).await;
    let refused = &gateway.get("/readyz").await.body["refused"]["hostile"];
    assert_eq!(refused["code"], "import");
    assert!(
        refused["reason"].as_str().is_some_and(|reason| reason.contains("wasi:sockets/instance-network@0.2.0")),
        "{refused}"
    );
}

#[tokio::test]
async fn a_plugin_of_another_world_is_no_strategy() {
    let (_provider, gateway) = with(Guest::named("cost-model-traps")).await;
    let reply = gateway.ask(json!({"model": "auto/hostile", "prompt": "x"})).await;
    assert_eq!((reply.status, reply.code()), (404, "model_not_found"));
    assert!(
        reply.body["error"]["hint"].as_str().is_some_and(|hint| hint.contains("is a cost-model")),
        "{:#}",
        reply.body
    );
}
