//! Says what kind of picture a prompt asks for, from the words it uses.
//!
//! No model: a table of cues (`cues`), one pass over the prompt (`scan`), a softmax (`labels`). It understands
//! English; of a prompt in another language it says `general`, as sure as the prompt's length makes it. On 1,046 public
//! prompts 0.86 are right, macro-F1 0.83; the words were chosen in sight of those prompts, so expect less of others.

mod cues;
mod labels;
mod scan;

use muxel_sdk::{Classification, Classifier, Describe, Manifest, Refusal, Request, Trait, Value, export};

use crate::{
    cues::{TRAITS, TRANSPARENCY},
    scan::Seen,
};

/// As many things and relations as make a prompt wholly complex.
const PROPOSITIONS_OF_COMPLEX: f32 = 8.0;

/// The plugin.
pub struct ContextClassifier;

impl Describe for ContextClassifier {
    fn describe() -> Manifest {
        Manifest::new("context-classifier", env!("CARGO_PKG_VERSION"), "label, complexity and traits from the prompt")
            .reads("prompt")
    }
}

impl Classifier for ContextClassifier {
    fn classify(request: Request, _: Vec<Value>) -> Result<Classification, Refusal> {
        if request.prompt.is_empty() {
            return Err(Refusal::Abstain("there is no prompt to read".to_owned()));
        }
        let seen = scan::scan(&request.prompt);
        let mut scores = labels::scores_for_length(seen.words);
        for (score, cues) in scores.iter_mut().zip(seen.cue_scores) {
            *score += cues;
        }
        let probabilities = labels::probabilities(scores);
        let label = labels::likeliest(probabilities);
        let confidences = trait_confidences(&seen, &request);
        let complexity = complexity(&seen);

        let mut features = Vec::with_capacity(14);
        features.extend(probabilities);
        features.push(complexity);
        features.push((seen.words as f32 / 100.0).min(1.0));
        features.extend(confidences);

        let present = confidences.iter().filter(|confidence| **confidence > 0.0).count();
        let mut traits = Vec::with_capacity(present);
        for (name, confidence) in TRAITS.iter().zip(confidences) {
            if confidence > 0.0 {
                traits.push(Trait { name: (*name).to_owned(), confidence });
            }
        }
        Ok(Classification {
            label: labels::LABELS[label].to_owned(),
            confidence: probabilities[label],
            complexity,
            traits,
            features,
        })
    }
}

/// One thing is 0, eight things and relations are 1.
fn complexity(seen: &Seen) -> f32 {
    (seen.propositions.saturating_sub(1) as f32 / (PROPOSITIONS_OF_COMPLEX - 1.0)).min(1.0)
}

/// In the order of [`TRAITS`]; 0 where nothing speaks for it.
fn trait_confidences(seen: &Seen, request: &Request) -> [f32; 8] {
    let mut confidences = seen.trait_cues.map(|cues| match cues {
        0 => 0.0,
        1 => 0.7,
        2 => 0.85,
        _ => 0.95,
    });
    if seen.quoted {
        confidences[0] = 0.95;
    }
    if request.transparent {
        confidences[TRANSPARENCY.trailing_zeros() as usize] = 1.0;
    }
    confidences
}

export!(ContextClassifier: classifier);

#[cfg(test)]
mod tests;
