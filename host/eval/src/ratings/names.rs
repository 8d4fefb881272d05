//! Rated models as candidates.
//!
//! A name that the catalogue knows (`gpt-image-2@low`, with or without a provider before it) is that entry: it keeps its
//! tier and its prior. Any other name is a candidate without a prior. Where two of them would share what is learned
//! although nobody says that they are the same model (`lab/v1` and `studio/v1`), each goes by its whole name.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    candidate::CandidateId,
    catalogue::{Catalogue, Prior, Tier},
    expectation::own_name,
};

/// Who offers models that are named without a provider.
const PROVIDER: &str = "rated";
/// Longest name of a candidate, in characters.
const LONGEST: usize = 80;

/// A rated model.
#[derive(Clone, Debug)]
pub struct Model {
    /// As the file names it.
    pub name: String,
    pub candidate: CandidateId,
    /// The catalogue's, when it knows the model.
    pub prior: Option<Prior>,
}

impl Model {
    /// One for each name, in their order.
    pub(super) fn all(names: &[String]) -> Vec<Self> {
        let catalogue = Catalogue::embedded();
        let parts: Vec<(&str, &str)> =
            names.iter().map(|name| name.split_once('/').unwrap_or((PROVIDER, name))).collect();
        let mut owners = BTreeMap::<&str, u32>::new();
        for (_, own) in &parts {
            *owners.entry(own).or_default() += 1;
        }
        let mut taken = BTreeSet::new();
        let model = |(name, (provider, own)): (&String, &(&str, &str))| {
            let tier = tier(&catalogue, own);
            let is_shared = tier.is_none() && owners[own] > 1;
            let (provider, own) = if is_shared { (PROVIDER, name.as_str()) } else { (*provider, *own) };
            let (provider, own) = (plain(provider, PROVIDER), plain(own, "model"));
            let mut candidate = CandidateId::new(&provider, &own, None);
            // Names that only differed in what cannot be shown.
            for copy in 2.. {
                if taken.insert(candidate.clone()) {
                    break;
                }
                candidate = CandidateId::new(&provider, &format!("{own}-{copy}"), None);
            }
            Self { name: name.clone(), candidate, prior: tier.and_then(|tier| tier.quality) }
        };
        names.iter().zip(&parts).map(model).collect()
    }

    /// What is learned of it is learned under this name.
    #[must_use]
    pub fn own_name(&self) -> &str {
        own_name(self.candidate.as_str())
    }
}

/// The tier that `name` (`model@tier`, or `model` when it has one only) stands for.
fn tier<'a>(catalogue: &'a Catalogue, name: &str) -> Option<&'a Tier> {
    let (model, tier) = match name.rsplit_once('@') {
        Some((model, tier)) => (model, Some(tier)),
        None => (name, None),
    };
    let models = catalogue.vendors().flat_map(|(_, models)| models);
    let mut tiers = models.filter(|row| row.name == model).flat_map(|row| &row.tiers);
    tiers.find(|row| row.name.as_deref() == tier)
}

/// Without what no candidate's name has.
fn plain(name: &str, otherwise: &str) -> String {
    let letter = |letter: char| if letter.is_control() || letter.is_whitespace() { '-' } else { letter };
    let plain: String = name.trim().chars().take(LONGEST).map(letter).collect();
    if plain.is_empty() { otherwise.to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_name_keeps_its_prior_and_any_other_is_a_candidate_too() {
        let names = ["gpt-image-2@low", "openai/gpt-image-2@high", "DALLE_3", "lab/v1", "studio/v1", "a b", "a\tb"];
        let models = Model::all(&names.map(str::to_owned));
        let ids: Vec<&str> = models.iter().map(|model| model.candidate.as_str()).collect();
        assert_eq!(
            ids,
            [
                "rated/gpt-image-2@low",
                "openai/gpt-image-2@high",
                "rated/DALLE_3",
                "rated/lab/v1",
                "rated/studio/v1",
                "rated/a-b",
                "rated/a-b-2"
            ]
        );
        let known: Vec<bool> = models.iter().map(|model| model.prior.is_some()).collect();
        assert_eq!(known, [true, true, false, false, false, false, false]);
        assert_eq!(models[3].own_name(), "lab/v1");
    }
}
