//! The command line: data on stdout, talk on stderr, 0, 1 or 2.

use std::fs;

use serde_json::Value;

use crate::harness::{Guest, run, run_in};

fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON on stdout")
}

#[test]
fn decide_explains_without_a_server() {
    let explained = json(&["decide", "a poster that says \"OPEN\"", "--size", "1024x1024", "--json"]);
    assert_eq!(explained["label"], "technical");
    assert!(explained["candidates"].as_array().is_some_and(|rows| rows.len() >= 20));
    let table = run(&["decide", "a red bicycle", "--strategy", "cheapest"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("candidate") && table.contains("veto") && table.contains("cheapest"), "{table}");
}

#[test]
fn decide_takes_a_file_of_prompts() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("prompts.csv"),
        "id,prompt\n1,a red bicycle\n2,\"a sign, \"\"OPEN\"\"\nin two lines\"\n",
    )
    .expect("written");
    let output = run_in(folder.path(), &["decide", "--file", "prompts.csv", "--json"]);
    let lines: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect();
    assert_eq!(lines.len(), 2);
    let fields =
        ["prompt", "label", "confidence", "traits", "complexity", "model", "estimate_usd_micros", "strategy", "fuel"];
    for line in &lines {
        assert!(fields.iter().all(|field| !line[field].is_null()), "{line}");
    }
    assert_eq!(lines[1]["prompt"], "a sign, \"OPEN\"\nin two lines");

    fs::write(folder.path().join("none.csv"), "text\nx\n").expect("written");
    let refused = run_in(folder.path(), &["decide", "--file", "none.csv", "--json"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`prompt`"));
}

#[test]
fn decide_names_what_is_wrong() {
    for (arguments, named) in [
        (&["decide", "x", "--size", "big"][..], "big"),
        (&["decide", "x", "--quality", "best"], "best"),
        (&["decide", "x", "--priority", "now"], "now"),
        (&["decide", "x", "--strategy", "hybird"], "hybrid"),
        (&["decide", "x", "--classifier", "none"], "none"),
    ] {
        let output = run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        assert!(said.contains(named) && output.stdout.is_empty(), "{arguments:?}: {said}");
    }
}

#[test]
fn models_lists_the_catalogue_with_sources() {
    let models = json(&["models", "--json"]);
    let models = models.as_array().expect("a list");
    assert!(models.len() >= 20);
    assert!(models.iter().all(|model| model["source"].is_string() && model["as_of"].is_string()));
    let table = run(&["models"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("gpt-image-2"));
}

#[test]
fn plugin_check_says_what_an_author_can_act_on() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes, code, said) in [
        ("good.wasm", Guest::Picks(0).component(), 0, "strategy"),
        ("module.wasm", Guest::Picks(0).core_module(), 1, "is a core module"),
        ("empty.wasm", vec![], 1, "is an empty file"),
        ("text.wasm", b"hello".to_vec(), 1, "is not WebAssembly"),
        ("loops.wasm", Guest::LOOPS_ALWAYS.component(), 1, "used all 1000000 fuel"),
    ] {
        fs::write(folder.path().join(name), bytes).expect("written");
        let output = run_in(folder.path(), &["plugin", "check", name]);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(output.status.code(), Some(code), "{name}: {text}");
        assert!(text.contains(said), "{name}: {text}");
    }
    let missing = run_in(folder.path(), &["plugin", "check", "nothing.wasm"]);
    assert_eq!(missing.status.code(), Some(1));
}

#[test]
fn config_check_reports_every_problem_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[server]\nlsten = \"127.0.0.1:1\"\nmax-body = \"32\"\n[routes.default]\ndeadline = \"300\"\nmax-cost = \"0.10\"\n";
    fs::write(folder.path().join("muxel.toml"), config).expect("written");
    let output = run_in(folder.path(), &["config", "check", "muxel.toml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for problem in ["muxel.toml:2", "muxel.toml:3", "muxel.toml:5", "muxel.toml:6", "did you mean `listen`"] {
        assert!(said.contains(problem), "{problem} in {said}");
    }
    let served = run_in(folder.path(), &["serve", "--config", "muxel.toml"]);
    assert_eq!(served.status.code(), Some(1));
}

#[test]
fn listening_beyond_this_machine_needs_keys() {
    let output = run(&["serve", "--listen", "0.0.0.0:0"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("muxel key new"), "{said}");
}

#[test]
fn key_new_prints_a_key_and_the_lines_for_the_config() {
    let made = json(&["key", "new", "studio", "--json"]);
    let key = made["key"].as_str().expect("a key");
    assert_eq!(made["hash"], domain::digest::Digest::of(key.as_bytes()).to_string());
    assert_ne!(json(&["key", "new", "studio", "--json"])["key"], made["key"]);
}

#[test]
fn config_schema_is_json() {
    let output = run(&["config", "schema"]);
    let schema: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(schema["properties"]["routes"].is_object());
}
