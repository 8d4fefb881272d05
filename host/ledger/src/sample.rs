//! Records as they come from a gateway, for tests.

use std::sync::Arc;

use domain::{
    attempt::{Attempt, AttemptEnd, AttemptStarted, Charge, DecisionId},
    candidate::CandidateId,
    catalogue::{Latency, Prior},
    decision::{Considered, Decision, Veto},
    digest::Digest,
    failure::FailureKind,
    learning::Judgement,
    money::MicroUsd,
    plugin::{CallEnd, Classification, Conditions, Live, Part, PluginCall, Ranked, Role, Setting, Shadow, Trait},
    price::{Estimate, Tariff},
    quality::{AskedQuality, Rung},
    record::{Comparison, Outcome, Record, RecordContext, Terms, Trace},
    request::{Caps, Inputs, Moment, Operation, Priority, Request},
    size::Size,
};

pub(crate) const PROMPT: &str = "a red bicycle against a white wall, early morning light";
/// 2026-11-24.
pub(crate) const NOW_MS: u64 = 1_795_478_400_000;

pub(crate) fn id(number: u64) -> DecisionId {
    DecisionId::new(NOW_MS + number, 7)
}

/// The record of a delivered request that arrived `number` milliseconds after [`NOW_MS`].
pub(crate) fn record(number: u64) -> Record {
    let trace = trace(20);
    Record {
        id: id(number),
        at_ms: NOW_MS + number,
        tenant: Some("studio".into()),
        key: Some("studio-web".into()),
        asked: "auto".into(),
        outcome: Outcome::Delivered,
        status: 200,
        error: None,
        served: Some(candidate(3)),
        charge: Charge::Reported(MicroUsd(41_210)),
        comparison: Comparison {
            cost_model: Some("list-price".into()),
            estimate: Some(Estimate { expected: MicroUsd(41_000), upper: MicroUsd(45_100) }),
            baseline: Some(candidate(9)),
            baseline_cost: Some(MicroUsd(60_000)),
        },
        latency_ms: 8_213,
        judgement: Judgement::default(),
        trace,
        context: context(20),
    }
}

pub(crate) fn context(candidates: u32) -> Arc<RecordContext> {
    let terms = (0..candidates).map(|index| Terms {
        weight: 1.0 + index as f32 / 4.0,
        max_in_flight: index,
        tags: vec!["eu".to_owned(); index as usize % 2],
    });
    let names = (0..candidates).map(candidate).collect();
    Arc::new(RecordContext::of(names, terms.collect(), Digest::of(b"settings")))
}

pub(crate) fn candidate(index: u32) -> CandidateId {
    CandidateId::new("openai", &format!("gpt-image-{index}"), Some("medium"))
}

pub(crate) fn started(number: u64, upper: Option<u64>) -> AttemptStarted {
    AttemptStarted {
        decision: id(number),
        number: 1,
        candidate: candidate(3),
        at_ms: NOW_MS + number + 2,
        upper: upper.map(MicroUsd),
    }
}

pub(crate) fn attempt(number: u32, end: AttemptEnd, charge: Charge) -> Attempt {
    Attempt { number, candidate: candidate(3), at_ms: NOW_MS + 2, latency_ms: 8_201, end, charge }
}

pub(crate) fn delivered() -> Attempt {
    attempt(1, AttemptEnd::Delivered { pictures: 1 }, Charge::Reported(MicroUsd(41_210)))
}

/// The usual trace: three plugins answered, most candidates are offered, the first one delivers.
pub(crate) fn trace(candidates: u32) -> Trace {
    let considered: Vec<Considered> = (0..candidates).map(considered).collect();
    let order: Vec<u32> = (0..candidates).filter(|index| considered[*index as usize].veto.is_none()).collect();
    let part = |name: &str| Part { name: name.to_owned(), values: order.iter().map(|at| *at as f32 / 7.0).collect() };
    Trace {
        decision: Decision {
            request: Request { tenant: Some("studio".into()), ..Request::for_prompt(PROMPT) },
            moment: Moment { now_ms: NOW_MS, seed: u64::MAX - 7, sequence: 91_223, session: u64::MAX / 3 },
            route: "default".into(),
            strategy: "hybrid".into(),
            classification: Classification {
                label: "realistic".to_owned(),
                confidence: 0.82,
                complexity: 0.4,
                traits: vec![Trait { name: "photo".to_owned(), confidence: 0.9 }],
                features: Vec::new(),
            },
            considered,
            parts: ["quality", "cost", "latency", "reliability"].map(part).into(),
            order,
            reason: "best of quality 0.81, 0.0412 USD and 8.2 s for a realistic prompt".to_owned(),
            propensity: 1.0,
            probe: false,
            last_resort: false,
            calls: vec![
                call(Role::Classifier, "context-classifier", CallEnd::Answered),
                call(Role::CostModel, "list-price", CallEnd::Answered),
                call(Role::Strategy, "hybrid", CallEnd::Answered),
            ],
            revision: 3,
            micros: 58,
        },
        settings: vec![
            [].into(),
            [].into(),
            [Setting::Number(0.4), Setting::Number(0.3), Setting::Flag(true), Setting::Choice(2)].into(),
        ],
        attempts: vec![delivered()],
        warnings: Vec::new(),
        conditions: vec![CONDITIONS; 3],
        shadows: Vec::new(),
    }
}

/// Version 1 knew no skipped calls.
pub(crate) const CALLS_OF_VERSION_1: usize = 3;

const CONDITIONS: Conditions =
    Conditions { policy: 1, slow: false, fuel: 1_000_000, memory: 2 << 20, deadline_ms: 10, reads: 0b1 };

/// One of each: what a postcard might trip over.
pub(crate) fn trace_with_every_ending() -> Trace {
    let mut trace = trace(7);
    let decision = &mut trace.decision;
    decision.request = Request {
        operation: Operation::ImageEdit,
        size: None,
        count: 3,
        quality: AskedQuality::Within { from: Rung(20), to: Rung(40) },
        priority: Priority::Urgent,
        inputs: Inputs { images: 2, bytes: 1 << 40, mask: true },
        transparent: true,
        caps: Caps { max_cost: Some(MicroUsd(u64::MAX)), max_latency_ms: Some(9), min_quality: Some(0.25) },
        ..Request::for_prompt(PROMPT)
    };
    let size = Size::new(4096, 16_384).expect("a size");
    let vetoes = [
        Veto::Retired { last: "2026-11-23".parse().expect("a day") },
        Veto::Operation { asked: Operation::ImageVariation },
        Veto::Quality { asked: AskedQuality::Any },
        Veto::Size { asked: size },
        Veto::Unpriced { cap: MicroUsd(1) },
        Veto::Breaker { wait_ms: 19_999 },
        Veto::LeftOut,
    ];
    for (one, veto) in decision.considered.iter_mut().zip(vetoes) {
        (one.veto, one.cost, one.latency, one.score) = (Some(veto), None, None, None);
    }
    decision.order = Vec::new();
    let faulted = CallEnd::Faulted { code: "out-of-fuel".into(), detail: "used all fuel".to_owned(), replayable: true };
    let skipped = CallEnd::Skipped { reason: "quarantined".into() };
    decision.calls = vec![
        call(Role::Classifier, "abstains", CallEnd::Abstained { reason: "no opinion".to_owned() }),
        call(Role::CostModel, "denies", CallEnd::Denied { reason: "not in this region".to_owned() }),
        call(Role::Strategy, "faults", faulted),
        PluginCall { fuel: 0, memory: 0, micros: 0, ..call(Role::Strategy, "rests", skipped) },
    ];
    let failed = AttemptEnd::Failed { kind: FailureKind::Server, status: Some(502), detail: "bad gateway".into() };
    let dropped = AttemptEnd::Failed { kind: FailureKind::Connect, status: None, detail: "refused".into() };
    trace.settings =
        vec![[Setting::Text("größer".to_owned()), Setting::Number(f64::MIN)].into(), [].into(), [].into(), [].into()];
    trace.conditions =
        vec![CONDITIONS, Conditions { slow: true, fuel: u64::MAX, ..CONDITIONS }, CONDITIONS, CONDITIONS];
    trace.shadows = vec![Shadow {
        call: call(Role::Strategy, "watched", CallEnd::Answered),
        settings: [Setting::Flag(true)].into(),
        conditions: Conditions { memory: 16 << 20, ..CONDITIONS },
        order: vec![Ranked { candidate: 6, score: 0.5 }, Ranked { candidate: 0, score: -0.5 }],
        reason: "newest first".to_owned(),
        propensity: 0.25,
    }];
    trace.attempts = vec![
        attempt(1, failed, Charge::Possible(MicroUsd(90_000))),
        attempt(2, dropped, Charge::None),
        attempt(3, AttemptEnd::Delivered { pictures: 3 }, Charge::Unknown(MicroUsd::ZERO)),
    ];
    trace.warnings = vec!["`style` is not known to `xai` and was left out".to_owned()];
    trace
}

fn considered(index: u32) -> Considered {
    Considered {
        candidate: index,
        veto: (index % 5 == 4).then_some(Veto::Transparent),
        tariff: Some(Tariff {
            known: true,
            text_in: MicroUsd(5_000_000),
            image_in: MicroUsd(8_000_000),
            tokens_out: MicroUsd(30_000_000),
            expected_tokens_out: 1_757,
            listed_size: true,
            ..Tariff::default()
        }),
        cost: Some(Estimate { expected: MicroUsd(41_210), upper: MicroUsd(45_331) }),
        quality: Some(Prior { mean: 0.81, deviation: 0.07 }),
        latency: Some(Latency { p50_ms: 8_200, p95_ms: 21_000 }),
        live: Live { samples: 31, success: 0.97, in_flight: 2, half_open: false },
        score: Some(0.7 - index as f32 / 100.0),
    }
}

fn call(role: Role, plugin: &str, ended: CallEnd) -> PluginCall {
    let digest = Digest::of(plugin.as_bytes());
    PluginCall { role, plugin: plugin.into(), digest, fuel: 143_210, memory: 1_114_112, micros: 18, ended }
}
