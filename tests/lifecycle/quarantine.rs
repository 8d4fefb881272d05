//! A plugin that keeps failing is put aside, and nobody can use that against the others.

use serde_json::{Value, json};

use super::{gateway_with, happened, served_by_mine};
use crate::harness::{Answer, Gateway, Guest, Provider, Setup, TRIGGER};

/// A prompt that makes guests misbehave, another one each time.
fn trigger(number: usize) -> String {
    format!("{number:0>width$}", width = TRIGGER)
}

/// What the decision says of its call to `mine`.
async fn call_to_mine(gateway: &Gateway, prompt: &str) -> Value {
    let reply = gateway.ask(json!({"model": "auto/mine", "prompt": prompt})).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    let calls = decision["plugins"].as_array().cloned().unwrap_or_default();
    calls.into_iter().find(|call| call["plugin"] == "mine").unwrap_or_default()
}

#[tokio::test]
async fn a_plugin_that_fails_on_many_inputs_rests_and_comes_back_by_itself() {
    let (_provider, gateway) = gateway_with(Guest::TRAPS).await;
    for number in 0..20 {
        assert_eq!(call_to_mine(&gateway, &trigger(number)).await["fault"], "unreachable");
    }
    let plugin = gateway.plugin("mine").await;
    assert_eq!((&plugin["state"], &plugin["faults"]), (&json!("quarantined"), &json!(20)), "{plugin:#}");
    assert_eq!(plugin["last_fault"]["code"], "unreachable");
    let skipped = call_to_mine(&gateway, "a red bicycle").await;
    assert_eq!((&skipped["ended"], &skipped["fuel"]), (&json!("skipped"), &json!(0)), "{skipped:#}");

    gateway.plugin_until("mine", "it is back", |plugin| plugin["state"] == "probation").await;
    assert_eq!(call_to_mine(&gateway, "a red bicycle").await["ended"], "answered");
    let seen = |plugin: &Value| happened(plugin, "quarantined") && happened(plugin, "probation");
    gateway.plugin_until("mine", "its history tells", seen).await;
}

#[tokio::test]
async fn an_input_that_always_fails_is_blocked_alone() {
    let (_provider, gateway) = gateway_with(Guest::TRAPS).await;
    for _ in 0..3 {
        assert_eq!(call_to_mine(&gateway, &trigger(0)).await["fault"], "unreachable");
    }
    for _ in 0..30 {
        assert_eq!(call_to_mine(&gateway, &trigger(0)).await["ended"], "skipped");
    }
    assert_eq!(call_to_mine(&gateway, "a red bicycle").await["ended"], "answered");
    assert_eq!(gateway.plugin("mine").await["state"], "serving");
}

#[tokio::test]
async fn one_tenants_prompts_take_a_plugin_from_nobody_else() {
    let provider = Provider::start(Answer::Picture).await;
    let key = |name: &str, secret: &str| {
        let hash = domain::digest::Digest::of(secret.as_bytes());
        format!("[[keys]]\nname = \"{name}\"\ntenant = \"{name}\"\nhash = \"{hash}\"\n")
    };
    let keys = key("attacker", "mux-attacker") + &key("victim", "mux-victim");
    let gateway =
        Setup::with_provider(&provider, &[("cheap", 10_000)]).config(&keys).plugin("mine", Guest::TRAPS).start().await;
    let ask = async |secret: &str, prompt: String| {
        let body = json!({"model": "auto/mine", "prompt": prompt}).to_string();
        let request = gateway.request(reqwest::Method::POST, "/v1/images/generations").bearer_auth(secret);
        let reply = request.header("content-type", "application/json").body(body).send().await.expect("an answer");
        assert_eq!(reply.status(), 200);
        reply.headers()["x-muxel-strategy"].to_str().expect("visible").to_owned()
    };
    for number in 0..60 {
        assert_eq!(ask("mux-attacker", trigger(number)).await, "native");
    }
    for _ in 0..5 {
        assert_eq!(ask("mux-victim", "a red bicycle".to_owned()).await, "mine");
    }
}

#[tokio::test]
async fn the_version_before_serves_while_the_new_one_rests() {
    let (_provider, gateway) = gateway_with(Guest::Picks(1)).await;
    let before = gateway.plugin("mine").await["digest"].clone();
    gateway.drop_plugin("mine", &Guest::TRAPS.component());
    gateway.plugin_until("mine", "the new one serves", |plugin| plugin["digest"] != before).await;
    for number in 0..20 {
        call_to_mine(&gateway, &trigger(number)).await;
    }
    let plugin = gateway.plugin("mine").await;
    assert_eq!((&plugin["state"], &plugin["standby"]), (&json!("quarantined"), &before), "{plugin:#}");
    assert_eq!(served_by_mine(&gateway).await, "lab/dear", "the version before decides");
    // A new component is another plugin: it serves at once.
    gateway.drop_plugin("mine", &Guest::Picks(0).component());
    gateway.plugin_until("mine", "the newest serves", |plugin| plugin["state"] == "serving").await;
    assert_eq!(served_by_mine(&gateway).await, "lab/cheap");
}
