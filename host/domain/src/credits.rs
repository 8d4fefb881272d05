//! Credits: what some vendors count in place of money, exact to a thousandth of a credit.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::money::MicroUsd;

/// Thousandths of a credit in a credit.
const PARTS: u64 = 1_000;
/// No call of any vendor takes as many credits: more is a mistake or a lie.
const MOST: f64 = 1e9;

/// An amount of credits, in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Credits(u64);

impl Credits {
    /// `credits` rounded up to a thousandth; `None` when they are negative, not finite or beyond a billion.
    #[must_use]
    pub fn new(credits: f64) -> Option<Self> {
        (0.0..=MOST).contains(&credits).then(|| Self(ceil(credits * PARTS as f64)))
    }

    /// What they cost at the price of one, rounded up to a whole micro-dollar.
    #[must_use]
    pub fn at(self, price: MicroUsd) -> MicroUsd {
        let amount = (u128::from(price.0) * u128::from(self.0)).div_ceil(u128::from(PARTS));
        MicroUsd(u64::try_from(amount).unwrap_or(u64::MAX))
    }

    /// These credits `count` times, saturating.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// As a number, for JSON only.
    #[must_use]
    pub fn number(self) -> f64 {
        self.0 as f64 / PARTS as f64
    }
}

/// The whole number that `value` is, but for the noise of its binary form, or else the next one.
pub(crate) fn ceil(value: f64) -> u64 {
    let near = value.round();
    let is_noise = (value - near).abs() <= near.abs() * 4.0 * f64::EPSILON;
    (if is_noise { near } else { value.ceil() }) as u64
}

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// From a number of credits, where people write it.
impl<'de> Deserialize<'de> for Credits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;
        impl de::Visitor<'_> for Amount {
            type Value = Credits;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of credits from 0 to a billion")
            }
            fn visit_f64<E: de::Error>(self, credits: f64) -> Result<Credits, E> {
                Credits::new(credits).ok_or_else(|| E::invalid_value(de::Unexpected::Float(credits), &self))
            }
            fn visit_i64<E: de::Error>(self, credits: i64) -> Result<Credits, E> {
                Credits::new(credits as f64).ok_or_else(|| E::invalid_value(de::Unexpected::Signed(credits), &self))
            }
            fn visit_u64<E: de::Error>(self, credits: u64) -> Result<Credits, E> {
                Credits::new(credits as f64).ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(credits), &self))
            }
        }
        deserializer.deserialize_any(Amount)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_credit_has_thousandths_and_a_price() {
        assert_eq!(Credits::new(35.0).map(|credits| credits.at(MicroUsd(1_000))), Some(MicroUsd(35_000)));
        assert_eq!(Credits::new(3.5).map(|credits| credits.at(MicroUsd(10_000))), Some(MicroUsd(35_000)));
        assert_eq!(Credits::new(0.0001), Credits::new(0.001));
        assert_eq!(Credits::new(6.5).map(|credits| credits.to_string()).as_deref(), Some("6.5"));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for absurd in [-1.0, -f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, 1e300, 1e9 + 1.0] {
            assert_eq!(Credits::new(absurd), None, "{absurd}");
        }
        assert!(toml::from_str::<std::collections::BTreeMap<String, Credits>>("a = -1").is_err());
        assert!(toml::from_str::<std::collections::BTreeMap<String, Credits>>("a = \"35\"").is_err());
    }

    proptest! {
        #[test]
        fn a_price_in_credits_is_never_understated(thousandths in 0..1_000_000_000u64, price in 0..1_000_000_000u64) {
            let credits = Credits::new(thousandths as f64 / 1e3).expect("in range");
            let exact = u128::from(thousandths) * u128::from(price);
            let amount = u128::from(credits.at(MicroUsd(price)).0) * 1_000;
            prop_assert!((exact..exact + 1_000).contains(&amount), "{exact} {amount}");
        }
    }
}
