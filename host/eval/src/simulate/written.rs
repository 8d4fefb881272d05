//! A workload file as written: every key there is, and nothing about what it means.
//!
//! `examples/workloads/README.md` documents the keys. Values carry their place in the file, so that what is wrong can be
//! pointed at.

use std::{collections::BTreeMap, fmt, time::Duration};

use domain::{
    catalogue::Date,
    money::MicroUsd,
    policy::Unpriced,
    price::Price,
    size::Size,
    units::{PERIOD, UnitError},
};
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Written {
    pub(super) title: Option<String>,
    pub(super) seed: Option<u64>,
    pub(super) date: Option<Date>,
    pub(super) duration: Option<Spanned<Period>>,
    pub(super) arrivals: Option<Spanned<Arrivals>>,
    #[serde(default)]
    pub(super) requests: Requests,
    #[serde(default)]
    pub(super) route: Route,
    #[serde(default)]
    pub(super) catalogue: bool,
    #[serde(default)]
    pub(super) providers: BTreeMap<String, Spanned<Provider>>,
    #[serde(default)]
    pub(super) outages: Vec<Spanned<Outage>>,
    pub(super) truth: Option<Spanned<Truth>>,
    #[serde(default)]
    pub(super) shifts: Vec<Spanned<Shift>>,
    pub(super) feedback: Option<Spanned<Feedback>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Arrivals {
    pub(super) rate: Spanned<String>,
    pub(super) pattern: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) steps: Vec<Spanned<Step>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Step {
    pub(super) at: Spanned<Period>,
    pub(super) rate: Spanned<String>,
}

/// Shares of words: sizes, numbers, priorities.
pub(super) type Shares = BTreeMap<String, Spanned<f64>>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Requests {
    /// A list of prompts, or the name of a CSV file with a column `prompt`.
    pub(super) prompts: Option<Spanned<toml::Value>>,
    #[serde(default)]
    pub(super) once: bool,
    pub(super) sizes: Option<Spanned<Shares>>,
    pub(super) counts: Option<Spanned<Shares>>,
    pub(super) priorities: Option<Spanned<Shares>>,
    pub(super) qualities: Option<Spanned<Shares>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Route {
    pub(super) classifier: Option<String>,
    pub(super) cost_models: Option<Vec<String>>,
    pub(super) deadline: Option<Spanned<Period>>,
    pub(super) attempt_timeout: Option<Spanned<Period>>,
    pub(super) weights: Option<Spanned<BTreeMap<String, f64>>>,
    pub(super) unpriced: Option<Unpriced>,
    pub(super) max_cost: Option<MicroUsd>,
    pub(super) max_latency: Option<Spanned<Period>>,
    pub(super) min_quality: Option<Spanned<f64>>,
    pub(super) fall_over_after_charge: Option<bool>,
    pub(super) baseline: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) candidates: Candidates,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Candidates {
    #[serde(default)]
    pub(super) only: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) never: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Provider {
    pub(super) like: Option<Spanned<String>>,
    pub(super) vendor: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) models: Vec<Spanned<Model>>,
    pub(super) price_factor: Option<Spanned<f64>>,
    pub(super) weight: Option<Spanned<f64>>,
    pub(super) max_in_flight: Option<u32>,
    pub(super) latency_scale: Option<Spanned<f64>>,
    pub(super) sigma: Option<Spanned<f64>>,
    pub(super) error_rate: Option<Spanned<f64>>,
    pub(super) hang_rate: Option<Spanned<f64>>,
    pub(super) refusal_rate: Option<Spanned<f64>>,
    pub(super) rate_limited_rate: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Model {
    pub(super) name: Spanned<String>,
    pub(super) price: Option<Spanned<Price>>,
    /// A mean, or mean and deviation.
    pub(super) quality: Option<Spanned<toml::Value>>,
    pub(super) latency: Option<Spanned<Latency>>,
    pub(super) sizes: Option<Vec<Size>>,
    pub(super) max_count: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Latency {
    #[serde(alias = "median")]
    pub(super) p50: Spanned<Period>,
    pub(super) p95: Option<Spanned<Period>>,
    pub(super) sigma: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Outage {
    pub(super) provider: Spanned<String>,
    pub(super) from: Spanned<Period>,
    #[serde(rename = "for")]
    pub(super) lasts: Spanned<Period>,
    pub(super) error_rate: Option<Spanned<f64>>,
    pub(super) latency_factor: Option<Spanned<f64>>,
    pub(super) kind: Option<Spanned<String>>,
}

/// By candidate: a number, or a table of numbers by kind of picture.
pub(super) type Truth = BTreeMap<String, Spanned<toml::Value>>;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Shift {
    pub(super) at: Option<Spanned<Period>>,
    pub(super) after_requests: Option<Spanned<u64>>,
    pub(super) truth: Spanned<Truth>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Feedback {
    pub(super) share: Option<Spanned<f64>>,
    pub(super) noise: Option<Spanned<f64>>,
    pub(super) delay: Option<Spanned<Period>>,
    #[serde(default)]
    pub(super) quality: bool,
}

/// A duration with its unit, such as `10m`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period(pub(super) Duration);

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Period;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration with its unit, like \"300s\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Period, E> {
                let ms = PERIOD.read(text).map_err(|error: UnitError| E::custom(error.line()))?;
                Ok(Period(Duration::from_millis(ms)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
