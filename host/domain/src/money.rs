//! Money in whole micro-dollars.
//!
//! Floats never hold an amount. Sums are checked or saturate upwards: a charge that is too large to add is reported as
//! the largest amount there is, never as a small one.

use std::{fmt, iter::Sum, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

use crate::credits::ceil;

/// An amount in millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct MicroUsd(pub u64);

/// More dollars than any one call costs: an amount beyond is a mistake or a lie.
pub const MOST_USD: f64 = 100_000.0;
/// Micro-dollars in a dollar.
const PER_USD: u64 = 1_000_000;

impl MicroUsd {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(u64::MAX);

    /// This amount `count` times, saturating.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// The sum, saturating.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, 0 when `other` is larger.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `usd` dollars, rounded up to a whole micro-dollar; `None` when they are negative, not finite or more than
    /// [`MOST_USD`].
    #[must_use]
    pub fn from_usd(usd: f64) -> Option<Self> {
        (0.0..=MOST_USD).contains(&usd).then(|| Self(ceil(usd * PER_USD as f64)))
    }

    /// As dollars, for display and JSON only.
    #[must_use]
    pub fn usd(self) -> f64 {
        self.0 as f64 / PER_USD as f64
    }

    /// As the contract's 32-bit amount, saturating at 4,294.967295 USD.
    #[must_use]
    pub fn saturating_u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl Sum for MicroUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::plus)
    }
}

/// `0.04 USD`: at least two decimals, no more than needed.
impl fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:06}", self.0 % PER_USD);
        let kept = decimals.trim_end_matches('0').len().max(2);
        let text = format!("{}.{} USD", self.0 / PER_USD, &decimals[..kept]);
        f.pad(&text)
    }
}

/// A difference of two amounts, shown with its sign: `-0.02 USD`, `+0.02 USD`, `0.00 USD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference(pub i64);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.0.signum() {
            -1 => "-",
            1 => "+",
            _ => "",
        };
        f.pad(&format!("{sign}{}", MicroUsd(self.0.unsigned_abs())))
    }
}

/// Why an amount of money was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("`{0}` is not an amount: write it with its unit, like \"0.10 USD\"")]
    NoUnit(String),
    #[error("`{0}` is not an amount of money, like \"0.10 USD\"")]
    Malformed(String),
    #[error("`{0}` has more than six decimals: amounts are whole millionths of a dollar")]
    TooFine(String),
    #[error("`{0}` is too large")]
    TooLarge(String),
}

/// Reads `0.10 USD`. The unit is required; at most six decimals.
impl FromStr for MicroUsd {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let Some(number) = text.trim().strip_suffix("USD") else {
            return Err(MoneyError::NoUnit(text.to_owned()));
        };
        let number = number.trim();
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(decimals) || number.ends_with('.') {
            return Err(MoneyError::Malformed(text.to_owned()));
        }
        if decimals.len() > 6 {
            return Err(MoneyError::TooFine(text.to_owned()));
        }
        let too_large = || MoneyError::TooLarge(text.to_owned());
        let whole: u64 = whole.parse().map_err(|_| too_large())?;
        let micros: u64 = format!("{decimals:0<6}").parse().map_err(|_| too_large())?;
        whole.checked_mul(PER_USD).and_then(|amount| amount.checked_add(micros)).map(Self).ok_or_else(too_large)
    }
}

/// From `"0.10 USD"` where people write it, from whole micro-dollars where we did.
impl<'de> Deserialize<'de> for MicroUsd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return u64::deserialize(deserializer).map(Self);
        }
        struct Amount;
        impl serde::de::Visitor<'_> for Amount {
            type Value = MicroUsd;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of money with its unit, like \"0.10 USD\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<MicroUsd, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Amount)
    }
}

/// A factor on a price, exact to a millionth: a negotiated discount of 25 % is 0.75.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PriceFactor(u32);

impl PriceFactor {
    pub const ONE: Self = Self(1_000_000);

    /// A factor from 0 (free) to 100, rounded to a millionth; `None` for anything else.
    #[must_use]
    pub fn new(factor: f64) -> Option<Self> {
        (0.0..=100.0).contains(&factor).then(|| Self((factor * 1e6).round() as u32))
    }

    /// `amount` times this factor, rounded up: a price is never understated.
    #[must_use]
    pub fn of(self, amount: MicroUsd) -> MicroUsd {
        let scaled = (u128::from(amount.0) * u128::from(self.0)).div_ceil(1_000_000);
        MicroUsd(u64::try_from(scaled).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_amounts_with_their_unit() {
        assert_eq!("0.10 USD".parse(), Ok(MicroUsd(100_000)));
        assert_eq!("3USD".parse(), Ok(MicroUsd(3_000_000)));
        assert_eq!("0.000001 USD".parse(), Ok(MicroUsd(1)));
    }

    #[test]
    fn a_difference_has_a_sign() {
        let shown = [-20_000, 0, 1, i64::MIN].map(|micros| Difference(micros).to_string());
        assert_eq!(shown, ["-0.02 USD", "0.00 USD", "+0.000001 USD", "-9223372036854.775808 USD"]);
    }

    #[test]
    fn says_what_is_wrong_with_an_amount() {
        assert_eq!("0.10".parse::<MicroUsd>(), Err(MoneyError::NoUnit("0.10".to_owned())));
        assert_eq!("-1 USD".parse::<MicroUsd>(), Err(MoneyError::Malformed("-1 USD".to_owned())));
        assert_eq!(". USD".parse::<MicroUsd>(), Err(MoneyError::Malformed(". USD".to_owned())));
        assert_eq!("0.1234567 USD".parse::<MicroUsd>(), Err(MoneyError::TooFine("0.1234567 USD".to_owned())));
        let absurd = "99999999999999999999 USD";
        assert_eq!(absurd.parse::<MicroUsd>(), Err(MoneyError::TooLarge(absurd.to_owned())));
    }

    #[test]
    fn dollars_of_a_report_are_rounded_up_and_bounded() {
        assert_eq!(MicroUsd::from_usd(0.0345), Some(MicroUsd(34_500)));
        assert_eq!(MicroUsd::from_usd(0.000_000_1), Some(MicroUsd(1)));
        assert_eq!(MicroUsd::from_usd(0.0), Some(MicroUsd::ZERO));
        for absurd in [-0.01, f64::NAN, f64::INFINITY, 1e300, MOST_USD + 1.0] {
            assert_eq!(MicroUsd::from_usd(absurd), None, "{absurd}");
        }
    }

    #[test]
    fn a_factor_rounds_up() {
        let factor = PriceFactor::new(0.75).expect("a plain factor");
        assert_eq!(factor.of(MicroUsd(40_000)), MicroUsd(30_000));
        assert_eq!(factor.of(MicroUsd(1)), MicroUsd(1));
        assert_eq!(PriceFactor::new(f64::NAN), None);
        assert_eq!(PriceFactor::new(-0.5), None);
    }

    proptest! {
        #[test]
        fn a_factor_never_understates(micros in any::<u64>(), factor in 0.0..=100.0f64) {
            let factor = PriceFactor::new(factor).expect("in range");
            let exact = u128::from(micros) * u128::from(factor.0);
            let scaled = factor.of(MicroUsd(micros));
            prop_assert!(scaled == MicroUsd::MAX || u128::from(scaled.0) * 1_000_000 >= exact);
            prop_assert!(scaled == MicroUsd::MAX || u128::from(scaled.0) * 1_000_000 < exact + 1_000_000);
        }

        #[test]
        fn every_whole_micro_dollar_is_read_from_dollars(micros in 0..=100_000_000_000u64) {
            prop_assert_eq!(MicroUsd::from_usd(MicroUsd(micros).usd()), Some(MicroUsd(micros)));
        }

        #[test]
        fn what_is_shown_can_be_read(micros in 0..=u64::MAX) {
            prop_assert_eq!(MicroUsd(micros).to_string().parse(), Ok(MicroUsd(micros)));
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,40}( ?USD)?") {
            let _ = text.parse::<MicroUsd>();
        }
    }
}
