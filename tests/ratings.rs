//! `muxel eval run` and `eval fit`: strategies scored on pictures that people have rated.

mod fairness;

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

/// Forty prompts, two models, three raters; `row` writes the rest of a row.
fn rated(row: impl Fn(u32, u32) -> String) -> String {
    let mut text = "prompt_id,prompt,model,price_usd_micros,rating_1,rating_2,rating_3\n".to_owned();
    for number in 0..40 {
        for (place, model) in ["dear", "flat"].into_iter().enumerate() {
            text.push_str(&format!("{number},a fox number {number},{model},{}\n", row(number, place as u32)));
        }
    }
    text
}

#[test]
fn ratings_on_another_scale_and_prices_in_dollars_are_refused_not_misread() {
    for (text, wrong, hint) in [
        (
            rated(|number, _| format!("4000,{},7,10", number % 10)),
            "ratings are not from 1 to 5 (first in line 2)",
            "1 + 4",
        ),
        (rated(|_, place| format!("4000,0.{place},1,0.5")), "160 of 240 ratings are not from 1 to 5", "1 + 4"),
        // Three of eighteen are no slips, however few they are.
        (
            rated(|_, place| format!("4000,{place},1,1")).lines().take(7).map(|line| format!("{line}\n")).collect(),
            "3 of 18 ratings are not from 1 to 5 (first in line 2)",
            "1 + 4",
        ),
        (rated(|_, _| "1.5,3,4,5".to_owned()), "dollars", "at which price"),
        (rated(|_, _| "0.04,3,4,5".to_owned()), "0.04 dollars are 40000 micro-dollars", "at which price"),
    ] {
        let folder = in_folder(&text);
        for command in
            [&["eval", "run", "--ratings", "b.csv"][..], &["eval", "fit", "--ratings", "b.csv", "-o", "q.toml"]]
        {
            let (code, said, talk) = run(folder.path(), command);
            let is_told = talk.contains(wrong) && talk.contains("hint") && talk.contains(hint);
            assert!(code == Some(1) && said.is_empty() && is_told, "{wrong}: {talk}");
        }
    }
}

#[test]
fn a_strangers_file_is_read_as_it_is_meant() {
    let text = ratings();
    let strange = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let (plain, strange) = (in_folder(&text), in_folder(&strange));
    let arguments = ["eval", "run", "--ratings", "b.csv", "--strategy", "hybrid", "--json"];
    let report = |folder: &tempfile::TempDir| -> Value {
        let (code, said, talk) = run(folder.path(), &arguments);
        assert_eq!(code, Some(0), "{talk}");
        serde_json::from_str(&said).expect("JSON")
    };
    let (plain, strange) = (report(&plain), report(&strange));
    assert_eq!(plain["ratings"]["prompts"], strange["ratings"]["prompts"]);
    assert_eq!(plain["singles"], strange["singles"]);
}

#[test]
fn a_quote_that_nobody_closed_is_named_with_its_line() {
    let mut text = ratings();
    text.push_str("61,\"never closed,dear,40000,1,2,3,x\n");
    let more = ratings().lines().skip(1).fold(String::new(), |all, line| all + line + "\n");
    let folder = in_folder(&(text.clone() + &more.replace('"', "")));
    let (code, _, talk) = run(folder.path(), &["eval", "run", "--ratings", "b.csv", "--strategy", "cheapest"]);
    let line = text.lines().count();
    assert!(code == Some(0) && talk.contains("a quote that is not closed"), "{talk}");
    assert!(talk.contains(&format!("first in line {line}")), "{line}: {talk}");
    // One that swallows more than anyone's memory should hold ends the run.
    let folder = in_folder(&(text + &"x".repeat(9 << 20)));
    let (code, _, talk) = run(folder.path(), &["eval", "run", "--ratings", "b.csv"]);
    assert!(code == Some(1) && talk.contains(&format!("line {line}: a row of more than 8 MiB")), "{talk}");
    assert!(talk.contains("hint: is there a quote that is never closed?"), "{talk}");
}

#[test]
fn odd_prices_few_models_and_one_rater_are_no_reason_to_panic_or_to_boast() {
    let strategies = ["eval", "run", "--ratings", "b.csv", "--strategy", "hybrid", "cheapest", "--json"];
    let read = |text: &str| -> Value {
        let folder = in_folder(text);
        let (code, said, talk) = run(folder.path(), &strategies);
        assert_eq!(code, Some(0), "{talk}");
        serde_json::from_str(&said).expect("JSON")
    };
    // The best is free: nothing can be saved.
    let free = read(&rated(|_, place| format!("{},{1},{1},{1}", place * 9_000, 5 - 2 * place)));
    assert!(free["strategies"][0]["savings"].is_null(), "{free:#}");
    assert!(free["strategies"][0]["at_savings"][0]["note"].as_str().is_some_and(|note| note.contains("costs nothing")));
    // Equal prices: nothing is saved, and nothing is lost.
    let equal = read(&rated(|_, place| format!("9000,{0},{0},{0}", 5 - 2 * place)));
    assert_eq!(
        (&equal["strategies"][1]["savings"], &equal["strategies"][1]["quality_ratio"]),
        (&0.0.into(), &1.0.into())
    );
    // One rater: nobody can be held back, so nobody knows what an oracle would get.
    let one = read(&rated(|_, place| format!("{},{},,", 9_000 - 8_000 * place, 5 - 2 * place)));
    assert!(one["oracle"]["quality"].is_null() && one["oracle"]["why_unknown"].is_string(), "{one:#}");
    // The better one is the cheaper one: the figures are those of the saving that there is.
    let mut text = "prompt_id,prompt,model,price_usd_micros,rating_1\n".to_owned();
    for number in 0..60 {
        let (prompt, flat) = if number % 5 < 2 { ("a fox", 5) } else { ("a sign that says 'OPEN'", 1) };
        text.push_str(&format!(
            "{number},{prompt} {number},dear,40000,3\n{number},{prompt} {number},flat,4000,{flat}\n"
        ));
    }
    let cheap = in_folder(&text);
    let (_, table, talk) = run(cheap.path(), &strategies[..7]);
    let told = table.lines().find(|line| line.starts_with("hybrid at 20 % saving")).unwrap_or_else(|| panic!("{talk}"));
    assert!(told.contains("saves more than that already: ") && told.contains(" % saved, "), "{told}");
    // Raters who agree on nothing: whoever follows two of them is worse off than with one model for all.
    let noisy = read(&rated(|number, place| {
        let place = u64::from(place);
        let seed = u64::from(number) * 2 + place;
        let rating = |salt: u64| ((seed * 2_654_435_761 + salt * 40_503) >> 7) % 4 + 1 + (1 - place);
        format!("{},{},{},{}", 9_000 - 8_000 * place, rating(1), rating(2), rating(3))
    }));
    let oracle = noisy["oracle"]["quality"].as_f64().expect("three raters");
    let warned = noisy["warnings"].as_array().expect("warnings").iter().any(|one| one["code"] == "oracle-below-best");
    assert_eq!(warned, oracle < noisy["best_single"]["quality"].as_f64().expect("a quality"), "{noisy:#}");
    // One model only: there is nothing to choose.
    let folder = in_folder(&rated(|_, _| "9000,3,3,3".to_owned()).replace("flat", "dear"));
    let (code, _, talk) = run(folder.path(), &strategies);
    assert!(code == Some(1) && talk.contains("no prompt was drawn by two models"), "{talk}");
}

#[test]
fn frontiers_are_drawn_with_what_they_rest_on() {
    let folder = in_folder(&ratings().replace(",flat,", ",\"<flat & \"\"cheap\"\">\","));
    let arguments = ["eval", "run", "--ratings", "b.csv", "--strategy", "hybrid", "cheapest", "--plot", "frontier.svg"];
    let (code, said, talk) = run(folder.path(), &arguments);
    assert_eq!(code, Some(0), "{talk}");
    assert!(said.contains("hybrid at 20 % saving"), "the numbers are told as well: {said}");
    let drawn = std::fs::read_to_string(folder.path().join("frontier.svg")).expect("a picture");
    for told in ["b.csv", "60 of 60 prompts", "3 models", "3 raters", "hybrid", "cheapest", "oracle", "USD a picture"] {
        assert!(drawn.contains(told), "{told}");
    }
    assert!(drawn.contains("&lt;flat &amp; &quot;") && !drawn.contains("<flat") && !drawn.contains("NaN"), "{drawn}");
    let (code, _, talk) = run(folder.path(), &[&arguments[..8], &["none/frontier.svg"]].concat());
    assert!(code == Some(1) && talk.contains("cannot write `none/frontier.svg`") && talk.contains("hint"), "{talk}");
}
