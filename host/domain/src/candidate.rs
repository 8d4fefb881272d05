//! Candidates: one provider's model at one quality tier.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{Catalogue, Model, Tier},
    money::PriceFactor,
    provider::{DialectName, Provider},
};

/// `provider/model@tier`; without `@tier` the model has no tiers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CandidateId(Arc<str>);

impl CandidateId {
    #[must_use]
    pub fn new(provider: &str, model: &str, tier: Option<&str>) -> Self {
        Self(match tier {
            Some(tier) => format!("{provider}/{model}@{tier}").into(),
            None => format!("{provider}/{model}").into(),
        })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the tier: what a caller may name to pin the model.
    #[must_use]
    pub fn untiered(&self) -> &str {
        self.0.rsplit_once('@').map_or(&*self.0, |(model, _)| model)
    }
}

impl fmt::Display for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One provider's model at one tier, with everything about it that does not change from request to request.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: CandidateId,
    pub provider: Arc<Provider>,
    pub model: Arc<Model>,
    /// Index into `model.tiers`.
    tier: usize,
}

impl Candidate {
    /// Every candidate that `provider` makes of `model`: one a tier.
    pub fn all(provider: &Arc<Provider>, model: &Arc<Model>) -> impl Iterator<Item = Self> {
        model.tiers.iter().enumerate().map(|(tier, row)| Self {
            id: CandidateId::new(&provider.name, &model.name, row.name.as_deref()),
            provider: Arc::clone(provider),
            model: Arc::clone(model),
            tier,
        })
    }

    /// Every model of the catalogue at its list price, as its vendor sells it.
    #[must_use]
    pub fn listed(catalogue: &Catalogue) -> Vec<Arc<Self>> {
        let mut listed = Vec::new();
        for (vendor, models) in catalogue.vendors() {
            let provider = Arc::new(Provider {
                name: vendor.to_owned(),
                dialect: DialectName::Openai,
                tags: Vec::new(),
                price_factor: PriceFactor::ONE,
                weight: 1.0,
                max_in_flight: 0,
            });
            listed.extend(models.iter().flat_map(|model| Self::all(&provider, model)).map(Arc::new));
        }
        listed
    }

    #[must_use]
    pub fn tier(&self) -> &Tier {
        &self.model.tiers[self.tier]
    }
}

/// A pattern over candidates, such as `xai/*` or `openai/gpt-image-2@low`: `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether this pattern names `id`, with or without its tier.
    #[must_use]
    pub fn matches(&self, id: &CandidateId) -> bool {
        glob(&self.0, id.as_str()) || glob(&self.0, id.untiered())
    }
}

/// Linear in the text for each star: greedy with one point to come back to.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && pattern[p] == text[t] {
            p += 1;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            p = star_p + 1;
            t = star_t + 1;
            star = Some((star_p, star_t + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_models_tiers_and_providers() {
        let id = CandidateId::new("openai", "gpt-image-2", Some("low"));
        for yes in ["openai/*", "openai/gpt-image-2", "openai/gpt-image-2@low", "*@low", "*gpt*", "*"] {
            assert!(Pattern(yes.to_owned()).matches(&id), "{yes}");
        }
        for no in ["xai/*", "openai/gpt-image", "*@high", ""] {
            assert!(!Pattern(no.to_owned()).matches(&id), "{no}");
        }
    }
}
