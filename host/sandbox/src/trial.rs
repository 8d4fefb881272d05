//! Trial calls: before a plugin serves, it answers a few built-in requests under production limits, the largest the host
//! will ever pass among them.

use domain::{
    candidate::CandidateId,
    catalogue::{Latency, Prior},
    money::MicroUsd,
    plugin::{CallEnd, Classification, Contender, Live, Offer, PluginCall},
    price::{Estimate, Tariff},
    request::{MAX_PLUGIN_PROMPT, Moment, Request},
};

use crate::{
    load::LoadError,
    plugin::{Plugin, Subject},
};

/// Most candidates the trial offers. More than any catalogue here has.
const MANY: usize = 100;

/// The built-in requests: a word for each, its prompt, and how many candidates it offers.
fn trials() -> [(&'static str, String, usize); 4] {
    [
        ("one candidate", "a red bicycle".to_owned(), 1),
        ("twenty candidates", "A watercolor of two foxes under a sign that says \"OPEN\", no people".to_owned(), 20),
        ("no prompt", String::new(), 20),
        ("the largest request", "long words, ünïcödé and 数字 ".repeat(MAX_PLUGIN_PROMPT / 20), MANY),
    ]
}

/// Puts `plugin` through every trial for everything it exports.
pub(crate) fn run(plugin: &Plugin) -> Result<(), LoadError> {
    measure(plugin).map(drop)
}

/// What the trials cost: the calls, in order.
pub(crate) fn measure(plugin: &Plugin) -> Result<Vec<PluginCall>, LoadError> {
    let moment = Moment { now_ms: 1_795_478_400_000, seed: 0x5eed, sequence: 1, session: 1 };
    let mut calls = Vec::new();
    for (trial, prompt, candidates) in trials() {
        let request = Request::for_prompt(&prompt);
        let subject = Subject { request: &request, moment: &moment, prompt_chars: prompt.chars().count() as u32 };
        let answers = [
            plugin.classify(subject).map(|called| called.call),
            plugin.price(subject, &offers(candidates)).map(|called| called.call),
            plugin.rank(subject, &Classification::default(), &contenders(candidates), &[]).map(|called| called.call),
        ];
        for call in answers.into_iter().flatten() {
            if let CallEnd::Faulted { code, detail, .. } = &call.ended {
                let (role, code, detail) = (role(&call), code.to_string(), detail.clone());
                return Err(LoadError::Trial { plugin: plugin.name.to_string(), role, trial, code, detail });
            }
            calls.push(call);
        }
    }
    Ok(calls)
}

fn role(call: &PluginCall) -> &'static str {
    match call.role {
        domain::plugin::Role::Classifier => "classifier",
        domain::plugin::Role::CostModel => "cost model",
        domain::plugin::Role::Strategy => "strategy",
    }
}

fn name(index: usize) -> CandidateId {
    CandidateId::new("trial-provider", &format!("trial-model-{index}"), Some("medium"))
}

/// Every other offer is billed by tokens, every tenth has no known price.
fn offers(count: usize) -> Vec<Offer> {
    let tariff = |index: usize| match index % 10 {
        9 => Tariff::default(),
        odd if odd % 2 == 1 => Tariff {
            known: true,
            text_in: MicroUsd(5_000_000),
            tokens_out: MicroUsd(30_000_000),
            expected_tokens_out: 1_000 + index as u32,
            listed_size: index % 4 == 1,
            ..Tariff::default()
        },
        _ => {
            Tariff { known: true, per_output: MicroUsd(10_000 + index as u64), listed_size: true, ..Tariff::default() }
        }
    };
    (0..count).map(|index| Offer { model: name(index), tariff: tariff(index) }).collect()
}

fn contenders(count: usize) -> Vec<Contender> {
    let contender = |index: usize| {
        let known = index % 10 != 9;
        let cost = MicroUsd(10_000 + 1_000 * index as u64);
        let p50_ms = 2_000 + 100 * index as u32;
        Contender {
            model: name(index),
            cost: known.then_some(Estimate { expected: cost, upper: cost }),
            quality: known.then_some(Prior { mean: 0.3 + index as f32 / 200.0, deviation: 0.05 }),
            latency: known.then_some(Latency { p50_ms, p95_ms: 2 * p50_ms }),
            live: Live { samples: index as u32, success: 0.9, in_flight: 1, half_open: index == 7 },
            max_in_flight: 10,
            weight: 1.0,
        }
    };
    (0..count).map(contender).collect()
}
