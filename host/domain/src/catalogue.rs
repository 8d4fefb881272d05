//! The catalogue: models of the field with their abilities, prices, quality priors and latencies.
//!
//! One TOML file a vendor, embedded. Every row names its source and the day it was read: prices change, and a router
//! that cannot say where a figure is from cannot be argued with. Config may override a price or add a model. How the
//! figures were derived, and what was assumed where nothing is published, is in `catalogue/README.md`.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{digest::Digest, price::Price, quality::Rung, request::Operation, size::SizeRule};

mod date;

pub use date::Date;

/// One model of one vendor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Model {
    /// As the vendor's interface calls it.
    pub name: String,
    #[serde(default = "generate_only")]
    pub operations: Vec<Operation>,
    pub sizes: SizeRule,
    /// Pictures one call can make.
    pub max_count: u32,
    /// In characters.
    pub max_prompt_chars: u32,
    /// Whether it can leave the background transparent.
    #[serde(default)]
    pub transparent: bool,
    /// Best tier last. A model without tiers has one without a name.
    pub tiers: Vec<Tier>,
    /// The vendor's last day for it.
    #[serde(default)]
    pub retires: Option<Date>,
    /// Where the row's figures are from.
    pub source: String,
    /// The day they were read.
    pub as_of: Date,
}

fn generate_only() -> Vec<Operation> {
    vec![Operation::ImageGenerate]
}

/// One quality tier of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tier {
    /// The vendor's word; `None` when the model has one quality only.
    #[serde(default)]
    pub name: Option<String>,
    /// Its place on the ladder.
    #[serde(default = "middle_rung")]
    pub rung: Rung,
    /// `None` when no price is published.
    #[serde(default)]
    pub price: Option<Price>,
    #[serde(default)]
    pub quality: Option<Prior>,
    #[serde(default)]
    pub latency: Option<Latency>,
}

fn middle_rung() -> Rung {
    Rung(40)
}

/// How good a tier is expected to be at a usual prompt, before anything was learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prior {
    /// 0 to 1.
    pub mean: f32,
    /// Standard deviation: large when little is known.
    pub deviation: f32,
}

/// How long a tier takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Latency {
    pub p50_ms: u32,
    pub p95_ms: u32,
}

impl Model {
    /// Whether the model has quality tiers to choose from.
    #[must_use]
    pub fn has_tiers(&self) -> bool {
        self.tiers.len() > 1 || self.tiers.iter().any(|tier| tier.name.is_some())
    }

    /// Whether its vendor has withdrawn it by `today`.
    #[must_use]
    pub fn retired(&self, today: Date) -> bool {
        self.retires.is_some_and(|last| today > last)
    }
}

/// All models, by vendor.
#[derive(Clone, Debug)]
pub struct Catalogue {
    vendors: BTreeMap<String, Vec<Arc<Model>>>,
    digest: Digest,
}

/// A catalogue file that does not hold what it must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    #[error("catalogue of `{vendor}`: {reason}")]
    Malformed { vendor: String, reason: String },
    #[error("catalogue of `{vendor}`: model `{model}` {problem}")]
    Model { vendor: String, model: String, problem: &'static str },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorFile {
    models: Vec<Model>,
}

impl Catalogue {
    /// The catalogue that comes with this program.
    ///
    /// # Panics
    ///
    /// Never: a test reads every embedded file.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(&EMBEDDED).expect("the embedded catalogue is tested")
    }

    /// Reads vendor files: pairs of vendor and TOML text.
    ///
    /// # Errors
    ///
    /// The first row that is malformed or contradicts itself.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, CatalogueError> {
        let mut vendors = BTreeMap::new();
        let mut text = String::new();
        for (vendor, content) in files {
            let file: VendorFile = toml::from_str(content).map_err(|error| CatalogueError::Malformed {
                vendor: (*vendor).to_owned(),
                reason: error.to_string(),
            })?;
            for model in &file.models {
                check(model).map_err(|problem| CatalogueError::Model {
                    vendor: (*vendor).to_owned(),
                    model: model.name.clone(),
                    problem,
                })?;
            }
            text.push_str(content);
            vendors.insert((*vendor).to_owned(), file.models.into_iter().map(Arc::new).collect());
        }
        Ok(Self { vendors, digest: Digest::of(text.as_bytes()) })
    }

    /// The models of one vendor; none when the vendor is not known.
    #[must_use]
    pub fn vendor(&self, vendor: &str) -> &[Arc<Model>] {
        self.vendors.get(vendor).map_or(&[], Vec::as_slice)
    }

    /// All vendors with their models, by name.
    pub fn vendors(&self) -> impl Iterator<Item = (&str, &[Arc<Model>])> {
        self.vendors.iter().map(|(vendor, models)| (vendor.as_str(), models.as_slice()))
    }

    /// Of the files this was read from.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// What a row must satisfy beyond its types.
///
/// # Errors
///
/// What is wrong with it, to be read after the model's name.
pub fn check(model: &Model) -> Result<(), &'static str> {
    let share = |value: f32| (0.0..=1.0).contains(&value);
    let tiers = || model.tiers.iter();
    if model.name.is_empty() || model.name.contains('@') {
        return Err("needs a name without `@`");
    }
    if model.tiers.is_empty() {
        return Err("needs at least one tier");
    }
    if model.tiers.len() > 1 && tiers().any(|tier| tier.name.is_none()) {
        return Err("has several tiers, so each needs a name");
    }
    if tiers().any(|tier| tier.quality.is_some_and(|prior| !share(prior.mean) || !share(prior.deviation))) {
        return Err("has a quality prior outside 0 to 1");
    }
    if tiers().any(|tier| tier.latency.is_some_and(|latency| latency.p95_ms < latency.p50_ms)) {
        return Err("has a p95 latency under its p50");
    }
    if !(1..=crate::request::MAX_COUNT).contains(&model.max_count) || model.max_prompt_chars == 0 {
        return Err("must make 1 to 10 pictures a call from a prompt of at least one character");
    }
    Ok(())
}

macro_rules! vendor_files {
    ($($vendor:literal),* $(,)?) => {
        [$(($vendor, include_str!(concat!("catalogue/", $vendor, ".toml")))),*]
    };
}

const EMBEDDED: [(&str, &str); VENDORS] = vendor_files![
    "alibaba",
    "bfl",
    "fal",
    "google",
    "ideogram",
    "meta",
    "microsoft",
    "openai",
    "recraft",
    "runway",
    "stability",
    "tencent",
    "xai",
];
const VENDORS: usize = 13;

#[cfg(test)]
mod tests;
