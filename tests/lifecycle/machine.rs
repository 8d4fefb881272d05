//! What a machine may lack, and plugins decide all the same.

use serde_json::Value;

use crate::harness::Guest;

#[test]
fn with_little_address_space_there_is_no_pool_and_plugins_decide_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("plugins")).expect("a new folder");
    std::fs::write(folder.path().join("plugins/mine.wasm"), Guest::Picks(1).component()).expect("written");
    // A pool reserves hundreds of gigabytes; the compiler's process gets no more than this one.
    let limited = "ulimit -v 3000000 && exec \"$0\" decide 'a red bicycle' --plugins plugins --strategy mine --json";
    let output = std::process::Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_muxel")])
        .current_dir(folder.path())
        .output()
        .expect("sh runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let decided: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(decided["strategy"], "mine", "{}", String::from_utf8_lossy(&output.stderr));
}
