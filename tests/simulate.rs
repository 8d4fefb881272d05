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
    for (name, strategy) in [("outage.toml", "hybrid"), ("shift.toml", "bandit")] {
        let workload = example(name);
        let bytes = |seed: &str| {
            let named = ["--workload", &workload, "--strategy", strategy, "--seed", seed];
            run(&[&["eval", "simulate", "--json"][..], &named].concat()).stdout
        };
        let first = bytes("7");
        assert!(!first.is_empty() && first == bytes("7"), "{name}");
        assert_ne!(first, bytes("8"), "{name}");
    }
}

#[test]
fn what_callers_say_beats_priors_that_are_wrong() {
    let report = simulated(&["--workload", &example("priors-wrong.toml"), "--strategy", "hybrid", "bandit"]);
    let (hybrid, bandit) = (&strategy(&report, "hybrid")["truth"], &strategy(&report, "bandit")["truth"]);
    let number = |truth: &Value, name: &str| truth[name].as_f64().unwrap_or_else(|| panic!("no {name}: {truth}"));
    assert!(number(bandit, "value") > 1.1 * number(hybrid, "value"), "{bandit}");
    assert!(number(bandit, "value") <= number(bandit, "oracle") && number(bandit, "regret") >= 0.0, "{bandit}");
    assert_eq!(number(bandit, "oracle"), number(hybrid, "oracle"));
    // Whoever serves is rated as often; who does not learn remembers nothing.
    assert_eq!(bandit["ratings"], hybrid["ratings"]);
    assert!((400..800).contains(&bandit["ratings"].as_u64().expect("a number")), "{bandit}");
    assert_eq!((&hybrid["memory_bytes"], &bandit["skipped"]), (&Value::from(0), &Value::from(0)));
    assert!(bandit["memory_bytes"].as_u64() > Some(0), "{bandit}");
    assert_eq!(bandit["curve"].as_array().map(Vec::len), Some(20));
}

#[test]
fn priors_that_are_right_are_hardly_lost() {
    let report = simulated(&["--workload", &example("priors-right.toml"), "--strategy", "hybrid", "bandit"]);
    let value = |name: &str| strategy(&report, name)["truth"]["value"].as_f64().expect("a number");
    assert!(value("bandit") > 0.98 * value("hybrid"), "{} {}", value("bandit"), value("hybrid"));
}

#[test]
fn a_model_that_changes_is_found_out_and_the_picture_shows_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let picture = folder.path().join("shift.svg").display().to_string();
    let output = run(&["eval", "simulate", "--workload", &example("shift.toml"), "--plot", &picture]);
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(table.contains("an oracle's is") && table.contains("the truth changes after 2500"), "{table}");
    assert!(table.contains("bandit") && !table.contains("could not learn from"), "{table}");
    let svg = fs::read_to_string(picture).expect("a picture");
    assert!(svg.contains("the truth changes") && svg.contains("true quality, by cost"));

    let report = simulated(&["--workload", &example("shift.toml"), "--strategy", "hybrid", "bandit"]);
    let last = |name: &str| {
        let curve = strategy(&report, name)["truth"]["curve"].as_array().expect("a curve").clone();
        curve[14..].iter().filter_map(|block| block["value"].as_f64()).sum::<f64>()
    };
    assert!(last("bandit") > 1.1 * last("hybrid"), "{} {}", last("bandit"), last("hybrid"));
}

#[test]
fn the_gateways_own_learner_listens_when_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = fs::read_to_string(example("priors-wrong.toml")).expect("the example");
    fs::write(folder.path().join("w.toml"), wrong.replace("[feedback]", "[feedback]\nquality = true"))
        .expect("written");
    let output = run_in(
        folder.path(),
        &["eval", "simulate", "--json", "--workload", "w.toml", "--strategy", "hybrid", "pinned:atlas/standard"],
    );
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let value = |name: &str| strategy(&report, name)["truth"]["value"].as_f64().expect("a number");
    assert!(value("hybrid") > 1.1 * value("pinned:atlas/standard"), "{} {}", value("hybrid"), report);
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
    let truth = fs::read_to_string(example("shift.toml")).expect("the example");
    let nobody = truth.replace("\"atlas/standard\" = 0.35", "\"atlas/standart\" = 1.35");
    fs::write(folder.path().join("nobody.toml"), nobody).expect("written");
    let cases: [(&[&str], &[&str]); 9] = [
        (
            &["--workload", "nobody.toml"],
            &["nobody.toml:34", "no candidate `atlas/standart`", "did you mean", "from 0 to 1"],
        ),
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
