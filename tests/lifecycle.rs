//! What becomes of plugins in service: put aside and back, taken out and back, a version back, on other terms, signed.

mod machine;
mod quarantine;
mod signed;
mod terms;
mod versions;
mod wasi;

use serde_json::json;

use crate::harness::{Answer, Gateway, Guest, Provider, Setup};

/// A gateway whose strategies choose between a cheap and a dear candidate.
async fn gateway() -> (Provider, Gateway) {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    (provider, gateway)
}

/// The same, with `mine` in service.
async fn gateway_with(guest: Guest) -> (Provider, Gateway) {
    let (provider, gateway) = gateway().await;
    gateway.drop_plugin("mine", &guest.component());
    gateway.plugin_until("mine", "it serves", |plugin| plugin["state"] == "serving").await;
    (provider, gateway)
}

/// Who serves when `mine` is asked.
async fn served_by_mine(gateway: &Gateway) -> String {
    let reply = gateway.ask(json!({"model": "auto/mine", "prompt": "a red bicycle"})).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    reply.served_by().to_owned()
}

/// Whether the latest event of this kind is there.
fn happened(plugin: &serde_json::Value, what: &str) -> bool {
    plugin["history"].as_array().is_some_and(|events| events.iter().any(|event| event["what"] == what))
}
