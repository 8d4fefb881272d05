use std::sync::Arc;

use domain::{
    attempt::DecisionId,
    candidate::{Candidate, CandidateId},
    catalogue::Catalogue,
    learning::{Observation, Outcome},
    money::{MicroUsd, PriceFactor},
    plugin::{CallEnd, Classification, Contender, Live, Offer, Trait},
    price::Estimate,
    provider::{DialectName, Provider},
    request::{MAX_COUNT, Moment, Operation, Priority, Request},
};

use super::*;
use crate::{
    Kind, Plugins, Sandbox, Source, Subject,
    engine::{RESIDENT, TABLES_RESIDENT},
    plugin::{Limits, Plugin},
};

/// The most that a plugin of ours may take of its fuel: two thirds are left to who builds on it.
const MOST: u64 = Limits::FAST.fuel / 3;
const MANY: usize = 100;

fn plugins() -> Plugins {
    Plugins::load(Sandbox::new(crate::Compiler::Here).expect("an engine"), crate::Setup::default())
        .expect("bundled plugins load")
}

/// A hundred candidates of today's catalogue, from as many accounts as that takes.
fn candidates() -> Vec<Candidate> {
    let catalogue = Catalogue::embedded();
    let accounts = (1..).flat_map(|account| catalogue.vendors().map(move |(vendor, models)| (account, vendor, models)));
    let all = accounts.flat_map(|(account, vendor, models)| {
        let provider = Arc::new(Provider {
            name: format!("{vendor}-{account}"),
            dialect: DialectName::Simulated,
            tags: Vec::new(),
            price_factor: PriceFactor::ONE,
            weight: account as f32,
            max_in_flight: 8,
        });
        models.iter().flat_map(move |model| Candidate::all(&provider, model).collect::<Vec<_>>())
    });
    all.take(MANY).collect()
}

fn contenders(candidates: &[Candidate]) -> Vec<Contender> {
    let contender = |(index, candidate): (usize, &Candidate)| Contender {
        model: candidate.id.clone(),
        cost: (index % 9 != 0)
            .then_some(Estimate { expected: MicroUsd(10_000 + index as u64), upper: MicroUsd(200_000) }),
        quality: candidate.tier().quality,
        latency: candidate.tier().latency,
        live: Live { samples: 7 * (index as u32 % 9), success: 0.97, in_flight: 1, half_open: index % 17 == 3 },
        max_in_flight: candidate.provider.max_in_flight,
        weight: candidate.provider.weight,
    };
    candidates.iter().enumerate().map(contender).collect()
}

/// The longest of everything a strategy is given.
fn classification(label: &str) -> Classification {
    let seen = |name: &&str| Trait { name: (*name).to_owned(), confidence: 0.9 };
    let traits = ["text", "negation", "quantity", "people", "transparency", "photo", "style", "layout"];
    Classification {
        label: label.to_owned(),
        confidence: 0.9,
        complexity: 0.9,
        traits: traits.iter().map(seen).collect(),
        features: vec![0.5; 64],
    }
}

/// What a learner remembers once every candidate was rated for every label. Off the path of requests a call may take more,
/// but not so much that a gateway has to halve its batches.
fn learned(plugin: &Plugin, candidates: &[Candidate]) -> Vec<u8> {
    let mut memory = Vec::new();
    let outcome = |(sequence, (label, candidate)): (usize, (&str, &Candidate))| Outcome {
        sequence: sequence as u64 + 1,
        at_ms: 0,
        decision: DecisionId::new(0, 0),
        operation: Operation::ImageGenerate,
        classification: classification(label),
        quality: 0,
        model: candidate.id.clone(),
        place: 0,
        propensity: 1.0,
        observed: Observation::Rated(0.7),
    };
    let labels = ["artistic", "realistic", "technical", "general"];
    let all = labels.into_iter().flat_map(|label| candidates.iter().map(move |candidate| (label, candidate)));
    let outcomes: Vec<Outcome> = all.enumerate().map(outcome).collect();
    for batch in outcomes.chunks(64).filter(|_| plugin.is(Kind::Learner)) {
        let called = plugin.learn(&memory, batch).expect("a learner");
        assert_eq!(called.call.ended, CallEnd::Answered, "{}", plugin.name());
        memory = called.answer.expect("a memory");
        assert!(called.call.fuel <= 2 * MOST, "{} takes {} to learn", plugin.name(), called.call.fuel);
    }
    memory
}

/// The dearest call of this plugin at a hundred candidates.
fn dearest(plugin: &Plugin, candidates: &[Candidate]) -> u64 {
    let contenders = contenders(candidates);
    let names: Vec<CandidateId> = candidates.iter().map(|candidate| candidate.id.clone()).collect();
    let columns: Vec<(String, Vec<bool>)> =
        (0..8).map(|tag| (format!("tag-{tag}"), (0..MANY).map(|index| index % 3 == 0).collect())).collect();
    let (memory, mut dearest) = (learned(plugin, candidates), 0);
    for (turn, label) in ["artistic", "realistic", "technical", "general"].into_iter().enumerate() {
        for priority in [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent] {
            let request = Request { priority, count: MAX_COUNT, ..Request::for_prompt("a red bicycle") };
            let tariff = |candidate: &Candidate| {
                let price = candidate.tier().price.as_ref();
                price.map(|price| price.tariff(request.size, PriceFactor::ONE)).unwrap_or_default()
            };
            let offers: Vec<Offer> = names
                .iter()
                .zip(candidates)
                .map(|(model, candidate)| Offer { model: model.clone(), tariff: tariff(candidate) })
                .collect();
            let moment = Moment { now_ms: 1, seed: 0x5eed + turn as u64, sequence: 77, session: 3 };
            let subject = Subject { request: &request, moment: &moment, prompt_chars: 13, source: Source::Trial };
            let ranked =
                plugin.rank(subject, &plugin.settings(), &memory, &classification(label), &contenders, &columns);
            let calls = [ranked.map(|called| called.call), plugin.price(subject, &offers).map(|called| called.call)];
            for call in calls.into_iter().flatten() {
                assert_eq!(call.ended, CallEnd::Answered, "{}", plugin.name());
                dearest = dearest.max(call.fuel);
            }
        }
    }
    dearest
}

/// Beyond that every call would fault pages in again, which costs more than most plugins do.
#[test]
fn what_a_bundled_plugin_needs_stays_resident() {
    // A call's memory is counted with its tables; the next page of memory is larger than all of those.
    let resident = (RESIDENT + TABLES_RESIDENT) as u64;
    for plugin in plugins().roster().plugins() {
        let most = plugin.trial().expect("a trial").iter().map(|call| call.memory).max();
        assert!(most <= Some(resident), "{} takes {most:?} bytes", plugin.name());
    }
}

#[test]
fn no_strategy_or_cost_model_takes_more_than_a_third_of_its_fuel_at_a_hundred_candidates() {
    let (plugins, candidates) = (plugins(), candidates());
    assert_eq!(candidates.len(), MANY);
    let mut table = Vec::new();
    // This machine's clock has no say here: it may be busy, and fuel is what is looked at.
    for plugin in plugins.roster().unhurried().plugins().filter(|plugin| !plugin.is(Kind::Classifier)) {
        let trials = plugin.trial().expect("it passed at admission");
        let trial = trials.iter().map(|call| call.fuel).max().unwrap_or_default();
        table.push((plugin.name(), dearest(plugin, &candidates), trial));
    }
    assert_eq!(table.len(), names().count() - 1, "all but the classifier");
    let over: Vec<_> = table.iter().filter(|(_, catalogue, trial)| *catalogue.max(trial) > MOST).collect();
    assert!(over.is_empty(), "of {MOST}, as name, catalogue, trial: {over:?} of {table:?}");
    #[allow(clippy::print_stdout, reason = "`--no-capture` shows what is left")]
    for (name, catalogue, trial) in table {
        println!("{name:<14} {catalogue:>7} with the catalogue's candidates, {trial:>7} in the trials, of {MOST}");
    }
}
