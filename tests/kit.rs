//! The author's kit: a plugin from nothing, and what the tools say to an author who is wrong.

mod making;
mod mistakes;
mod trying;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

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
