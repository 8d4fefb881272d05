//! What one try of a plugin comes to, for people and for programs.

use domain::{
    explain::{ExplainedCall, Explanation},
    money::MicroUsd,
    plugin::Role,
    request::Request,
};
use gateway::Tried;
use sandbox::{Limits, Verdict};
use serde::Serialize;

use crate::command::plugin::{gauge, load};

/// First choices that are named.
const NAMED: usize = 3;
const SHOWN_PROMPT: usize = 70;

/// One request and what the plugin made of it.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    prompt: &'a str,
    /// One entry for each thing that the plugin was asked.
    calls: Vec<Call<'a>>,
    /// Who serves with this plugin on the route, and who without.
    with: Choice,
    without: Choice,
    pub(super) differs: bool,
    limits: &'a Limits,
}

/// One call to the plugin.
#[derive(Serialize)]
struct Call<'a> {
    #[serde(flatten)]
    call: &'a ExplainedCall,
    answer: String,
}

#[derive(PartialEq, Eq, Serialize)]
struct Choice {
    model: Option<String>,
    strategy: String,
    estimate_usd_micros: Option<u64>,
    /// Why there is no model.
    why: Option<String>,
}

impl Choice {
    fn of(explained: &Explanation, verdict: &Verdict) -> Self {
        let why = match verdict {
            Verdict::Go => None,
            Verdict::Denied { reason } => Some(format!("denied: {reason}")),
            Verdict::NoCandidate => Some("no candidate can do it".to_owned()),
            Verdict::PluginFailed { plugin } => Some(format!("`{plugin}` failed, and the route does not go on")),
        };
        Self {
            model: explained.model.clone().filter(|_| why.is_none()),
            strategy: explained.strategy.clone(),
            estimate_usd_micros: explained.estimate_usd_micros.filter(|_| why.is_none()),
            why,
        }
    }

    fn words(&self) -> String {
        match (&self.model, self.estimate_usd_micros) {
            (Some(model), Some(micros)) => format!("{model} at {} ({})", MicroUsd(micros), self.strategy),
            (Some(model), None) => format!("{model} at an unknown price ({})", self.strategy),
            (None, _) => self.why.clone().unwrap_or_else(|| "nobody".to_owned()),
        }
    }
}

impl<'a> Report<'a> {
    pub(super) fn new(plugin: &str, limits: &'a Limits, request: &'a Request, tried: &'a Tried) -> Self {
        let own = tried.with.plugins.iter().filter(|call| call.plugin == plugin);
        let with = Choice::of(&tried.with, &tried.with_verdict);
        let without = Choice::of(&tried.without, &tried.without_verdict);
        Self {
            prompt: &request.prompt,
            calls: own.map(|call| Call { call, answer: answer(call, tried) }).collect(),
            differs: with.model != without.model,
            with,
            without,
            limits,
        }
    }

    /// Code and detail of its first fault.
    pub(super) fn fault(&self) -> Option<(&str, &str)> {
        let fault =
            |call: &Call<'a>| Some((call.call.fault.as_deref()?, call.call.detail.as_deref().unwrap_or_default()));
        self.calls.iter().find_map(fault)
    }

    /// The most fuel that one of its calls took.
    pub(super) fn fuel(&self) -> u64 {
        self.calls.iter().map(|call| call.call.fuel).max().unwrap_or(0)
    }

    pub(super) fn text(&self, number: usize, of: usize) -> String {
        let mut prompt: String = self.prompt.chars().take(SHOWN_PROMPT).collect();
        if prompt.len() < self.prompt.len() {
            prompt.push('…');
        }
        let mut text = format!("{number}/{of}  \"{}\"\n", prompt.replace('\n', " "));
        if self.calls.is_empty() {
            text.push_str("  not asked: nobody was left to choose from\n");
        }
        for Call { call, answer } in &self.calls {
            text.push_str(&format!("  {:<10}{answer}\n", word(call.role)));
            let figures = load::gauges_of(self.limits, call.fuel, call.memory_bytes, u64::from(call.us));
            text.push_str(&gauge::lines("    ", &figures));
            text.push('\n');
        }
        text.push_str(&format!("  serves    {}\n  without   {}", self.with.words(), self.without.words()));
        if !self.differs {
            text.push_str("  (the same)");
        }
        text
    }
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Classifier => "answers",
        Role::CostModel => "prices",
        Role::Strategy => "ranks",
        Role::Learner => "learns",
    }
}

fn answer(call: &ExplainedCall, tried: &Tried) -> String {
    let detail = call.detail.as_deref().unwrap_or_default();
    match call.ended {
        "answered" => {}
        "faulted" => return format!("FAULT {}: it {detail}", call.fault.as_deref().unwrap_or_default()),
        ended => return format!("{ended}: {detail}"),
    }
    match call.role {
        Role::Classifier => classified(&tried.with),
        Role::CostModel => priced(tried),
        // Learners are asked off the path of requests: no decision holds such a call.
        Role::Learner => String::new(),
        Role::Strategy => ranked(&tried.with),
    }
}

fn classified(with: &Explanation) -> String {
    let traits = if with.traits.is_empty() { String::new() } else { format!(", sees {}", with.traits.join(", ")) };
    format!("{} ({:.0} %), complexity {:.2}{traits}", with.label, with.confidence * 100.0, with.complexity)
}

fn priced(tried: &Tried) -> String {
    let prices = |explained: &Explanation| -> std::collections::BTreeMap<String, u64> {
        let known = explained.candidates.iter();
        known.filter_map(|candidate| Some((candidate.model.clone(), candidate.cost_usd_micros?))).collect()
    };
    let (with, without) = (prices(&tried.with), prices(&tried.without));
    let changed = with.iter().filter(|(model, price)| without.get(*model) != Some(*price)).count();
    match (with.values().min(), with.values().max()) {
        (Some(least), Some(most)) => format!(
            "{} to {} for {} candidates; {changed} otherwise than without it",
            MicroUsd(*least),
            MicroUsd(*most),
            with.len()
        ),
        _ => "no candidate has a known price".to_owned(),
    }
}

fn ranked(with: &Explanation) -> String {
    let all = with.candidates.iter().filter(|candidate| candidate.veto.is_none()).count();
    let left_out = with.candidates.iter().filter(|candidate| candidate.veto.as_deref() == Some("left-out")).count();
    let named = with.candidates.iter().filter(|candidate| candidate.veto.is_none()).take(NAMED);
    let named: Vec<String> = named
        .map(|candidate| match candidate.score {
            Some(score) => format!("{} {score:.3}", candidate.model),
            None => candidate.model.clone(),
        })
        .collect();
    let more = all.saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let left_out = if left_out > 0 { format!("; {left_out} left out") } else { String::new() };
    format!("{}{more}{left_out}\n  because   {}", named.join(", "), with.reason)
}
