//! Words of a plugin on their way to people: a header, JSON, a terminal's table.

use serde_json::json;

use crate::harness::{Answer, Guest, Provider, Setup, TRIGGER, run_in};

/// What no text that reaches a person may hold: controls, and characters that turn text around or hide.
fn harmful(character: char) -> bool {
    let turns =
        matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    (character.is_control() && character != '\n') || turns
}

#[track_caller]
fn harmless(what: &str, text: &str) {
    assert!(!text.contains(harmful), "{what}: {text:?}");
}

#[tokio::test]
async fn what_a_plugin_says_reaches_nobodys_terminal_as_a_command() {
    let provider = Provider::start(Answer::Picture).await;
    let guests = ["reason-with-escapes", "says-that-it-failed", "abstains", "denies", "part-with-an-escape"];
    let mut setup = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)])
        .plugin("names-with-escapes", Guest::named("names-with-escapes"))
        .plugin("setting-of-no-name", Guest::named("setting-of-no-name"));
    for name in guests {
        setup = setup.plugin(name, Guest::named(name));
    }
    let mut gateway = setup.start().await;
    harmless("/readyz", &strings(&gateway.get("/readyz").await.body));
    let mut ids = Vec::new();
    for name in guests {
        let reply = gateway.ask(json!({"model": format!("auto/{name}"), "prompt": "x".repeat(TRIGGER)})).await;
        assert!(!reply.headers.contains_key("x-injected"), "{name}");
        for value in reply.headers.values() {
            harmless(name, value.to_str().expect("visible ASCII"));
        }
        harmless(name, &strings(&reply.body));
        let id = reply.header("x-request-id").expect("an id").to_owned();
        harmless(name, &strings(&gateway.get(&format!("/v1/decisions/{id}")).await.body));
        ids.push((name, id));
    }
    gateway.terminate();
    assert!(gateway.ended().await);
    let folder = gateway.folder.path();
    for (name, id) in ids {
        let shown = run_in(folder, &["audit", "show", &id, "--data", "data"]);
        let table = String::from_utf8(shown.stdout).expect("text");
        assert!(table.contains(name), "{table}");
        harmless(name, &table);
    }
    let check = run_in(folder, &["plugin", "check", "plugins/names-with-escapes.wasm"]);
    harmless("plugin check", &String::from_utf8_lossy(&check.stdout));
    harmless("plugin check", &String::from_utf8_lossy(&check.stderr));
    let check = run_in(folder, &["plugin", "check", "plugins/setting-of-no-name.wasm"]);
    harmless("plugin check", &String::from_utf8_lossy(&check.stderr));
}

/// Every string in a JSON value, keys and all, unescaped: what a program would print.
fn strings(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(values) => values.iter().map(strings).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| format!("{name}\n{}", strings(value))).collect(),
        _ => String::new(),
    }
}
