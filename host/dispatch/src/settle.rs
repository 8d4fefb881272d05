//! What an attempt cost: from the provider's own report where there is one, else from the estimate.
//!
//! A report in dollars is what the provider says it charged, so it stands as it is: a negotiated `price-factor` is in it
//! already. Credits and tokens are counts; they become money at the candidate's price, times that factor. An amount that
//! cannot be one is set aside for the estimate, and said.

use domain::{
    attempt::Charge,
    candidate::Candidate,
    failure::FailureKind,
    money::MicroUsd,
    price::{Estimate, Tariff, token_bill},
};

use crate::dialect::{Report, Told, Usage};

/// What an attempt is billed by.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) candidate: &'a Candidate,
    pub(crate) tariff: &'a Tariff,
    pub(crate) estimate: Option<Estimate>,
}

/// A charge, and what the reader should know about how it came about.
#[derive(Debug, PartialEq)]
pub(crate) struct Settled {
    pub(crate) charge: Charge,
    pub(crate) doubt: Option<String>,
}

impl Terms<'_> {
    /// The charge of an attempt whose provider sent `sent` of `asked` pictures. A picture that was sent and cannot be
    /// used was most likely charged all the same, and so was one too many.
    pub(crate) fn delivered(self, report: &Report, sent: u32, asked: u32) -> Settled {
        let charge = match (self.reported(report, sent), self.estimate) {
            (Some(amount), _) => Charge::Reported(amount),
            (None, Some(estimate)) => {
                let each = MicroUsd(estimate.expected.0.div_ceil(u64::from(asked.max(1))));
                let expected = if sent == asked { estimate.expected } else { each.times(u64::from(sent)) };
                Charge::Estimated(expected)
            }
            (None, None) => Charge::Unknown(MicroUsd::ZERO),
        };
        Settled { charge, doubt: self.doubt(report) }
    }

    /// The charge of an attempt that failed. What its kind says costs nothing, such as a refusal, costs what the provider
    /// says it charged all the same.
    pub(crate) fn failed(self, kind: FailureKind, report: &Report) -> Settled {
        let reported = if kind.may_be_charged() {
            self.reported(report, 0)
        } else {
            self.charged(report).filter(|amount| *amount > MicroUsd::ZERO)
        };
        let charge = match (reported, self.estimate) {
            (Some(amount), _) => Charge::Reported(amount),
            (None, _) if !kind.may_be_charged() => Charge::None,
            (None, Some(estimate)) => Charge::Possible(estimate.upper),
            (None, None) => Charge::Unknown(MicroUsd::ZERO),
        };
        Settled { charge, doubt: self.doubt(report) }
    }

    /// The bill that follows from what the provider reported, the most direct report first.
    fn reported(self, report: &Report, pictures: u32) -> Option<MicroUsd> {
        self.charged(report).or_else(|| by_token(self.tariff, report.usage?, pictures))
    }

    /// What the provider says that it charged, in dollars or in credits.
    fn charged(self, report: &Report) -> Option<MicroUsd> {
        match (&report.cost, &report.credits) {
            (Told::Amount(usd), _) => Some(*usd),
            (_, Told::Amount(credits)) => {
                let price = self.candidate.tier().price.as_ref()?;
                price.credit_bill(*credits, self.candidate.provider.price_factor)
            }
            _ => None,
        }
    }

    /// What was reported and set aside. Credits only matter to a price in credits: elsewhere the word may mean anything.
    fn doubt(self, report: &Report) -> Option<String> {
        let counts_credits =
            || self.candidate.tier().price.as_ref().is_some_and(|price| price.credits(None, 1).is_some());
        let (what, shown) = match (&report.cost, &report.credits) {
            (Told::Absurd(shown), _) => ("cost", shown),
            (Told::Nothing, Told::Absurd(shown)) if counts_credits() => ("credits", shown),
            _ => return None,
        };
        Some(format!("the provider reports a {what} of {shown}, which is no amount: it was not used"))
    }
}

/// The bill that follows from `usage`, when tokens are what this tariff bills.
fn by_token(tariff: &Tariff, usage: Usage, pictures: u32) -> Option<MicroUsd> {
    let is_by_token = tariff.known && tariff.tokens_out > MicroUsd::ZERO;
    let has_other_parts = [tariff.per_megapixel, tariff.per_second, tariff.per_input].iter().any(|part| part.0 > 0);
    if !is_by_token || has_other_parts {
        return None;
    }
    let tokens = token_bill(tariff, usage.text_in, usage.image_in, usage.out);
    Some(tokens.plus(tariff.per_request).plus(tariff.per_output.times(u64::from(pictures))))
}

#[cfg(test)]
mod tests;
