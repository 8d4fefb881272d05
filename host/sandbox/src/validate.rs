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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::muxel::plugin::types::{Part, Ranked};

    fn ranked(places: &[(u32, f32)]) -> Ranking {
        let order = places.iter().map(|(candidate, score)| Ranked { candidate: *candidate, score: *score }).collect();
        Ranking { order, parts: vec![], reason: String::new(), propensity: 1.0 }
    }

    #[test]
    fn a_ranking_names_offered_candidates_once_with_falling_finite_scores() {
        assert_eq!(ranking(&ranked(&[(1, 0.5), (0, 0.5)]), 2), Ok(()));
        for broken in [
            ranked(&[]),
            ranked(&[(2, 0.0)]),
            ranked(&[(0, 0.0), (0, 0.0)]),
            ranked(&[(0, f32::NAN)]),
            ranked(&[(0, f32::INFINITY)]),
            ranked(&[(0, 0.1), (1, 0.2)]),
            Ranking { reason: "x".repeat(257), ..ranked(&[(0, 0.0)]) },
            Ranking { propensity: 1.5, ..ranked(&[(0, 0.0)]) },
            Ranking { parts: vec![Part { name: "cost".into(), values: vec![] }], ..ranked(&[(0, 0.0)]) },
            Ranking { parts: vec![Part { name: "a\nb".into(), values: vec![0.0] }], ..ranked(&[(0, 0.0)]) },
        ] {
            assert!(ranking(&broken, 2).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn estimates_answer_every_offer_and_never_fall_under_the_mean() {
        let estimate = |expected, upper| Some(Estimate { expected, upper });
        assert_eq!(estimates(&[estimate(1, 1), None], 2), Ok(()));
        assert!(estimates(&[None], 2).is_err());
        assert!(estimates(&[estimate(2, 1)], 1).is_err());
    }

    #[test]
    fn a_label_is_a_plain_word() {
        let classified = |label: &str, confidence| Classification {
            label: label.to_owned(),
            confidence,
            complexity: 0.5,
            traits: vec![],
            features: vec![],
        };
        assert_eq!(classification(&classified("artistic", 0.9)), Ok(()));
        for (label, confidence) in [("", 0.9), ("a\u{1b}[31m", 0.9), ("artistic", 1.1), ("artistic", f32::NAN)] {
            assert!(classification(&classified(label, confidence)).is_err(), "{label} {confidence}");
        }
        assert!(classification(&classified(&"x".repeat(65), 0.5)).is_err());
    }
}
