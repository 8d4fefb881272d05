//! What a plugin says of itself, and its settings as each call gets them.

use crate::{ChoiceOptions, Manifest, NumberRange, Setting, SettingKind, Value};

impl Manifest {
    /// A manifest without settings that reads nothing but the request's shape.
    #[must_use]
    pub fn new(name: &str, version: &str, summary: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            settings: Vec::new(),
            reads: Vec::new(),
            memory_format: 0,
        }
    }

    /// Adds a number setting. It arrives as [`Value::Number`], in the order the settings were added.
    #[must_use]
    pub fn number(self, name: &str, summary: &str, unit: &str, default: f64, min: f64, max: f64) -> Self {
        self.setting(name, summary, unit, SettingKind::Number(NumberRange { default, min, max }))
    }

    /// Adds a setting that is on or off. It arrives as [`Value::Flag`].
    #[must_use]
    pub fn flag(self, name: &str, summary: &str, default: bool) -> Self {
        self.setting(name, summary, "", SettingKind::Flag(default))
    }

    /// Adds a setting with a few options, the first being the default. It arrives as [`Value::Choice`].
    #[must_use]
    pub fn choice(self, name: &str, summary: &str, options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        self.setting(name, summary, "", SettingKind::Choice(ChoiceOptions { options, default: 0 }))
    }

    /// Adds a text setting. It arrives as [`Value::Text`].
    #[must_use]
    pub fn text(self, name: &str, summary: &str, default: &str) -> Self {
        self.setting(name, summary, "", SettingKind::Text(default.to_owned()))
    }

    fn setting(mut self, name: &str, summary: &str, unit: &str, kind: SettingKind) -> Self {
        self.settings.push(Setting { name: name.to_owned(), summary: summary.to_owned(), unit: unit.to_owned(), kind });
        self
    }

    /// Asks for a field of the request that is withheld otherwise, such as `prompt`.
    #[must_use]
    pub fn reads(mut self, field: &str) -> Self {
        self.reads.push(field.to_owned());
        self
    }

    /// What every call gets as its settings until an operator changes one: the defaults, in this manifest's order.
    #[must_use]
    pub fn defaults(&self) -> Vec<Value> {
        let default = |setting: &Setting| match &setting.kind {
            SettingKind::Number(range) => Value::Number(range.default),
            SettingKind::Flag(flag) => Value::Flag(*flag),
            SettingKind::Choice(choice) => Value::Choice(choice.default),
            SettingKind::Text(text) => Value::Text(text.clone()),
        };
        self.settings.iter().map(default).collect()
    }
}

impl Value {
    /// The number in this value, or `default` when it is something else.
    #[must_use]
    pub fn number_or(&self, default: f64) -> f64 {
        match self {
            Self::Number(number) => *number,
            _ => default,
        }
    }

    /// Whether this value is on, or `default` when it is something else.
    #[must_use]
    pub fn flag_or(&self, default: bool) -> bool {
        match self {
            Self::Flag(flag) => *flag,
            _ => default,
        }
    }

    /// The index of the chosen option, or 0 when this is something else.
    #[must_use]
    pub fn as_choice(&self) -> usize {
        match self {
            Self::Choice(choice) => *choice as usize,
            _ => 0,
        }
    }

    /// The text in this value, or nothing when it is something else.
    #[must_use]
    pub fn as_text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }
}
