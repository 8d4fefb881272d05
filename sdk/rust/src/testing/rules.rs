// Copied from `host/sandbox/src/validate.rs` by `generate/tests/bindings.rs`. DO NOT EDIT!
//! What an answer must be before anyone relies on it. An answer that breaks one rule is rejected whole.

use crate::bindings::muxel::plugin::types::{Classification, Estimate, Ranking};

const LABEL: usize = 64;
const TRAITS: usize = 32;
const FEATURES: usize = 64;
const PARTS: usize = 8;
const PART_NAME: usize = 32;
const REASON: usize = 256;

pub(crate) fn classification(answer: &Classification) -> Result<(), String> {
    word("label", &answer.label, LABEL)?;
    share("confidence", answer.confidence)?;
    share("complexity", answer.complexity)?;
    at_most("traits", answer.traits.len(), TRAITS)?;
    for seen in &answer.traits {
        word("trait", &seen.name, LABEL)?;
        share("a trait's confidence", seen.confidence)?;
    }
    at_most("features", answer.features.len(), FEATURES)?;
    finite("a feature", &answer.features)
}

pub(crate) fn estimates(answers: &[Option<Estimate>], offers: usize) -> Result<(), String> {
    if answers.len() != offers {
        return Err(format!("{} estimates for {offers} offers", answers.len()));
    }
    match answers.iter().flatten().find(|estimate| estimate.upper < estimate.expected) {
        Some(estimate) => Err(format!("an upper price of {} under the expected {}", estimate.upper, estimate.expected)),
        None => Ok(()),
    }
}

pub(crate) fn ranking(answer: &Ranking, candidates: usize) -> Result<(), String> {
    if answer.order.is_empty() {
        return Err("an empty ranking; `abstain` is the word for no opinion".to_owned());
    }
    let mut seen = vec![false; candidates];
    let mut last = f32::INFINITY;
    for place in &answer.order {
        let index = place.candidate;
        match seen.get_mut(index as usize) {
            None => return Err(format!("candidate {index} of {candidates}")),
            Some(true) => return Err(format!("candidate {index} twice")),
            Some(first) => *first = true,
        }
        if !place.score.is_finite() {
            return Err(format!("a score of {}", place.score));
        }
        if place.score > last {
            return Err(format!("a score that rises from {last} to {}", place.score));
        }
        last = place.score;
    }
    at_most("parts", answer.parts.len(), PARTS)?;
    for part in &answer.parts {
        word("part", &part.name, PART_NAME)?;
        if part.values.len() != answer.order.len() {
            return Err(format!(
                "part `{}` with {} values for {} places",
                part.name,
                part.values.len(),
                answer.order.len()
            ));
        }
        finite("a part's value", &part.values)?;
    }
    at_most("bytes of reason", answer.reason.len(), REASON)?;
    share("propensity", answer.propensity)
}

/// Names end up in headers, metrics and terminals: visible ASCII only.
fn word(what: &str, text: &str, most: usize) -> Result<(), String> {
    let plain = !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic());
    if plain { Ok(()) } else { Err(format!("a {what} that is not 1 to {most} visible ASCII characters")) }
}

fn share(what: &str, value: f32) -> Result<(), String> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(format!("{what} of {value}, not 0 to 1")) }
}

fn finite(what: &str, values: &[f32]) -> Result<(), String> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(format!("{what} of {value}")),
        None => Ok(()),
    }
}

fn at_most(what: &str, count: usize, most: usize) -> Result<(), String> {
    if count <= most { Ok(()) } else { Err(format!("{count} {what}, at most {most} are allowed")) }
}
