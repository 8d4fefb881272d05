//! How each plugin is doing, for the API and the command line.

use domain::{plugin::Setting, quarantine::State};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Plugins, lock, slot::Slot};
use crate::{
    conduct::{Usage, now},
    engine::Tier,
    history::Event,
    manifest::SettingForm,
    plugin::{Kind, Limits, Origin, Plugin},
    roster::Refused,
};

/// Everything there is to know of one plugin.
#[derive(Clone, Debug, Serialize)]
pub struct PluginStatus {
    pub name: String,
    /// `serving`, `quarantined`, `probation`, `disabled`, or `refused` when nothing of this name serves.
    pub state: &'static str,
    /// How long its rest still takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantined_for_ms: Option<u64>,
    /// Of the component that serves.
    #[serde(flatten)]
    pub serving: Option<Serving>,
    /// Why the file in the folder does not serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// The version that serves while this one is quarantined, and after a rollback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby: Option<String>,
    /// Why it could not be kept for replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_kept: Option<String>,
    /// The latest last.
    pub history: Vec<Event>,
}

/// A component in service.
#[derive(Clone, Debug, Serialize)]
pub struct Serving {
    pub digest: String,
    pub version: String,
    pub title: String,
    pub summary: String,
    pub worlds: Vec<Kind>,
    pub tier: Tier,
    pub origin: Origin,
    pub size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    pub reads: Vec<&'static str>,
    pub settings: Map<String, Value>,
    pub limits: Limits,
    #[serde(flatten)]
    pub usage: Usage,
}

impl Plugins {
    /// How each plugin is doing, by name.
    #[must_use]
    pub fn statuses(&self) -> Vec<PluginStatus> {
        lock(&self.inner.slots).iter().filter_map(|(name, slot)| status(name, slot)).collect()
    }

    /// What a plugin wrote to its standard output and error lately; `None` when there is no such plugin.
    #[must_use]
    pub fn log(&self, name: &str) -> Option<String> {
        lock(&self.inner.slots).get(name)?.serving.as_ref().map(|plugin| plugin.log())
    }
}

/// `None` for a name of which only the past is known.
fn status(name: &str, slot: &Slot) -> Option<PluginStatus> {
    if slot.serving.is_none() && slot.refused.is_none() {
        return None;
    }
    let (state, quarantined_for_ms) = match &slot.serving {
        None => ("refused", None),
        Some(_) if slot.remembered.disabled => ("disabled", None),
        Some(plugin) => match plugin.state() {
            State::Serving => ("serving", None),
            State::Probation => ("probation", None),
            State::Quarantined { until } => ("quarantined", Some(until.saturating_sub(now()))),
        },
    };
    Some(PluginStatus {
        name: name.to_owned(),
        state,
        quarantined_for_ms,
        serving: slot.serving.as_deref().map(serving),
        refused: slot.refused.clone(),
        standby: slot.standby.as_ref().map(|standby| standby.digest().to_string()),
        not_kept: slot.not_kept.clone(),
        history: slot.history.events(),
    })
}

fn serving(plugin: &Plugin) -> Serving {
    let described = plugin.described_settings().iter().zip(plugin.settings.iter());
    Serving {
        digest: plugin.digest().to_string(),
        version: plugin.version().to_owned(),
        title: plugin.title().to_owned(),
        summary: plugin.summary().to_owned(),
        worlds: plugin.kinds(),
        tier: plugin.tier(),
        origin: plugin.origin().clone(),
        size: plugin.size(),
        signed_by: plugin.signed_by().map(str::to_owned),
        reads: plugin.reads(),
        settings: described.map(|(info, value)| (info.name.clone(), shown(&info.form, value))).collect(),
        limits: *plugin.limits(),
        usage: plugin.usage(),
    }
}

/// A setting's value as an operator writes it.
fn shown(form: &SettingForm, value: &Setting) -> Value {
    match (value, form) {
        (Setting::Number(number), _) => json!(number),
        (Setting::Flag(flag), _) => json!(flag),
        (Setting::Choice(index), SettingForm::Choice { options, .. }) => json!(options.get(*index as usize)),
        (Setting::Choice(index), _) => json!(index),
        (Setting::Text(text), _) => json!(text),
    }
}
