//! The committed bindings are what `wit/` says today, and the rules that `testing` checks answers by are the host's.
//!
//! Plugins compile against `src/bindings.rs` and `src/worlds.rs`, which are generated here and committed, so that an
//! author's cold build takes seconds. `src/testing/rules.rs` is a copy of what the host checks every answer by. When
//! `wit/` or those rules change, regenerate all three:
//!
//! ```text
//! MUXEL_BLESS=1 cargo test --release -p muxel-sdk-generate
//! ```

use std::{fmt::Write as _, fs, path::Path};

use wit_bindgen_core::{
    Files, WorldGenerator as _,
    wit_parser::{Resolve, WorldId},
};
use wit_bindgen_rust::Opts;

const WORLDS: [&str; 5] =
    ["classifier-plugin", "cost-model-plugin", "strategy-plugin", "learning-strategy-plugin", "full-plugin"];

#[test]
fn bindings_are_what_the_contract_generates() {
    let (resolve, worlds) = contract();
    assert_current("src/bindings.rs", &bindings(resolve, worlds[4]));
}

#[test]
fn world_sections_are_what_the_contract_generates() {
    let (resolve, worlds) = contract();
    assert_current("src/worlds.rs", &sections(&resolve, &worlds));
}

#[test]
fn the_rules_of_testing_are_the_hosts() {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../host/sandbox/src/validate.rs");
    let rules = fs::read_to_string(host).expect("the host has rules");
    let (rules, _its_tests) = rules.split_once("\n#[cfg(test)]").expect("they end where their tests begin");
    let header = "// Copied from `host/sandbox/src/validate.rs` by `generate/tests/bindings.rs`. DO NOT EDIT!\n";
    assert_current("src/testing/rules.rs", &format!("{header}{rules}"));
}

fn contract() -> (Resolve, [WorldId; 5]) {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit");
    let (package, _) = resolve.push_dir(&wit).expect("`wit/` parses");
    let worlds = WORLDS.map(|name| resolve.select_world(&[package], Some(name)).expect("the contract has this world"));
    (resolve, worlds)
}

/// Types, traits and one export macro for each interface, from the widest world.
fn bindings(mut resolve: Resolve, world: WorldId) -> String {
    let mut files = Files::default();
    Opts {
        format: true,
        generate_all: true,
        pub_export_macro: true,
        default_bindings_module: Some("::muxel_sdk::bindings".to_owned()),
        runtime_path: Some("::muxel_sdk::wit_bindgen::rt".to_owned()),
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        ..Opts::default()
    }
    .build()
    .generate(&mut resolve, world, &mut files)
    .expect("bindings generate");
    let (_, source) = files.iter().next().expect("one file is generated");
    String::from_utf8(source.to_vec()).expect("generated source is UTF-8")
}

/// One macro for each world: the section that tells the component encoder which exports to expect.
fn sections(resolve: &Resolve, worlds: &[WorldId; 5]) -> String {
    let mut source = String::from("// Generated from `wit/` by `tests/bindings.rs`. DO NOT EDIT!\n");
    for (name, world) in WORLDS.iter().zip(worlds) {
        let bytes = wit_component::metadata::encode(resolve, *world, wit_component::StringEncoding::UTF8, None)
            .expect("a world encodes");
        let literal = bytes.escape_ascii();
        let macro_name = name.replace('-', "_");
        write!(
            source,
            "
#[doc(hidden)]
#[macro_export]
macro_rules! __section_{macro_name} {{
    () => {{
        #[cfg(target_arch = \"wasm32\")]
        const _: () = {{
            #[used]
            #[unsafe(link_section = \"component-type:muxel:{name}\")]
            static SECTION: [u8; {length}] = *b\"{literal}\";
        }};
    }};
}}
",
            length = bytes.len(),
        )
        .expect("writing to a string");
    }
    source
}

fn assert_current(file: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    if std::env::var_os("MUXEL_BLESS").is_some() {
        fs::write(&path, generated).expect("the bindings are writable");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "`{}` is stale: run `MUXEL_BLESS=1 cargo test --release -p muxel-sdk-generate` and commit the result",
        path.display(),
    );
}
