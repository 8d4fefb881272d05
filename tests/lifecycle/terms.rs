//! An operator's terms for a plugin: settings, limits, grants and the one component they are for, all of it at once.

use serde_json::json;

use super::gateway;
use crate::harness::{Gateway, Guest};

/// The weight of cost that `hybrid` is given.
async fn setting(gateway: &Gateway, name: &str) -> serde_json::Value {
    gateway.plugin("hybrid").await["settings"][name].clone()
}

#[tokio::test]
async fn settings_of_a_bundled_plugin_change_while_it_serves() {
    let (_provider, gateway) = gateway().await;
    let described = gateway.plugin("hybrid").await["settings"].clone();
    let (name, before) = described.as_object().and_then(|all| all.iter().next()).expect("a setting");
    let (name, before) = (name.clone(), before.as_f64().expect("a number"));
    gateway.write_beside("hybrid.toml", &format!("[settings]\n{name} = 0\n"));
    gateway.plugin_until("hybrid", "the new setting", |plugin| plugin["settings"][&name] == json!(0.0)).await;

    gateway.write_beside("hybrid.toml", &format!("[settings]\n{name} = \"much\"\n"));
    let refused = |plugin: &serde_json::Value| plugin["refused"]["code"] == "terms";
    let plugin = gateway.plugin_until("hybrid", "bad terms are refused", refused).await;
    let reason = plugin["refused"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("line 2") && reason.contains(&name), "{reason}");
    assert_eq!(setting(&gateway, &name).await, json!(0.0), "the terms before hold");

    std::fs::remove_file(gateway.folder.path().join("plugins/hybrid.toml")).expect("it is there");
    gateway.plugin_until("hybrid", "the default", |plugin| plugin["settings"][&name] == json!(before)).await;
}

#[tokio::test]
async fn limits_and_grants_are_the_operators() {
    let (_provider, gateway) = gateway().await;
    let text = "[limits]\nfuel = 3_000_000\nmemory = \"4MiB\"\ndeadline = \"20ms\"\n[grants]\nreads = []\n";
    gateway.write_beside("context-classifier.toml", text);
    let there = |plugin: &serde_json::Value| plugin["limits"]["fuel"] == json!(3_000_000);
    let plugin = gateway.plugin_until("context-classifier", "new limits", there).await;
    assert_eq!((&plugin["limits"]["memory"], &plugin["limits"]["deadline_ms"]), (&json!(4 << 20), &json!(20)));
    assert_eq!(plugin["reads"], json!([]));
    let reply = gateway.ask(json!({"model": "auto", "prompt": "a poster that says \"OPEN\""})).await;
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    assert_eq!(decision["traits"], json!([]), "a classifier that may not read the prompt sees nothing in it");

    gateway.write_beside("cheapest.toml", "[limits]\nfuel = 1000\n");
    let refused = |plugin: &serde_json::Value| plugin["refused"]["code"] == "trial";
    let plugin = gateway.plugin_until("cheapest", "too little fuel for its trial", refused).await;
    assert_eq!((&plugin["state"], &plugin["limits"]["fuel"]), (&json!("serving"), &json!(1_000_000)));
}

#[tokio::test]
async fn a_pinned_plugin_is_replaced_by_nothing_else() {
    let (_provider, gateway) = gateway().await;
    let (pinned, other) = (Guest::Picks(1).component(), Guest::Picks(0).component());
    let digest = domain_digest(&pinned);
    gateway.write_beside("mine.toml", &format!("digest = \"{digest}\"\n"));
    gateway.drop_plugin("mine", &other);
    let refused = |plugin: &serde_json::Value| plugin["refused"]["code"] == "pinned";
    gateway.plugin_until("mine", "another component is refused", refused).await;
    gateway.drop_plugin("mine", &pinned);
    let plugin = gateway.plugin_until("mine", "the pinned one serves", |plugin| plugin["state"] == "serving").await;
    assert_eq!(plugin["digest"], json!(digest));
}

/// The SHA-256 of some bytes, as `sha256sum` prints it.
fn domain_digest(bytes: &[u8]) -> String {
    domain::digest::Digest::of(bytes).to_string()
}
