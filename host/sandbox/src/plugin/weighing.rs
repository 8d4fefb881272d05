//! A route's and a request's weights in the place of a strategy's settings.
//!
//! The weight `quality` stands for the number setting `quality-weight`, within the range that the plugin's manifest gives.

use std::sync::Arc;

use domain::{plugin::Setting, weights::Weights};

use crate::manifest::{SettingForm, SettingInfo};

const SUFFIX: &str = "-weight";

/// A weight that changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unheeded {
    /// The strategy has none of this name.
    Unknown { name: Arc<str> },
    /// It allows other values only.
    OutOfRange { name: Arc<str>, value: f64, least: f64, most: f64 },
}

impl Unheeded {
    /// In words, of the strategy of this name.
    pub(crate) fn by(&self, strategy: &str) -> String {
        match self {
            Self::Unknown { name } => format!("strategy `{strategy}` has no weight `{name}`"),
            Self::OutOfRange { name, value, least, most } => {
                format!("strategy `{strategy}` takes the weight `{name}` from {least} to {most}, not {value}")
            }
        }
    }
}

pub(super) fn weighed(
    settings: &Arc<[Setting]>,
    described: &[SettingInfo],
    weights: &Weights,
) -> (Arc<[Setting]>, Vec<Unheeded>) {
    // Most requests have none.
    if weights.is_empty() {
        return (Arc::clone(settings), Vec::new());
    }
    let (mut weighed, mut unheeded) = (settings.to_vec(), Vec::new());
    for (name, value) in weights.iter() {
        let mut places = weighed.iter_mut().zip(described);
        let place = places.find(|(_, setting)| setting.name.strip_suffix(SUFFIX) == Some(&**name));
        match place.map(|(place, setting)| (place, &setting.form)) {
            Some((place, SettingForm::Number { min, max, .. })) if (*min..=*max).contains(&value) => {
                *place = Setting::Number(value);
            }
            Some((_, SettingForm::Number { min, max, .. })) => {
                unheeded.push(Unheeded::OutOfRange { name: Arc::clone(name), value, least: *min, most: *max });
            }
            _ => unheeded.push(Unheeded::Unknown { name: Arc::clone(name) }),
        }
    }
    (weighed.into(), unheeded)
}

pub(super) fn is_left_weightless(settings: &Arc<[Setting]>, described: &[SettingInfo], weights: &Weights) -> bool {
    let weighs =
        |setting: &SettingInfo| setting.name.ends_with(SUFFIX) && matches!(setting.form, SettingForm::Number { .. });
    let (weighed, _) = weighed(settings, described, weights);
    let mut own = weighed.iter().zip(described).filter(|(_, setting)| weighs(setting)).peekable();
    own.peek().is_some() && own.all(|(value, _)| *value == Setting::Number(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Vec<SettingInfo> {
        let number = |name: &str, max| SettingInfo {
            name: name.to_owned(),
            summary: String::new(),
            unit: "share".to_owned(),
            form: SettingForm::Number { default: 0.2, min: 0.0, max },
        };
        let text = SettingForm::Text { default: String::new() };
        vec![
            number("quality-weight", 1.0),
            number("floor", 1.0),
            number("cost-weight", 0.5),
            SettingInfo { form: text, ..number("mood-weight", 1.0) },
        ]
    }

    fn asked(weights: &str) -> (Vec<Setting>, Vec<String>, bool) {
        let described = described();
        let settings: Arc<[Setting]> = described.iter().map(SettingInfo::default_value).collect();
        let weights = weights.parse().expect(weights);
        let (weighed, unheeded) = weighed(&settings, &described, &weights);
        let told = unheeded.iter().map(|unheeded| unheeded.by("mine")).collect();
        (weighed[..3].to_vec(), told, is_left_weightless(&settings, &described, &weights))
    }

    #[test]
    fn a_weight_takes_the_place_of_its_setting_or_is_named() {
        let numbers = |values: [f64; 3]| values.map(Setting::Number).to_vec();
        assert_eq!(asked("quality=0.9"), (numbers([0.9, 0.2, 0.2]), vec![], false));
        assert_eq!(asked("quality=0,cost=0"), (numbers([0.0, 0.2, 0.0]), vec![], true));
        let (settings, told, weightless) = asked("floor=0.9,cost=0.6,mood=0.1,quality=0");
        assert_eq!((settings, weightless), (numbers([0.0, 0.2, 0.2]), false));
        assert_eq!(
            told,
            [
                "strategy `mine` takes the weight `cost` from 0 to 0.5, not 0.6",
                "strategy `mine` has no weight `floor`",
                "strategy `mine` has no weight `mood`",
            ]
        );
    }
}
