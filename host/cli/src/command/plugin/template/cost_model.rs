//! A cost model: what would each candidate cost?
//!
//! This one knows the prices that you have negotiated for a few models, and says `None` for every other. A route asks
//! its cost models in order, and for each candidate the first that knows a price counts:
//! `cost-models = ["this-one", "list-price"]`.

use muxel_sdk::{
    Column, CostModel, Describe, Estimate, Manifest, MicroUsd, Offer, Refusal, Request, Value,
    export,
};

/// What one picture costs by contract, in millionths of a US dollar. A name without `@tier` is the price of all tiers.
const CONTRACT: [(&str, MicroUsd); 3] = [
    ("openai/gpt-image-2.6-flare@low", 5_000),
    ("google/gemini-nano-banana-2.1", 28_000),
    ("xai/grok-imagine-image", 15_000),
];

struct Plugin;

impl Describe for Plugin {
    /// Called once, when a host takes the plugin in.
    fn describe() -> Manifest {
        let summary = "the prices of our contracts";
        Manifest::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), summary).number(
            "margin",
            "how far above the expected price the bill may be",
            "share",
            0.0,
            0.0,
            1.0,
        )
    }
}

impl CostModel for Plugin {
    /// Called for each request, in a fresh sandbox: nothing is kept between two calls.
    fn price(
        request: Request,
        settings: Vec<Value>,
        offers: Vec<Offer>,
        _columns: Vec<Column>,
    ) -> Result<Vec<Option<Estimate>>, Refusal> {
        // Settings come in the order in which `describe` names them.
        let margin = settings.first().map_or(0.0, |value| value.number_or(0.0));
        // One answer for each offer, in their order.
        Ok(offers
            .iter()
            .map(|offer| estimate(offer, request.count, margin))
            .collect())
    }
}

/// For one attempt at the whole request, all its pictures together. `None` is unknown, which is not free.
fn estimate(offer: &Offer, count: u32, margin: f64) -> Option<Estimate> {
    let untiered = offer.model.split('@').next().unwrap_or_default();
    let named = |(name, _): &&(&str, MicroUsd)| *name == offer.model || *name == untiered;
    let (_, each) = CONTRACT.iter().find(named)?;
    // Saturating, and rounded up: money is whole millionths of a dollar.
    let expected = each.saturating_mul(count);
    let upper = (f64::from(expected) * (1.0 + margin)).ceil() as MicroUsd;
    Some(Estimate {
        expected,
        upper: upper.max(expected),
    })
}

export!(Plugin: cost-model);

#[cfg(test)]
mod tests {
    use muxel_sdk::{Tariff, testing};

    use super::*;

    fn price(model: &str, count: u32, settings: Vec<Value>) -> Option<Estimate> {
        let request = Request::for_prompt("a red bicycle").wanting(count);
        let offers = vec![Offer::new(model, Tariff::unknown())];
        Plugin::price(request, settings, offers, vec![]).expect("estimates")[0]
    }

    #[test]
    fn contract_prices_hold_for_every_picture() {
        let price = |model, count| price(model, count, Plugin::describe().defaults());
        let both = |amount| {
            Some(Estimate {
                expected: amount,
                upper: amount,
            })
        };
        assert_eq!(price("xai/grok-imagine-image", 1), both(15_000));
        assert_eq!(price("xai/grok-imagine-image@low", 3), both(45_000));
        assert_eq!(price("openai/gpt-image-2.6-flare@low", 1), both(5_000));
        assert_eq!(
            price("openai/gpt-image-2.6-flare@high", 1),
            None,
            "another tier"
        );
        assert_eq!(price("lab/unknown", 1), None);
    }

    #[test]
    fn the_margin_is_a_setting() {
        let estimate = price("xai/grok-imagine-image", 1, vec![Value::Number(0.1)]);
        assert_eq!(
            estimate,
            Some(Estimate {
                expected: 15_000,
                upper: 16_500
            })
        );
    }

    #[test]
    fn a_host_accepts_what_it_says_of_itself() {
        testing::assert_manifest(&Plugin::describe());
    }

    /// Five hundred requests as a host may send them, from a seed: the same ones each time.
    #[test]
    fn a_host_accepts_all_estimates() {
        testing::each(500, |samples| {
            let mut offers = samples.offers();
            offers.push(Offer::new(CONTRACT[0].0, Tariff::unknown()));
            let columns = samples.columns(offers.len());
            let settings = samples.settings(&Plugin::describe());
            let estimates = Plugin::price(samples.request(), settings, offers.clone(), columns);
            testing::assert_estimates(&estimates.expect("estimates"), &offers);
        });
    }
}
