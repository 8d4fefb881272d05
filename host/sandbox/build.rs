//! Compiles the bundled plugins from `plugins/*/` to components and hands their bytes to `src/bundled.rs`.
//!
//! One nested cargo builds all of them with the profile `plugin`, in a target directory of its own: the outer cargo holds
//! the lock of the usual one. Nothing of the outer build's flags reaches it, so the same sources give the same
//! components whoever builds. `MUXEL_BUNDLED=DIR` takes prebuilt `NAME.wasm` files instead, for packagers.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const PLUGINS: [&str; 9] = [
    "context-classifier",
    "list-price",
    "hybrid",
    "cheapest",
    "fastest",
    "context-aware",
    "round-robin",
    "weighted",
    "bandit",
];
/// What some of them share. No plugin itself.
const SHARED: &str = "balance";
const TARGET: &str = "wasm32-unknown-unknown";
/// Rust's default stack of 1 MiB comes first in memory and defeats keeping pages resident. With 16 KiB, which is plenty
/// here, stack, data and a small call's heap share one page: the host clears that page after every call.
const SMALL_STACK: &str = "-Clink-arg=-zstack-size=16384";

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo::rerun-if-env-changed=MUXEL_BUNDLED");
    if let Some(prebuilt) = env::var_os("MUXEL_BUNDLED") {
        for name in PLUGINS {
            let from = Path::new(&prebuilt).join(format!("{name}.wasm"));
            println!("cargo::rerun-if-changed={}", from.display());
            fs::copy(&from, out.join(format!("{name}.wasm")))
                .unwrap_or_else(|error| panic!("MUXEL_BUNDLED: cannot copy `{}`: {error}", from.display()));
        }
        return;
    }
    watch(&root);
    let built = compile(&root, &out);
    for name in PLUGINS {
        let module = built.join(format!("{}.wasm", name.replace('-', "_")));
        let bytes = fs::read(&module).unwrap_or_else(|error| panic!("cannot read `{}`: {error}", module.display()));
        let component = wit_component::ComponentEncoder::default()
            .module(&bytes)
            .and_then(|encoder| encoder.validate(true).encode())
            .unwrap_or_else(|error| panic!("cannot encode plugin `{name}` as a component: {error:#}"));
        fs::write(out.join(format!("{name}.wasm")), component).expect("OUT_DIR is writable");
    }
}

fn watch(root: &Path) {
    for name in PLUGINS.into_iter().chain([SHARED]) {
        for part in ["src", "Cargo.toml"] {
            println!("cargo::rerun-if-changed={}", root.join("plugins").join(name).join(part).display());
        }
    }
    for part in [
        "sdk/rust/src",
        "sdk/rust/Cargo.toml",
        "Cargo.lock",
        "Cargo.toml",
        "rust-toolchain.toml",
        "host/sandbox/build.rs",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(part).display());
    }
}

/// Runs the nested cargo and returns the folder of its modules.
fn compile(root: &Path, out: &Path) -> PathBuf {
    // OUT_DIR is TARGET/PROFILE/build/PACKAGE-HASH/out.
    let target_dir = out.ancestors().nth(4).expect("OUT_DIR lies in the target directory").join("bundled");
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"));
    cargo
        .current_dir(root)
        .args(["build", "--quiet", "--locked", "--profile", "plugin", "--target", TARGET, "--target-dir"])
        .arg(&target_dir)
        .args(PLUGINS.iter().flat_map(|name| ["--package", *name]));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let outer = ["RUSTFLAGS", "CARGO_TARGET_DIR", "RUSTC_WORKSPACE_WRAPPER", "RUSTC_WRAPPER"];
        if outer.contains(&&*text) || text.starts_with("CARGO_BUILD_") || text.starts_with("CARGO_PROFILE_") {
            cargo.env_remove(&name);
        }
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", SMALL_STACK);
    let done = cargo.output().expect("cargo can be started");
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        let missing_target =
            said.contains("can't find crate for `core`") || said.contains("target may not be installed");
        if missing_target {
            panic!("the bundled plugins need the wasm target: run `rustup target add {TARGET}` and build again");
        }
        panic!("the bundled plugins do not compile:\n{said}");
    }
    target_dir.join(TARGET).join("plugin")
}
