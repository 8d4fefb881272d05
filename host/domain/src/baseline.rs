//! What a request is compared with: what it would have cost at the model that its caller uses now.
//!
//! A saving is only claimed where the comparison is fair. A caller who named the model has it: nothing is saved by
//! serving it. A route's baseline counts where it could have served the very request: at that size, with that background
//! and at a tier that the caller's quality allows. What it would have cost is what the cost models said of it in this
//! decision, or else its list price.

use crate::{
    candidate::Candidate,
    capability,
    catalogue::Date,
    money::MicroUsd,
    price::{Estimate, list_price},
    request::Request,
};

/// What `request` would have cost at `candidate`, if that could have served it. `estimate` is what the cost models said
/// of it, when they were asked.
///
/// Its vendor having withdrawn it does not matter, and neither does a limit on pictures a call: several calls make as many.
#[must_use]
pub fn price(candidate: &Candidate, request: &Request, estimate: Option<Estimate>) -> Option<MicroUsd> {
    let one = Request { count: 1, ..request.clone() };
    let prompt_chars = request.prompt.chars().count();
    if capability::veto(candidate, &one, prompt_chars, Date::of_unix_ms(0)).is_some() {
        return None;
    }
    let by_the_list = || {
        let tariff = candidate.tier().price.as_ref()?.tariff(request.size, candidate.provider.price_factor);
        list_price(&tariff, request)
    };
    estimate.or_else(by_the_list).map(|estimate| estimate.expected)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        catalogue::Catalogue,
        money::PriceFactor,
        provider::{DialectName, Provider},
        size::Size,
    };

    fn candidate(vendor: &str, model: &str, tier: Option<&str>) -> Candidate {
        let provider = Provider {
            name: vendor.to_owned(),
            dialect: DialectName::Openai,
            tags: Vec::new(),
            price_factor: PriceFactor::new(0.5).expect("a factor"),
            weight: 1.0,
            max_in_flight: 0,
        };
        let catalogue = Catalogue::embedded();
        let model = catalogue.vendor(vendor).iter().find(|row| row.name == model).expect("a model");
        let provider = Arc::new(provider);
        let mut all = Candidate::all(&provider, model);
        all.find(|candidate| candidate.tier().name.as_deref() == tier).expect("a tier")
    }

    #[test]
    fn the_estimate_of_this_decision_counts_else_the_list_price() {
        let candidate = candidate("openai", "gpt-image-2", Some("medium"));
        let request = Request { count: 3, ..Request::for_prompt("a fox") };
        let said = Estimate { expected: MicroUsd(7), upper: MicroUsd(9) };
        assert_eq!(price(&candidate, &request, Some(said)), Some(MicroUsd(7)));
        let tariff =
            candidate.tier().price.as_ref().expect("priced").tariff(request.size, candidate.provider.price_factor);
        assert_eq!(price(&candidate, &request, None), list_price(&tariff, &request).map(|listed| listed.expected));
    }

    #[test]
    fn a_baseline_that_could_not_have_served_saves_nothing() {
        let candidate = candidate("recraft", "recraftv4_1", None);
        let request = Request::for_prompt("a fox");
        assert_eq!(price(&candidate, &request, None), Some(MicroUsd(17_500)));
        let large = Request { size: Size::new(2048, 2048), ..request.clone() };
        assert_eq!(price(&candidate, &large, None), None);
        assert_eq!(price(&candidate, &Request { transparent: true, ..request.clone() }, None), None);
        // It makes six pictures a call, and ten in two.
        assert_eq!(price(&candidate, &Request { count: 10, ..request }, None), Some(MicroUsd(175_000)));
    }

    #[test]
    fn another_tier_than_the_caller_asked_for_is_no_baseline() {
        let candidate = candidate("openai", "gpt-image-2", Some("high"));
        let low = Request { quality: "low".parse().expect("a quality"), ..Request::for_prompt("a fox") };
        assert_eq!(price(&candidate, &low, None), None);
    }
}
