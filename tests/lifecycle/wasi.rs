//! A component of an ordinary toolchain: it imports WASI, which grants it nothing, and runs in the slow tier.

use serde_json::json;

use super::gateway;
use crate::harness::run_in;

/// Built with `cargo build --target wasm32-wasip2`, and nothing else. Its source is beside it.
const PRINTS: &[u8] = include_bytes!("../compat/wasi/prints.wasm");

#[tokio::test]
async fn a_plain_component_with_wasi_serves_and_its_output_is_its_log() {
    let (_provider, gateway) = gateway().await;
    gateway.drop_plugin("prints", PRINTS);
    let plugin = gateway.plugin_until("prints", "it serves", |plugin| plugin["state"] == "serving").await;
    assert_eq!(plugin["tier"], "slow", "{plugin:#}");
    let reply = gateway.ask(json!({"model": "auto/prints", "prompt": "a red bicycle"})).await;
    assert_eq!((reply.status, reply.header("x-muxel-strategy")), (200, Some("prints")), "{:#}", reply.body);
    let log = gateway.get("/admin/plugins/prints/log").await;
    let log = String::from_utf8_lossy(&log.bytes).to_string();
    assert!(log.contains("ranking 2 candidates"), "{log}");
    assert!(log.contains("no environment, no arguments"), "{log}");
    assert!(!log.contains('\u{1b}'), "escapes are shown, not sent: {log:?}");
    assert!(log.len() <= 64 << 10);
}

#[tokio::test]
async fn what_leaves_or_waits_or_floods_ends_its_own_call_only() {
    let (_provider, gateway) = gateway().await;
    gateway.drop_plugin("prints", PRINTS);
    gateway.plugin_until("prints", "it serves", |plugin| plugin["state"] == "serving").await;
    for (prompt, fault) in [("please exit", "exit"), ("please sleep", "wait"), ("please panic", "unreachable")] {
        let reply = gateway.ask(json!({"model": "auto/prints", "prompt": prompt})).await;
        assert_eq!((reply.status, reply.header("x-muxel-strategy")), (200, Some("native")), "{prompt}");
        let plugin = gateway.plugin("prints").await;
        assert_eq!(plugin["last_fault"]["code"], fault, "{prompt}: {plugin:#}");
    }
    let reply = gateway.ask(json!({"model": "auto/prints", "prompt": "please flood"})).await;
    assert_eq!((reply.status, reply.header("x-muxel-strategy")), (200, Some("prints")));
    let log = gateway.get("/admin/plugins/prints/log").await;
    assert!(log.bytes.len() < 32 << 10, "a call's share of the log is small: {}", log.bytes.len());
}

#[test]
fn admission_says_what_it_would_say_to_a_gateway() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("prints.wasm"), PRINTS).expect("written");
    let checked = run_in(folder.path(), &["plugin", "check", "prints.wasm"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
