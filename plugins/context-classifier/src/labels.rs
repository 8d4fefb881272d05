//! The four labels and how their scores become probabilities.

pub(crate) const LABELS: [&str; 4] = ["artistic", "realistic", "technical", "general"];
pub(crate) const ARTISTIC: usize = 0;
pub(crate) const REALISTIC: usize = 1;
pub(crate) const TECHNICAL: usize = 2;
pub(crate) const GENERAL: usize = 3;

/// What a label scores before any word is read, for a prompt of sixteen words.
const BASE: [f32; 4] = [0.6, -1.0, -0.8, 0.7];
/// What it gains with each doubling of the words: a long prompt is hardly ever a plain subject.
const BY_LENGTH: [f32; 4] = [0.5, 0.9, -0.15, -1.2];

const SUREST: f32 = 0.98;

/// Scores of a prompt of this many words, before its words are looked at.
pub(crate) fn scores_for_length(words: u32) -> [f32; 4] {
    let doublings = ((words + 1) as f32).log2() - 4.0;
    [0, 1, 2, 3].map(|label| BASE[label] + BY_LENGTH[label] * doublings)
}

/// Softmax, never surer than [`SUREST`]: many cues for one label are not independent of each other.
pub(crate) fn probabilities(scores: [f32; 4]) -> [f32; 4] {
    let top = scores.into_iter().fold(f32::MIN, f32::max);
    let powers = scores.map(|score| (score - top).exp());
    let sum: f32 = powers.iter().sum();
    powers.map(|power| (power / sum).min(SUREST))
}

/// The likeliest label; the first of equals.
pub(crate) fn likeliest(probabilities: [f32; 4]) -> usize {
    (1..4).fold(0, |best, label| if probabilities[label] > probabilities[best] { label } else { best })
}
