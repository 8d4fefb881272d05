//! Says what kind of picture a prompt asks for, from its words.
//!
//! One pass (`scan`) folds letters of any case or disguise (`fold`), looks words, pairs of words and cues of scripts
//! without spaces up in a table (`model`), and measures lengths, quotations and counts. A linear model, trained offline on
//! public prompts (`train/`), turns that into the probabilities of four labels and of three traits. Cues in other
//! languages have the weight of what they mean; nothing was trained in them.

mod capitals;
mod fold;
mod hash;
mod model;
mod scan;
mod seen;

use muxel_sdk::{Classification, Classifier, Describe, Manifest, Refusal, Request, Trait, Value, export};

use crate::{model::Model, seen::Seen};

/// As many things and relations as make a prompt wholly complex.
const PROPOSITIONS_OF_COMPLEX: f32 = 8.0;

const LABELS: [&str; 4] = ["artistic", "realistic", "technical", "general"];
const TRAITS: [&str; 8] = ["text", "negation", "quantity", "people", "transparency", "photo", "style", "layout"];
/// The index of `transparency`, which a request can ask for itself.
const TRANSPARENCY: usize = 4;
/// A trait less likely than this is not named.
const LIKELY: f32 = 0.5;

/// How sure a trait is at least whose word stands in the prompt. The collections call few of those prompts negations or
/// quantities; what they cost in quality, the ratings show, begins with the word.
const NAMED: f32 = 0.7;

static WEIGHTS: &[u8] = include_bytes!("model.bin");

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
        let model =
            Model::read(WEIGHTS).ok_or_else(|| Refusal::Fault("the weights are of another version".to_owned()))?;
        let seen = scan::scan(&request.prompt, &model, None);
        let probable = Probable::of(&seen, &model);
        let mut traits = probable.traits;
        if request.transparent {
            traits[TRANSPARENCY] = 1.0;
        }
        let label =
            (1..4).fold(0, |best, label| if probable.labels[label] > probable.labels[best] { label } else { best });
        let complexity = complexity(&seen);

        let mut features = Vec::with_capacity(14);
        features.extend(probable.labels);
        features.push(complexity);
        features.push((seen.words() / 100.0).min(1.0));
        features.extend(traits);
        let named = TRAITS.iter().zip(traits).filter(|(_, confidence)| *confidence >= LIKELY);
        Ok(Classification {
            label: LABELS[label].to_owned(),
            confidence: probable.labels[label],
            complexity,
            traits: named.map(|(name, confidence)| Trait { name: (*name).to_owned(), confidence }).collect(),
            features,
        })
    }
}

/// How likely each label and each trait is.
struct Probable {
    labels: [f32; 4],
    traits: [f32; 8],
}

impl Probable {
    fn of(seen: &Seen, model: &Model<'_>) -> Self {
        let measures = seen.measures();
        let output = |index: usize| model.output(index, seen.sums[index], &measures);
        let scores = [0, 1, 2, 3].map(output);
        let top = scores.into_iter().fold(f32::MIN, f32::max);
        let powers = scores.map(|score| (score - top).exp());
        let sum: f32 = powers.iter().sum();
        let likely = |output: f32| 1.0 / (1.0 + (-output).exp());
        let [people, transparency, photo, style, layout] = seen.trait_cues.map(confidence);
        Self {
            labels: powers.map(|power| power / sum),
            traits: [
                likely(output(4)),
                likely(output(5)).max(if seen.has_negations() { NAMED } else { 0.0 }),
                likely(output(6)).max(if seen.has_counts() { NAMED } else { 0.0 }),
                people,
                transparency,
                photo,
                style,
                layout,
            ],
        }
    }
}

/// Of a trait for which this many different cues speak. No prompts tell how often that is right.
fn confidence(cues: u8) -> f32 {
    match cues {
        0 => 0.0,
        1 => 0.7,
        2 => 0.85,
        _ => 0.95,
    }
}

/// One thing is 0, eight things and relations are 1.
fn complexity(seen: &Seen) -> f32 {
    (seen.propositions.saturating_sub(1) as f32 / (PROPOSITIONS_OF_COMPLEX - 1.0)).min(1.0)
}

/// What the trainer reads of a prompt.
#[doc(hidden)]
pub struct Study {
    /// Rows of cues that were met.
    pub rows: [u64; 1],
    /// Hashes of words and of pairs of words.
    pub words: Vec<u32>,
    pub english: bool,
    pub measures: Vec<f32>,
    /// Of the seven outputs.
    pub probabilities: Vec<f32>,
}

/// Reads a prompt with other weights than the plugin's own; nothing when they are none.
#[doc(hidden)]
#[must_use]
pub fn study(prompt: &str, weights: &[u8]) -> Option<Study> {
    let model = Model::read(weights)?;
    let mut words = Vec::new();
    let seen = scan::scan(prompt, &model, Some(&mut words));
    let probable = Probable::of(&seen, &model);
    let probabilities = [&probable.labels[..], &probable.traits[..3]].concat();
    Some(Study {
        rows: seen.rows,
        words,
        english: seen.is_english(),
        measures: seen.measures().to_vec(),
        probabilities,
    })
}

/// The hash of a cue as it stands in the table, and how many words it is.
#[doc(hidden)]
#[must_use]
pub fn cue(text: &str) -> (u32, usize) {
    hash::cue(text)
}

export!(ContextClassifier: classifier);

#[cfg(test)]
mod tests;
