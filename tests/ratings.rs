//! `muxel eval run` and `eval fit`: strategies scored on pictures that people have rated.

use std::path::Path;

use serde_json::Value;

use crate::harness::run_in;

/// Three models, of which `flat` is the cheap one and as good as the dear ones unless text is to be drawn.
fn ratings() -> String {
    let mut text = "prompt_id,prompt,model,price_usd_micros,rating_1,rating_2,rating_3,note\n".to_owned();
    for number in 0..60 {
        let (prompt, flat) = match number % 2 {
            0 => (format!("\"a poster, number {number}, that says \"\"OPEN\"\"\nin red\""), 2),
            _ => (format!("a red bicycle number {number}"), 4),
        };
        for (model, price, rating) in [("dear", 40_000, 4), ("flat", 4_000, flat), ("poor", 20_000, 1 + number % 2)] {
            let other = (rating + number % 3 - 1).clamp(1, 5);
            text.push_str(&format!("{number},{prompt},{model},{price},{rating},{other},{rating},x\n"));
        }
    }
    text
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = run_in(folder, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn in_folder(ratings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("b.csv"), ratings).expect("written");
    folder
}

#[test]
fn a_strategy_that_knows_what_was_rated_beats_any_one_model_for_all() {
    let folder = in_folder(&ratings());
    let arguments = ["eval", "run", "--ratings", "b.csv", "--strategy", "hybrid", "cheapest", "--json"];
    let (code, said, talk) = run(folder.path(), &arguments);
    assert_eq!(code, Some(0), "{talk}");
    let report: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&report["best_single"]["model"], &report["ratings"]["prompts"]), (&"dear".into(), &60.into()));
    let hybrid = &report["strategies"][0];
    let saving = &hybrid["at_savings"][1];
    assert!(saving["quality_ratio"].as_f64().expect("read") > 0.97, "{saving:#}");
    assert!(saving["quality_ratio"].as_f64() > saving["random_mix"]["quality_ratio"].as_f64(), "{saving:#}");
    let interval = hybrid["interval"].as_array().expect("an interval");
    assert!(interval[0].as_f64() <= hybrid["quality_ratio"].as_f64(), "{hybrid:#}");
    assert!(hybrid["frontier"].as_array().expect("points").len() > 10);
    assert!(report["oracle"]["quality"].as_f64() <= report["oracle"]["in_sample"]["quality"].as_f64());
    assert_eq!(run(folder.path(), &arguments).1, said, "equal seeds, equal bytes");
}

#[test]
fn what_is_fitted_can_be_used_and_is_not_written_over() {
    let folder = in_folder(&ratings());
    let fit = ["eval", "fit", "--ratings", "b.csv", "-o", "quality.toml"];
    let (code, said, talk) = run(folder.path(), &fit);
    assert_eq!(code, Some(0), "{talk}");
    assert!(said.contains("flat") && said.contains("text -0."), "{said}");
    let (code, _, talk) = run(folder.path(), &fit);
    assert!(code == Some(1) && talk.contains("there already") && talk.contains("--force"), "{talk}");
    let (code, said, talk) = run(folder.path(), &["eval", "run", "--ratings", "b.csv", "--quality", "quality.toml"]);
    assert_eq!(code, Some(0), "{talk}");
    assert!(talk.contains("fitted on these very ratings"), "{talk}");
    assert!(said.contains("hybrid at 20 % saving"), "{said}");
    let config = "[learning]\nquality = \"quality.toml\"\n";
    std::fs::write(folder.path().join("muxel.toml"), config).expect("written");
    assert_eq!(run(folder.path(), &["config", "check", "muxel.toml"]).0, Some(0));
    std::fs::write(folder.path().join("quality.toml"), "format = 9").expect("written");
    let (code, _, talk) = run(folder.path(), &["config", "check", "muxel.toml"]);
    assert!(code == Some(1) && talk.contains("format 9") && talk.contains("eval fit"), "{talk}");
}

#[test]
fn what_is_wrong_with_ratings_is_said() {
    let head = "prompt_id,prompt,model,price_usd_micros,rating_1\n";
    for (text, wrong) in [
        (String::new(), "b.csv"),
        ("prompt,model\na,b\n".to_owned(), "prompt_id"),
        (head.to_owned(), "b.csv"),
        (format!("{head}1,a fox,dear,40000,good\n"), "b.csv"),
    ] {
        let folder = in_folder(&text);
        let (code, _, talk) = run(folder.path(), &["eval", "run", "--ratings", "b.csv"]);
        assert!(code == Some(1) && talk.contains(wrong) && talk.contains("hint"), "{text}: {talk}");
    }
    let holes = format!(
        "{head}1,a fox,dear,40000,5\n1,a fox,dear,40000,5\n1,a fox,flat,4000,\n2,a dog,dear,40000,4\n2,a dog,flat,4000,9\n3,a cow,dear,1,3\n3,a cow,flat,4000,3\n"
    );
    let folder = in_folder(&holes);
    let (code, said, talk) = run(folder.path(), &["eval", "run", "--ratings", "b.csv", "--folds", "2"]);
    assert!(talk.contains("warning") && talk.contains("line 3"), "{code:?} {said} {talk}");
}
