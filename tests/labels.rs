//! `muxel eval labels`: classifiers on prompts that people have labelled.

use serde_json::{Value, json};

use crate::harness::{Guest, TRIGGER, run_in};

/// As spreadsheets write it, with what may be wrong with it.
const STRANGE: &str = "\u{feff}Traits,Language,PROMPT,Label\r\n\
    text,en,\"a shop sign that says \"\"OPEN,\r\nnow\"\"\",technical\r\n\
    ,en,a photograph of an old fisherman taken with a 50mm lens,realistic\r\n\
    ,en,an oil painting of a harbour in the style of impressionism,artistic\r\n\
    ,en,a fox,general\r\n\
    text|quantity,de,\"ein Plakat mit der Aufschrift \"\"Offen\"\" und drei Sternen\",technical\r\n\
    ,de,ein Foto von einem alten Fischer,realistic\r\n\
    ,de,ein Foto von einem alten Fischer,general\r\n\
    ,de,ein Foto von einem alten Fischer,realistic\r\n\
    ,en,,general\r\n\
    ,en,a cup,\r\n\
    ,en,a cup\r\n";

fn labels(prompts: &[u8], files: &[(&str, &[u8])], arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in [("prompts.csv", prompts)].iter().chain(files) {
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    let output = run_in(folder.path(), &[&["eval", "labels", "--prompts", "prompts.csv"], arguments].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn report(prompts: &[u8], files: &[(&str, &[u8])], arguments: &[&str]) -> (Value, String) {
    let (code, said, talk) = labels(prompts, files, &[arguments, &["--json"]].concat());
    assert_eq!(code, Some(0), "{talk}");
    (serde_json::from_str(&said).expect("JSON"), talk)
}

#[test]
fn every_row_is_scored_or_named() {
    let (report, talk) = report(STRANGE.as_bytes(), &[], &["--by", "language"]);
    assert_eq!((&report["rows"], &report["prompts"]), (&json!(11), &json!(7)));
    for told in [
        "1 row left out: no prompt (line 11)",
        "1 row left out: no label (line 12)",
        "1 row left out: not as many cells",
        "(line 13)",
        "1 row left out: the same prompt came before with another label, such as `ein Foto von einem alten Fischer` (line 9)",
        "1 prompt that came before with this label, counted again",
    ] {
        assert!(talk.contains(told), "{told}: {talk}");
    }
    let scored = &report["classifiers"][0];
    assert_eq!(scored["name"], "context-classifier");
    let prompts = |part: &str| {
        let rows = scored[part].as_array().expect("rows").iter();
        rows.map(|row| (row["name"].as_str().unwrap_or("?").to_owned(), row["prompts"].as_u64().unwrap_or(0)))
            .collect::<Vec<_>>()
    };
    let told = |all: &[(&str, u64)]| all.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>();
    assert_eq!(prompts("labels"), told(&[("technical", 2), ("realistic", 3), ("artistic", 1), ("general", 1)]));
    assert_eq!(prompts("traits"), told(&[("text", 2), ("quantity", 1)]));
    assert_eq!(prompts("groups"), told(&[("en", 4), ("de", 3)]));
    assert_eq!(scored["traits"][0]["recall"], 1.0, "{scored:#}");
    // Whoever always says `realistic`: right in three of seven; F1 of one label in four.
    let lazy = &report["most_frequent"];
    assert_eq!((&lazy["label"], &lazy["accuracy"]), (&json!("realistic"), &json!(3.0 / 7.0)));
    assert_eq!(lazy["macro_f1"], json!(2.0 * 3.0 / (2.0 * 3.0 + 4.0) / 4.0));
    assert!(scored["macro_f1"].as_f64() > lazy["macro_f1"].as_f64(), "{scored:#}");
    assert!(scored["work"]["most_fuel"].as_u64() > Some(0), "{scored:#}");
}

#[test]
fn a_call_without_an_answer_counts_as_what_a_gateway_goes_on_with() {
    let trigger = "x".repeat(TRIGGER);
    let prompts = format!("prompt,label\n{trigger},technical\na fox,general\n");
    let traps = Guest::named("classifier-traps").component();
    let arguments = ["--classifier", "traps.wasm", "context-classifier"];
    let (report, _) = report(prompts.as_bytes(), &[("traps.wasm", &traps)], &arguments);
    let [traps, bundled] = report["classifiers"].as_array().expect("two").as_slice() else { panic!("{report:#}") };
    assert_eq!((&traps["name"], &traps["unanswered"]), (&json!("traps.wasm"), &json!(1)));
    assert_eq!((&bundled["name"], &bundled["unanswered"]), (&json!("context-classifier"), &json!(0)));
    let said = &traps["labels"][0]["said"];
    assert_eq!(said, &json!([["technical", 0], ["general", 1], [null, 0]]), "{traps:#}");
    assert_eq!(traps["calibration"][0]["confidence"], 0.0);
}

#[test]
fn equal_files_give_equal_numbers() {
    let run = || {
        let (mut report, _) = report(STRANGE.as_bytes(), &[], &[]);
        let work = report["classifiers"][0]["work"].as_object_mut().expect("an object");
        work.retain(|name, _| !name.ends_with("_us"));
        report
    };
    assert_eq!(run(), run());
}

#[test]
fn the_table_fits_and_says_what_it_rests_on() {
    let (code, said, talk) = labels(STRANGE.as_bytes(), &[], &["--by", "language"]);
    assert_eq!(code, Some(0), "{talk}");
    for told in ["7 of 11 rows scored", "remembers", "always `realistic`", "as technical", "same label when shouted"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let widest = said.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}: {said}");
}

#[test]
fn what_cannot_be_scored_is_said_with_a_next_step() {
    let strategy = Guest::Picks(0).component();
    let files: [(&str, &[u8]); 1] = [("picks.wasm", &strategy)];
    let prompts = "prompt,label\na fox,general\n";
    for (text, arguments, reason, hint) in [
        (prompts, ["--classifier", "hybrid"], "there is no classifier `hybrid`", "context-classifier"),
        (prompts, ["--classifier", "picks.wasm"], "`picks.wasm` is a strategy, no classifier", "only classifiers"),
        (prompts, ["--classifier", "none.wasm"], "none.wasm", "hint"),
        (prompts, ["--by", "lang"], "no column `lang`", "the first line"),
        ("prompt;label\na fox;general\n", ["--by", "lang"], "no column `prompt`", "with commas"),
        ("prompt,label\n", ["--plugins", "."], "it has no rows", "each row is one prompt"),
        ("prompt,label\na fox,two words\n", ["--plugins", "."], "no plain word", "each row is one prompt"),
    ] {
        let (code, said, talk) = labels(text.as_bytes(), &files, &arguments);
        assert_eq!((code, said.as_str()), (Some(1), ""), "{arguments:?}: {talk}");
        assert!(talk.contains(reason) && talk.contains(hint), "{arguments:?}: {talk}");
    }
}
