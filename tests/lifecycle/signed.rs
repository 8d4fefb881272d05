//! Signed plugins: whose, which, and never an older one by the back door.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Answer, Gateway, Guest, Provider, Setup, run_in};

/// A key pair in `folder`, and its public half.
fn key(folder: &Path) -> String {
    let made = run_in(folder, &["plugin", "sign", "--new-key", "sign.key", "--json"]);
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    made["public_key"].as_str().expect("a key").to_owned()
}

/// `guest` as `mine.wasm` in a folder of its own, signed with the key in `folder`: the signature's text.
fn sign(folder: &Path, bytes: &[u8]) -> String {
    std::fs::write(folder.join("mine.wasm"), bytes).expect("written");
    let signed = run_in(folder, &["plugin", "sign", "mine.wasm", "--key", "sign.key"]);
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    std::fs::read_to_string(folder.join("mine.wasm.minisig")).expect("a signature")
}

/// A strategy that calls itself `version`: [`Guest::Picks`] with that in its manifest.
fn versioned(version: &str) -> Vec<u8> {
    Guest::versioned(version)
}

async fn gateway(public: &str, required: bool) -> (Provider, Gateway) {
    let provider = Provider::start(Answer::Picture).await;
    let trust = format!("[plugins]\ntrusted-keys = [\"{public}\"]\nrequire-signatures = {required}\n");
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).config(&trust).start().await;
    (provider, gateway)
}

async fn refused_as(gateway: &Gateway, code: &str) {
    gateway.plugin_until("mine", code, |plugin| plugin["refused"]["code"] == code).await;
}

#[tokio::test]
async fn a_gateway_that_asks_for_signatures_takes_signed_plugins_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let public = key(folder.path());
    let (_provider, gateway) = gateway(&public, true).await;
    assert_eq!(gateway.plugin("hybrid").await["state"], "serving", "ours come signed with the program");

    let first = versioned("1.0.0");
    gateway.drop_plugin("mine", &first);
    refused_as(&gateway, "unsigned").await;
    gateway.write_beside("mine.wasm.minisig", &sign(folder.path(), &first));
    let plugin = gateway.plugin_until("mine", "it serves", |plugin| plugin["state"] == "serving").await;
    assert_eq!(plugin["signed_by"], json!(public));

    // Another component under the same signature, and a signature for another name.
    gateway.drop_plugin("mine", &versioned("1.0.1"));
    refused_as(&gateway, "bad-signature").await;
    gateway.drop_plugin("other", &first);
    gateway.write_beside("other.wasm.minisig", &sign(folder.path(), &first));
    gateway.plugin_until("other", "a foreign name", |plugin| plugin["refused"]["code"] == "bad-signature").await;
}

#[tokio::test]
async fn an_older_signed_version_is_not_put_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let public = key(folder.path());
    let (_provider, gateway) = gateway(&public, false).await;
    let (old, new) = (versioned("1.2.0"), versioned("1.10.0"));
    let (old_signature, new_signature) = (sign(folder.path(), &old), sign(folder.path(), &new));
    gateway.write_beside("mine.wasm.minisig", &new_signature);
    gateway.drop_plugin("mine", &new);
    gateway.plugin_until("mine", "it serves", |plugin| plugin["version"] == "1.10.0").await;

    // Also after a restart: what has served is remembered.
    let gateway = gateway.restarted().await;
    gateway.write_beside("mine.wasm.minisig", &old_signature);
    gateway.drop_plugin("mine", &old);
    refused_as(&gateway, "put-back").await;
    assert_eq!(gateway.plugin("mine").await["version"], "1.10.0");
    std::fs::remove_file(gateway.folder.path().join("plugins/mine.wasm.minisig")).expect("it is there");
    refused_as(&gateway, "unsigned").await;
}

#[tokio::test]
async fn what_served_unsigned_does_not_come_back_by_the_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let public = key(folder.path());
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    gateway.drop_plugin("mine", &versioned("1.0.0"));
    gateway.plugin_until("mine", "it serves", |plugin| plugin["state"] == "serving").await;
    let trust = format!("[plugins]\ntrusted-keys = [\"{public}\"]\nrequire-signatures = true\n");
    let gateway = gateway.restarted_with(&trust).await;
    assert_eq!(gateway.plugin("mine").await["state"], "refused");
    gateway.write_beside("mine.toml", "# nothing\n");
    refused_as(&gateway, "unsigned").await;
    assert_eq!(gateway.plugin("mine").await["state"], "refused");
}
