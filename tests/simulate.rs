//! Simulated workloads: what the examples come to, and what is said about wrong ones.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::harness::{Guest, run, run_in};

fn example(name: &str) -> String {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/workloads"));
    folder.join(name).display().to_string()
}

fn simulated(arguments: &[&str]) -> Value {
    let output = run(&[&["eval", "simulate", "--json"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON on stdout")
}

fn strategy<'a>(report: &'a Value, name: &str) -> &'a Value {
    let strategies = report["strategies"].as_array().expect("a list");
    strategies.iter().find(|strategy| strategy["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn one_of_four_down_for_ten_minutes_is_hardly_noticed() {
    let report = simulated(&["--workload", &example("outage.toml")]);
    let hybrid = strategy(&report, "hybrid");
    assert!(hybrid["success_rate"].as_f64() >= Some(0.9995), "{hybrid}");
    assert!(hybrid["recovery_s"].as_f64().is_some_and(|seconds| seconds < 30.0), "{hybrid}");
    assert!(hybrid["savings"].as_f64() > Some(0.2), "{hybrid}");
    for other in ["cheapest", "fastest", "round-robin", "weighted"] {
        assert!(strategy(&report, other)["success_rate"].as_f64() >= Some(0.9995), "{other}");
    }
    let pinned = strategy(&report, "pinned:dorado/large");
    assert!(pinned["success_rate"].as_f64() < Some(0.99) && pinned["recovery_s"].is_null(), "{pinned}");
    let requests = |name: &str| strategy(&report, name)["requests"].as_u64();
    assert_eq!(requests("hybrid"), requests("pinned:dorado/large"));
}

#[test]
fn equal_seeds_print_equal_bytes() {
    let outage = example("outage.toml");
    let bytes = |seed: &str| {
        let arguments = ["eval", "simulate", "--json", "--workload", &outage, "--strategy", "hybrid", "--seed", seed];
        run(&arguments).stdout
    };
    let first = bytes("7");
    assert!(!first.is_empty() && first == bytes("7"));
    assert_ne!(first, bytes("8"));
}

#[test]
fn every_example_runs() {
    for name in ["steady.toml", "rate-limits.toml", "catalogue.toml"] {
        let report = simulated(&["--workload", &example(name), "--strategy", "cheapest"]);
        let cheapest = strategy(&report, "cheapest");
        assert!(cheapest["success_rate"].as_f64() > Some(0.99), "{name}: {cheapest}");
        assert!(cheapest["cost_usd_micros"].as_u64() > Some(0), "{name}: {cheapest}");
    }
    let table = run(&["eval", "simulate", "--workload", &example("catalogue.toml"), "--pin-each"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("pinned:openai/gpt-image-2@low") && table.contains("without a quality prior"), "{table}");
}

#[test]
fn a_component_competes_with_what_is_in_service() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("mine.wasm"), Guest::Picks(0).component()).expect("written");
    fs::write(folder.path().join("prompts.csv"), "id,prompt\n1,a fox\n2,\"a sign, \"\"OPEN\"\"\"\n").expect("written");
    let catalogue = example("catalogue.toml");
    let arguments = ["eval", "simulate", "--json", "--workload", &catalogue, "--prompts", "prompts.csv"];
    let output =
        run_in(folder.path(), &[&arguments[..], &["--strategy", "mine.wasm", "hybrid", "--plot", "x.svg"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(strategy(&report, "mine.wasm")["requests"], 2);
    let svg = fs::read_to_string(folder.path().join("x.svg")).expect("a picture");
    assert!(svg.starts_with("<svg") && svg.contains("mine.wasm"));
}

#[test]
fn what_is_wrong_is_said_with_a_hint() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = "duration = \"1m\"\narrivals = { rate = \"1/s\" }\ncatalogue = true\n";
    fs::write(folder.path().join("good.toml"), good).expect("written");
    fs::write(folder.path().join("zero.toml"), good.replace("1/s", "0/s")).expect("written");
    let cycle = format!("{good}[providers.a]\nlike = \"b\"\n[providers.b]\nlike = \"a\"\n");
    fs::write(folder.path().join("cycle.toml"), cycle).expect("written");
    fs::write(folder.path().join("typo.toml"), format!("{good}sead = 1\n")).expect("written");
    let cases: [(&[&str], &[&str]); 8] = [
        (&["--workload", "zero.toml"], &["zero.toml:2", "hint: write more than 0"]),
        (&["--workload", "cycle.toml"], &["cycle.toml:5", "in a circle", "hint: "]),
        (&["--workload", "typo.toml"], &["typo.toml:4", "did you mean `seed`"]),
        (&["--workload", "nowhere.toml"], &["nowhere.toml", "hint: name a workload file"]),
        (&["--workload", "good.toml", "--strategy", "hybird"], &["`hybird`", "hybrid"]),
        (&["--workload", "good.toml", "--strategy", "nothing.wasm"], &["nothing.wasm", "hint: "]),
        (&["--workload", "good.toml", "--strategy", "pinned:openai/gpt"], &["`openai/gpt`", "did you mean"]),
        (&["--workload", "good.toml", "--prompts", "none.csv"], &["none.csv", "`prompt`"]),
    ];
    for (arguments, named) in cases {
        let output = run_in(folder.path(), &[&["eval", "simulate"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty() && named.iter().all(|named| said.contains(named)), "{arguments:?}: {said}");
    }
}
