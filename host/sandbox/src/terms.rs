//! `plugins/NAME.toml`: an operator's terms for one plugin.
//!
//! ```toml
//! digest = "9f86d081884c7d65..."     # only this component, whole SHA-256
//! tier = "slow"                      # never inline
//!
//! [settings]
//! floor = 0.7
//!
//! [limits]
//! fuel = 2_000_000
//! memory = "4MiB"
//! deadline = "20ms"
//!
//! [grants]
//! reads = ["prompt"]                 # of what it asks for, only this
//! ```
//!
//! Read in two steps: what was written, then, once the plugin has said what it has, what is meant. It takes effect like
//! the plugin's own file: at once, as a whole, or not at all.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use domain::{digest::Digest, nearest::nearest, plugin::Setting};
use serde::Deserialize;
use toml::{Spanned, Value};

use crate::{
    convert::Reads,
    engine::Tier,
    manifest::{Manifest, SettingForm, SettingInfo, TEXT},
    plugin::Limits,
};

/// Largest file of terms, in bytes.
pub(crate) const LARGEST: usize = 256 << 10;

/// Longest text that is remembered over a restart, in bytes.
const MOST_REMEMBERED: usize = 32 << 10;

/// An operator's terms, as written.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Of its text, to tell whether it changed.
    pub(crate) text: Option<Digest>,
    source: Arc<str>,
    written: Written,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    digest: Option<Spanned<String>>,
    tier: Option<Tier>,
    #[serde(default)]
    settings: BTreeMap<String, Spanned<Value>>,
    #[serde(default)]
    limits: WrittenLimits,
    #[serde(default)]
    grants: Grants,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WrittenLimits {
    fuel: Option<Spanned<u64>>,
    memory: Option<Spanned<String>>,
    deadline: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Grants {
    reads: Option<Spanned<Vec<String>>>,
}

/// What is wrong with an operator's terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TermsError {
    /// From 1.
    pub line: usize,
    pub message: String,
    pub hint: Option<String>,
}

impl Terms {
    /// # Errors
    ///
    /// The first thing that is wrong with `text`.
    pub fn parse(text: &str) -> Result<Self, TermsError> {
        let written = toml::from_str(text).map_err(|error: toml::de::Error| TermsError {
            line: line(text, error.span().unwrap_or(0..0)),
            message: error.message().lines().next().unwrap_or_default().to_owned(),
            hint: Some("it may hold `digest`, `tier`, [settings], [limits] with fuel, memory and deadline, and [grants] with reads".to_owned()),
        })?;
        let terms = Self { text: Some(Digest::of(text.as_bytes())), source: text.into(), written };
        terms.digest()?;
        Ok(terms)
    }

    /// Its text, when it is small enough to be remembered.
    pub(crate) fn remembered(&self) -> Option<String> {
        (self.text.is_some() && self.source.len() <= MOST_REMEMBERED).then(|| self.source.to_string())
    }

    pub(crate) fn tier(&self) -> Option<Tier> {
        self.written.tier
    }

    /// The only component that these terms are for.
    pub(crate) fn digest(&self) -> Result<Option<Digest>, TermsError> {
        let Some(written) = &self.written.digest else { return Ok(None) };
        let digest = Digest::from_hex(written.as_ref());
        digest.map(Some).ok_or_else(|| {
            let message = "`digest` is not 64 hexadecimal digits".to_owned();
            self.error(written.span(), message, Some("`sha256sum FILE` and `muxel plugin check FILE` print it"))
        })
    }

    /// The limits of a plugin of `tier`.
    pub(crate) fn limits(&self, tier: Tier) -> Result<Limits, TermsError> {
        let mut limits = Limits::of(tier);
        let WrittenLimits { fuel, memory, deadline } = &self.written.limits;
        let (most_fuel, most_ms) = match tier {
            Tier::Fast => (10_000_000, 50),
            Tier::Slow => (1_000_000_000, 2_000),
        };
        let out_of = |span, what: &str, most: String| {
            let hint = (tier == Tier::Fast).then_some("`tier = \"slow\"` allows more");
            self.error(span, format!("`{what}` must be above 0 and at most {most} in the {} tier", tier.word()), hint)
        };
        if let Some(fuel) = fuel {
            limits.fuel = *fuel.get_ref();
            if !(1..=most_fuel).contains(&limits.fuel) {
                return Err(out_of(fuel.span(), "fuel", most_fuel.to_string()));
            }
        }
        if let Some(memory) = memory {
            limits.memory = quantity(memory.get_ref(), &[("KiB", 1 << 10), ("MiB", 1 << 20)]).ok_or_else(|| {
                self.error(
                    memory.span(),
                    format!("`memory` is `{}`", short(memory.get_ref())),
                    Some("write \"4MiB\" or \"512KiB\""),
                )
            })?;
            let most = tier.most_memory() as u64;
            if !(1..=most).contains(&limits.memory) {
                return Err(out_of(memory.span(), "memory", format!("{}MiB", most >> 20)));
            }
        }
        if let Some(deadline) = deadline {
            limits.deadline_ms = quantity(deadline.get_ref(), &[("ms", 1), ("s", 1_000)]).ok_or_else(|| {
                self.error(
                    deadline.span(),
                    format!("`deadline` is `{}`", short(deadline.get_ref())),
                    Some("write \"20ms\""),
                )
            })?;
            if !(1..=most_ms).contains(&limits.deadline_ms) {
                return Err(out_of(deadline.span(), "deadline", format!("{most_ms}ms")));
            }
        }
        Ok(limits)
    }

    /// What the plugin may read of what it asks for.
    pub(crate) fn reads(&self, manifest: &Manifest) -> Result<Reads, TermsError> {
        let Some(granted) = &self.written.grants.reads else { return Ok(manifest.reads) };
        let reads = Reads::parse(granted.get_ref()).map_err(|name| {
            let message = format!("`reads` names `{}`, which is no field of a request", short(name));
            self.error(granted.span(), message, Some("the fields are in wit/README.md, `What a plugin may read`"))
        })?;
        Ok(reads.and(manifest.reads))
    }

    /// The plugin's settings, in its manifest's order: as written, else by default.
    pub(crate) fn settings(&self, manifest: &Manifest) -> Result<Arc<[Setting]>, TermsError> {
        for (name, value) in &self.written.settings {
            if !manifest.settings.iter().any(|setting| setting.name == *name) {
                let names = || manifest.settings.iter().map(|setting| setting.name.as_str());
                let near = nearest(name, names(), 3).join(", ");
                let all = names().collect::<Vec<_>>().join(", ");
                let hint = match (near.is_empty(), all.is_empty()) {
                    (false, _) => format!("did you mean {near}?"),
                    (true, false) => format!("it has {all}"),
                    (true, true) => "it has no settings".to_owned(),
                };
                let message = format!("the plugin has no setting `{}`", short(name));
                return Err(self.error(value.span(), message, Some(&hint)));
            }
        }
        let value = |setting: &SettingInfo| match self.written.settings.get(&setting.name) {
            None => Ok(setting.default_value()),
            Some(written) => setting_of(setting, written.get_ref()).map_err(|wanted| {
                let message = format!("`{}` is {}, not {wanted}", setting.name, short(&written.get_ref().to_string()));
                self.error(written.span(), message, (!setting.summary.is_empty()).then_some(setting.summary.as_str()))
            }),
        };
        manifest.settings.iter().map(value).collect()
    }

    fn error(&self, span: Range<usize>, message: String, hint: Option<&str>) -> TermsError {
        TermsError { line: line(&self.source, span), message, hint: hint.map(str::to_owned) }
    }
}

/// The value of a setting, or what it should have been.
fn setting_of(setting: &SettingInfo, written: &Value) -> Result<Setting, String> {
    let number = |value: f64, min: f64, max: f64| {
        if (min..=max).contains(&value) { Ok(Setting::Number(value)) } else { Err(format!("from {min} to {max}")) }
    };
    match (&setting.form, written) {
        (SettingForm::Number { min, max, .. }, Value::Float(value)) => number(*value, *min, *max),
        (SettingForm::Number { min, max, .. }, Value::Integer(value)) => number(*value as f64, *min, *max),
        (SettingForm::Number { min, max, .. }, _) => Err(format!("a number from {min} to {max}")),
        (SettingForm::Flag { .. }, Value::Boolean(value)) => Ok(Setting::Flag(*value)),
        (SettingForm::Flag { .. }, _) => Err("true or false".to_owned()),
        (SettingForm::Choice { options, .. }, Value::String(value)) => {
            let index = options.iter().position(|option| option == value);
            index.map(|index| Setting::Choice(index as u32)).ok_or_else(|| format!("one of {}", options.join(", ")))
        }
        (SettingForm::Choice { options, .. }, _) => Err(format!("one of {}", options.join(", "))),
        (SettingForm::Text { .. }, Value::String(value)) if value.len() <= TEXT => Ok(Setting::Text(value.clone())),
        (SettingForm::Text { .. }, _) => Err(format!("text of at most {TEXT} bytes")),
    }
}

/// A whole number with its unit.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (unit, scale) = units.iter().find(|(unit, _)| {
        text.strip_suffix(unit).is_some_and(|number| number.trim_end().ends_with(|last: char| last.is_ascii_digit()))
    })?;
    text.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(*scale)
}

fn line(text: &str, span: Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
}

fn short(text: &str) -> String {
    crate::fault::bounded(&text.chars().take(60).collect::<String>())
}

#[cfg(test)]
mod tests;
