use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use sandbox::{Compiler, Plugins, Roster, Sandbox, Setup};

use super::*;

fn roster() -> Arc<Roster> {
    static PLUGINS: OnceLock<Plugins> = OnceLock::new();
    let load = || {
        sandbox::prepare_thread();
        Plugins::load(Sandbox::new(Compiler::Here).expect("an engine"), Setup::default()).expect("the bundled plugins")
    };
    PLUGINS.get_or_init(load).roster()
}

fn workload(text: &str) -> Workload {
    Workload::parse("w.toml", text, Path::new("."), &Overrides::default()).expect("a workload")
}

fn simulated(text: &str, names: &[&str]) -> Report {
    let workload = workload(text);
    let run = |name: &&str| {
        let contestant = Contestant::named(name, &roster(), &workload).expect("a contestant");
        run(&workload, &contestant, &mut |_| {}).expect("a run")
    };
    let outcomes = names.iter().map(run).collect();
    Report::new(&workload, outcomes)
}

/// Two providers, one request a second for ten minutes.
const TWO: &str = r#"
duration = "10m"
arrivals = { rate = "1/s", pattern = "even" }

[route]
baseline = "dear/m"

[[providers.dear.models]]
name = "m"
price.per-image = "0.04 USD"
quality = 0.7
latency = { p50 = "4s", p95 = "4s" }

[[providers.cheap.models]]
name = "m"
price.per-image = "0.01 USD"
quality = 0.6
latency = { p50 = "2s", p95 = "2s" }
"#;

#[test]
fn a_quiet_run_costs_what_can_be_worked_out_by_hand() {
    let report = simulated(TWO, &["cheapest", "pinned:dear/m"]);
    let [cheapest, pinned] = &report.strategies[..] else { panic!("two") };
    // Evenly spaced, the first after a second: 599 before the end.
    assert_eq!((cheapest.requests, cheapest.delivered, cheapest.success_rate), (599, 599, 1.0));
    assert_eq!((cheapest.cost_usd_micros, cheapest.cost_per_request_usd_micros), (5_990_000, Some(10_000)));
    assert_eq!((cheapest.savings, cheapest.savings_usd_micros), (Some(0.75), Some(17_970_000)));
    assert_eq!(cheapest.expected_quality, Some(0.6));
    assert_eq!(cheapest.latency_ms.p99, Some(2_000));
    assert_eq!(cheapest.load.candidates.keys().collect::<Vec<_>>(), ["cheap/m"]);
    assert_eq!((cheapest.recovery_s, cheapest.recovery_note), (None, Some("there was no outage")));
    assert_eq!((pinned.cost_usd_micros, pinned.savings), (23_960_000, Some(0.0)));
}

#[test]
fn a_refusal_is_an_answer_and_an_error_is_none() {
    let refusing = TWO.replace("[[providers.dear", "[providers.dear]\nrefusal-rate = 1.0\n[[providers.dear");
    let report = simulated(&refusing, &["pinned:dear/m"]);
    let strategy = &report.strategies[0];
    assert_eq!((strategy.refused, strategy.delivered, strategy.success_rate), (599, 0, 1.0));
    assert_eq!((strategy.cost_usd_micros, strategy.expected_quality), (0, None));

    let failing = TWO.replace("[[providers.dear", "[providers.dear]\nerror-rate = 1.0\n[[providers.dear");
    let report = simulated(&failing, &["pinned:dear/m"]);
    let strategy = &report.strategies[0];
    assert_eq!((strategy.success_rate, strategy.unanswered["server"]), (0.0, 599));
    assert_eq!(strategy.possible_usd_micros, 599 * 40_000);
}

#[test]
fn an_outage_is_gone_around_and_recovered_from() {
    let down = format!("{TWO}\n[[outages]]\nprovider = \"cheap\"\nfrom = \"2m\"\nfor = \"4m\"\n");
    let report = simulated(&down, &["cheapest", "pinned:dear/m"]);
    let [cheapest, pinned] = &report.strategies[..] else { panic!("two") };
    assert_eq!(cheapest.success_rate, 1.0, "{:?}", cheapest.unanswered);
    assert!(cheapest.outages[0].held_back);
    assert!(cheapest.recovery_s.is_some_and(|recovery| recovery < 30.0), "{:?}", cheapest.outages);
    assert!(cheapest.fall_over_share > 0.0 && cheapest.fall_over_success == Some(1.0));
    assert!(cheapest.fall_over_ms.p50.is_some_and(|ms| ms < 2_000), "{:?}", cheapest.fall_over_ms);
    assert!(cheapest.load.attempts["dear"] > 0.3 && cheapest.load.attempts["cheap"] > 0.5);
    assert_eq!(pinned.recovery_note, Some("no request went to the provider after its return"));
}

#[test]
fn a_provider_that_hangs_is_given_up_while_there_is_time_for_another() {
    for deadline in ["20s", "5m"] {
        let terms = format!("[route]\ndeadline = \"{deadline}\"\n");
        let hanging = TWO.replace("[route]\n", &terms)
            + "\n[[outages]]\nprovider = \"cheap\"\nfrom = \"2m\"\nfor = \"4m\"\nkind = \"hang\"\n";
        let report = simulated(&hanging, &["cheapest"]);
        let cheapest = &report.strategies[0];
        assert_eq!(cheapest.success_rate, 1.0, "{deadline}: {:?}", cheapest.unanswered);
        assert!(cheapest.possible_usd_micros > 0, "{deadline}");
        assert!(cheapest.recovery_s.is_some_and(|recovery| recovery < 30.0), "{deadline}: {:?}", cheapest.outages);
    }
}

#[test]
fn equal_seeds_give_equal_reports_and_all_strategies_the_same_requests() {
    let poisson = TWO
        .replace("even", "poisson")
        .replace("[[providers.dear", "[providers.dear]\nerror-rate = 0.1\n[[providers.dear");
    let (one, again) = (simulated(&poisson, &["hybrid"]), simulated(&poisson, &["hybrid"]));
    assert_eq!(one, again);
    let other = simulated(&format!("seed = 2\n{poisson}"), &["hybrid", "fastest"]);
    assert_ne!(one.strategies, other.strategies[..1]);
    assert_eq!(other.strategies[0].requests, other.strategies[1].requests);
}

#[test]
fn who_is_not_there_is_told_with_the_nearest_names() {
    let (workload, roster) = (workload(TWO), roster());
    let hint = |name| Contestant::named(name, &roster, &workload).err().expect("nobody").hint();
    assert!(hint("hybird").contains("hybrid"));
    assert!(hint("pinned:dear/n").contains("dear/m"));
    let usual: Vec<String> = Contestant::usual(&roster, &workload).into_iter().map(|one| one.name).collect();
    assert!(
        usual.starts_with(&["hybrid".to_owned(), "cheapest".to_owned()])
            && usual.ends_with(&["pinned:dear/m".to_owned()])
    );
    assert_eq!(Contestant::each_pinned(&roster, &workload).len(), 2);
}

#[test]
fn the_picture_is_well_formed_and_names_everybody() {
    let down =
        format!("title = \"a <b> & c\"\n{TWO}\n[[outages]]\nprovider = \"cheap\"\nfrom = \"2m\"\nfor = \"4m\"\n");
    let svg = plot(&simulated(&down, &["hybrid", "pinned:dear/m"]));
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("a &lt;b&gt; &amp; c") && svg.contains("pinned:dear/m") && !svg.contains("NaN"));
    assert_eq!(svg.matches("class=\"down\"").count(), 2);
}

#[test]
fn what_was_served_is_held_against_the_best_that_is_true() {
    let text = format!(
        "{TWO}\n[truth]\n\"cheap/m\" = 0.2\n[[shifts]]\nafter-requests = 299\ntruth = {{ \"cheap/m\" = 0.9 }}\n\
         [feedback]\nshare = 0.5\n"
    );
    let names = ["pinned:cheap/m", "pinned:dear/m", "hybrid"];
    let report = simulated(&text, &names);
    let truths: Vec<&TruthReport> = report.strategies.iter().filter_map(|it| it.truth.as_ref()).collect();
    let [cheap, dear, hybrid] = truths[..] else { panic!("three") };
    assert_eq!(report.workload.shifts, [299]);
    // One of the two is the best one before the shift, and the other one after it.
    let regret = |truth: &TruthReport, block: usize| truth.curve[block].regret;
    assert_eq!((regret(dear, 0), regret(cheap, 19)), (Some(0.0), Some(0.0)));
    assert!(regret(cheap, 0) > Some(0.1) && regret(dear, 19) > Some(0.1), "{cheap:?} {dear:?}");
    assert_eq!((cheap.curve[0].quality, cheap.curve[19].quality), (Some(0.2), Some(0.9)));
    assert_eq!((cheap.oracle, cheap.ratings), (dear.oracle, dear.ratings));
    assert!((200..400).contains(&cheap.ratings), "{}", cheap.ratings);
    // Who does not learn does the same as without feedback.
    assert_eq!(hybrid.memory_bytes, 0);
    let silent = simulated(&text.replace("[feedback]\nshare = 0.5\n", ""), &["hybrid"]);
    assert_eq!(silent.strategies[0].truth.as_ref().map(|truth| truth.value), Some(hybrid.value));
}
