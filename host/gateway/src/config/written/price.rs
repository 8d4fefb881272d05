//! Price forms as written. `domain::price` says what they mean; here they have a schema and reject unknown keys.

use std::collections::BTreeMap;

use domain::{money::MicroUsd, price, size::Size};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::units::Money;

/// A price, in the form in which its vendor publishes it. Exactly one form.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Price {
    /// The same for every picture, such as `{ per-image = "0.04 USD" }`.
    PerImage(#[schemars(with = "Money")] MicroUsd),
    /// By size. A size that is not listed costs what the listed one with the nearest area does.
    BySize(#[schemars(with = "BTreeMap<String, Money>")] BTreeMap<Size, MicroUsd>),
    /// By megapixel of each picture.
    PerMegapixel(PerMegapixel),
    /// By tokens, each price per million.
    Tokens(Tokens),
}

/// By megapixel (1,000,000 pixels) of each picture.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::config) struct PerMegapixel {
    #[schemars(with = "Money")]
    price: MicroUsd,
    /// Megapixels are rounded up to a multiple of this many hundredths; not rounded when left out.
    step_hundredths: Option<u32>,
    /// Once per picture, beside the megapixels.
    #[schemars(with = "Option<Money>")]
    base: Option<MicroUsd>,
}

/// By tokens, each price per million.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::config) struct Tokens {
    #[schemars(with = "Money")]
    text_in: MicroUsd,
    #[schemars(with = "Option<Money>")]
    image_in: Option<MicroUsd>,
    #[schemars(with = "Money")]
    out: MicroUsd,
    /// Output tokens of one picture, by size.
    #[schemars(with = "BTreeMap<String, u32>")]
    expected_out: BTreeMap<Size, u32>,
    /// Input tokens of one input picture.
    expected_image_in: Option<u32>,
}

impl Price {
    /// Whether it says nothing, because its table has no rows.
    pub(in crate::config) fn has_no_rows(&self) -> bool {
        match self {
            Self::BySize(table) => table.is_empty(),
            Self::Tokens(tokens) => tokens.expected_out.is_empty(),
            Self::PerImage(_) | Self::PerMegapixel(_) => false,
        }
    }
}

impl From<&Price> for price::Price {
    fn from(written: &Price) -> Self {
        match written {
            Price::PerImage(price) => Self::PerImage(*price),
            Price::BySize(table) => Self::BySize(table.clone()),
            Price::PerMegapixel(form) => Self::PerMegapixel {
                price: form.price,
                step_hundredths: form.step_hundredths.unwrap_or(0),
                base: form.base.unwrap_or_default(),
            },
            Price::Tokens(form) => Self::Tokens {
                text_in: form.text_in,
                image_in: form.image_in.unwrap_or_default(),
                out: form.out,
                expected_out: form.expected_out.clone(),
                expected_image_in: form.expected_image_in.unwrap_or(0),
            },
        }
    }
}
