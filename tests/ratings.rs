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

#[test]
fn intervals_of_a_few_prompts_are_not_to_be_believed() {
    let warned = |prompts: usize| {
        let lines = ratings();
        let kept = lines.replace("says \"\"OPEN\"\"\nin red", "says \"\"OPEN\"\" in red");
        let kept: Vec<&str> = kept.lines().take(1 + 3 * prompts).collect();
        let folder = in_folder(&(kept.join("\n") + "\n"));
        let (code, _, talk) = run(folder.path(), &["eval", "run", "--ratings", "b.csv", "--strategy", "cheapest"]);
        assert_eq!(code, Some(0), "{talk}");
        talk.contains(&format!("only {prompts} different prompts are scored: the intervals mean little"))
    };
    assert_eq!([6, 29, 30, 60].map(warned), [true, true, false, false]);
}

#[test]
fn a_regret_below_nothing_is_left_out_of_the_table() {
    // Three raters who agree on nothing but that one model is better.
    let text = rated(|number, place| {
        let rating = |rater: u32| (number * (rater + 2) + number / 7) % 3 + 2 - place;
        format!("{},{},{},{}", 9_000 - 8_000 * place, rating(0), rating(1), rating(2))
    });
    let folder = in_folder(&text);
    let arguments = ["eval", "run", "--ratings", "b.csv", "--strategy", "hybrid", "cheapest"];
    let (_, said, talk) = run(folder.path(), &arguments);
    let (_, json, _) = run(folder.path(), &[&arguments[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&json).expect("JSON");
    for strategy in report["strategies"].as_array().expect("strategies") {
        let name = strategy["name"].as_str().expect("a name");
        let row = said.lines().find(|line| line.trim_start().starts_with(&format!("{name} "))).expect("a row");
        let is_below = strategy["regret"].as_f64().is_some_and(|regret| regret < 0.0);
        assert_eq!(row.trim_end().ends_with(" -"), is_below, "{row}: {talk}");
    }
}

/// Three models of which the middling one is a quarter as dear as the best and nearly as good, whatever the prompt.
fn ladder() -> String {
    let mut text = "prompt_id,prompt,model,price_usd_micros,rating_1,rating_2\n".to_owned();
    for number in 0..40 {
        for (model, price, often) in [("dear", 40_000, 9), ("mid", 10_000, 8), ("poor", 1_000, 0)] {
            let rating = if number % 10 < often { 5 } else { 2 };
            text.push_str(&format!("{number},a fox number {number},{model},{price},{rating},{rating}\n"));
        }
    }
    text
}

#[test]
fn whoever_is_beaten_by_one_model_for_all_is_told_so() {
    let folder = in_folder(&ladder());
    let arguments = ["eval", "run", "--ratings", "b.csv", "--strategy", "round-robin"];
    let (code, said, talk) = run(folder.path(), &arguments);
    assert_eq!(code, Some(0), "{talk}");
    assert!(talk.contains("`mid` for every prompt keeps 93.6 % and is no dearer, 75.0 % saved"), "{talk}");
    assert!(said.contains("best mix of two"), "{said}");
    let (_, said, _) = run(folder.path(), &[&arguments[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&said).expect("JSON");
    let strategy = &report["strategies"][0];
    let mixes = ["random_mix", "best_mix"].map(|mix| strategy[mix]["quality_ratio"].as_f64().expect("a mix"));
    assert!(mixes[0] < 0.7 && mixes[1] > 0.93, "the middling model is what a mix should be of: {strategy:#}");
    assert_eq!(strategy["best_mix"]["models"][0]["model"], "mid");
    let corners: Vec<_> =
        report["mixed_singles"].as_array().expect("corners").iter().map(|one| &one["model"]).collect();
    assert_eq!(corners, ["poor", "mid", "dear"]);
}

#[test]
fn a_model_that_drew_the_easy_prompts_only_is_not_the_best_by_that() {
    let mut text = "prompt_id,prompt,model,price_usd_micros,rating_1,rating_2\n".to_owned();
    for number in 0..40 {
        let is_easy = number < 24;
        let (good, poor) = if is_easy { (5, 3) } else { (3, 1) };
        text.push_str(&format!("{number},a fox number {number},good,40000,{good},{good}\n"));
        text.push_str(&format!("{number},a fox number {number},poor,1000,{poor},{poor}\n"));
        if is_easy {
            text.push_str(&format!("{number},a fox number {number},lucky,20000,4,5\n"));
        }
    }
    let folder = in_folder(&text);
    let arguments = ["eval", "run", "--ratings", "b.csv", "--strategy", "cheapest"];
    let (code, said, talk) = run(folder.path(), &arguments);
    assert_eq!(code, Some(0), "{talk}");
    assert!(said.contains("good (the best)") && said.contains("prompts"), "{said}");
    assert!(talk.contains("16 scored prompts lack a model") && talk.contains("had all drawn all"), "{talk}");
    let (_, said, _) = run(folder.path(), &[&arguments[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(report["ratings"]["prompts_scored"], 40, "nothing is left out for the lucky one's sake");
    let of = |place: usize| {
        let single = &report["singles"][place];
        (single["model"].as_str().expect("a name"), single["quality"].as_f64().expect("a quality"), &single["prompts"])
    };
    // On the prompts that they share it is half a point behind, and so it is on all.
    assert_eq!([of(0), of(1)], [("good", 4.2, &40.into()), ("lucky", 3.7, &24.into())]);
    assert_eq!(report["singles"][1]["cost_usd_micros"], 20_000.0, "a price that is always the same stays it");
}

#[test]
fn a_point_of_the_frontier_is_told_with_the_lines_that_bring_a_route_there() {
    let folder = in_folder(&ratings());
    let arguments = ["eval", "run", "--ratings", "b.csv", "--strategy", "hybrid"];
    let (code, said, talk) = run(folder.path(), &arguments);
    assert_eq!(code, Some(0), "{talk}");
    assert!(
        said.contains("hybrid as it is\n  weights = { cost = 0.3, latency = 0.15, quality = 0.45, reliability = 0.1 }")
    );
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("  weights = ")).collect();
    assert!(lines.len() > 2 && said.contains(" of requests (alone it saves "), "{said}");
    for line in lines {
        let weights = line.split_inclusive('}').next().expect("a line");
        std::fs::write(folder.path().join("muxel.toml"), format!("[routes.default]\n{weights}\n")).expect("written");
        let (code, _, talk) = run(folder.path(), &["config", "check", "muxel.toml"]);
        assert_eq!(code, Some(0), "{weights}: {talk}");
    }
    let (_, said, _) = run(folder.path(), &[&arguments[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&said).expect("JSON");
    let settings = report["strategies"][0]["at_savings"][1]["settings"].as_array().expect("settings");
    let sum = |of: fn(&Value) -> Option<f64>| settings.iter().map(|one| of(one).expect("a number")).sum::<f64>();
    assert!((sum(|one| one["share"].as_f64()) - 1.0).abs() < 1e-6, "{settings:?}");
    // Lots drawn between the two save what was asked for.
    let saved = sum(|one| Some(one["share"].as_f64()? * one["savings"].as_f64()?));
    assert!((saved - 0.38).abs() < 1e-5, "{saved}");
}

#[test]
fn a_strategy_that_cannot_tell_prices_apart_is_told_from_prices_that_save_nothing() {
    // Dearer than any picture: bundled strategies take all of them for equally dear.
    let text = rated(|_, place| format!("{},{1},{1},{1}", 20_000_000 - 15_000_000 * place, 4 - place));
    let folder = in_folder(&text);
    let (code, said, talk) = run(folder.path(), &["eval", "run", "--ratings", "b.csv", "--strategy", "hybrid"]);
    assert_eq!(code, Some(0), "{talk}");
    let told = said.lines().find(|line| line.starts_with("hybrid at 38 % saving")).unwrap_or_else(|| panic!("{said}"));
    let is_told =
        told.contains("none of its settings saves more than") && told.contains("`flat` for every prompt saves 75.0 %");
    assert!(is_told || told.contains("of the best"), "{told}");
}

#[test]
fn whoever_doubts_a_number_can_add_up_the_choices() {
    let folder = in_folder(&ratings());
    let arguments =
        ["eval", "run", "--ratings", "b.csv", "--strategy", "hybrid", "cheapest", "--choices", "c.csv", "--json"];
    let (code, said, talk) = run(folder.path(), &arguments);
    assert_eq!(code, Some(0), "{talk}");
    let report: Value = serde_json::from_str(&said).expect("JSON");
    let written = std::fs::read_to_string(folder.path().join("c.csv")).expect("choices");
    let mut lines = written.lines();
    assert_eq!(
        lines.next(),
        Some(
            "prompt_id,strategy,quality_weight,deal,model,cost_usd_micros,expected_quality,scored_quality,\
             best_cost_usd_micros,best_scored_quality"
        )
    );
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    for strategy in report["strategies"].as_array().expect("strategies") {
        let name = strategy["name"].as_str().expect("a name");
        let own: Vec<&Vec<&str>> = rows.iter().filter(|row| row[1] == name && row[2].is_empty()).collect();
        assert_eq!(own.len(), 60 * 5, "a row for each prompt and deal");
        let sum = |column: usize| own.iter().map(|row| row[column].parse::<f64>().expect("a number")).sum::<f64>();
        let ratio = strategy["quality_ratio"].as_f64().expect("a ratio");
        assert!((sum(7) / sum(9) - ratio).abs() < 1e-5, "{name}: {} {ratio}", sum(7) / sum(9));
        let savings = strategy["savings"].as_f64().expect("savings");
        assert!((1.0 - sum(5) / sum(8) - savings).abs() < 1e-5, "{name}");
        assert!(own.iter().all(|row| (0.0..=1.0).contains(&row[6].parse::<f64>().expect("an expectation"))));
    }
    let (code, _, talk) = run(folder.path(), &[&arguments[..8], &["none/c.csv"]].concat());
    assert!(code == Some(1) && talk.contains("cannot write `none/c.csv`") && talk.contains("hint"), "{talk}");
}
