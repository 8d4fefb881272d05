//! Trial calls: before a plugin serves, it answers built-in requests under production limits, the largest the host will
//! ever pass among them, and some that callers have sent lately.

use domain::{
    candidate::CandidateId,
    catalogue::{Latency, Prior},
    money::MicroUsd,
    plugin::{CallEnd, Classification, Contender, Live, Offer, PluginCall, Trait},
    price::{Estimate, Tariff},
    quality::AskedQuality,
    request::{Caps, MAX_COUNT, MAX_PLUGIN_PROMPT, Moment, Priority, Request},
    size::Size,
};

use crate::{
    load::LoadError,
    plugin::{Plugin, Source, Subject},
};

/// Most candidates the trial offers. More than any catalogue here has.
const MANY: usize = 100;
/// Tags that the largest trial's candidates carry.
const TAGS: usize = 8;
/// Most recorded requests that are tried.
pub(crate) const RECORDED: usize = 12;
/// Fewest recorded requests on which a plugin must have failed to be refused for it.
const FEWEST_FAILED: usize = 2;
/// Times that a trial is made when the clock ends it.
const TRIES: usize = 5;
/// A trial may use so many hundredths of its fuel: real requests differ, and one that is cut off is a fault.
const GATE: u64 = 90;

/// One trial: a word for it, and what is asked.
struct Trial {
    word: &'static str,
    request: Request,
    classification: Classification,
    candidates: usize,
    tags: usize,
}

impl Trial {
    fn new(word: &'static str, prompt: &str, candidates: usize) -> Self {
        let request = Request::for_prompt(prompt);
        Self { word, request, classification: Classification::default(), candidates, tags: 0 }
    }

    fn with(mut self, change: impl FnOnce(&mut Request)) -> Self {
        change(&mut self.request);
        self
    }

    fn seen_as(mut self, label: &str, traits: &[&str]) -> Self {
        let seen = |name: &&str| Trait { name: (*name).to_owned(), confidence: 0.9 };
        self.classification = Classification {
            label: label.to_owned(),
            confidence: 0.8,
            complexity: 0.7,
            traits: traits.iter().map(seen).collect(),
            features: Vec::new(),
        };
        self
    }
}

/// The built-in requests.
fn trials() -> [Trial; 12] {
    let poster = "A watercolor of two foxes under a sign that says \"OPEN\", no people";
    let long = "long words, ünïcödé and 数字 ".repeat(MAX_PLUGIN_PROMPT / 20);
    let largest = Trial::new("the largest request", &long, MANY).with(|request| request.count = MAX_COUNT);
    [
        Trial::new("one candidate", "a red bicycle", 1),
        Trial::new("twenty candidates", poster, 20).seen_as("technical", &["text", "negation", "quantity", "style"]),
        Trial::new("no prompt", "", 20),
        Trial::new("no size", "a red bicycle", 5).with(|request| request.size = None),
        Trial::new("a wide picture", "a photo of a harbour at dawn", 5)
            .with(|request| request.size = Size::new(3840, 2160))
            .seen_as("realistic", &["photo"]),
        Trial::new("many pictures", "a logo for a bakery", 10).with(|request| request.count = MAX_COUNT),
        Trial::new("a named quality", "a red bicycle", 10)
            .with(|request| request.quality = "high".parse().unwrap_or(AskedQuality::Any)),
        Trial::new("an urgent request", "a red bicycle", 10).with(|request| request.priority = Priority::Urgent),
        Trial::new("a request that may wait", "a red bicycle", 10).with(|request| request.priority = Priority::Low),
        Trial::new("tight caps", "a red bicycle", 10).with(|request| {
            request.caps = Caps { max_cost: Some(MicroUsd(1)), max_latency_ms: Some(1), min_quality: Some(1.0) };
        }),
        Trial::new("a strange prompt", "\u{202e}\0\u{1b}[31m ﷽ 🧑\u{200d}🚀 \n\t\"'\\", 20)
            .seen_as("something-new", &["something-else"]),
        Trial { tags: TAGS, ..largest }.seen_as("general", &["text", "people", "photo", "layout"]),
    ]
}

/// Puts `plugin` through every trial for everything it exports.
pub(crate) fn run(plugin: &Plugin, recorded: &[Request]) -> Result<(), LoadError> {
    measure(plugin, recorded).map(drop)
}

/// What the trials cost: the calls, in order.
pub(crate) fn measure(plugin: &Plugin, recorded: &[Request]) -> Result<Vec<PluginCall>, LoadError> {
    let mut calls = Vec::new();
    for trial in trials() {
        calls.extend(make(plugin, trial)?);
    }
    // What one caller sent must not keep a new version out: only where most of them fail is it the plugin's fault.
    let recorded = &recorded[..recorded.len().min(RECORDED)];
    let (mut failed, mut first) = (0, None);
    for request in recorded {
        match make(plugin, Trial { request: request.clone(), ..Trial::new("a recorded request", "", 20) }) {
            Ok(made) => calls.extend(made),
            Err(error) => {
                failed += 1;
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if failed >= FEWEST_FAILED && failed * 2 >= recorded.len() => Err(error),
        _ => Ok(calls),
    }
}

/// One trial of everything that `plugin` exports.
fn make(plugin: &Plugin, trial: Trial) -> Result<Vec<PluginCall>, LoadError> {
    let Trial { word, request, classification, candidates, tags } = trial;
    let moment = Moment { now_ms: 1_795_478_400_000, seed: 0x5eed, sequence: 1, session: 1 };
    let prompt_chars = request.prompt.chars().count() as u32;
    let subject = Subject { request: &request, moment: &moment, prompt_chars, source: Source::Trial };
    let answers = [
        patiently(|| Some(plugin.classify(subject)?.call)),
        patiently(|| Some(plugin.price(subject, &offers(candidates))?.call)),
        patiently(|| {
            let columns = columns(tags, candidates);
            let (settings, contenders) = (plugin.settings(), contenders(candidates));
            Some(plugin.rank(subject, &settings, &[], &classification, &contenders, &columns)?.call)
        }),
    ];
    let calls: Vec<PluginCall> = answers.into_iter().flatten().collect();
    calls.iter().try_for_each(|call| judge(plugin, word, call))?;
    Ok(calls)
}

/// Makes a trial call, again when the clock ended it: on a busy machine that says little about the plugin.
fn patiently(call: impl Fn() -> Option<PluginCall>) -> Option<PluginCall> {
    let by_the_clock = |call: &PluginCall| matches!(&call.ended, CallEnd::Faulted { code, .. } if code == "deadline");
    let mut made = call()?;
    for _ in 1..TRIES {
        if !by_the_clock(&made) {
            break;
        }
        made = call()?;
    }
    Some(made)
}

fn judge(plugin: &Plugin, trial: &'static str, call: &PluginCall) -> Result<(), LoadError> {
    let name = plugin.name.to_string();
    if let CallEnd::Faulted { code, detail, .. } = &call.ended {
        let (role, code, detail) = (role(call), code.to_string(), detail.clone());
        return Err(LoadError::Trial { plugin: name, role, trial, code, detail });
    }
    let limit = plugin.limits.fuel;
    let gate = limit / 100 * GATE;
    if call.fuel > gate {
        return Err(LoadError::FuelGate { plugin: name, role: role(call), trial, fuel: call.fuel, gate, limit });
    }
    Ok(())
}

fn columns(tags: usize, candidates: usize) -> Vec<(String, Vec<bool>)> {
    let column = |tag: usize| (format!("tag-{tag}"), (0..candidates).map(|index| index % (tag + 2) == 0).collect());
    (0..tags).map(column).collect()
}

fn role(call: &PluginCall) -> &'static str {
    match call.role {
        domain::plugin::Role::Classifier => "classifier",
        domain::plugin::Role::CostModel => "cost model",
        domain::plugin::Role::Strategy => "strategy",
        domain::plugin::Role::Learner => "learner",
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
