//! Can this candidate draw what was asked?

use crate::{
    candidate::Candidate, catalogue::Date, decision::Veto, quality::AskedQuality, request::Request, size::SizeFit,
};

/// The first reason why `candidate` cannot draw `request`, if there is one. `prompt_chars` is the prompt's length,
/// counted once for all candidates.
#[must_use]
pub fn veto(candidate: &Candidate, request: &Request, prompt_chars: usize, today: Date) -> Option<Veto> {
    let model = &candidate.model;
    if let Some(last) = model.retires.filter(|last| today > *last) {
        return Some(Veto::Retired { last });
    }
    if !model.operations.contains(&request.operation) {
        return Some(Veto::Operation { asked: request.operation });
    }
    if model.has_tiers() && !request.quality.admits(candidate.tier().rung) {
        return Some(Veto::Quality { asked: request.quality });
    }
    if let Some(asked) = request.size
        && model.sizes.fit(asked) == SizeFit::No
    {
        return Some(Veto::Size { asked });
    }
    if request.count > model.max_count {
        return Some(Veto::Count { asked: request.count, max: model.max_count });
    }
    if prompt_chars > model.max_prompt_chars as usize {
        return Some(Veto::PromptLength { max: model.max_prompt_chars });
    }
    if request.transparent && !model.transparent {
        return Some(Veto::Transparent);
    }
    None
}

/// What `candidate` will not honour to the letter: for the answer's warnings.
#[must_use]
pub fn warnings(candidate: &Candidate, request: &Request) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(size) = request.size
        && candidate.model.sizes.fit(size) == SizeFit::Near
    {
        warnings.push(format!("{} draws the shape of {size}; its exact size may differ", candidate.id));
    }
    if request.quality != AskedQuality::Any && !candidate.model.has_tiers() {
        warnings.push(format!("{} has one quality only; `{}` changes nothing", candidate.id, request.quality));
    }
    warnings
}
