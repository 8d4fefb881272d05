//! What a model costs: price forms as vendors publish them, resolved to a tariff for one request, and added up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    credits::Credits,
    money::{MicroUsd, PriceFactor},
    request::Request,
    size::Size,
};

/// Characters of English text behind one text token, for estimates.
const CHARS_PER_TOKEN: u64 = 4;
/// An estimate from a table that lacks the asked size may be this much too low.
const UNLISTED_SIZE_MARGIN_PERCENT: u64 = 50;
/// A token-billed estimate may be this much too low even for a listed size.
const TOKEN_MARGIN_PERCENT: u64 = 10;
/// Pixels in the megapixel of vendors for whom 1024x1024 is exactly one.
const BINARY_MEGAPIXEL: u64 = 1024 * 1024;
/// What a model draws when the size is left to it, for estimates.
pub const USUAL_SIZE: Size = match Size::new(1024, 1024) {
    Some(size) => size,
    None => unreachable!(),
};

/// A price as its vendor publishes it, for one model at one tier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Price {
    /// The same for every picture.
    PerImage(MicroUsd),
    /// By size. A size that is not listed costs what the listed one with the nearest area does.
    BySize(BTreeMap<Size, MicroUsd>),
    /// By megapixel (1,000,000 pixels) of each picture, rounded up to `step`.
    #[serde(rename_all = "kebab-case")]
    PerMegapixel {
        price: MicroUsd,
        /// Megapixels are rounded up to a multiple of this many hundredths; 0 when they are not rounded.
        #[serde(default)]
        step_hundredths: u32,
        /// Once per picture, beside the megapixels.
        #[serde(default)]
        base: MicroUsd,
    },
    /// By megapixels of 1024 x 1024 pixels, each begun one counted whole: one price for a picture's first, another for
    /// every further one. Resolved to a price per picture, because the tariff's megapixel is 1,000,000 pixels.
    FirstMegapixel {
        price: MicroUsd,
        further: MicroUsd,
        /// For each input picture, taken as one megapixel.
        #[serde(default)]
        input: MicroUsd,
    },
    /// By second of each clip. A picture has no seconds, so what it costs is not known: never 0.
    #[serde(rename_all = "kebab-case")]
    PerSecond {
        /// At sizes without a row of their own.
        price: MicroUsd,
        #[serde(default)]
        by_size: BTreeMap<Size, MicroUsd>,
    },
    /// By the vendor's credits, which it may report with each answer.
    #[serde(rename_all = "kebab-case")]
    Credits {
        /// Of one credit.
        price: MicroUsd,
        /// Credits of one picture, at sizes without a row of their own.
        per_picture: Credits,
        #[serde(default)]
        by_size: BTreeMap<Size, Credits>,
    },
    /// By tokens, each price per million. What a picture takes is expected from a table by size.
    #[serde(rename_all = "kebab-case")]
    Tokens {
        text_in: MicroUsd,
        #[serde(default)]
        image_in: MicroUsd,
        out: MicroUsd,
        /// Output tokens of one picture, by size.
        expected_out: BTreeMap<Size, u32>,
        /// Input tokens of one input picture.
        #[serde(default)]
        expected_image_in: u32,
    },
}

/// What a provider charges for one candidate at one request's size: the sum of the parts. See the contract's `tariff`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tariff {
    pub known: bool,
    pub per_request: MicroUsd,
    pub per_output: MicroUsd,
    pub per_megapixel: MicroUsd,
    /// In hundredths of a megapixel; 0 when megapixels are not rounded.
    pub megapixel_step_hundredths: u32,
    pub per_second: MicroUsd,
    pub per_input: MicroUsd,
    /// Per million text tokens in.
    pub text_in: MicroUsd,
    /// Per million image tokens in.
    pub image_in: MicroUsd,
    /// Per million output tokens.
    pub tokens_out: MicroUsd,
    pub expected_tokens_out: u32,
    pub expected_image_in: u32,
    /// Whether the asked size had a row of its own in the vendor's table.
    pub listed_size: bool,
}

/// Expected and upper price of one attempt at a whole request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    pub expected: MicroUsd,
    /// At most this in 19 of 20 cases, and never under `expected`.
    pub upper: MicroUsd,
}

impl Price {
    /// This price for pictures of `size`, times the provider's factor.
    #[must_use]
    pub fn tariff(&self, size: Option<Size>, factor: PriceFactor) -> Tariff {
        let size = size.unwrap_or(USUAL_SIZE);
        let base = Tariff { known: true, listed_size: true, ..Tariff::default() };
        match self {
            Self::PerImage(price) => Tariff { per_output: factor.of(*price), ..base },
            Self::BySize(table) => match nearest_row(table, size) {
                Some((price, listed_size)) => Tariff { per_output: factor.of(*price), listed_size, ..base },
                None => Tariff::default(),
            },
            Self::PerMegapixel { price, step_hundredths, base: once } => Tariff {
                per_output: factor.of(*once),
                per_megapixel: factor.of(*price),
                megapixel_step_hundredths: *step_hundredths,
                ..base
            },
            Self::FirstMegapixel { price, further, input } => {
                let more = size.pixels().div_ceil(BINARY_MEGAPIXEL) - 1;
                Tariff { per_output: factor.of(price.plus(further.times(more))), per_input: factor.of(*input), ..base }
            }
            Self::PerSecond { price, by_size } => {
                let (price, listed_size) = row_or(by_size, size, price);
                Tariff { per_second: factor.of(*price), listed_size, ..base }
            }
            Self::Credits { price, per_picture, by_size } => {
                let (credits, listed_size) = row_or(by_size, size, per_picture);
                Tariff { per_output: factor.of(credits.at(*price)), listed_size, ..base }
            }
            Self::Tokens { text_in, image_in, out, expected_out, expected_image_in } => {
                let row = nearest_row(expected_out, size);
                Tariff {
                    text_in: factor.of(*text_in),
                    image_in: factor.of(*image_in),
                    tokens_out: factor.of(*out),
                    expected_tokens_out: row.map_or(0, |(tokens, _)| *tokens),
                    expected_image_in: *expected_image_in,
                    listed_size: row.is_some_and(|(_, listed)| listed),
                    known: row.is_some(),
                    ..base
                }
            }
        }
    }

    /// The credits that pictures of `size` are expected to take, when credits are what this price counts.
    #[must_use]
    pub fn credits(&self, size: Option<Size>, count: u32) -> Option<Credits> {
        let Self::Credits { per_picture, by_size, .. } = self else { return None };
        let (credits, _) = row_or(by_size, size.unwrap_or(USUAL_SIZE), per_picture);
        Some(credits.times(u64::from(count)))
    }

    /// What the vendor's own count of credits comes to, times the provider's factor; `None` for a price in anything else.
    #[must_use]
    pub fn credit_bill(&self, credits: Credits, factor: PriceFactor) -> Option<MicroUsd> {
        let Self::Credits { price, .. } = self else { return None };
        Some(factor.of(credits.at(*price)))
    }

    /// A short form for tables: the price of one picture of the usual size.
    #[must_use]
    pub fn per_usual_picture(&self) -> Option<MicroUsd> {
        list_price(&self.tariff(None, PriceFactor::ONE), &Request::for_prompt("")).map(|estimate| estimate.expected)
    }
}

/// The table's row for `size`, or else the one with the nearest area, and whether it was the very size.
fn nearest_row<T>(table: &BTreeMap<Size, T>, size: Size) -> Option<(&T, bool)> {
    if let Some(row) = table.get(&size) {
        return Some((row, true));
    }
    table.iter().min_by_key(|(listed, _)| listed.pixels().abs_diff(size.pixels())).map(|(_, row)| (row, false))
}

/// The table's row for `size`, or else `otherwise`, and whether that can be relied on: a table that lacks the size leaves
/// a guess, no table at all means that size does not matter.
fn row_or<'t, T>(table: &'t BTreeMap<Size, T>, size: Size, otherwise: &'t T) -> (&'t T, bool) {
    table.get(&size).map_or((otherwise, table.is_empty()), |row| (row, true))
}

/// The name under which the host's own estimate stands where else a cost model's does.
pub const HOST_PRICE: &str = "list-price (host)";

/// The catalogue's own estimate: what the host falls back to when no cost model answers.
///
/// `None` when no price is published, or when seconds are charged: no request has any yet.
///
/// The bundled plugin `list-price` computes the same from the same tariff; a test holds them together.
#[must_use]
pub fn list_price(tariff: &Tariff, request: &Request) -> Option<Estimate> {
    if !tariff.known || tariff.per_second > MicroUsd::ZERO {
        return None;
    }
    let count = u64::from(request.count);
    let size = request.size.unwrap_or(USUAL_SIZE);
    let text_tokens = (request.prompt.chars().count() as u64).div_ceil(CHARS_PER_TOKEN);
    let parts = [
        tariff.per_request,
        tariff.per_output.times(count),
        per_hundredths(tariff.per_megapixel, megapixel_hundredths(size, tariff.megapixel_step_hundredths)).times(count),
        tariff.per_input.times(u64::from(request.inputs.images)),
        per_million(tariff.text_in, text_tokens),
        per_million(tariff.image_in, u64::from(tariff.expected_image_in) * u64::from(request.inputs.images)),
        per_million(tariff.tokens_out, u64::from(tariff.expected_tokens_out)).times(count),
    ];
    let expected: MicroUsd = parts.into_iter().sum();
    let margin_percent = match (tariff.listed_size, tariff.tokens_out) {
        (false, _) => UNLISTED_SIZE_MARGIN_PERCENT,
        (true, MicroUsd::ZERO) => 0,
        (true, _) => TOKEN_MARGIN_PERCENT,
    };
    let margin = MicroUsd(expected.0.saturating_mul(margin_percent).div_ceil(100));
    Some(Estimate { expected, upper: expected.plus(margin) })
}

/// What `usage` tokens cost at a tariff's rates: the bill of a token-priced attempt.
#[must_use]
pub fn token_bill(tariff: &Tariff, text_in: u64, image_in: u64, out: u64) -> MicroUsd {
    [per_million(tariff.text_in, text_in), per_million(tariff.image_in, image_in), per_million(tariff.tokens_out, out)]
        .into_iter()
        .sum()
}

/// `tokens` at a price per million, rounded up to a whole micro-dollar.
fn per_million(price: MicroUsd, tokens: u64) -> MicroUsd {
    let amount = (u128::from(price.0) * u128::from(tokens)).div_ceil(1_000_000);
    MicroUsd(u64::try_from(amount).unwrap_or(u64::MAX))
}

fn per_hundredths(price: MicroUsd, hundredths: u64) -> MicroUsd {
    let amount = (u128::from(price.0) * u128::from(hundredths)).div_ceil(100);
    MicroUsd(u64::try_from(amount).unwrap_or(u64::MAX))
}

/// Megapixels of one picture in hundredths, rounded up to whole hundredths and then to a multiple of `step`.
fn megapixel_hundredths(size: Size, step: u32) -> u64 {
    size.pixels().div_ceil(10_000).next_multiple_of(u64::from(step.max(1)))
}

#[cfg(test)]
mod tests;
