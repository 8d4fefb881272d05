//! A call made again, held against what the record has of it. No difference is an empty list.

use std::fmt::Debug;

use domain::{
    decision::{Veto, follow},
    plugin::{CallEnd, PluginCall, Ranked, Ranking, Shadow},
    price::{Estimate, list_price},
};
use sandbox::{Called, Plugin};

use super::{Comparison, TRIES, inputs::Inputs, not};

type Differences = Result<Vec<String>, Comparison>;

pub(super) fn classifier(inputs: &Inputs<'_>, recorded: &PluginCall, plugin: &Plugin) -> Differences {
    let subject = inputs.subject().map_err(not)?;
    let now = again(|| plugin.classify(subject))?;
    let mut differences = of_calls(recorded, &now.call);
    if let Some(answer) = answered(recorded, &now) {
        let classification = &inputs.trace.decision.classification;
        note(&mut differences, "label", &classification.label, &answer.label);
        note(&mut differences, "confidence", &classification.confidence, &answer.confidence);
        note(&mut differences, "complexity", &classification.complexity, &answer.complexity);
        note(&mut differences, "traits", &classification.traits, &answer.traits);
        note(&mut differences, "features", &classification.features, &answer.features);
    }
    Ok(differences)
}

/// The prices that the cost models of one decision came to, one after the other: the first that knows one wins.
pub(super) struct Prices {
    /// In the order of [`Inputs::priced`].
    known: Vec<Option<Estimate>>,
    /// Models whose answer is still to come.
    left: usize,
    /// An answer could not be had again: whose price a recorded one is can no longer be told.
    lost: bool,
}

impl Prices {
    pub(super) fn new(inputs: &Inputs<'_>) -> Self {
        let calls = &inputs.trace.decision.calls;
        let answered =
            |call: &&PluginCall| call.role == domain::plugin::Role::CostModel && call.ended == CallEnd::Answered;
        Self { known: vec![None; inputs.priced.len()], left: calls.iter().filter(answered).count(), lost: false }
    }

    pub(super) fn lose(&mut self) {
        self.lost = true;
    }

    fn add(&mut self, inputs: &Inputs<'_>, answer: &[Option<Estimate>], differences: &mut Vec<String>) {
        self.left = self.left.saturating_sub(1);
        let decision = &inputs.trace.decision;
        for ((index, known), now) in inputs.priced.iter().zip(&mut self.known).zip(answer) {
            let recorded = decision.considered[*index as usize].cost;
            if known.is_some() || self.lost {
                continue;
            }
            *known = *now;
            let tariff = decision.considered[*index as usize].tariff.unwrap_or_default();
            // What no model knew, the host may have priced by the list, when it had the prompt.
            let by_the_list = || !inputs.prompt_kept() || recorded == list_price(&tariff, &decision.request);
            let settled = match now {
                Some(_) => recorded == *now,
                None => self.left > 0 || recorded.is_none() || by_the_list(),
            };
            if !settled {
                note(differences, &format!("price of {}", inputs.shown(*index)), &recorded, now);
            }
        }
    }
}

pub(super) fn cost_model(
    inputs: &Inputs<'_>,
    recorded: &PluginCall,
    plugin: &Plugin,
    prices: &mut Prices,
) -> Differences {
    let subject = inputs.subject().map_err(not)?;
    let offers = inputs.offers().map_err(not)?;
    let now = again(|| plugin.price(subject, &offers))?;
    let mut differences = of_calls(recorded, &now.call);
    match answered(recorded, &now) {
        Some(answer) => prices.add(inputs, answer, &mut differences),
        None if recorded.ended == CallEnd::Answered => prices.lose(),
        None => {}
    }
    Ok(differences)
}

pub(super) fn strategy(inputs: &Inputs<'_>, recorded: &PluginCall, plugin: &Plugin, memory: &[u8]) -> Differences {
    let now = rank(inputs, plugin, memory)?;
    let mut differences = of_calls(recorded, &now.call);
    let decision = &inputs.trace.decision;
    if let Some(ranking) = answered(recorded, &now).filter(|_| decision.strategy == recorded.plugin) {
        of_reasons(&mut differences, (&decision.reason, decision.propensity), ranking);
        note(&mut differences, "parts", &decision.parts, &ranking.parts);
        // On a route that refuses when a plugin fails, a ranking is recorded but not followed.
        if !decision.order.is_empty() {
            of_order(inputs, ranking, &mut differences);
        }
    }
    Ok(differences)
}

/// Follows the ranking once more, from where the recorded one was followed.
fn of_order(inputs: &Inputs<'_>, ranking: &Ranking, differences: &mut Vec<String>) {
    let decision = &inputs.trace.decision;
    let mut considered = decision.considered.clone();
    for row in &mut considered {
        row.score = None;
        row.veto = row.veto.filter(|veto| *veto != Veto::LeftOut);
    }
    let probe = decision.order.first().copied().filter(|_| decision.probe);
    let followed = follow(ranking, &inputs.offered, &mut considered, probe);
    let names = |order: &[u32]| order.iter().map(|index| inputs.shown(*index)).collect::<Vec<String>>();
    if followed.order != decision.order {
        note(differences, "order", &names(&decision.order), &names(&followed.order));
    }
    for ((index, then), now) in (0..).zip(&decision.considered).zip(&considered) {
        note(differences, &format!("score of {}", inputs.shown(index)), &then.score, &now.score);
    }
}

pub(super) fn shadow(inputs: &Inputs<'_>, recorded: &Shadow, plugin: &Plugin, memory: &[u8]) -> Differences {
    let now = rank(inputs, plugin, memory)?;
    let mut differences = of_calls(&recorded.call, &now.call);
    if let Some(ranking) = answered(&recorded.call, &now) {
        of_reasons(&mut differences, (&recorded.reason, recorded.propensity), ranking);
        let place = |place: &Ranked| Ranked { candidate: inputs.offered[place.candidate as usize], ..*place };
        let order: Vec<Ranked> = ranking.order.iter().map(place).collect();
        note(&mut differences, "order", &recorded.order, &order);
    }
    Ok(differences)
}

fn rank(inputs: &Inputs<'_>, plugin: &Plugin, memory: &[u8]) -> Result<Called<Ranking>, Comparison> {
    let subject = inputs.subject().map_err(not)?;
    let (contenders, tags) = (inputs.contenders().map_err(not)?, inputs.tags().map_err(not)?);
    let classification = &inputs.trace.decision.classification;
    again(|| plugin.rank(subject, &plugin.settings(), memory, classification, &contenders, &tags))
}

/// Makes a call, more than once when this machine ends it.
fn again<T>(mut call: impl FnMut() -> Option<Called<T>>) -> Result<Called<T>, Comparison> {
    let mut ended = String::new();
    for _ in 0..TRIES {
        let called = call().ok_or_else(|| not("its component does not answer this question"))?;
        match &called.call.ended {
            CallEnd::Faulted { replayable: false, code, .. } => ended = code.to_string(),
            _ => return Ok(called),
        }
    }
    Err(not(format!("this machine ended it {TRIES} times: {ended}")))
}

/// The answer of now, when there was one then too.
fn answered<'a, T>(recorded: &PluginCall, now: &'a Called<T>) -> Option<&'a T> {
    now.answer.as_ref().filter(|_| recorded.ended == CallEnd::Answered)
}

fn of_calls(recorded: &PluginCall, now: &PluginCall) -> Vec<String> {
    let mut differences = Vec::new();
    note(&mut differences, "fuel", &recorded.fuel, &now.fuel);
    note(&mut differences, "end", &ending(&recorded.ended), &ending(&now.ended));
    differences
}

/// A fault's detail is worded by the host, in words that may change; its code may not.
fn ending(ended: &CallEnd) -> String {
    match ended {
        CallEnd::Answered => "answered".to_owned(),
        CallEnd::Abstained { reason } => format!("abstained: {reason}"),
        CallEnd::Denied { reason } => format!("denied: {reason}"),
        CallEnd::Faulted { code, .. } => format!("faulted: {code}"),
        CallEnd::Skipped { reason } => format!("skipped: {reason}"),
    }
}

fn of_reasons(differences: &mut Vec<String>, (reason, propensity): (&String, f32), ranking: &Ranking) {
    note(differences, "reason", reason, &ranking.reason);
    note(differences, "propensity", &propensity, &ranking.propensity);
}

fn note<T: PartialEq + Debug>(differences: &mut Vec<String>, what: &str, recorded: &T, now: &T) {
    if recorded != now {
        differences.push(format!("{what}: {recorded:?} was recorded, {now:?} came now"));
    }
}
