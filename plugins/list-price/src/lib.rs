//! The price that the provider publishes, added up for one request.
//!
//! The same sum as the host's own fall-back, so that losing this plugin changes no price: whole micro-dollars, every
//! part rounded up, saturating. Amounts are 32 bits wide in the contract, so 64 bits hold every sum that still matters.
//!
//! *Expected* is the sum at what the tariff expects. *Upper* is what it should stay under in 19 of 20 requests: the same
//! where the price is fixed, a tenth more where the provider counts tokens (it counts what it drew, afterwards), and half
//! as much again where the size has no row in the provider's table, which is enough to reach the next step of those that
//! have steps. What is not published is unknown, and so is a price by the second for a request without seconds.

use muxel_sdk::{
    Column, CostModel, Describe, Estimate, Manifest, MicroUsd, Offer, Refusal, Request, Tariff, Value, export,
};

/// Whether the asked size had a row of its own in the provider's table. Without the column it had.
const LISTED_SIZE: &str = "listed-size";
/// Characters of English text behind one text token.
const CHARS_PER_TOKEN: u32 = 4;
/// What a model draws when the size is left to it.
const USUAL_SIDE: u32 = 1024;
/// An estimate from a table that lacks the asked size may be this much too low.
const UNLISTED_SIZE_MARGIN_PERCENT: u64 = 50;
/// A token-billed estimate may be this much too low even for a listed size.
const TOKEN_MARGIN_PERCENT: u64 = 10;

/// The plugin.
pub struct ListPrice;

impl Describe for ListPrice {
    fn describe() -> Manifest {
        Manifest::new("list-price", env!("CARGO_PKG_VERSION"), "the provider's published price for this request")
    }
}

impl CostModel for ListPrice {
    fn price(
        request: Request,
        _: Vec<Value>,
        offers: Vec<Offer>,
        columns: Vec<Column>,
    ) -> Result<Vec<Option<Estimate>>, Refusal> {
        let listed_size = Column::find(&columns, LISTED_SIZE);
        let listed = |index| listed_size.and_then(|column| column.at(index)) != Some(0.0);
        Ok(offers.iter().enumerate().map(|(index, offer)| estimate(&offer.tariff, &request, listed(index))).collect())
    }
}

fn estimate(tariff: &Tariff, request: &Request, listed_size: bool) -> Option<Estimate> {
    if !tariff.known || (tariff.per_second > 0 && request.duration_ms == 0) {
        return None;
    }
    let count = u64::from(request.count);
    let input_images = u64::from(request.input_images);
    let text_tokens = u64::from(request.prompt_chars.div_ceil(CHARS_PER_TOKEN));
    let parts = [
        u64::from(tariff.per_request),
        u64::from(tariff.per_output).saturating_mul(count),
        portion(tariff.per_megapixel, megapixel_hundredths(request, tariff.megapixel_step), 100).saturating_mul(count),
        portion(tariff.per_second, request.duration_ms.into(), 1_000).saturating_mul(count),
        u64::from(tariff.per_input).saturating_mul(input_images),
        portion(tariff.text_in, text_tokens, 1_000_000),
        portion(tariff.image_in, u64::from(tariff.expected_image_in) * input_images, 1_000_000),
        portion(tariff.tokens_out, tariff.expected_tokens_out.into(), 1_000_000).saturating_mul(count),
    ];
    let expected = parts.into_iter().fold(0, u64::saturating_add);
    let margin_percent = match (listed_size, tariff.tokens_out) {
        (false, _) => UNLISTED_SIZE_MARGIN_PERCENT,
        (true, 0) => 0,
        (true, _) => TOKEN_MARGIN_PERCENT,
    };
    let margin = expected.saturating_mul(margin_percent).div_ceil(100);
    Some(Estimate { expected: saturated(expected), upper: saturated(expected.saturating_add(margin)) })
}

/// `amount` units at a price per `whole` units, rounded up.
fn portion(price: MicroUsd, amount: u64, whole: u64) -> u64 {
    u64::from(price).saturating_mul(amount).div_ceil(whole)
}

/// Megapixels of one output in hundredths, rounded up to whole hundredths and then to a multiple of `step` megapixels.
fn megapixel_hundredths(request: &Request, step: f32) -> u64 {
    let (width, height) = match (request.width, request.height) {
        (0, _) | (_, 0) => (USUAL_SIDE, USUAL_SIDE),
        sides => sides,
    };
    let pixels = u64::from(width) * u64::from(height);
    let step_hundredths = (f64::from(step) * 100.0).round() as u32;
    pixels.div_ceil(10_000).next_multiple_of(u64::from(step_hundredths.max(1)))
}

fn saturated(amount: u64) -> MicroUsd {
    u32::try_from(amount).unwrap_or(u32::MAX)
}

export!(ListPrice: cost-model);

#[cfg(test)]
mod tests;
