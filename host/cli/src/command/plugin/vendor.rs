//! What a new plugin's folder brings along: the SDK's sources and the contract, as this program was built with them.
//!
//! An author needs no access to this repository and no registry that carries the SDK, and a plugin keeps building against
//! the contract it was written for.

/// Path inside the new folder and text of each file that is the same in every one.
pub(super) const FILES: [(&str, &str); 17] = {
    macro_rules! file {
        ($here:literal, $there:literal) => {
            ($there, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../", $here)))
        };
    }
    [
        file!("sdk/LICENSE-APACHE", "vendor/muxel-sdk/LICENSE-APACHE"),
        file!("sdk/LICENSE-MIT", "vendor/muxel-sdk/LICENSE-MIT"),
        file!("sdk/rust/src/bindings.rs", "vendor/muxel-sdk/src/bindings.rs"),
        file!("sdk/rust/src/build.rs", "vendor/muxel-sdk/src/build.rs"),
        file!("sdk/rust/src/heap.rs", "vendor/muxel-sdk/src/heap.rs"),
        file!("sdk/rust/src/lib.rs", "vendor/muxel-sdk/src/lib.rs"),
        file!("sdk/rust/src/reason.rs", "vendor/muxel-sdk/src/reason.rs"),
        file!("sdk/rust/src/testing.rs", "vendor/muxel-sdk/src/testing.rs"),
        file!("sdk/rust/src/testing/rules.rs", "vendor/muxel-sdk/src/testing/rules.rs"),
        file!("sdk/rust/src/testing/samples.rs", "vendor/muxel-sdk/src/testing/samples.rs"),
        file!("sdk/rust/src/worlds.rs", "vendor/muxel-sdk/src/worlds.rs"),
        file!("wit/LICENSE-APACHE", "vendor/wit/LICENSE-APACHE"),
        file!("wit/LICENSE-MIT", "vendor/wit/LICENSE-MIT"),
        file!("wit/README.md", "vendor/wit/README.md"),
        file!("wit/plugin.wit", "vendor/wit/plugin.wit"),
        ("vendor/README.md", VENDOR),
        // `cargo fmt` in the new folder leaves alone what is not its author's.
        ("vendor/rustfmt.toml", "disable_all_formatting = true\n"),
    ]
};

const VENDOR: &str = "The SDK and the contract of the muxel that made this folder. Change nothing here: take the folder \
                      over from a fresh `muxel plugin new` instead.\n";

/// What the SDK's own manifest inherits from this workspace, written out: its template's placeholders.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(super) const EDITION: &str = "2024";
pub(super) const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");
pub(super) const WIT_BINDGEN: &str = "=0.61.1";

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn files_under(folder: &Path, found: &mut BTreeSet<String>, base: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                files_under(&path, found, base);
            } else {
                found.insert(path.strip_prefix(base).expect("inside").to_string_lossy().into_owned());
            }
        }
    }

    #[test]
    fn no_file_of_the_sdk_or_the_contract_is_left_out() {
        for (folder, vendored) in [("sdk/rust/src", "vendor/muxel-sdk/src/"), ("wit", "vendor/wit/")] {
            let base = root().join(folder);
            let mut there = BTreeSet::new();
            files_under(&base, &mut there, &base);
            let here = FILES.iter().filter_map(|(path, _)| path.strip_prefix(vendored)).map(str::to_owned);
            assert_eq!(here.collect::<BTreeSet<_>>(), there, "{folder}");
        }
    }

    #[test]
    fn the_rendered_manifest_is_the_workspaces() {
        let workspace = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace");
        for line in [
            format!("version = \"{VERSION}\""),
            format!("edition = \"{EDITION}\""),
            format!("rust-version = \"{RUST_VERSION}\""),
            format!("wit-bindgen = {{ version = \"{WIT_BINDGEN}\", default-features = false }}"),
        ] {
            assert!(workspace.lines().any(|own| own == line), "`{line}` is not in Cargo.toml any more");
        }
        // Features and dependencies of the SDK stand in its template, word for word.
        let sdk = fs::read_to_string(root().join("sdk/rust/Cargo.toml")).expect("the SDK");
        let part = |text: &str, name: &str| {
            let lines = text.lines().skip_while(|line| *line != name).skip(1).take_while(|line| !line.starts_with('['));
            lines.filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let template = include_str!("template/sdk.toml.txt");
        assert_eq!(part(&sdk, "[features]"), part(template, "[features]"));
        assert_eq!(part(&sdk, "[dependencies]"), ["wit-bindgen = { workspace = true }"]);
        assert_eq!(part(template, "[dependencies]").len(), 1);
    }
}
