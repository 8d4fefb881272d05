//! What an attempt cost: from the provider's own report where there is one, else from the estimate.

use domain::{
    attempt::Charge,
    failure::FailureKind,
    money::MicroUsd,
    price::{Estimate, Tariff, token_bill},
};

use crate::dialect::Usage;

/// The charge of an attempt that delivered `pictures`.
pub(crate) fn delivered(tariff: &Tariff, estimate: Option<Estimate>, usage: Option<Usage>, pictures: u32) -> Charge {
    match (reported(tariff, usage, pictures), estimate) {
        (Some(charge), _) => charge,
        (None, Some(estimate)) => Charge::Estimated(estimate.expected),
        (None, None) => Charge::Unknown,
    }
}

/// The charge of an attempt that failed.
pub(crate) fn failed(kind: FailureKind, tariff: &Tariff, estimate: Option<Estimate>, usage: Option<Usage>) -> Charge {
    if !kind.may_be_charged() {
        return Charge::None;
    }
    match (reported(tariff, usage, 0), estimate) {
        (Some(charge), _) => charge,
        (None, Some(estimate)) => Charge::Possible(estimate.upper),
        (None, None) => Charge::Unknown,
    }
}

/// The bill that follows from `usage`, when tokens are what this tariff bills.
fn reported(tariff: &Tariff, usage: Option<Usage>, pictures: u32) -> Option<Charge> {
    let usage = usage?;
    let is_by_token = tariff.known && tariff.tokens_out > MicroUsd::ZERO;
    let has_other_parts = [tariff.per_megapixel, tariff.per_second, tariff.per_input].iter().any(|part| part.0 > 0);
    if !is_by_token || has_other_parts {
        return None;
    }
    let tokens = token_bill(tariff, usage.text_in, usage.image_in, usage.out);
    Some(Charge::Reported(tokens.plus(tariff.per_request).plus(tariff.per_output.times(u64::from(pictures)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESTIMATE: Option<Estimate> = Some(Estimate { expected: MicroUsd(100), upper: MicroUsd(120) });
    const USAGE: Option<Usage> = Some(Usage { text_in: 1_000, image_in: 0, out: 10_000 });

    fn by_token() -> Tariff {
        let (text_in, tokens_out) = (MicroUsd(5_000_000), MicroUsd(30_000_000));
        Tariff { known: true, text_in, tokens_out, ..Tariff::default() }
    }

    fn flat() -> Tariff {
        Tariff { known: true, per_output: MicroUsd(100), ..Tariff::default() }
    }

    #[test]
    fn tokens_are_billed_as_reported() {
        assert_eq!(delivered(&by_token(), ESTIMATE, USAGE, 1), Charge::Reported(MicroUsd(305_000)));
        assert_eq!(delivered(&by_token(), ESTIMATE, None, 1), Charge::Estimated(MicroUsd(100)));
    }

    #[test]
    fn usage_says_nothing_about_a_flat_price() {
        assert_eq!(delivered(&flat(), ESTIMATE, USAGE, 1), Charge::Estimated(MicroUsd(100)));
    }

    #[test]
    fn an_unknown_price_is_never_zero() {
        assert_eq!(delivered(&Tariff::default(), None, USAGE, 1), Charge::Unknown);
        assert_eq!(failed(FailureKind::Server, &Tariff::default(), None, None), Charge::Unknown);
    }

    #[test]
    fn a_failure_that_may_be_charged_costs_up_to_its_upper_price() {
        assert_eq!(failed(FailureKind::Timeout, &flat(), ESTIMATE, None), Charge::Possible(MicroUsd(120)));
        assert_eq!(failed(FailureKind::Empty, &by_token(), ESTIMATE, USAGE), Charge::Reported(MicroUsd(305_000)));
        assert_eq!(failed(FailureKind::Refused, &flat(), ESTIMATE, None), Charge::None);
        assert_eq!(failed(FailureKind::Connect, &flat(), ESTIMATE, None), Charge::None);
    }
}
