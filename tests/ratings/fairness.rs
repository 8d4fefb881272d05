//! What strategies are held against, and what is told so that nobody is misled.

use serde_json::Value;

use super::{in_folder, rated, ratings, run};

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
    let most = told.contains("none of its settings saves more than");
    assert!(most && told.contains("`flat` for every prompt saves 75.0 %"), "{told}");
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
    // Three raters who agree on nothing but that the cheaper model is better.
    let text = rated(|number, place| {
        let rating = |rater: u32| match place {
            0 => (number * (rater * rater + 2) + number / (5 + rater)) % 4 + 2,
            _ => (number * (rater + 3) + number / (4 + rater)) % 4 + 1,
        };
        format!("{},{},{},{}", 1_000 + 8_000 * place, rating(0), rating(1), rating(2))
    });
    let folder = in_folder(&text);
    let arguments = ["eval", "run", "--ratings", "b.csv", "--strategy", "hybrid", "cheapest"];
    let (_, said, talk) = run(folder.path(), &arguments);
    let (_, json, _) = run(folder.path(), &[&arguments[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&json).expect("JSON");
    let strategies = report["strategies"].as_array().expect("strategies");
    assert!(strategies.iter().any(|strategy| strategy["regret"].as_f64().is_some_and(|regret| regret < 0.0)));
    for strategy in strategies {
        let name = strategy["name"].as_str().expect("a name");
        let row = said.lines().find(|line| line.trim_start().starts_with(&format!("{name} "))).expect("a row");
        let is_below = strategy["regret"].as_f64().is_some_and(|regret| regret < 0.0);
        assert_eq!(row.trim_end().ends_with(" -"), is_below, "{row}: {talk}");
    }
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
    let (code, _, talk) = run(folder.path(), &[&arguments[..8], &["b.csv"]].concat());
    assert!(code == Some(1) && talk.contains("not written over"), "{talk}");
}
