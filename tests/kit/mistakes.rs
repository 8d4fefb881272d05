//! What the tools say to an author who is wrong: what, where, and what to do.

use std::fs;

use super::{awkward_place, muxel, new, said, succeeds};

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
