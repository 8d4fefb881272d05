//! The plugin folder, while requests are served.

use serde_json::json;

use crate::harness::{Answer, Gateway, Guest, Provider, Setup};

async fn gateway() -> (Provider, Gateway) {
    let provider = Provider::start(Answer::Picture).await;
    let setup = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]);
    let gateway = setup.start().await;
    (provider, gateway)
}

async fn served_by_mine(gateway: &Gateway) -> String {
    let reply = gateway.ask(json!({"model": "auto/mine", "prompt": "a red bicycle"})).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    reply.served_by().to_owned()
}

fn serves(ready: &serde_json::Value, name: &str) -> bool {
    ready["plugins"].as_array().is_some_and(|plugins| plugins.iter().any(|plugin| plugin["name"] == name))
}

#[tokio::test]
async fn a_dropped_plugin_routes_the_next_request() {
    let (_provider, gateway) = gateway().await;
    gateway.drop_plugin("mine", &Guest::Picks(1).component());
    gateway.until("`mine` serves", |ready| serves(ready, "mine")).await;
    assert_eq!(served_by_mine(&gateway).await, "lab/dear");
}

#[tokio::test]
async fn a_replaced_plugin_takes_over() {
    let (_provider, gateway) = gateway().await;
    gateway.drop_plugin("mine", &Guest::Picks(1).component());
    let before = gateway.until("`mine` serves", |ready| serves(ready, "mine")).await["revision"].clone();
    gateway.drop_plugin("mine", &Guest::Picks(0).component());
    gateway.until("a new revision", |ready| ready["revision"] != before).await;
    assert_eq!(served_by_mine(&gateway).await, "lab/cheap");
}

#[tokio::test]
async fn a_broken_plugin_leaves_the_old_one_serving_and_says_why() {
    let (_provider, gateway) = gateway().await;
    gateway.drop_plugin("mine", &Guest::Picks(1).component());
    gateway.until("`mine` serves", |ready| serves(ready, "mine")).await;
    for (bytes, code) in [
        (Guest::Picks(0).core_module(), "core-module"),
        (Vec::new(), "empty"),
        (b"#!/bin/sh\necho no".to_vec(), "not-wasm"),
        (b"\0asm\x0d\0\x01\0".to_vec(), "no-contract"),
        (Guest::Picks(0).component()[..500].to_vec(), "does-not-compile"),
        (Guest::LOOPS_ALWAYS.component(), "trial"),
    ] {
        gateway.drop_plugin("mine", &bytes);
        gateway.until(code, |ready| ready["refused"]["mine"]["code"] == code).await;
        assert_eq!(served_by_mine(&gateway).await, "lab/dear", "after {code}");
    }
    gateway.drop_plugin("mine", &Guest::Picks(0).component());
    gateway.until("nothing is refused", |ready| ready["refused"] == json!({})).await;
    assert_eq!(served_by_mine(&gateway).await, "lab/cheap");
}

#[tokio::test]
async fn a_removed_plugin_is_gone_and_a_bundled_one_comes_back() {
    let (_provider, gateway) = gateway().await;
    gateway.drop_plugin("mine", &Guest::Picks(1).component());
    gateway.drop_plugin("cheapest", &Guest::Picks(1).component());
    gateway.until("both serve", |ready| serves(ready, "mine") && bundled(ready, "cheapest") == Some(false)).await;
    let overridden = gateway.ask(json!({"model": "auto/cheapest", "prompt": "x"})).await;
    assert_eq!(overridden.served_by(), "lab/dear");

    gateway.remove_plugin("mine");
    gateway.remove_plugin("cheapest");
    gateway.until("both are gone", |ready| !serves(ready, "mine") && bundled(ready, "cheapest") == Some(true)).await;
    let reply = gateway.ask(json!({"model": "auto/mine", "prompt": "x"})).await;
    assert_eq!((reply.status, reply.code()), (404, "model_not_found"));
    assert_eq!(gateway.ask(json!({"model": "auto/cheapest", "prompt": "x"})).await.served_by(), "lab/cheap");
}

fn bundled(ready: &serde_json::Value, name: &str) -> Option<bool> {
    let plugins = ready["plugins"].as_array()?;
    let plugin = plugins.iter().find(|plugin| plugin["name"] == name)?;
    Some(plugin["origin"] == "bundled")
}

#[tokio::test]
async fn a_folder_that_vanishes_and_returns_is_seen_again() {
    let (_provider, gateway) = gateway().await;
    let folder = gateway.folder.path().join("plugins");
    std::fs::remove_dir(&folder).expect("empty");
    std::fs::create_dir(&folder).expect("gone");
    gateway.drop_plugin("mine", &Guest::Picks(1).component());
    gateway.until("`mine` serves", |ready| serves(ready, "mine")).await;
}

#[tokio::test]
async fn what_is_no_regular_file_is_refused_and_hurts_nobody() {
    let (_provider, gateway) = gateway().await;
    let folder = gateway.folder.path().join("plugins");
    let made = std::process::Command::new("mkfifo").arg(folder.join("pipe.wasm")).status().expect("mkfifo runs");
    assert!(made.success());
    std::os::unix::fs::symlink("/dev/zero", folder.join("endless.wasm")).expect("a link");
    std::os::unix::fs::symlink("nowhere", folder.join("dangling.wasm")).expect("a link");
    gateway.drop_plugin("mine", &Guest::Picks(1).component());
    let ready = gateway.until("`mine` serves", |ready| serves(ready, "mine")).await;
    for name in ["pipe", "endless", "dangling"] {
        assert_eq!(ready["refused"][name]["code"], "unreadable", "{name}");
    }
}

#[tokio::test]
async fn a_copy_that_preserves_its_time_and_length_is_seen() {
    let (_provider, gateway) = gateway().await;
    gateway.drop_plugin("mine", &Guest::Picks(1).component());
    gateway.until("`mine` serves", |ready| serves(ready, "mine")).await;
    let file = gateway.folder.path().join("plugins/mine.wasm");
    let time = std::fs::metadata(&file).and_then(|facts| facts.modified()).expect("a time");
    let before = gateway.get("/readyz").await.body["revision"].clone();
    let other = Guest::Picks(0).component();
    assert_eq!(other.len() as u64, std::fs::metadata(&file).expect("there").len());
    std::fs::write(&file, other).expect("written");
    std::fs::File::options().append(true).open(&file).and_then(|file| file.set_modified(time)).expect("a time");
    gateway.until("a new revision", |ready| ready["revision"] != before).await;
    assert_eq!(served_by_mine(&gateway).await, "lab/cheap");
}

#[tokio::test]
async fn requests_in_flight_keep_the_revision_they_began_with() {
    let (provider, gateway) = gateway().await;
    gateway.drop_plugin("mine", &Guest::Picks(1).component());
    gateway.until("`mine` serves", |ready| serves(ready, "mine")).await;
    provider.next([Answer::Hold]);
    let body = json!({"model": "auto/mine", "prompt": "x"});
    let (reply, ()) = tokio::join!(gateway.ask(body), async {
        provider.called(1).await;
        gateway.remove_plugin("mine");
        gateway.until("`mine` is gone", |ready| !serves(ready, "mine")).await;
        provider.release(1);
    });
    assert_eq!((reply.status, reply.header("x-muxel-strategy")), (200, Some("mine")));
}
