//! Hindsight: what would have been chosen in the place of a model that somebody asked for, and what that saves.
//!
//! A saving is only claimed where both sides are known. What was paid is what the caller says, or else the catalogue's
//! price of what was asked for, and then the least that it may have cost: the cheapest of the providers that sell it.
//! Where it is not known which tier was paid for, there is no price and no quality to compare with: tiers differ too much.
//! Where the very model that was asked for would have been chosen, nothing is saved, whatever the prices say: an
//! estimate that was off, or a rebate that nobody told, is no saving.

use std::sync::Arc;

use crate::{
    candidate::{Candidate, CandidateId},
    expectation::own_name,
    money::MicroUsd,
    quality::AskedQuality,
};

/// One request looked back at.
#[derive(Clone, Debug, PartialEq)]
pub struct Hindsight {
    /// What the classifier calls it.
    pub label: String,
    pub asked: Asked,
    pub chosen: Result<Chosen, Nobody>,
}

/// What would have been chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    pub candidate: CandidateId,
    /// What it is expected to cost; `None` when nobody knows its price.
    pub cost: Option<MicroUsd>,
    /// 0 to 1.
    pub quality: Option<f32>,
}

/// Why nobody would have been chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nobody {
    pub why: String,
    pub hint: Option<String>,
}

/// What is known of the model that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Nobody here knows a model of this name.
    Unknown,
    /// The model is known, but not which of its tiers drew the picture.
    Unclear,
    Known {
        /// With a provider that may have been another one, unless the caller named it.
        candidate: CandidateId,
        names_provider: bool,
        /// By the catalogue; `None` when it has no price, or says that the model cannot do this.
        cost: Option<MicroUsd>,
        /// 0 to 1.
        quality: Option<f32>,
    },
}

/// Whom the name of a model stands for.
#[derive(Clone, Debug)]
pub enum Meant<'a> {
    Nobody,
    /// More than one tier.
    Several,
    One {
        /// At every provider that carries it.
        candidates: Vec<&'a Arc<Candidate>>,
        names_provider: bool,
    },
}

/// Whom `name` stands for among `candidates`: `provider/model@tier`, `provider/model`, or the same without the provider.
/// Of a model with tiers only those count that `quality` allows.
#[must_use]
pub fn meant<'a>(name: &str, quality: AskedQuality, candidates: &'a [Arc<Candidate>]) -> Meant<'a> {
    let pinned = |candidate: &&Arc<Candidate>| candidate.id.as_str() == name || candidate.id.untiered() == name;
    let bare = |candidate: &&Arc<Candidate>| {
        own_name(candidate.id.as_str()) == name || own_name(candidate.id.untiered()) == name
    };
    let mut found: Vec<&Arc<Candidate>> = candidates.iter().filter(pinned).collect();
    let names_provider = !found.is_empty();
    if !names_provider {
        found = candidates.iter().filter(bare).collect();
    }
    if found.is_empty() {
        return Meant::Nobody;
    }
    found.retain(|candidate| !candidate.model.has_tiers() || quality.admits(candidate.tier().rung));
    let mut tiers: Vec<&str> = found.iter().map(|candidate| own_name(candidate.id.as_str())).collect();
    tiers.sort_unstable();
    tiers.dedup();
    match tiers.len() {
        1 => Meant::One { candidates: found, names_provider },
        // Also when a quality was asked for that the model does not have: which one it fell back to is not known.
        _ => Meant::Several,
    }
}

/// Both sides of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    pub asked: MicroUsd,
    pub chosen: MicroUsd,
    /// Whether what was asked for would have been chosen.
    pub is_same: bool,
    /// Whether `asked` is the catalogue's price, because nobody said what was paid.
    pub by_the_list: bool,
}

/// Why one request says nothing about savings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Incomparable {
    /// Nobody would have been chosen.
    Unserved,
    /// No cost was given, and the catalogue does not know the model.
    UnknownModel,
    /// No cost was given, and it is not known which tier was paid for.
    UnclearTier,
    /// No cost was given, and the catalogue has no price of the model for this request.
    Unpriced,
    /// Nobody knows the price of what would have been chosen.
    ChosenUnpriced,
}

impl Hindsight {
    /// What was paid beside what would have been. `paid` is what the caller says, if anything.
    ///
    /// # Errors
    ///
    /// What is not known of either side.
    pub fn compared(&self, paid: Option<MicroUsd>) -> Result<Compared, Incomparable> {
        let chosen = self.chosen.as_ref().map_err(|_| Incomparable::Unserved)?;
        let listed = || match &self.asked {
            Asked::Unknown => Err(Incomparable::UnknownModel),
            Asked::Unclear => Err(Incomparable::UnclearTier),
            Asked::Known { cost, .. } => cost.ok_or(Incomparable::Unpriced),
        };
        let asked = paid.map_or_else(listed, Ok)?;
        let is_same = self.is_same(chosen);
        let chosen = if is_same { asked } else { chosen.cost.ok_or(Incomparable::ChosenUnpriced)? };
        Ok(Compared { asked, chosen, is_same, by_the_list: paid.is_none() })
    }

    fn is_same(&self, chosen: &Chosen) -> bool {
        match &self.asked {
            Asked::Known { candidate, names_provider: true, .. } => *candidate == chosen.candidate,
            // Whoever sold it, it is the same model at the same tier.
            Asked::Known { candidate, .. } => own_name(candidate.as_str()) == own_name(chosen.candidate.as_str()),
            Asked::Unknown | Asked::Unclear => false,
        }
    }

    /// The quality expected of what was asked for, and of what would have been chosen, where both are known.
    #[must_use]
    pub fn qualities(&self) -> Option<(f32, f32)> {
        let Asked::Known { quality: Some(asked), .. } = self.asked else { return None };
        Some((asked, self.chosen.as_ref().ok()?.quality?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    fn told(name: &str, quality: &str) -> String {
        let candidates = Candidate::listed(&Catalogue::embedded());
        match meant(name, quality.parse().expect("a quality"), &candidates) {
            Meant::Nobody => "nobody".to_owned(),
            Meant::Several => "several".to_owned(),
            Meant::One { candidates, .. } => {
                candidates.iter().map(|candidate| candidate.id.as_str()).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn a_name_means_one_tier_or_it_is_not_known_which() {
        assert_eq!(told("openai/gpt-image-2", "medium"), "openai/gpt-image-2@medium");
        assert_eq!(told("gpt-image-2@low", ""), "microsoft/gpt-image-2@low openai/gpt-image-2@low");
        assert_eq!(told("gpt-image-2", ""), "several");
        assert_eq!(told("openai/gpt-image-2@low", "high"), "several");
        assert_eq!(told("flux-2-pro", "high"), "bfl/flux-2-pro");
        assert_eq!(told("dall-e-9", ""), "nobody");
    }

    fn looked_back(asked: Asked, chosen: &str, cost: Option<u64>) -> Hindsight {
        let (provider, model) = chosen.split_once('/').expect("a candidate");
        let candidate = CandidateId::new(provider, model, None);
        let chosen = Chosen { candidate, cost: cost.map(MicroUsd), quality: Some(0.5) };
        Hindsight { label: "general".to_owned(), asked, chosen: Ok(chosen) }
    }

    fn known(names_provider: bool, cost: Option<u64>) -> Asked {
        let candidate = CandidateId::new("a", "m", None);
        Asked::Known { candidate, names_provider, cost: cost.map(MicroUsd), quality: Some(0.75) }
    }

    #[test]
    fn what_was_paid_counts_before_the_list_and_nothing_is_guessed() {
        let other = |asked, paid: Option<u64>| looked_back(asked, "b/n", Some(30)).compared(paid.map(MicroUsd));
        let sides = |asked, by_the_list| {
            Ok(Compared { asked: MicroUsd(asked), chosen: MicroUsd(30), is_same: false, by_the_list })
        };
        assert_eq!(other(known(false, Some(40)), Some(50)), sides(50, false));
        assert_eq!(other(known(false, Some(40)), None), sides(40, true));
        assert_eq!(other(Asked::Unknown, Some(50)), sides(50, false));
        assert_eq!(other(Asked::Unknown, None), Err(Incomparable::UnknownModel));
        assert_eq!(other(Asked::Unclear, None), Err(Incomparable::UnclearTier));
        assert_eq!(other(known(false, None), None), Err(Incomparable::Unpriced));
        let unpriced = looked_back(Asked::Unknown, "b/n", None).compared(Some(MicroUsd(50)));
        assert_eq!(unpriced, Err(Incomparable::ChosenUnpriced));
        assert_eq!(looked_back(known(true, None), "b/n", None).qualities(), Some((0.75, 0.5)));
        assert_eq!(looked_back(Asked::Unclear, "b/n", None).qualities(), None);
    }

    #[test]
    fn nothing_is_saved_by_the_model_that_was_asked_for() {
        let paid = |names_provider, chosen| {
            let compared = looked_back(known(names_provider, Some(40)), chosen, Some(30)).compared(Some(MicroUsd(50)));
            compared.map(|compared| (compared.chosen.0, compared.is_same))
        };
        assert_eq!(paid(true, "a/m"), Ok((50, true)));
        assert_eq!(paid(false, "z/m"), Ok((50, true)));
        assert_eq!(paid(true, "z/m"), Ok((30, false)), "another account may have another price");
    }
}
