//! The settings a decision depends on, as stable bytes: what a record refers to by digest.
//!
//! Addresses, keys, simulation and limits of the server do not belong to them: they change no decision, and a record
//! holds no secret. A model's source and its date say where figures are from and change none either.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    catalogue::{Date, Model, Tier},
    digest::Digest,
    money::PriceFactor,
    provider::DialectName,
    request::Operation,
    size::SizeRule,
};
use serde::Serialize;

use super::checked::{Config, Route};

#[derive(Serialize)]
struct Settings<'c> {
    providers: Vec<ProviderSettings<'c>>,
    aliases: &'c BTreeMap<String, String>,
    routes: BTreeMap<&'c str, &'c Route>,
    /// Of the file that learning begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<String>,
}

#[derive(Serialize)]
struct ProviderSettings<'c> {
    name: &'c str,
    dialect: DialectName,
    tags: &'c [String],
    price_factor: PriceFactor,
    weight: f32,
    max_in_flight: u32,
    models: Vec<ModelSettings<'c>>,
}

#[derive(Serialize)]
struct ModelSettings<'c> {
    name: &'c str,
    operations: &'c [Operation],
    sizes: &'c SizeRule,
    max_count: u32,
    max_prompt_chars: u32,
    transparent: bool,
    tiers: &'c [Tier],
    retires: Option<Date>,
}

impl Config {
    /// The settings a decision depends on, as JSON: equal settings give equal bytes.
    ///
    /// # Panics
    ///
    /// Never: everything in it can be written as JSON.
    #[must_use]
    pub fn settings(&self) -> Vec<u8> {
        let providers = self.accounts.iter().map(|account| {
            let provider = &account.provider;
            ProviderSettings {
                name: &provider.name,
                dialect: provider.dialect,
                tags: &provider.tags,
                price_factor: provider.price_factor,
                weight: provider.weight,
                max_in_flight: provider.max_in_flight,
                models: account.models.iter().map(model_settings).collect(),
            }
        });
        let settings = Settings {
            providers: providers.collect(),
            aliases: &self.aliases,
            routes: self.routes.iter().map(|(name, route)| (name.as_str(), route.as_ref())).collect(),
            quality: self.learning.digest.map(|digest| digest.to_string()),
        };
        serde_json::to_vec(&settings).expect("keys are text and numbers are finite")
    }

    /// Of [`Config::settings`].
    #[must_use]
    pub fn settings_digest(&self) -> Digest {
        Digest::of(&self.settings())
    }
}

fn model_settings(model: &Arc<Model>) -> ModelSettings<'_> {
    ModelSettings {
        name: &model.name,
        operations: &model.operations,
        sizes: &model.sizes,
        max_count: model.max_count,
        max_prompt_chars: model.max_prompt_chars,
        transparent: model.transparent,
        tiers: &model.tiers,
        retires: model.retires,
    }
}
