//! `muxel eval what-if`: last month's requests, had Muxel chosen.

use serde_json::Value;

use crate::harness::run_in;

/// Two models of the operator's own at known prices, so that every sum can be done by hand.
const CONFIG: &str = r#"
[providers.lab]
dialect = "simulated"

[providers.studio]
dialect = "simulated"

[[models]]
name = "lab/plain"
sizes = ["1024x1024"]
price = { per-image = "0.01 USD" }

[[models]]
name = "studio/fine"
sizes = ["1024x1024", "1024x1536"]
price = { per-image = "0.05 USD" }

[aliases]
"flux-2-pro" = "auto"
"house" = "studio/fine"

[routes.default]
strategies = ["cheapest"]

[routes.fine]
strategies = ["hybrid"]
candidates = { only = ["studio/*"] }
"#;

fn what_if(requests: &[u8], arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("requests.csv"), requests).expect("written");
    std::fs::write(folder.path().join("muxel.toml"), CONFIG).expect("written");
    let all = [&["eval", "what-if", "requests.csv", "--config", "muxel.toml"], arguments].concat();
    let output = run_in(folder.path(), &all);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn report(requests: &[u8], arguments: &[&str]) -> (Value, String) {
    let (code, said, talk) = what_if(requests, &[arguments, &["--json"]].concat());
    assert_eq!(code, Some(0), "{talk}");
    (serde_json::from_str(&said).expect("JSON"), talk)
}

/// As spreadsheets and other people's programs write it: a byte order mark, CR LF, quotes, breaks in prompts, headings in
/// another order and case, columns of their own.
const STRANGE: &str = "\u{feff}Date,Model,Prompt,Cost,N,Size,Quality\r\n\
    1,dall-e-9,\"a poster that says \"\"OPEN, now\"\"\r\nin red\",0.0412345,1,1024x1024,\r\n\
    2,dall-e-9,a fox,$0.10,2.0,auto,HD\r\n\
    \r\n\
    3,lab/plain,a fox,0.013,1,1024x1024,\r\n\
    4,fine,a fox,,2,,\r\n\
    5,dall-e-9,a fox,,,,\r\n\
    6,dall-e-9,a fox,0.04,1,4096x4096,\r\n\
    7,dall-e-9,a fox,0.04,0,,\r\n\
    8,dall-e-9,a fox,\"0,04\",1,,\r\n\
    9,dall-e-9,a fox,0.04,1,big,\r\n\
    10,dall-e-9,a fox\r\n\
    11,studio/fine,a fox,4e-2,1,1024x1536,\r\n";

#[test]
fn sums_are_right_to_the_micro_dollar_and_nothing_unknown_is_counted() {
    let (report, talk) = report(STRANGE.as_bytes(), &[]);
    assert_eq!((&report["rows"], &report["requests"]), (&11.into(), &7.into()));
    let all = &report["strategies"][0];
    assert_eq!(all["name"], "route default");
    // Asked: 0.041235 (rounded), 0.10, 0.013 (kept), 2 x 0.05 by the list, 0.04 (kept). Chosen: `lab/plain` at 0.01.
    assert_eq!((&all["rows"], &all["compared"]), (&6.into(), &5.into()), "{all:#}");
    assert_eq!((&all["same_model"], &all["by_list_price"]), (&2.into(), &1.into()), "{all:#}");
    assert_eq!(all["asked_usd_micros"], 41_235 + 100_000 + 13_000 + 100_000 + 40_000);
    assert_eq!(all["chosen_usd_micros"], 10_000 + 20_000 + 13_000 + 20_000 + 40_000);
    assert_eq!(all["saved_usd_micros"], 31_235 + 80_000 + 80_000);
    let left_out: Vec<(&str, u64)> = all["left_out"]
        .as_array()
        .expect("reasons")
        .iter()
        .map(|left| (left["code"].as_str().expect("a code"), left["count"].as_u64().expect("a count")))
        .collect();
    assert_eq!(left_out, [("unserved", 1), ("unknown-model", 1)]);
    assert_eq!(all["unserved"][0]["why"], "no candidate can draw 4096x4096");
    assert_eq!(all["unserved"][0]["first_lines"], Value::from(vec![9]));
    // By model and by label they come to the same sums.
    for groups in ["by_model", "by_label"] {
        for figure in ["rows", "compared", "asked_usd_micros", "chosen_usd_micros", "saved_usd_micros"] {
            let groups = all[groups].as_array().expect("groups");
            let sum: i64 = groups.iter().map(|group| group[figure].as_i64().expect("a number")).sum();
            assert_eq!(Some(sum), all[figure].as_i64(), "{figure}");
        }
    }
    assert_eq!((&all["by_model"][0]["name"], &all["by_model"][0]["unknown_model"]), (&"dall-e-9".into(), &3.into()));
    let paid = &report["paid_and_listed"];
    assert_eq!((&paid["paid_usd_micros"], &paid["listed_usd_micros"]), (&53_000.into(), &60_000.into()));
    for (wrong, line) in [("no number from 1 to 10", 10), ("`0,04`", 11), ("`big`", 12), ("not as many cells", 13)] {
        let told = talk.lines().find(|told| told.contains(wrong));
        assert!(told.is_some_and(|told| told.contains(&format!("(line {line})"))), "{wrong}: {talk}");
    }
    assert!(talk.contains("1 cost finer than a micro-dollar"), "{talk}");
}

#[test]
fn routes_and_strategies_are_asked_as_a_gateway_asks_them() {
    let requests = b"prompt,model,size,quality,n,cost\na fox,dall-e-9,1024x1024,,1,0.04\n";
    let (fine, _) = report(requests, &["--route", "fine"]);
    let all = &fine["strategies"][0];
    assert_eq!((&all["saved_usd_micros"], &all["saved_share"]), (&(-10_000).into(), &(-0.25).into()), "{all:#}");
    assert_eq!(all["by_model"][0]["chosen"][0]["model"], "studio/fine");
    let (both, _) = report(requests, &["--strategy", "cheapest", "weighted", "cheapest"]);
    let names: Vec<&Value> = both["strategies"].as_array().expect("two").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["cheapest", "weighted"]);
    for (arguments, wrong) in [
        (["--route", "none"], "there is no route `none`"),
        (["--strategy", "none"], "there is no strategy `none`"),
        (["--strategy", "list-price"], "there is no strategy `list-price`"),
        (["--strategy", "none.wasm"], "none.wasm"),
    ] {
        let (code, said, talk) = what_if(requests, &arguments);
        assert!(code == Some(1) && said.is_empty() && talk.contains(wrong), "{arguments:?}: {talk}");
    }
}

#[test]
fn a_model_is_what_its_name_stands_for_here_or_in_the_catalogue() {
    let head = "prompt,model,size,quality,n,cost\n";
    let asked = |model: &str, quality: &str| {
        let (report, _) = report(format!("{head}a fox,{model},1024x1024,{quality},1,\n").as_bytes(), &[]);
        let all = &report["strategies"][0];
        let why = all["left_out"][0]["code"].as_str().unwrap_or("compared").to_owned();
        (why, all["asked_usd_micros"].as_u64().expect("a sum"))
    };
    let known = |micros| ("compared".to_owned(), micros);
    let unknown = |why: &str| (why.to_owned(), 0);
    assert_eq!(asked("house", ""), known(50_000));
    // The catalogue knows more models than are on offer here, also those whose name means `auto` by now.
    assert_eq!(asked("flux-2-pro", ""), known(30_000));
    // With the few tokens of the prompt.
    assert_eq!(asked("openai/gpt-image-2", "medium"), known(53_020));
    assert_eq!(asked("openai/gpt-image-2", ""), unknown("unclear-tier"));
    assert_eq!(asked("auto", ""), unknown("unknown-model"));
}

#[test]
fn the_table_fits_and_says_what_it_rests_on() {
    let (code, said, talk) = what_if(STRANGE.as_bytes(), &[]);
    assert_eq!(code, Some(0), "{talk}");
    for told in
        ["0.191235 USD saved, 65.0 %", "expectations", "-> lab/plain", "not in the savings: 1 row,", "does not know"]
    {
        assert!(said.contains(told), "{told}: {said}");
    }
    let widest = said.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}: {said}");
}

#[test]
fn what_cannot_be_used_is_said_with_a_next_step() {
    let head = "prompt,model,size,quality,n,cost\n";
    for (requests, wrong, hint) in [
        (String::new(), "is empty", "names its columns"),
        ("prompt;model;cost\na;b;1\n".to_owned(), "no column `prompt`", "commas"),
        ("prompt,cost\na,1\n".to_owned(), "no column `model`", "`prompt`, `cost`"),
        ("prompt,model,Model\na,b,c\n".to_owned(), "`model` comes twice", "name of its own"),
        (head.to_owned(), "it has no rows", "each row is one request"),
        (
            format!("{head}a,m,big,,,\nb,m,,,0,\nc,m,,,0,\n"),
            "2 rows left out: n is no number",
            "each row is one request",
        ),
    ] {
        let (code, said, talk) = what_if(requests.as_bytes(), &[]);
        let is_told = talk.contains(wrong) && talk.contains("hint") && talk.contains(hint);
        assert!(code == Some(1) && said.is_empty() && is_told, "{requests}: {talk}");
    }
    let (code, said, _) = what_if(format!("{head}a,m,9999x9999,,,1\n").as_bytes(), &[]);
    assert!(code == Some(1) && said.contains("no candidate can draw 9999x9999"), "{said}");
}
