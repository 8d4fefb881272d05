//! Price forms as written. `domain::price` says what they mean; here they have a schema and reject unknown keys.

use std::collections::BTreeMap;

use domain::{credits::Credits as Count, money::MicroUsd, price, size::Size};
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
    /// By megapixels of 1024 x 1024 pixels, each begun one counted whole, the first at a price of its own.
    FirstMegapixel(FirstMegapixel),
    /// By second of each clip. What a picture costs is then not known.
    PerSecond(PerSecond),
    /// By the vendor's credits, which are billed as the provider reports them.
    Credits(Credits),
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

/// By megapixels of 1024 x 1024 pixels, each begun one counted whole.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::config) struct FirstMegapixel {
    /// Of a picture's first.
    #[schemars(with = "Money")]
    price: MicroUsd,
    /// Of every further one.
    #[schemars(with = "Money")]
    further: MicroUsd,
    /// For each input picture; nothing when left out.
    #[schemars(with = "Option<Money>")]
    input: Option<MicroUsd>,
}

/// By second of each clip.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::config) struct PerSecond {
    /// At sizes without a row of their own.
    #[schemars(with = "Money")]
    price: MicroUsd,
    #[schemars(with = "Option<BTreeMap<String, Money>>")]
    by_size: Option<BTreeMap<Size, MicroUsd>>,
}

/// By the vendor's credits.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::config) struct Credits {
    /// Of one credit.
    #[schemars(with = "Money")]
    price: MicroUsd,
    /// Credits of one picture, at sizes without a row of their own; thousandths of a credit count.
    #[schemars(with = "f64")]
    per_picture: Count,
    /// Credits of one picture by size.
    #[schemars(with = "Option<BTreeMap<String, f64>>")]
    by_size: Option<BTreeMap<Size, Count>>,
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
            Self::PerImage(_) | Self::PerMegapixel(_) | Self::FirstMegapixel(_) => false,
            Self::PerSecond(_) | Self::Credits(_) => false,
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
            Price::FirstMegapixel(form) => {
                Self::FirstMegapixel { price: form.price, further: form.further, input: form.input.unwrap_or_default() }
            }
            Price::PerSecond(form) => {
                Self::PerSecond { price: form.price, by_size: form.by_size.clone().unwrap_or_default() }
            }
            Price::Credits(form) => Self::Credits {
                price: form.price,
                per_picture: form.per_picture,
                by_size: form.by_size.clone().unwrap_or_default(),
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
