//! A plugin from nothing, and building it.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use super::{awkward_place, fails, muxel, new, offline, succeeds};

const KINDS: [&str; 4] = ["strategy", "classifier", "cost-model", "learner"];

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
