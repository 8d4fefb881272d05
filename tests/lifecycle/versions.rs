//! Out of service, back in, and a version back: in one call, and over a restart.

use serde_json::json;

use super::{gateway, gateway_with, happened, served_by_mine};
use crate::harness::{Gateway, Guest};

async fn with_two_versions() -> (crate::harness::Provider, Gateway) {
    let (provider, gateway) = gateway_with(Guest::Picks(1)).await;
    let before = gateway.plugin("mine").await["digest"].clone();
    gateway.drop_plugin("mine", &Guest::Picks(0).component());
    gateway.plugin_until("mine", "the second version serves", |plugin| plugin["digest"] != before).await;
    assert_eq!(served_by_mine(&gateway).await, "lab/cheap");
    (provider, gateway)
}

#[tokio::test]
async fn a_rollback_is_one_call_and_holds_over_a_restart() {
    let (_provider, gateway) = with_two_versions().await;
    let done = gateway.administer("mine", "rollback").await;
    assert_eq!((done.status, &done.body["plugin"]), (200, &json!("mine")), "{:#}", done.body);
    assert_eq!(served_by_mine(&gateway).await, "lab/dear");
    let held = |plugin: &serde_json::Value| plugin["refused"]["code"] == "held-back";
    gateway.plugin_until("mine", "its file is not taken up again", held).await;

    let gateway = gateway.restarted().await;
    assert_eq!(served_by_mine(&gateway).await, "lab/dear", "after a restart, too");
    assert_eq!(gateway.administer("mine", "enable").await.status, 200);
    assert_eq!(served_by_mine(&gateway).await, "lab/cheap", "on purpose, it serves again");
}

#[tokio::test]
async fn a_rollback_without_a_version_before_changes_nothing() {
    let (_provider, gateway) = gateway_with(Guest::Picks(1)).await;
    let refused = gateway.administer("mine", "rollback").await;
    assert_eq!((refused.status, refused.code()), (409, "not_possible"));
    let unknown = gateway.administer("nobody", "rollback").await;
    assert_eq!((unknown.status, unknown.code()), (404, "plugin_not_found"));
    assert_eq!(served_by_mine(&gateway).await, "lab/dear");
}

#[tokio::test]
async fn a_disabled_plugin_stays_out_until_it_is_enabled() {
    let (_provider, gateway) = gateway().await;
    assert_eq!(gateway.administer("hybrid", "disable").await.status, 200);
    let gateway = gateway.restarted().await;
    let reply = gateway.generate("a red bicycle").await;
    assert_eq!((reply.status, reply.header("x-muxel-strategy")), (200, Some("native")));
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    let skipped = decision["plugins"].as_array().expect("calls").iter().any(|call| call["ended"] == "skipped");
    assert!(skipped, "the record says so: {decision:#}");
    assert_eq!(gateway.plugin("hybrid").await["state"], "disabled");

    assert_eq!(gateway.administer("hybrid", "enable").await.body["state"], "serving");
    assert_eq!(gateway.generate("a red bicycle").await.header("x-muxel-strategy"), Some("hybrid"));
    assert!(happened(&gateway.plugin("hybrid").await, "enabled"));
}

#[tokio::test]
async fn the_last_good_version_serves_after_a_restart_with_a_bad_file() {
    let (_provider, gateway) = gateway_with(Guest::Picks(1)).await;
    let kept = |plugin: &serde_json::Value| plugin["not_kept"].is_null() && plugin["state"] == "serving";
    gateway.plugin_until("mine", "it is kept", kept).await;
    gateway.drop_plugin("mine", b"not a plugin");
    let gateway = gateway.restarted().await;
    assert_eq!(served_by_mine(&gateway).await, "lab/dear");
    let plugin = gateway.plugin("mine").await;
    assert_eq!((&plugin["state"], &plugin["refused"]["code"]), (&json!("serving"), &json!("not-wasm")), "{plugin:#}");
    // What an operator takes away is gone, also when something bad comes in its place.
    gateway.remove_plugin("mine");
    gateway.plugin_until("mine", "it is gone", serde_json::Value::is_null).await;
    let gateway = gateway.restarted().await;
    gateway.drop_plugin("mine", b"not a plugin");
    let plugin = gateway.plugin_until("mine", "it is refused", |plugin| !plugin.is_null()).await;
    assert_eq!(plugin["state"], "refused");
}

#[tokio::test]
async fn the_last_good_version_serves_on_its_operators_terms() {
    let (_provider, gateway) = gateway_with(Guest::Picks(1)).await;
    gateway.write_beside("mine.toml", "[limits]\nfuel = 900_000\n");
    let there = |plugin: &serde_json::Value| plugin["limits"]["fuel"] == json!(900_000);
    gateway.plugin_until("mine", "its terms hold", there).await;
    gateway.drop_plugin("mine", b"not a plugin");
    gateway.write_beside("mine.toml", "[limits]\nfuel = \"much\"\n");
    let gateway = gateway.restarted().await;
    let plugin = gateway.plugin("mine").await;
    assert_eq!((&plugin["state"], &plugin["limits"]["fuel"]), (&json!("serving"), &json!(900_000)), "{plugin:#}");
}

#[tokio::test]
async fn a_version_of_a_bundled_plugins_name_comes_back_as_well() {
    let (_provider, gateway) = gateway().await;
    let bundled = gateway.plugin("cheapest").await["digest"].clone();
    gateway.drop_plugin("cheapest", &Guest::Picks(1).component());
    let first =
        gateway.plugin_until("cheapest", "the first", |plugin| plugin["digest"] != bundled).await["digest"].clone();
    gateway.drop_plugin("cheapest", &Guest::Picks(0).component());
    gateway.plugin_until("cheapest", "the second", |plugin| plugin["digest"] != first).await;
    assert_eq!(gateway.administer("cheapest", "rollback").await.body["to"], first);
    let gateway = gateway.restarted().await;
    assert_eq!(gateway.plugin("cheapest").await["digest"], first);
    gateway.remove_plugin("cheapest");
    gateway.plugin_until("cheapest", "the bundled one is back", |plugin| plugin["digest"] == bundled).await;
    let gateway = gateway.restarted().await;
    assert_eq!(gateway.plugin("cheapest").await["digest"], bundled);
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_takes_nothing_out_of_service() {
    let (_provider, gateway) = gateway_with(Guest::Picks(1)).await;
    let folder = gateway.folder.path().join("plugins");
    let away = gateway.folder.path().join("away");
    std::fs::rename(&folder, &away).expect("renamed");
    let troubled = |ready: &serde_json::Value| !ready["folder_trouble"].is_null();
    gateway.until("the trouble shows", troubled).await;
    assert_eq!(served_by_mine(&gateway).await, "lab/dear");
    std::fs::rename(&away, &folder).expect("renamed");
    gateway.until("the trouble is over", |ready| ready["folder_trouble"].is_null()).await;
    assert_eq!(served_by_mine(&gateway).await, "lab/dear");
}

#[tokio::test]
async fn plugin_list_shows_what_the_interface_says() {
    let (_provider, gateway) = gateway_with(Guest::Picks(1)).await;
    served_by_mine(&gateway).await;
    gateway.drop_plugin("broken", b"not a plugin");
    gateway.plugin_until("broken", "it is refused", |plugin| plugin["state"] == "refused").await;
    let url = gateway.url.clone();
    let listed = tokio::task::spawn_blocking(move || crate::harness::run(&["plugin", "list", "--url", &url]));
    let listed = listed.await.expect("no panic");
    let text = String::from_utf8_lossy(&listed.stdout);
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    for word in [
        "mine",
        "strategy",
        "fast",
        "idle",
        "hybrid",
        "serving",
        "broken",
        "refused: plugin `broken` is not WebAssembly",
    ] {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
}
