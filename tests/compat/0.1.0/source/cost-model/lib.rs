//! A cost model of contract 0.1.0: prices by the tariff, and knows nothing of what has none.

use muxel_sdk::{Column, CostModel, Describe, Estimate, Manifest, Offer, Refusal, Request, Value, export};

struct Compat;

impl Describe for Compat {
    fn describe() -> Manifest {
        Manifest::new("compat-cost-model", "0.1.0", "a cost model of contract 0.1.0")
    }
}

impl CostModel for Compat {
    fn price(
        request: Request,
        _: Vec<Value>,
        offers: Vec<Offer>,
        _: Vec<Column>,
    ) -> Result<Vec<Option<Estimate>>, Refusal> {
        let price = |offer: Offer| {
            let tariff = offer.tariff;
            let expected = tariff.per_request + tariff.per_output * request.count;
            tariff.known.then_some(Estimate { expected, upper: expected + 7 })
        };
        Ok(offers.into_iter().map(price).collect())
    }
}

export!(Compat: cost-model);
