use std::sync::{Arc, LazyLock, Mutex};

use domain::{
    attempt::{Charge, DecisionId},
    candidate::Candidate,
    catalogue::Catalogue,
    decision::{Considered, Decision},
    money::{MicroUsd, PriceFactor},
    plugin::{CallEnd, Classification, Contender, Live, Shadow, tag_columns},
    price::Estimate,
    provider::{DialectName, Provider},
    record::{Outcome, Record, RecordContext, Trace},
    request::{Caps, Moment, Priority, Request},
};
use ledger::{Ledger, LedgerSettings, PromptPolicy, Stored};
use sandbox::{Circumstances, Decided, Field, Kind, Panel, Roster, Sandbox, Subject, decide};

use super::*;

/// Two accounts that differ in everything strategies are told.
fn candidates() -> Vec<Arc<Candidate>> {
    let provider = |name: &str, weight: f32, max_in_flight, tags: &[&str]| {
        Arc::new(Provider {
            name: name.to_owned(),
            dialect: DialectName::Simulated,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            price_factor: PriceFactor::ONE,
            weight,
            max_in_flight,
        })
    };
    let accounts =
        [(provider("openai", 1.0, 0, &["eu"]), "openai"), (provider("bfl-us", 2.5, 3, &["us", "own"]), "bfl")];
    let catalogue = Catalogue::embedded();
    let of = |(provider, vendor): (Arc<Provider>, &str)| {
        let models = catalogue.vendor(vendor).to_vec();
        models.into_iter().flat_map(move |model| Candidate::all(&provider, &model).collect::<Vec<_>>())
    };
    accounts.into_iter().flat_map(of).map(Arc::new).collect()
}

fn row(index: usize, candidate: &Candidate, request: &Request) -> Considered {
    let tier = candidate.tier();
    Considered {
        tariff: tier.price.as_ref().map(|price| price.tariff(request.size, PriceFactor::ONE)),
        quality: tier.quality,
        latency: tier.latency,
        live: Live { samples: index as u32, success: 0.9, in_flight: 1, half_open: index == 2 },
        ..Considered::new(index as u32)
    }
}

/// Compiling takes longer than everything else here.
static ROSTER: LazyLock<Arc<Roster>> = LazyLock::new(|| {
    let sandbox = Sandbox::new(sandbox::Compiler::Here).expect("an engine");
    sandbox::Plugins::load(sandbox, sandbox::Setup::default()).expect("bundled plugins load").roster()
});

static REPLAYER: LazyLock<Mutex<Replayer>> = LazyLock::new(|| Mutex::new(Replayer::new().expect("an engine")));

fn panel() -> Panel {
    Panel {
        route: "default".into(),
        classifier: "context-classifier".into(),
        cost_models: vec!["list-price".into()],
        strategies: vec!["hybrid".into()],
        weights: domain::weights::Weights::default(),
        unpriced: domain::policy::Unpriced::default(),
        learn_per: domain::learning::LearnPer::Route,
        refuse_on_fault: false,
    }
}

fn request() -> Request {
    Request::for_prompt("a watercolor of two foxes under a sign that says \"OPEN\"")
}

fn decided(roster: &Roster, panel: &Panel, request: &Request, probe: bool) -> (Trace, RecordContext) {
    let candidates = candidates();
    let considered = candidates.iter().enumerate().map(|(index, candidate)| row(index, candidate, request)).collect();
    let field = Field { candidates: &candidates, considered, due: probe.then_some(2), last_resort: false };
    let moment = Moment { now_ms: 1_795_478_400_000, seed: 2, sequence: 3, session: 4 };
    let request = Arc::new(request.clone());
    let decided = decide(roster, panel, &request, moment, field, Circumstances::alone(), |_| true);
    let Decided { decision, settings, conditions, .. } = decided;
    let trace =
        Trace { decision, settings, attempts: Vec::new(), warnings: Vec::new(), conditions, shadows: Vec::new() };
    (trace, RecordContext::new(&candidates, Digest::of(b"settings")))
}

/// The usual decision, with `change` made to its record.
fn usual(change: impl FnOnce(&mut Trace)) -> (Trace, RecordContext) {
    let (mut trace, context) = decided(&ROSTER, &panel(), &request(), false);
    change(&mut trace);
    (trace, context)
}

/// What a ledger gives back of it.
async fn stored((trace, context): (Trace, RecordContext), prompts: PromptPolicy) -> Stored {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = LedgerSettings { prompts, ..LedgerSettings::new(folder.path()) };
    let ledger = Ledger::open(settings).await.expect("a ledger");
    let id = DecisionId::new(1_795_478_400_000, 7);
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
        context: Arc::new(context),
    });
    ledger.find(id).await.expect("readable").expect("found")
}

fn replay(stored: &Stored) -> Replayed {
    let mut replayer = REPLAYER.lock().expect("no test panicked while it replayed");
    for digest in replayer.wants(stored) {
        replayer.offer(digest, sandbox::bundled_component(digest).map(<[u8]>::to_vec));
    }
    replayer.replay(stored)
}

async fn replayed(recorded: (Trace, RecordContext)) -> Replayed {
    replay(&stored(recorded, PromptPolicy::Store).await)
}

/// Everything that is said to differ.
fn differences(replayed: &Replayed) -> Vec<&str> {
    let said = replayed.calls.iter().flat_map(|call| match &call.comparison {
        Comparison::Different { differences } => differences.as_slice(),
        _ => &[],
    });
    said.map(String::as_str).collect()
}

fn why(replayed: &Replayed, call: usize) -> &str {
    match &replayed.calls[call].comparison {
        Comparison::NotReplayable { reason } | Comparison::NotCalled { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_recorded_decision_comes_to_the_same_again() {
    let strategies =
        |names: &[&str]| Panel { strategies: names.iter().map(|name| (*name).into()).collect(), ..panel() };
    let capped = Caps { max_cost: Some(MicroUsd(45_000)), max_latency_ms: Some(20_000), min_quality: Some(0.5) };
    for (panel, request, probe) in [
        (panel(), request(), false),
        (panel(), request(), true),
        (strategies(&["cheapest"]), Request { caps: capped, ..request() }, true),
        (strategies(&["fastest"]), Request { count: 7, size: None, priority: Priority::Urgent, ..request() }, false),
        (panel(), Request::for_prompt(&"größer ".repeat(4_000)), false),
        // Nobody can do it: the strategy is not asked.
        (panel(), Request { caps: Caps { min_quality: Some(1.0), ..Caps::default() }, ..request() }, false),
        (Panel { cost_models: vec![], ..panel() }, request(), false),
        // A missing plugin makes the route refuse: the ranking is recorded and not followed.
        (Panel { classifier: "nobody".into(), refuse_on_fault: true, ..panel() }, request(), false),
    ] {
        let recorded = decided(&ROSTER, &panel, &request, probe);
        let calls = recorded.0.decision.calls.len();
        let replayed = replayed(recorded).await;
        assert_eq!((replayed.finding, replayed.calls.len()), (Finding::Same, calls), "{replayed:#?}");
    }
}

#[tokio::test]
async fn whatever_differs_is_named() {
    type Change = fn(&mut Decision);
    let changes: [(&str, Change); 12] = [
        ("fuel", |decision| decision.calls[1].fuel += 1),
        ("end", |decision| decision.calls[0].ended = CallEnd::Abstained { reason: "tired".to_owned() }),
        ("label", |decision| decision.classification.label = "general".to_owned()),
        ("confidence", |decision| decision.classification.confidence /= 2.0),
        ("traits", |decision| decision.classification.traits.clear()),
        ("price of openai/", |decision| {
            let cost = &mut decision.considered[0].cost;
            *cost = cost.map(|cost| Estimate { expected: MicroUsd(cost.expected.0 - 1), ..cost });
        }),
        ("price of bfl-us/", |decision| {
            let last = decision.considered.last_mut().expect("candidates");
            last.cost = None;
        }),
        ("score of", |decision| decision.considered[1].score = Some(0.123)),
        ("order", |decision| decision.order.swap(0, 1)),
        ("parts", |decision| decision.parts[0].values[0] += 0.5),
        ("reason", |decision| decision.reason.push('!')),
        ("propensity", |decision| decision.propensity = 0.5),
    ];
    for (named, change) in changes {
        let replayed = replayed(usual(|trace| change(&mut trace.decision))).await;
        assert_eq!(replayed.finding, Finding::Different, "{named}");
        let said = differences(&replayed);
        assert!(said.iter().any(|difference| difference.starts_with(named)), "{named}: {said:?}");
    }
}

#[tokio::test]
async fn an_input_that_is_not_what_it_was_shows() {
    let (trace, mut context) = usual(|_| ());
    // Strategies are told of tags in columns of their own: passing them takes fuel.
    context.terms.iter_mut().for_each(|terms| terms.tags.clear());
    let replayed = replayed((trace, context)).await;
    let said = differences(&replayed);
    assert!(said.iter().any(|difference| difference.starts_with("fuel")), "{replayed:#?}");
}

#[tokio::test]
async fn what_cannot_be_made_again_says_why() {
    let fault = |code: &'static str| CallEnd::Faulted { code: code.into(), detail: "late".into(), replayable: false };
    let clock = replayed(usual(|trace| trace.decision.calls[0].ended = fault("deadline"))).await;
    assert_eq!(why(&clock, 0), "the clock, the stack or the machine ended it: deadline");
    assert_eq!((clock.finding, &clock.calls[2].comparison), (Finding::NotReplayable, &Comparison::Same));

    let skipped = replayed(usual(|trace| {
        trace.decision.calls[0].ended = CallEnd::Skipped { reason: "quarantined".into() };
    }));
    let skipped = skipped.await;
    assert_eq!((why(&skipped, 0), skipped.finding), ("quarantined", Finding::Same));

    let unknown = replayed(usual(|trace| trace.decision.calls[1].digest = Digest::of(b"gone"))).await;
    assert_eq!((why(&unknown, 1), unknown.finding), ("its component was not kept", Finding::NotReplayable));

    let (trace, context) = usual(|_| ());
    let bare = RecordContext { terms: Vec::new(), ..context };
    let old = replayed((trace, bare)).await;
    assert_eq!(why(&old, 2), "its record does not say what strategies were told of providers");

    let unlimited = replayed(usual(|trace| trace.conditions.clear())).await;
    assert_eq!(unlimited.finding, Finding::Same, "the usual limits are tried");
    let unlimited = replayed(usual(|trace| {
        trace.conditions.clear();
        trace.decision.calls[2].fuel += 1;
    }));
    assert!(why(&unlimited.await, 2).contains("does not say what it was allowed"));
}

#[tokio::test]
async fn without_its_prompt_a_decision_is_replayed_as_far_as_nobody_read_it() {
    let replayed = replay(&stored(usual(|_| ()), PromptPolicy::Hash).await);
    assert_eq!(why(&replayed, 0), "the prompt was not kept");
    assert_eq!(replayed.calls[1].comparison, Comparison::Same, "{replayed:#?}");
    assert_eq!(replayed.calls[2].comparison, Comparison::Same, "{replayed:#?}");
}

/// `cheapest` as a shadow of the usual decision.
fn watched(roster: &Roster, trace: &Trace) -> Shadow {
    let plugin = roster.get("cheapest", Kind::Strategy).expect("bundled");
    let decision = &trace.decision;
    let candidates = candidates();
    let prompt_chars = decision.request.prompt.chars().count() as u32;
    let subject =
        Subject { request: &decision.request, moment: &decision.moment, prompt_chars, source: sandbox::Source::Trial };
    let contender = |row: &Considered| {
        let candidate = &candidates[row.candidate as usize];
        Contender {
            model: candidate.id.clone(),
            cost: row.cost,
            quality: row.quality,
            latency: row.latency,
            live: row.live,
            max_in_flight: candidate.provider.max_in_flight,
            weight: candidate.provider.weight,
        }
    };
    let contenders: Vec<Contender> = decision.considered.iter().map(contender).collect();
    let tags: Vec<&[String]> = candidates.iter().map(|candidate| &*candidate.provider.tags).collect();
    let classification: &Classification = &decision.classification;
    let called = plugin
        .rank(subject, &plugin.settings(), &[], classification, &contenders, &tag_columns(&tags))
        .expect("a strategy");
    let ranking = called.answer.expect("an answer");
    Shadow {
        call: called.call,
        settings: plugin.settings(),
        conditions: plugin.conditions(),
        order: ranking.order,
        reason: ranking.reason,
        propensity: ranking.propensity,
    }
}

#[tokio::test]
async fn a_shadow_is_replayed_like_a_call() {
    let (mut trace, context) = decided(&ROSTER, &panel(), &request(), false);
    trace.shadows = vec![watched(&ROSTER, &trace)];
    let same = replayed((trace.clone(), context.clone())).await;
    assert_eq!((same.finding, same.calls.len(), same.calls[3].shadow), (Finding::Same, 4, true), "{same:#?}");
    trace.shadows[0].order.swap(0, 1);
    let different = replayed((trace, context)).await;
    assert!(differences(&different)[0].starts_with("order"), "{different:#?}");
}
