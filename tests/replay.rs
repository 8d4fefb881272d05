//! Replay: recorded decisions made again come to the same, on another thread, in a new engine, in another process.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    attempt::{Charge, DecisionId},
    digest::Digest,
    record::{Outcome, Record, RecordContext},
};
use eval::{Comparison, Finding, Replayed, Replayer};
use ledger::{Filter, Ledger, LedgerSettings, Reader, Stored};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Gateway, Guest, Setup, TRIGGER, run_in};

const DECISIONS: usize = 1_000;
/// Those that are carried out, so that live facts vary; the others are dry runs.
const CARRIED_OUT: usize = 60;
/// Requests under way at once.
const AT_ONCE: usize = 8;

/// Accounts that differ in what strategies are told of them, and fail now and then.
const CONFIG: &str = r#"
[providers.near]
dialect = "simulated"
vendor = "openai"
tags = ["eu", "own"]
weight = 2.5
max-in-flight = 3
simulate = { latency-scale = 0.0, error-rate = 0.2 }

[providers.far]
dialect = "simulated"
vendor = "bfl"
tags = ["us"]
price-factor = 0.75
simulate = { latency-scale = 0.0, error-rate = 0.05 }

[providers.third]
dialect = "simulated"
vendor = "google"
simulate = { latency-scale = 0.0 }

[routes.mine]
strategies = ["traps", "picks"]
"#;

fn guests() -> [(&'static str, Guest); 2] {
    [("traps", Guest::TRAPS), ("picks", Guest::Picks(2))]
}

/// A request that differs from its neighbours in everything that plugins may read.
fn request(number: usize) -> Value {
    let pick = |words: &[&'static str], step: usize| words[number / step % words.len()];
    let subject =
        pick(&["a red bicycle", "two foxes", "a poster that says \"OPEN\"", "七つの灯台", "a logo, no people"], 1);
    let style = pick(&["", " as a watercolor", ", photographed at dawn", " with größeren Schatten"], 5);
    let mut prompt = format!("{subject}{style}, number {number}");
    if number % 10 == 2 {
        // Where the guest misbehaves: this is one of its numbers.
        prompt = format!("{prompt:x<TRIGGER$}").chars().take(TRIGGER).collect();
    } else if number.is_multiple_of(97) {
        prompt = prompt.repeat(400);
    }
    let mut muxel = json!({"priority": pick(&["low", "normal", "high", "urgent"], 3)});
    match number % 13 {
        1 => muxel["max_cost_usd"] = json!(0.03),
        2 => muxel["max_latency_ms"] = json!(9_000),
        3 => muxel["min_quality"] = json!(0.6),
        4 => muxel["tags"] = json!(["eu"]),
        5 => muxel["min_quality"] = json!(0.99),
        6 => muxel["weights"] = json!({"quality": 0.9, "cost": f64::from(number as u32 % 7) / 7.0}),
        _ => {}
    }
    json!({
        "model": match number % 31 {
            7 => "auto/context-aware",
            11 => "auto/round-robin",
            19 => "auto/weighted",
            _ => pick(&["auto", "auto/cheapest", "auto/mine", "auto/fastest", "auto/hybrid"], 1),
        },
        "prompt": prompt,
        "size": pick(&["auto", "1024x1024", "1536x1024", "512x512", "1024x1792"], 2),
        "quality": pick(&["auto", "low", "standard", "auto", "hd", "auto"], 7),
        "n": number % 4 + 1,
        "user": format!("user-{}", number % 9),
        "muxel": muxel,
    })
}

/// Drives a gateway through every request; gives its data folder's parent back when it has ended.
async fn recorded() -> Gateway {
    let setup =
        guests().into_iter().fold(Setup::new().config(CONFIG), |setup, (name, guest)| setup.plugin(name, guest));
    let gateway = Arc::new(setup.start().await);
    let mut under_way = JoinSet::new();
    for number in 0..DECISIONS {
        if under_way.len() >= AT_ONCE {
            under_way.join_next().await.expect("some are under way").expect("no panic");
        }
        let gateway = Arc::clone(&gateway);
        let every = DECISIONS / CARRIED_OUT;
        under_way.spawn(async move {
            let mut asked = request(number);
            let path = if number.is_multiple_of(every) {
                // Small, because they are really drawn.
                (asked["n"], asked["size"]) = (json!(1), json!("auto"));
                "/v1/images/generations"
            } else {
                "/v1/decisions"
            };
            let reply = gateway.post(path, asked.to_string()).await;
            assert!(reply.header("x-muxel-decision").is_some(), "{asked:#} was answered {:#}", reply.body);
        });
    }
    while let Some(done) = under_way.join_next().await {
        done.expect("no panic");
    }
    let beside = run_in(gateway.folder.path(), &["replay", "--data", "data", "--last", "3"]);
    assert_eq!(beside.status.code(), Some(0), "beside a server: {}", String::from_utf8_lossy(&beside.stdout));
    let mut gateway = Arc::into_inner(gateway).expect("nobody else has it");
    gateway.terminate();
    assert!(gateway.ended().await);
    gateway
}

async fn all(reader: &Reader) -> Vec<Stored> {
    let mut all = Vec::new();
    for row in reader.list(&Filter::default()).await.expect("readable") {
        all.push(reader.find(row.id).await.expect("readable").expect("listed"));
    }
    all
}

/// Every component that the records need.
async fn components(reader: &Reader, records: &[Stored]) -> BTreeMap<Digest, Option<Vec<u8>>> {
    let mut replayer = Replayer::new().expect("an engine");
    let mut components = BTreeMap::new();
    for digest in records.iter().flat_map(|stored| replayer.wants(stored)).collect::<Vec<_>>() {
        let kept = reader.component(digest).await.expect("readable");
        let component = kept.or_else(|| sandbox::bundled_component(digest).map(<[u8]>::to_vec));
        components.insert(digest, component);
    }
    components
}

fn replay(records: &[Stored], components: &BTreeMap<Digest, Option<Vec<u8>>>) -> Vec<Replayed> {
    let mut replayer = Replayer::new().expect("an engine");
    let one = |stored: &Stored| {
        for digest in replayer.wants(stored) {
            replayer.offer(digest, components[&digest].clone());
        }
        replayer.replay(stored)
    };
    records.iter().map(one).collect()
}

/// None differs, and what could not be replayed was ended by a busy machine's clock when it was made.
fn check(replayed: &[Replayed]) {
    assert_eq!(replayed.len(), DECISIONS);
    for one in replayed.iter().filter(|one| one.finding != Finding::Same) {
        assert_eq!(one.finding, Finding::NotReplayable, "{one:#?}");
        for call in &one.calls {
            let by_the_clock = |reason: &str| reason.starts_with("the clock");
            match &call.comparison {
                Comparison::NotReplayable { reason } => assert!(by_the_clock(reason), "{one:#?}"),
                Comparison::Different { .. } => panic!("{one:#?}"),
                // A plugin that fails often is let alone for a while.
                Comparison::Same | Comparison::NotCalled { .. } => {}
            }
        }
    }
    let same = replayed.iter().filter(|one| one.finding == Finding::Same).count();
    assert!(same >= DECISIONS * 95 / 100, "{same} are the same");
}

#[tokio::test]
async fn a_thousand_decisions_come_to_the_same_again() {
    let gateway = recorded().await;
    let reader = Ledger::open_read_only(&gateway.data()).await.expect("a ledger");
    let records = Arc::new(all(&reader).await);
    assert_varied(&records);
    let components = Arc::new(components(&reader, &records).await);

    let replays = [(); 2].map(|()| {
        let (records, components) = (Arc::clone(&records), Arc::clone(&components));
        std::thread::spawn(move || replay(&records, &components))
    });
    let [first, second] = replays.map(|replay| replay.join().expect("no panic"));
    check(&first);
    assert_eq!(first, second, "another thread and a new engine");

    let last = DECISIONS.to_string();
    let output = run_in(gateway.folder.path(), &["replay", "--data", "data", "--last", &last, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["decisions"], json!(first), "another process");
    assert_eq!(report["summary"]["decisions"], DECISIONS);
    assert_eq!(report["summary"]["different"], 0);

    one_that_differs_is_found(&gateway, &records).await;
}

/// The requests were no easier than they should be.
fn assert_varied(records: &[Stored]) {
    let count = |what: &str, least: usize, holds: fn(&Stored) -> bool| {
        let found = records.iter().filter(|stored| holds(stored)).count();
        assert!(found >= least, "{what}: {found} of {}", records.len());
    };
    let label = |stored: &'_ Stored| stored.row.label.clone();
    let labels: BTreeSet<_> = records.iter().map(label).collect();
    assert!(labels.len() >= 3, "{labels:?}");
    count("faults", 20, |stored| {
        let calls = &stored.trace.as_ref().expect("a trace").decision.calls;
        calls.iter().any(|call| matches!(call.ended, domain::plugin::CallEnd::Faulted { replayable: true, .. }))
    });
    count("denied by caps", 50, |stored| {
        let considered = &stored.trace.as_ref().expect("a trace").decision.considered;
        considered.iter().any(|row| row.veto.is_some_and(|veto| veto.comes_after_price() && !veto.comes_after_offer()))
    });
    count("nobody left", 20, |stored| stored.trace.as_ref().expect("a trace").decision.order.is_empty());
    count("measured", 100, |stored| {
        stored.trace.as_ref().expect("a trace").decision.considered.iter().any(|row| row.live.samples > 0)
    });
}

/// A record that was written with one fuel too much.
async fn one_that_differs_is_found(gateway: &Gateway, records: &[Stored]) {
    let whole = |stored: &&Stored| stored.trace.as_ref().is_some_and(|trace| trace.decision.calls.len() == 3);
    let stored = records.iter().find(whole).expect("a usual decision");
    let mut trace = stored.trace.clone().expect("a trace");
    trace.decision.calls[2].fuel += 1;
    let id = DecisionId::new(stored.row.at_ms + 3_600_000, 7);
    let ledger = Ledger::open(LedgerSettings::new(gateway.data())).await.expect("the gateway has ended");
    let settings = stored.row.settings.expect("recorded");
    ledger.slot().await.expect("a place").record(Record {
        id,
        at_ms: id.unix_ms(),
        tenant: None,
        key: None,
        asked: "auto".into(),
        outcome: Outcome::DryRun,
        status: 200,
        error: None,
        served: None,
        comparison: domain::record::Comparison::default(),
        charge: Charge::None,
        latency_ms: 1,
        judgement: domain::learning::Judgement::default(),
        trace,
        context: Arc::new(RecordContext::of(stored.candidates.clone(), stored.terms.clone(), settings)),
    });
    ledger.close().await.expect("written");
    drop(ledger);
    let output = run_in(gateway.folder.path(), &["replay", &id.to_string(), "--data", "data"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("fuel: ") && said.contains("1 different"), "{said}");
}

#[test]
fn what_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = run_in(folder.path(), &["replay", "--data", "nowhere"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("there is no ledger in `nowhere`"));
    let malformed = run_in(folder.path(), &["replay", "dec_no"]);
    assert_eq!(malformed.status.code(), Some(2), "clap's own");
}
