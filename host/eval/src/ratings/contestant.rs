//! Who competes: a strategy in service or a component from a file, at its own settings and over a range of weights.

use std::{collections::BTreeMap, sync::Arc};

use domain::plugin::Setting;
use sandbox::{Kind, Plugin, Roster, SettingForm};

use crate::simulate::NoContestant;

/// Strategies that compete when none is named, as far as they are there.
const USUAL: [&str; 4] = ["hybrid", "context-aware", "cheapest", "bandit"];
/// Settings that a frontier moves, and those that it switches off: nobody waits here and nobody fails.
const QUALITY: &str = "quality-weight";
const COST: &str = "cost-weight";
const OFF: [&str; 2] = ["latency-weight", "reliability-weight"];
/// Odds of quality against cost, as powers of two: four steps a doubling, from a half to 128.
const STEPS: std::ops::RangeInclusive<i32> = -4..=28;
const STEPS_A_DOUBLING: f64 = 4.0;
/// Weights have four decimals, so that what is told is what was tried.
const FINEST: f64 = 1e4;
/// What settings end with that requests and routes may give as weights.
const WEIGHT: &str = "-weight";

/// One of those that are compared.
pub struct Contestant {
    /// As asked for.
    pub name: String,
    pub(super) plugin: Arc<Plugin>,
    /// Its own first, then those of its frontier.
    pub(super) settings: Vec<Arc<[Setting]>>,
    /// The weight of quality at each setting of its frontier, falling: `settings` without the first.
    pub(super) weights: Vec<f64>,
}

/// Weights as a route of the configuration has them, by name.
pub type Weights = BTreeMap<String, f64>;

impl Contestant {
    /// A strategy in service.
    ///
    /// # Errors
    ///
    /// When there is none of that name, with those that there are.
    pub fn named(name: &str, roster: &Roster) -> Result<Self, NoContestant> {
        match roster.unhurried().get(name, Kind::Strategy) {
            Some(plugin) => Ok(Self::new(name, Arc::clone(plugin))),
            None => {
                let strategies = roster.plugins().filter(|plugin| plugin.is(Kind::Strategy));
                let near = strategies.map(|plugin| plugin.name().to_string()).collect();
                Err(NoContestant::Strategy { name: name.to_owned(), near })
            }
        }
    }

    /// A component that was admitted from a file. `shown` is what it is called in the results.
    ///
    /// # Errors
    ///
    /// When it is no strategy.
    pub fn of_plugin(shown: &str, plugin: Plugin, roster: &Roster) -> Result<Self, NoContestant> {
        if !plugin.is(Kind::Strategy) {
            let kinds: Vec<&str> = plugin.kinds().into_iter().map(Kind::word).collect();
            return Err(NoContestant::Kind { name: shown.to_owned(), is: kinds.join(" and ") });
        }
        let name = plugin.name();
        Self::named(&name, &roster.with(Arc::new(plugin)))
            .map(|contestant| Self { name: shown.to_owned(), ..contestant })
    }

    /// The usual strategies as far as they are there.
    #[must_use]
    pub fn usual(roster: &Roster) -> Vec<Self> {
        USUAL.iter().filter_map(|name| Self::named(name, roster).ok()).collect()
    }

    /// The weights that bring a route to the settings of this number.
    pub(super) fn weights_at(&self, setting: usize) -> Weights {
        let described = self.plugin.described_settings().iter().zip(self.settings[setting].iter());
        let weight = described.filter_map(|(described, setting)| match setting {
            Setting::Number(value) => Some((described.name.strip_suffix(WEIGHT)?.to_owned(), *value)),
            _ => None,
        });
        weight.collect()
    }

    fn new(name: &str, plugin: Arc<Plugin>) -> Self {
        let own = plugin.settings();
        let mut settings = vec![Arc::clone(&own)];
        let mut weights = Vec::new();
        if let Some(places) = Places::of(&plugin) {
            weights = weights_of_quality();
            settings.extend(weights.iter().map(|weight| places.at(&own, *weight)));
        }
        Self { name: name.to_owned(), plugin, settings, weights }
    }
}

/// All to quality first, all to cost last.
fn weights_of_quality() -> Vec<f64> {
    let odds = STEPS.rev().map(|step| (f64::from(step) / STEPS_A_DOUBLING).exp2());
    std::iter::once(1.0).chain(odds.map(|odds| finest(odds / (1.0 + odds)))).chain([0.0]).collect()
}

fn finest(weight: f64) -> f64 {
    (weight * FINEST).round() / FINEST
}

/// Where a strategy has the settings of a frontier.
struct Places {
    quality: usize,
    cost: usize,
    off: Vec<usize>,
}

impl Places {
    /// `None` when it does not weigh quality against cost, or not over the whole range.
    fn of(plugin: &Plugin) -> Option<Self> {
        let described = plugin.described_settings();
        let whole =
            |form: &SettingForm| matches!(form, SettingForm::Number { min, max, .. } if *min <= 0.0 && *max >= 1.0);
        let place = |name: &str| described.iter().position(|setting| setting.name == name && whole(&setting.form));
        let off = OFF.into_iter().filter_map(place).collect();
        Some(Self { quality: place(QUALITY)?, cost: place(COST)?, off })
    }

    fn at(&self, own: &[Setting], weight: f64) -> Arc<[Setting]> {
        let mut settings = own.to_vec();
        settings[self.quality] = Setting::Number(weight);
        settings[self.cost] = Setting::Number(finest(1.0 - weight));
        for place in &self.off {
            settings[*place] = Setting::Number(0.0);
        }
        settings.into()
    }
}
