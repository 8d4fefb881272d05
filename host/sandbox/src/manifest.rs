//! What a plugin says of itself, checked.

use domain::plugin::Setting;
use serde::Serialize;

use crate::{
    bindings::exports::muxel::plugin::describe::{Manifest as Described, Setting as DescribedSetting, SettingKind},
    convert::Reads,
    fault::bounded,
};

/// Most settings of a plugin.
const SETTINGS: usize = 64;
/// Longest name of one, in bytes.
const SETTING_NAME: usize = 64;
/// Most options of a choice.
const OPTIONS: usize = 64;
/// Longest text of a setting, in bytes.
pub(crate) const TEXT: usize = 4_096;

/// What a plugin says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    pub(crate) reads: Reads,
    pub(crate) settings: Vec<SettingInfo>,
    pub(crate) memory_format: u32,
}

/// One setting that operators may change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SettingInfo {
    pub name: String,
    pub summary: String,
    /// `micro-usd`, `ms`, `share`, or empty.
    pub unit: String,
    #[serde(flatten)]
    pub form: SettingForm,
}

/// What a setting may be, and what it is when nobody says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SettingForm {
    Number { default: f64, min: f64, max: f64 },
    Flag { default: bool },
    Choice { options: Vec<String>, default: u32 },
    Text { default: String },
}

impl SettingInfo {
    /// Its value when nobody says otherwise.
    #[must_use]
    pub fn default_value(&self) -> Setting {
        match &self.form {
            SettingForm::Number { default, .. } => Setting::Number(*default),
            SettingForm::Flag { default } => Setting::Flag(*default),
            SettingForm::Choice { default, .. } => Setting::Choice(*default),
            SettingForm::Text { default } => Setting::Text(default.clone()),
        }
    }
}

impl Manifest {
    /// # Errors
    ///
    /// What breaks the contract.
    pub(crate) fn check(described: Described) -> Result<Self, String> {
        check_settings(&described.settings)?;
        let reads = Reads::parse(&described.reads)
            .map_err(|name| format!("`reads` names `{}`, which is no field", bounded(name)))?;
        let settings = described.settings.into_iter().map(setting).collect::<Result<_, _>>()?;
        Ok(Self {
            title: bounded(&described.name),
            version: bounded(&described.version),
            summary: bounded(&described.summary),
            reads,
            settings,
            memory_format: described.memory_format,
        })
    }
}

/// A manifest's settings: operators write their names down, so each is a plain word that means one thing.
fn check_settings(settings: &[DescribedSetting]) -> Result<(), String> {
    if settings.len() > SETTINGS {
        return Err(format!("{} settings, at most {SETTINGS} are allowed", settings.len()));
    }
    for (index, setting) in settings.iter().enumerate() {
        let name = &setting.name;
        let of_words = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > SETTING_NAME || !name.bytes().all(of_words) {
            return Err(format!("a setting `{}` that is not lower-case words joined by `-`", bounded(name)));
        }
        if settings[..index].iter().any(|earlier| earlier.name == *name) {
            return Err(format!("the setting `{name}` twice"));
        }
    }
    Ok(())
}

/// A setting, once its default is known to lie within its own range.
fn setting(described: DescribedSetting) -> Result<SettingInfo, String> {
    let name = bounded(&described.name);
    let form = match described.kind {
        SettingKind::Number(range) => {
            let ordered = range.min <= range.default && range.default <= range.max;
            if !ordered || !range.min.is_finite() || !range.max.is_finite() {
                return Err(format!("setting `{name}` has no default between its least and its greatest value"));
            }
            SettingForm::Number { default: range.default, min: range.min, max: range.max }
        }
        SettingKind::Flag(default) => SettingForm::Flag { default },
        SettingKind::Choice(choice) if choice.options.len() > OPTIONS => {
            return Err(format!(
                "setting `{name}` has {} options, at most {OPTIONS} are allowed",
                choice.options.len()
            ));
        }
        SettingKind::Choice(choice) if (choice.default as usize) < choice.options.len() => {
            let options = choice.options.iter().map(|option| bounded(option)).collect();
            SettingForm::Choice { options, default: choice.default }
        }
        SettingKind::Choice(_) => return Err(format!("setting `{name}` has a default that is none of its options")),
        SettingKind::Text(default) if default.len() <= TEXT => SettingForm::Text { default },
        SettingKind::Text(_) => return Err(format!("setting `{name}` has a default of more than {TEXT} bytes")),
    };
    Ok(SettingInfo { name, summary: bounded(&described.summary), unit: bounded(&described.unit), form })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_a_plain_name_of_its_own() {
        let named = |name: &str| DescribedSetting {
            name: name.to_owned(),
            summary: String::new(),
            unit: String::new(),
            kind: SettingKind::Flag(true),
        };
        let numbered = |count: usize| (0..count).map(|index| named(&format!("setting-{index}"))).collect::<Vec<_>>();
        assert_eq!(check_settings(&numbered(64)), Ok(()));
        for broken in [numbered(65), vec![named("")], vec![named("a b")], vec![named("\u{1b}[2J")]] {
            assert!(check_settings(&broken).is_err(), "{broken:?}");
        }
        assert_eq!(check_settings(&[named("a"), named("b"), named("a")]), Err("the setting `a` twice".to_owned()));
    }
}
