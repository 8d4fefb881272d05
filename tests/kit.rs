//! The author's kit: a plugin from nothing, and what the tools say to an author who is wrong.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::harness::{Answer, Guest, Provider, Setup, run_in};

const KINDS: [&str; 4] = ["strategy", "classifier", "cost-model", "learner"];

/// A command of the binary in `folder`. Cargo, where it is started, finds every crate on this machine already, and all
/// tests build into one directory.
fn muxel(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muxel"));
    command.args(arguments).current_dir(folder);
    offline(&mut command);
    command
}

fn offline(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        // What cargo tells its tests is not meant for another cargo.
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_PROFILE_") || text == "CARGO_MANIFEST_DIR" {
            command.env_remove(&name);
        }
    }
    command.env_remove("RUSTFLAGS").env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", target());
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("kit")
}

/// Everything that a command said.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    said(&output)
}

/// Runs a command that must end with 1, and returns what it said.
fn fails(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{command:?}: {}", said(&output));
    said(&output)
}

/// A folder whose name has a blank, inside another workspace: the most awkward place for a new crate.
fn awkward_place() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("Cargo.toml"), "[workspace]\nmembers = []\nresolver = \"3\"\n").expect("written");
    let place = root.path().join("two words");
    fs::create_dir(&place).expect("a new folder");
    (root, place)
}

fn new(place: &Path, name: &str, kind: &str) -> PathBuf {
    succeeds(&mut muxel(place, &["plugin", "new", name, "--kind", kind]));
    place.join(name)
}

#[test]
fn every_kind_of_new_plugin_builds_passes_its_tests_and_is_admitted() {
    let (_root, place) = awkward_place();
    let crate_folder = new(&place, "fresh", "strategy");
    for kind in KINDS {
        // The SDK is the same for all of them: one crate takes each kind's source in turn, and compiles the SDK once.
        let other = new(&place, &format!("a-{kind}"), kind);
        fs::copy(other.join("src/lib.rs"), crate_folder.join("src/lib.rs")).expect("copied");
        let mut tests = Command::new(env!("CARGO"));
        tests.args(["test", "--locked"]).current_dir(&crate_folder);
        offline(&mut tests);
        let tested = succeeds(&mut tests);
        assert!(tested.contains("test tests::a_host_accepts_what_it_says_of_itself ... ok"), "{kind}: {tested}");
        let built = succeeds(&mut muxel(&place, &["plugin", "build", "fresh"]));
        assert!(built.contains("next:\n  muxel plugin check fresh/fresh.wasm"), "{kind}: {built}");
        assert!(!built.contains("warning"), "{kind}: {built}");
        let checked = muxel(&crate_folder, &["plugin", "check", "fresh.wasm", "--json"]).output().expect("it runs");
        let checked: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
        assert_eq!(checked["ok"], true, "{kind}: {checked:#}");
        let answers = if kind == "learner" { json!(["strategy", "learner"]) } else { json!([kind]) };
        assert_eq!(checked["kinds"], answers);
        let run = succeeds(&mut muxel(&crate_folder, &["plugin", "run", "fresh.wasm"]));
        assert!(run.contains("7 requests: 0 faults"), "{kind}: {run}");
    }
}

#[test]
fn a_new_plugin_passes_the_formatter_and_needs_nothing_outside_its_folder() {
    let (_root, place) = awkward_place();
    for kind in KINDS {
        let folder = new(&place, &format!("a-{kind}"), kind);
        let mut format = Command::new(env!("CARGO"));
        format.args(["fmt", "--check"]).current_dir(&folder);
        offline(&mut format);
        succeeds(&mut format);
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        assert!(manifest.contains("muxel-sdk = { path = \"vendor/muxel-sdk\" }"), "{manifest}");
        assert!(folder.join("vendor/wit/plugin.wit").is_file() && folder.join("README.md").is_file());
        let readme = fs::read_to_string(folder.join("README.md")).expect("a readme");
        assert!(!readme.contains('{') || readme.contains("-d '{\"model\""), "a placeholder is left: {readme}");
    }
}

#[test]
fn new_refuses_bad_names_and_taken_places_and_leaves_nothing_behind() {
    let place = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(place.path().join("taken/src")).expect("a folder");
    fs::write(place.path().join("file"), "").expect("written");
    let new = |name: &str, dir: &str| {
        fails(&mut muxel(place.path(), &["plugin", "new", name, "--kind", "strategy", "--dir", dir]))
    };
    for (name, dir, told) in [
        ("MyPlugin", ".", "`my-plugin`"),
        ("my_plugin", ".", "`my-plugin`"),
        ("auto", ".", "`my-auto`"),
        ("native", ".", "`my-native`"),
        ("test", ".", "`my-test`"),
        ("../mine", ".", "lower-case words"),
        (&"x".repeat(65), ".", "at most 64"),
        ("taken", ".", "not empty"),
        ("file", ".", "no folder"),
        ("mine", "nowhere", "mkdir -p nowhere"),
        ("mine", "file", "is no folder"),
    ] {
        let said = new(name, dir);
        assert!(said.contains(told) && said.contains("\nhint: "), "{name} in {dir}: {said}");
    }
    let mut left: Vec<_> =
        fs::read_dir(place.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    left.sort();
    assert_eq!(left, ["file", "taken"]);
    // An empty folder is as good as none.
    fs::create_dir(place.path().join("empty")).expect("a folder");
    succeeds(&mut muxel(place.path(), &["plugin", "new", "empty", "--kind", "classifier"]));
}

#[test]
fn build_says_what_is_missing_and_the_one_command_for_it() {
    let (root, place) = awkward_place();
    let folder = new(&place, "mine", "strategy");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    let build = |folder: &Path| muxel(folder, &["plugin", "build"]);
    let with = |from: &str, to: &str| {
        assert!(manifest.contains(from), "{from}");
        fs::write(folder.join("Cargo.toml"), manifest.replace(from, to)).expect("written");
        fails(&mut build(&folder))
    };
    let library = "crate-type = [\"cdylib\", \"rlib\"]";
    for (from, to, told) in [
        (library, "crate-type = [\"rlib\"]", library),
        ("muxel-sdk = { path = \"vendor/muxel-sdk\" }", "", "does not depend on muxel-sdk"),
        ("[workspace]", "", ">> ./Cargo.toml"),
        ("[package]", "[pakage]", "cargo cannot read"),
    ] {
        let said = with(from, to);
        assert!(said.contains(told) && said.contains("\nhint: "), "{from}: {said}");
    }
    fs::rename(folder.join("src/lib.rs"), folder.join("src/main.rs")).expect("renamed");
    let said = with("[lib]\n", "[package.metadata.lib]\n");
    assert!(said.contains("is a program, and a plugin is a library"), "{said}");
    fs::rename(folder.join("src/main.rs"), folder.join("src/lib.rs")).expect("renamed");
    fs::write(folder.join("Cargo.toml"), &manifest).expect("written");

    let said = fails(&mut build(&place));
    assert!(said.contains("has no Cargo.toml") && said.contains("muxel plugin new"), "{said}");
    let said = fails(&mut build(root.path()));
    assert!(said.contains("is a workspace, not a crate"), "{said}");
    let said = fails(build(&folder).env("CARGO", "/nowhere/cargo"));
    assert!(said.contains("cargo is not installed") && said.contains("https://sh.rustup.rs"), "{said}");
    let said = fails(muxel(&folder, &["plugin", "build", "-o", "somewhere"]).env("CARGO_NET_OFFLINE", "true"));
    assert!(said.contains("ends in `.wasm`"), "{said}");
    let refused = build(&place).arg("--json").output().expect("it runs");
    let refused: Value = serde_json::from_slice(&refused.stdout).expect("JSON");
    assert_eq!((&refused["ok"], &refused["code"]), (&json!(false), &json!("no-crate")));
}

/// A toolchain without the target, as far as `build` can tell: a compiler that says its libraries are nowhere.
#[cfg(unix)]
#[test]
fn build_names_the_target_that_is_missing() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_root, place) = awkward_place();
    let folder = new(&place, "mine", "strategy");
    let rustc = place.join("rustc");
    fs::write(&rustc, "#!/bin/sh\necho /nowhere/lib\n").expect("written");
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).expect("executable");
    let said = fails(muxel(&folder, &["plugin", "build"]).env("RUSTC", &rustc));
    assert!(said.contains("has no target wasm32-unknown-unknown"), "{said}");
    assert!(said.contains("hint: rustup target add"), "{said}");
}

/// One line of the scaffold changed, what `build` or `check` then ends with, and a part of what it says.
const MISTAKES: [(&str, &str, &str, &str, &[&str]); 12] = [
    (
        "no export",
        "export!(Plugin: strategy);",
        "",
        "build",
        &["has no `muxel_sdk::export!`", "export!(YourType: strategy)"],
    ),
    (
        "no such world",
        "export!(Plugin: strategy)",
        "export!(Plugin: router)",
        "build",
        &["cost-model, learner or everything"],
    ),
    (
        "a panic in describe",
        "let summary =",
        "assert!(env!(\"CARGO_PKG_NAME\").is_empty()); let summary =",
        "check",
        &["did not describe itself", "only returns constants"],
    ),
    (
        "a function of somebody else's",
        "// Settings come",
        "#[link(wasm_import_module = \"env\")] unsafe extern \"C\" { fn now() -> u32; } \
         if unsafe { now() } == 7 { return Err(Refusal::Abstain(String::new())); } //",
        "build",
        &["the module imports env#now", "cargo tree"],
    ),
    ("a field that there is not", ", summary)", ", summary).reads(\"promt\")", "check", &["`reads` names `promt`"]),
    (
        "the clock",
        "// Settings come",
        "if std::time::Instant::now().elapsed().as_secs() > 9 { return Err(Refusal::Abstain(String::new())); } //",
        "check",
        &["std::time panics in a sandbox", "request.now_ms", "reached code that must not be reached"],
    ),
    ("println!", "// Settings come", "println!(\"{}\", candidates.len()); //", "nothing", &["go nowhere in a sandbox"]),
    (
        "a loop without an end",
        "// Settings come",
        "let mut on = true; while on { on = std::hint::black_box(true); } //",
        "check",
        &["used all 1000000 fuel", "a loop that does not end"],
    ),
    (
        "an index out of range",
        "reason(&candidates[first])",
        "reason(&candidates[first + 1])",
        "check",
        &["an index out of range", "cargo test"],
    ),
    (
        "scores that rise",
        "scores[b].total_cmp(&scores[a])",
        "scores[a].total_cmp(&scores[b])",
        "check",
        &["a score that rises", "testing::assert_ranking"],
    ),
    (
        "a large static",
        "// Settings come",
        "static BIG: std::sync::Mutex<[u8; 3 << 20]> = std::sync::Mutex::new([0; 3 << 20]); BIG.lock().unwrap()[candidates.len()] = 1; //",
        "check",
        &["bytes of memory from the start", "a large `static` counts"],
    ),
    (
        "a large array on the stack",
        "// Settings come",
        "if std::hint::black_box([1_u8; 200_000])[candidates.len()] == 0 { return Err(Refusal::Abstain(String::new())); } //",
        "check",
        &["out of bounds memory access", "muxel plugin build --stack 64"],
    ),
];

#[test]
fn mistakes_are_named_where_they_are_made_with_what_to_do() {
    let (_root, place) = awkward_place();
    let folder = new(&place, "wrong", "strategy");
    let source = fs::read_to_string(folder.join("src/lib.rs")).expect("a source");
    for (mistake, from, to, fails_at, told) in MISTAKES {
        assert!(source.contains(from), "{mistake}: the scaffold has no `{from}` any more");
        fs::write(folder.join("src/lib.rs"), source.replacen(from, to, 1)).expect("written");
        let built = muxel(&folder, &["plugin", "build"]).output().expect("it runs");
        let mut all = said(&built);
        assert_eq!(built.status.success(), fails_at != "build", "{mistake}: {all}");
        if built.status.success() {
            let checked = muxel(&folder, &["plugin", "check", "wrong.wasm"]).output().expect("it runs");
            all.push_str(&said(&checked));
            assert_eq!(checked.status.success(), fails_at != "check", "{mistake}: {all}");
        }
        for part in told {
            assert!(all.contains(part), "{mistake}: no `{part}` in {all}");
        }
    }
    fs::write(folder.join("src/lib.rs"), source).expect("written");
    let sdk = folder.join("vendor/muxel-sdk/Cargo.toml");
    let manifest = fs::read_to_string(&sdk).expect("a manifest");
    let own = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    fs::write(&sdk, manifest.replacen(&own, "version = \"0.0.7\"", 1)).expect("written");
    let said = succeeds(&mut muxel(&folder, &["plugin", "build"]));
    assert!(said.contains("built with muxel-sdk 0.0.7"), "{said}");
}

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
    assert_eq!(imports["imports"], json!(["wasi:cli/environment@0.2.0"]));
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
    let lines = json!({"prompt": "x".repeat(crate::harness::TRIGGER)}).to_string();
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
