//! What an attempt cost: from the provider's own report where there is one, else from the estimate.

use domain::{
    attempt::Charge,
    failure::FailureKind,
    money::MicroUsd,
    price::{Estimate, Tariff, token_bill},
};

use crate::dialect::Usage;

/// The charge of an attempt whose provider sent `sent` of `asked` pictures. A picture that was sent and cannot be used was
/// most likely charged all the same, and so was one too many.
pub(crate) fn delivered(
    tariff: &Tariff,
    estimate: Option<Estimate>,
    usage: Option<Usage>,
    sent: u32,
    asked: u32,
) -> Charge {
    match (reported(tariff, usage, sent), estimate) {
        (Some(charge), _) => charge,
        (None, Some(estimate)) => {
            let each = MicroUsd(estimate.expected.0.div_ceil(u64::from(asked.max(1))));
            let expected = if sent == asked { estimate.expected } else { each.times(u64::from(sent)) };
            Charge::Estimated(expected)
        }
        (None, None) => Charge::Unknown(MicroUsd::ZERO),
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
        (None, None) => Charge::Unknown(MicroUsd::ZERO),
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
        assert_eq!(delivered(&by_token(), ESTIMATE, USAGE, 1, 1), Charge::Reported(MicroUsd(305_000)));
        assert_eq!(delivered(&by_token(), ESTIMATE, None, 1, 1), Charge::Estimated(MicroUsd(100)));
    }

    #[test]
    fn usage_says_nothing_about_a_flat_price() {
        assert_eq!(delivered(&flat(), ESTIMATE, USAGE, 1, 1), Charge::Estimated(MicroUsd(100)));
    }

    #[test]
    fn only_what_was_sent_is_billed() {
        let three = Some(Estimate { expected: MicroUsd(300), upper: MicroUsd(300) });
        assert_eq!(delivered(&flat(), three, None, 1, 3), Charge::Estimated(MicroUsd(100)));
        assert_eq!(delivered(&flat(), three, None, 4, 3), Charge::Estimated(MicroUsd(400)));
    }

    #[test]
    fn an_unknown_price_is_never_zero() {
        assert_eq!(delivered(&Tariff::default(), None, USAGE, 1, 1), Charge::Unknown(MicroUsd::ZERO));
        assert_eq!(failed(FailureKind::Server, &Tariff::default(), None, None), Charge::Unknown(MicroUsd::ZERO));
    }

    #[test]
    fn a_failure_that_may_be_charged_costs_up_to_its_upper_price() {
        assert_eq!(failed(FailureKind::Timeout, &flat(), ESTIMATE, None), Charge::Possible(MicroUsd(120)));
        assert_eq!(failed(FailureKind::Empty, &by_token(), ESTIMATE, USAGE), Charge::Reported(MicroUsd(305_000)));
        assert_eq!(failed(FailureKind::Refused, &flat(), ESTIMATE, None), Charge::None);
        assert_eq!(failed(FailureKind::Connect, &flat(), ESTIMATE, None), Charge::None);
    }
}
