//! Looking at a component, and asking it before it serves.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::Stdio,
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};

use super::{fails, muxel, said, succeeds};
use crate::harness::{Answer, Guest, Provider, Setup, TRIGGER, run_in};

#[test]
fn check_refuses_a_file_that_a_gateway_would_not_look_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = Guest::Picks(0).component();
    for (name, told) in [
        ("Mine.wasm", "lower-case words"),
        ("my_plugin.wasm", "lower-case words"),
        ("auto.wasm", "not `auto` or `native`"),
        ("mine.wat", "does not end in `.wasm`"),
    ] {
        fs::write(folder.path().join(name), &good).expect("written");
        let said = fails(&mut muxel(folder.path(), &["plugin", "check", name]));
        assert!(said.contains("a gateway takes no notice of it") && said.contains(told), "{name}: {said}");
    }
    let said = fails(&mut muxel(folder.path(), &["plugin", "check", "."]));
    assert!(said.contains("is a folder") && said.contains("muxel plugin build ."), "{said}");
    let newer = "(component (instance $none) (export \"muxel:plugin/strategy@0.9.0\" (instance $none)))";
    fs::write(folder.path().join("newer.wasm"), wat::parse_str(newer).expect("a component")).expect("written");
    let said = fails(&mut muxel(folder.path(), &["plugin", "check", "newer.wasm"]));
    assert!(said.contains("0.9.0") && said.contains("0.1.0"), "{said}");
}

#[test]
fn inspect_says_what_a_file_is_also_when_no_gateway_would_take_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let inspect = |bytes: &[u8]| -> Value {
        fs::write(folder.path().join("file"), bytes).expect("written");
        let output = run_in(folder.path(), &["plugin", "inspect", "file", "--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let good = Guest::Picks(0).component();
    let found = inspect(&good);
    assert_eq!((&found["kind"], &found["worlds"]), (&json!("component"), &json!(["strategy-plugin"])));
    assert_eq!(found["memory"], 128 << 10);
    assert!(found["describe"].is_object() && found["sections"]["code"].as_u64().is_some_and(|code| code > 0));
    assert_eq!(inspect(&Guest::Picks(0).core_module())["kind"], "module");
    let imports = inspect(&Guest::Imports.component());
    assert!(imports["imports"][0].as_str().is_some_and(|name| name.starts_with("wasi:")), "{imports:#}");
    assert!(imports["describe"].is_null() && imports["silent"].is_string());
    assert!(inspect(&good[..good.len() - 9])["damage"].is_string());
    assert_eq!(inspect(b"")["kind"], "empty");
    assert_eq!(inspect(b"(module)")["kind"], "text");
    let words = run_in(folder.path(), &["plugin", "inspect", "file"]);
    assert!(said(&words).contains("WebAssembly in text form"), "{}", said(&words));
}

#[test]
fn run_asks_about_files_of_requests_and_says_which_line_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("first.wasm"), Guest::Picks(0).component()).expect("written");
    let lines = "{\"prompt\": \"a red bicycle\", \"n\": 2}\n{\"prompt\": \"a fox\", \"model\": \"auto/frist\"}\n{\"prmpt\": \"a\"}\n";
    fs::write(folder.path().join("requests.jsonl"), lines).expect("written");
    let arguments = ["plugin", "run", "first.wasm", "--requests", "requests.jsonl", "--json"];
    let output = muxel(folder.path(), &arguments).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let first: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["prompt"], "a red bicycle");
    assert_eq!((&first["with"]["strategy"], &first["without"]["strategy"]), (&json!("first"), &json!("hybrid")));
    assert_eq!(first["calls"][0]["ended"], "answered");
    assert!(first["limits"]["fuel"].is_u64() && first["calls"][0]["fuel"].is_u64());
    let told: Vec<Value> = text.lines().skip(1).map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(told.iter().all(|told| told["ok"] == false && told["code"] == "request"), "{text}");
    assert!(text.contains("there is no model `auto/frist`") && text.contains("line 3"), "{text}");

    fs::write(folder.path().join("prompts.csv"), "id,prompt\n1,a red bicycle\n2,\"a sign, two\nlines\"\n")
        .expect("written");
    let said = succeeds(&mut muxel(folder.path(), &["plugin", "run", "first.wasm", "--requests", "prompts.csv"]));
    assert!(said.contains("2 requests: 0 faults") && said.contains("without   "), "{said}");
    for figure in ["fuel", "memory", "time"] {
        assert!(said.lines().any(|line| line.trim().starts_with(figure) && line.contains('░')), "{figure}: {said}");
    }
    fs::write(folder.path().join("none.csv"), "text\nx\n").expect("written");
    let said = fails(&mut muxel(folder.path(), &["plugin", "run", "first.wasm", "--requests", "none.csv"]));
    assert!(said.contains("has no column `prompt`"), "{said}");
}

#[test]
fn run_shows_a_fault_with_its_figures_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("loops.wasm"), Guest::LOOPS.component()).expect("written");
    let lines = json!({"prompt": "x".repeat(TRIGGER)}).to_string();
    fs::write(folder.path().join("requests.jsonl"), lines).expect("written");
    let said = fails(&mut muxel(folder.path(), &["plugin", "run", "loops.wasm", "--requests", "requests.jsonl"]));
    assert!(said.contains("FAULT out-of-fuel") && said.contains("1,000,000 of 1,000,000"), "{said}");
    assert!(said.contains("██████████") && said.contains("a loop that does not end"), "{said}");
}

#[tokio::test]
async fn run_asks_about_what_a_running_gateway_has_recorded() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    for prompt in ["a red bicycle", "a blue boat"] {
        assert_eq!(gateway.generate(prompt).await.status, 200);
    }
    let last = gateway.generate("a green door").await;
    // A record is on disk a moment after its answer.
    assert_eq!(gateway.get(&format!("/v1/decisions/{}", last.decision())).await.status, 200);
    let folder = gateway.folder.path();
    fs::write(folder.join("last.wasm"), Guest::Picks(1).component()).expect("written");
    let arguments =
        ["plugin", "run", "last.wasm", "--recorded", "data", "--last", "2", "--config", "muxel.toml", "--json"];
    let output = muxel(folder, &arguments).env("LAB_KEY", "x").output().expect("it runs");
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let asked: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let prompts: Vec<&str> = asked.iter().filter_map(|asked| asked["prompt"].as_str()).collect();
    assert_eq!(prompts, ["a blue boat", "a green door"]);
    for asked in &asked {
        assert_eq!((&asked["without"]["model"], &asked["with"]["model"]), (&json!("lab/cheap"), &json!("lab/dear")));
        assert_eq!(asked["differs"], true);
    }
    assert_eq!(gateway.generate("and it still serves").await.status, 200);
    let said = fails(&mut muxel(folder, &["plugin", "run", "last.wasm", "--recorded", "nowhere"]));
    assert!(said.contains("nowhere"), "{said}");
}

#[test]
fn run_watches_the_file_and_outlives_a_bad_one() {
    const PATIENCE: Duration = Duration::from_secs(60);
    let folder = tempfile::tempdir().expect("a folder");
    let put = |bytes: &[u8]| {
        let part = folder.path().join("part");
        fs::write(&part, bytes).expect("written");
        fs::rename(part, folder.path().join("mine.wasm")).expect("renamed");
    };
    put(&Guest::Picks(0).component());
    let mut command = muxel(folder.path(), &["plugin", "run", "mine.wasm", "--watch"]);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let (lines, received) = mpsc::channel();
    let streams: [Box<dyn std::io::Read + Send>; 2] =
        [Box::new(process.stdout.take().expect("piped")), Box::new(process.stderr.take().expect("piped"))];
    for stream in streams {
        let lines = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
    }
    let until = |part: &str| {
        let mut heard = Vec::new();
        loop {
            match received.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(part) => return,
                Ok(line) => heard.push(line),
                Err(error) => panic!("never `{part}`: {error}; it said {heard:#?}"),
            }
        }
    };
    until("7 requests: 0 faults");
    put(b"broken");
    until("has changed");
    until("is not WebAssembly");
    put(&Guest::Picks(1).component());
    until("7 requests: 0 faults");
    process.kill().expect("it still runs");
    process.wait().expect("it ends");
}
