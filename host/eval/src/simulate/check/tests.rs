use std::{path::Path, time::Duration};

use domain::money::MicroUsd;

use super::super::{Overrides, Problems, Workload};

/// One provider with one model, ten requests a second for a minute.
const GOOD: &str = r#"
duration = "60s"
arrivals = { rate = "10/s" }

[providers.atlas]
error-rate = 0.02

[[providers.atlas.models]]
name = "standard"
price.per-image = "0.02 USD"
quality = 0.6
latency = { p50 = "6s", p95 = "11s" }
"#;

fn parse(text: &str) -> Result<Workload, Problems> {
    Workload::parse("w.toml", text, Path::new("."), &Overrides::default())
}

/// What is said about `text`, all of it.
fn said(text: &str) -> String {
    parse(text).err().map(|problems| problems.to_string()).unwrap_or_default()
}

#[test]
fn a_plain_workload_is_understood() {
    let workload = parse(GOOD).expect("a workload");
    assert_eq!((workload.title.as_str(), workload.seed, workload.expected_requests()), ("w", 1, 600));
    assert_eq!(workload.candidates[0].id.as_str(), "atlas/standard");
    assert_eq!(workload.terms.deadline, Duration::from_secs(300));
    assert_eq!(workload.accounts[0].settings.error_rate, 0.02);
    assert_eq!(workload.accounts[0].settings.sigma, None);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_a_hint() {
    // What is put in the place of what, what is said, and what to do about it.
    let cases = [
        ("error-rate = 0.02", "eror-rate = 0.02", "no key `eror-rate`", "did you mean `error-rate`"),
        ("error-rate = 0.02", "error-rate = -0.1", "`error-rate` is `-0.1`", "0 to 1"),
        ("error-rate = 0.02", "error-rate = nan", "`error-rate` is `NaN`", "0 to 1"),
        ("error-rate = 0.02", "error-rate = 0.6\nhang-rate = 0.5", "add up to 1.10", "at most 1"),
        ("error-rate = 0.02", "weight = -1.0", "`weight` is `-1`", "0 to 1000"),
        ("error-rate = 0.02", "price-factor = nan", "`price-factor` is `NaN`", "0 to 100"),
        ("error-rate = 0.02", "like = \"borea\"", "no provider `borea`", "nobody is described yet"),
        ("error-rate = 0.02", "like = \"atlas\"", "`atlas` -> `atlas`", "described by itself"),
        ("error-rate = 0.02", "vendor = \"opnai\"", "no vendor `opnai`", "openai"),
        ("rate = \"10/s\"", "rate = \"0/s\"", "`0/s`", "more than 0"),
        ("rate = \"10/s\"", "rate = \"-1/s\"", "`-1/s`", "more than 0"),
        ("rate = \"10/s\"", "rate = \"NaN/s\"", "`NaN/s`", "more than 0"),
        ("rate = \"10/s\"", "rate = \"10\"", "`10` is not a rate", "10/s"),
        ("rate = \"10/s\"", "rate = \"10/day\"", "`10/day` is not a rate", "10/s"),
        ("rate = \"10/s\"", "rate = \"100000/s\"", "6000000 requests", "lower the rate"),
        ("rate = \"10/s\"", "rate = \"0.1/h\"", "not one request", "raise the rate"),
        ("rate = \"10/s\"", "rate = \"10/s\", pattern = \"odd\"", "`odd` is no pattern", "poisson"),
        (
            "rate = \"10/s\"",
            "rate = \"10/s\", steps = [{ at = \"2m\", rate = \"1/s\" }]",
            "after the run",
            "leave it out",
        ),
        (
            "rate = \"10/s\"",
            "rate = \"10/s\", steps = [{ at = \"9s\", rate = \"1/s\" }, { at = \"5s\", rate = \"1/s\" }]",
            "each later than the one before",
            "sort them",
        ),
        ("duration = \"60s\"", "duration = \"60\"", "`60` has no unit", "60s"),
        ("duration = \"60s\"", "duration = \"0s\"", "between a moment and a year", "1h"),
        ("duration = \"60s\"", "", "`duration` is missing", "duration = \"1h\""),
        ("duration = \"60s\"", "duration = \"60s\"\nseed = -1", "-1", "--> w.toml:3"),
        ("arrivals = { rate = \"10/s\" }", "", "`arrivals` is missing", "rate = \"10/s\""),
        ("arrivals = { rate = \"10/s\" }", "arrivals = {}", "`rate` is missing", "rate ="),
        ("\"0.02 USD\"", "\"0.02\"", "`0.02` is not an amount", "with its unit"),
        ("\"0.02 USD\"", "\"-1 USD\"", "`-1 USD`", "w.toml:10"),
        ("price.per-image = \"0.02 USD\"", "price.by-size = {}", "needs at least one size", "add one"),
        ("quality = 0.6", "quality = 1.5", "no quality", "0 to 1"),
        ("quality = 0.6", "quality = { mean = nan }", "no quality", "0 to 1"),
        ("p95 = \"11s\"", "p95 = \"1s\"", "under the p50", "one call in twenty"),
        ("p50 = \"6s\", p95 = \"11s\"", "p50 = \"0s\"", "between 1ms and 1d", "8s"),
        ("p95 = \"11s\"", "sigma = nan", "`sigma` is `NaN`", "0 to 3"),
        ("name = \"standard\"", "name = \"standard@best\"", "`best` is no quality tier", "@draft"),
        ("name = \"standard\"", "name = \"\"", "needs a name", "mend the row"),
    ];
    for (whole, broken, message, hint) in cases {
        assert!(GOOD.contains(whole), "{whole}");
        let said = said(&GOOD.replacen(whole, broken, 1));
        assert!(said.contains(message) && said.contains(hint), "{broken}: {said}");
    }
}

#[test]
fn what_is_added_wrongly_is_told_as_well() {
    let cases = [
        ("[[outages]]\nprovider = \"atlass\"\nfrom = \"1s\"\nfor = \"1s\"", "no provider `atlass`", "atlas"),
        ("[[outages]]\nprovider = \"atlas\"\nfrom = \"60s\"\nfor = \"1s\"", "after the run has ended", "earlier"),
        ("[[outages]]\nprovider = \"atlas\"\nfrom = \"1s\"\nfor = \"0s\"", "of no length", "10m"),
        ("[[outages]]\nprovider = \"atlas\"\nfrom = \"1s\"", "`for` is missing", "for ="),
        ("[[outages]]\nprovider = \"atlas\"\nfrom = \"1s\"\nfor = \"1s\"\nkind = \"flood\"", "`flood`", "hang"),
        ("[[outages]]\nprovider = \"atlas\"\nfrom = \"1s\"\nfor = \"1s\"\nerror-rate = 2", "`2`", "0 to 1"),
        ("[route]\nbaseline = \"atlas/large\"", "no candidate `atlas/large`", "atlas/standard"),
        ("[route]\nweights = { quality = -1.0 }", "the weight `quality` is -1", "shares like 0.5"),
        ("[route]\nweights = { cost = nan }", "the weight `cost` is NaN", "shares like 0.5"),
        ("[route]\nunpriced = \"never\"", "`never`", "w.toml:"),
        ("[route]\nmin-quality = nan", "`min-quality` is `NaN`", "0 to 1"),
        ("[route]\nmax-cost = \"-1 USD\"", "`-1 USD`", "w.toml:"),
        ("[route]\ndeadline = \"0s\"", "`deadline`", "60s"),
        ("[route]\ncandidates = { only = [\"xai/*\"] }", "nobody here is called `xai/*`", "atlas/standard"),
        ("[route]\ncandidates = { never = [\"*\"] }", "leaves nobody", "never"),
        ("[requests]\nsizes = { big = 1 }", "`big`", "1024x1024"),
        ("[requests]\nsizes = { \"1024x1024\" = 0 }", "add up to nothing", "more than 0"),
        ("[requests]\nsizes = { \"1024x1024\" = nan }", "`NaN`", "0 or more"),
        ("[requests]\ncounts = { \"11\" = 1 }", "`11`", "\"10\""),
        ("[requests]\npriorities = { now = 1 }", "`now`", "urgent"),
        ("[requests]\nqualities = { best = 1 }", "`best`", "ultra"),
        ("[requests]\nprompts = []", "0 prompts", "write 1"),
        ("[requests]\nprompts = [\" \"]", "prompt 1 is empty", "mend it"),
        ("[requests]\nprompts = 7", "no prompts", "CSV"),
        ("[requests]\nprompts = \"nowhere.csv\"", "nowhere.csv", "column"),
        ("[providers.auto]\nlike = \"atlas\"", "`auto` is not a name", "lower-case"),
        ("[providers.empty]", "`empty` offers no models", "vendor"),
        ("[providers.b]\nlike = \"c\"\n[providers.c]\nlike = \"b\"", "`b` -> `c` -> `b`", "described by itself"),
        ("[providers.b]\nlike = \"atlas\"\nvendor = \"openai\"", "exclude each other", "keep one"),
    ];
    for (added, message, hint) in cases {
        let said = said(&format!("{GOOD}\n{added}\n"));
        assert!(said.contains(message) && said.contains(hint), "{added}: {said}");
        assert!(said.contains("--> w.toml"), "{said}");
    }
    let nobody = said("duration = \"1m\"\narrivals = { rate = \"1/s\" }");
    assert!(nobody.contains("there are no providers") && nobody.contains("catalogue = true"), "{nobody}");
}

#[test]
fn everything_is_told_at_once() {
    let said = said(&GOOD.replace("0.02\n", "2\n").replace("quality = 0.6", "quality = 7").replace("10/s", "0/s"));
    assert_eq!(said.matches("error: ").count(), 3, "{said}");
    for line in ["w.toml:3", "w.toml:6", "w.toml:11"] {
        assert!(said.contains(line), "{line} in {said}");
    }
}

#[test]
fn who_is_like_another_has_all_it_has_but_what_is_written() {
    let text = format!("{GOOD}\n[providers.twin]\nlike = \"atlas\"\nhang-rate = 0.1\nprice-factor = 0.5\n");
    let workload = parse(&text).expect("a workload");
    let ids: Vec<&str> = workload.candidates.iter().map(|candidate| candidate.id.as_str()).collect();
    assert_eq!(ids, ["atlas/standard", "twin/standard"]);
    let twin = &workload.accounts[1];
    assert_eq!((twin.settings.error_rate, twin.settings.hang_rate), (0.02, 0.1));
    assert_eq!(twin.provider.price_factor.of(MicroUsd(100)), MicroUsd(50));
    assert_eq!(workload.accounts[0].settings.hang_rate, 0.0);
}

#[test]
fn the_catalogue_comes_whole_and_can_be_changed() {
    let text =
        "duration = \"1m\"\narrivals = { rate = \"1/s\" }\ncatalogue = true\n[providers.openai]\nerror-rate = 0.5";
    let workload = parse(text).expect("a workload");
    assert!(workload.accounts.len() > 10 && workload.candidates.len() > 60);
    let failing = workload.accounts.iter().filter(|account| account.settings.error_rate > 0.0);
    assert_eq!(failing.map(|account| account.provider.name.as_str()).collect::<Vec<_>>(), ["openai"]);
    assert!(workload.candidates.iter().all(|candidate| !candidate.model.retired(workload.date)));
}

#[test]
fn tiers_of_a_model_stand_together_on_their_rungs() {
    let text = GOOD.replace("name = \"standard\"", "name = \"draws@draft\"");
    let text = format!("{text}\n[[providers.atlas.models]]\nname = \"draws@hd\"\n");
    let workload = parse(&text).expect("a workload");
    let rungs: Vec<u8> = workload.candidates.iter().map(|candidate| candidate.tier().rung.0).collect();
    assert_eq!(rungs, [20, 60]);
    assert_eq!(workload.candidates[1].model.tiers.len(), 2);
}

#[test]
fn what_is_wrong_about_the_truth_is_told_too() {
    // A number where the one of `atlas/standard` stands, and what else is written.
    let cases = [
        ("1.2", "", "`atlas/standard` is no quality", "from 0 to 1"),
        ("nan", "", "is no quality", "from 0 to 1"),
        ("\"good\"", "", "is no quality", "from 0 to 1"),
        ("{}", "", "is no quality", "from 0 to 1"),
        ("{ technical = 2 }", "", "`technical` of `atlas/standard` is no quality", "from 0 to 1"),
        ("{ technicl = 0.9 }", "", "no prompt is `technicl`", "did you mean technical"),
        ("0.5\n\"atlas/standart\" = 0.5", "", "no candidate `atlas/standart`", "did you mean atlas/standard"),
        ("0.5", "[[shifts]]\ntruth = { \"atlas/standard\" = 0.1 }", "when the shift begins", "after-requests"),
        (
            "0.5",
            "[[shifts]]\nat = \"1s\"\nafter-requests = 3\ntruth = { \"atlas/standard\" = 0.1 }",
            "two points",
            "after-requests",
        ),
        ("0.5", "[[shifts]]\nat = \"2m\"\ntruth = { \"atlas/standard\" = 0.1 }", "after the run", "earlier"),
        ("0.5", "[[shifts]]\nat = \"1s\"\ntruth = { \"atlas/odd\" = 0.1 }", "no candidate `atlas/odd`", "atlas/"),
        ("0.5", "[feedback]\nshare = 1.5", "`share` is `1.5`", "0 to 1"),
        ("0.5", "[feedback]\nnoise = -0.1", "`noise` is `-0.1`", "0 to 1"),
        ("0.5", "[feedback]\ndelay = \"10\"", "`10` has no unit", "10s"),
        ("0.5", "[feedback]\ndelay = \"400d\"", "within a year", "10m"),
        ("0.5", "[feedback]\nshares = 0.5", "`shares`", "did you mean"),
    ];
    for (quality, more, what, hint) in cases {
        let text = format!("{GOOD}\n[truth]\n\"atlas/standard\" = {quality}\n{more}\n");
        let told = said(&text);
        assert!(told.contains("w.toml:") && told.contains(what) && told.contains(hint), "{more} {quality}: {told}");
    }
    let alone = |more: &str| said(&format!("{GOOD}\n{more}\n"));
    assert!(alone("[feedback]").contains("nobody knows what there is to rate"), "{}", alone("[feedback]"));
    let shift = "[[shifts]]\nat = \"1s\"\ntruth = { \"atlas/standard\" = 0.1 }";
    assert!(alone(shift).contains("a shift of what is not said"), "{}", alone(shift));
    let unknown = said(&GOOD.replace("quality = 0.6", "").replace("[providers.atlas]", "[truth]\n[providers.atlas]"));
    assert!(unknown.contains("how good 1 of the candidates really are: atlas/standard"), "{unknown}");
}

#[test]
fn truth_and_feedback_are_understood() {
    let text = format!("{GOOD}\n[truth]\natlas = 0.1\n");
    assert!(said(&text).contains("no candidate `atlas`"));
    let shifts = "[[shifts]]\nafter-requests = 5\ntruth = { \"atlas/standard\" = { technical = 1 } }";
    let workload = parse(&format!("{GOOD}\n[truth]\n[feedback]\nquality = true\n{shifts}\n")).expect("a workload");
    let feedback = workload.feedback.expect("feedback");
    assert_eq!((feedback.share, feedback.noise, feedback.delay.as_secs(), feedback.quality), (1.0, 0.25, 60, true));
    let truth = workload.truth.expect("a truth");
    let of = |label, n| truth.of(0, label, n, Duration::ZERO);
    let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
    assert!(near(of("technical", 4), 0.6) && near(of("technical", 5), 1.0) && near(of("general", 5), 0.6));
}
