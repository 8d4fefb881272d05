//! Models that are good at this kind of picture first.
//!
//! 1. The host has taken out what the caps forbid before this is asked.
//! 2. The request's label (`artistic`, `realistic`, `technical`, `general`; another one counts as `general`) names a list of
//!    preferred models, a text setting of that name: patterns separated by commas (`pattern.rs`).
//! 3. Preferred candidates come first, the others behind them to fall over to; both in the order of the same balanced score
//!    as `hybrid` (the crate `balance`), which follows the priority and the weights.
//! 4. Where the classifier is less sure than `min-confidence`, the list is empty or none of its models is available, nobody
//!    is preferred: the balance alone decides, and the reason says so. It never abstains: who asks for this strategy wants
//!    an order, and the balance is a better one than the host's last resort.
//! 5. Half-open candidates come last, preferred or not: the host sends them their probe.

mod pattern;

use balance::{Balance, column};
use muxel_sdk::{
    Candidate, Classification, Column, Describe, Manifest, Ranked, Ranking, Reason, Refusal, Request, Strategy, Value,
    export,
};

use crate::pattern::Patterns;

/// Added to the preferred: more than any score, so that they come first, and less than being half open takes off.
const PREFERRED: f32 = 20.0;
const MIN_CONFIDENCE: f64 = 0.5;

/// Each label with the models that are preferred for it when the operator names none. The catalogue has one quality for
/// each model and none for each kind of picture, so these lists carry what is known of kinds.
///
/// - artistic: GPT Image (its painterly style and fidelity to long scenes were preferred in oil-painting trials of 2026),
///   Gemini's image models alias Nano Banana (close to it at a quarter of the price) and Recraft (made for illustration;
///   keeps a flat style flat).
/// - realistic: FLUX.2 (best at people in imagebench.ai's comparison of 2026) and Nano Banana (best there at studio
///   photographs).
/// - technical: GPT Image (best there at text, spatial relations and graphic design), Ideogram (typography) and Recraft
///   (icons, logos).
/// - general: nobody. A plain subject is in every model's reach, so quality, price and speed decide.
const LABELS: [(&str, &str, &str); 4] = [
    (
        "artistic",
        "models preferred for pictures whose style or imagination matters most",
        "gpt-image-*, gemini-*, nano-banana*, recraft*",
    ),
    ("realistic", "models preferred for what is to pass as a photograph", "flux-2-*, flux.2-*, gemini-*, nano-banana*"),
    ("technical", "models preferred where text, layout or counts must be exact", "gpt-image-*, ideogram-*, recraft*"),
    ("general", "models preferred for everything else", ""),
];

/// The plugin.
pub struct ContextAware;

impl Describe for ContextAware {
    fn describe() -> Manifest {
        let summary = "models that are good at this kind of picture first";
        let manifest = Manifest::new("context-aware", env!("CARGO_PKG_VERSION"), summary);
        let sure = "how sure the classifier must be for its label to count";
        let mut manifest =
            balance::with_weights(manifest).number("min-confidence", sure, "share", MIN_CONFIDENCE, 0.0, 1.0);
        for (label, summary, models) in LABELS {
            manifest = manifest.text(label, summary, models);
        }
        manifest
    }
}

impl Strategy for ContextAware {
    fn rank(
        request: Request,
        settings: Vec<Value>,
        _: Vec<u8>,
        classification: Classification,
        candidates: Vec<Candidate>,
        _: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        if candidates.is_empty() {
            return Err(Refusal::Abstain("there is no candidate".to_owned()));
        }
        let balance = Balance::of(&candidates, &settings, &request, &classification);
        let own = &settings[balance::SETTINGS.len().min(settings.len())..];
        let label = label(&classification);
        let sure = own.first().map_or(MIN_CONFIDENCE, |value| value.number_or(MIN_CONFIDENCE));
        let listed = match own.get(1 + label) {
            Some(models) => models.as_text(),
            None => LABELS[label].2,
        };
        let patterns = Patterns::parse(listed);
        let believed = f64::from(classification.confidence) >= sure;
        let mut preferred = vec![false; candidates.len()];
        if believed && !patterns.is_empty() {
            for (preferred, candidate) in preferred.iter_mut().zip(&candidates) {
                *preferred = !candidate.half_open && patterns.name(candidate);
            }
        }
        let lift = |index: usize| if preferred[index] { PREFERRED } else { 0.0 };
        let scores: Vec<f32> = (0..candidates.len()).map(|index| balance.score(index) + lift(index)).collect();
        let compare = |a: usize, b: usize| scores[b].total_cmp(&scores[a]).then_with(|| balance.compare(a, b));
        let mut ranking = Ranking::sorted(candidates.len(), compare, |index| scores[index], |_| String::new());

        let why = match LABELS[label].0 {
            _ if !believed => Reason::new("the classifier is not sure of its label, so nobody is preferred; "),
            label if patterns.is_empty() => Reason::new("nobody is preferred for ").text(label).text(" pictures; "),
            label if preferred.contains(&true) => Reason::new("preferred for ").text(label).text(" pictures; "),
            label => Reason::new("no model preferred for ").text(label).text(" pictures is available; "),
        };
        ranking.reason = reason(why, &ranking, &candidates, &balance);
        ranking.parts = balance.columns(&ranking);
        if preferred.contains(&true) {
            ranking.parts.push(column(&ranking, "preferred", lift));
        }
        Ok(ranking)
    }
}

/// The place of the request's label in [`LABELS`].
fn label(classification: &Classification) -> usize {
    let known = LABELS.iter().position(|(label, _, _)| *label == classification.label);
    known.unwrap_or(LABELS.len() - 1)
}

fn reason(why: Reason, ranking: &Ranking, candidates: &[Candidate], balance: &Balance<'_>) -> String {
    let at = |ranked: &Ranked| (&candidates[ranked.candidate as usize], balance.parts(ranked.candidate as usize));
    let first = at(&ranking.order[0]);
    let reason = balance::facts(why, first.0);
    match ranking.order.get(1) {
        Some(second) => balance::next(reason, first, at(second)).into(),
        None => reason.into(),
    }
}

export!(ContextAware: strategy);

#[cfg(test)]
mod tests;
