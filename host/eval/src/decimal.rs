//! Decimal numbers as people and programs write them, read digit by digit: `0.04`, `40000.0`, `4e-2`. Money is never a
//! float.

use domain::money::{MOST_USD, MicroUsd};

/// Longest number that is one, in bytes.
const LONGEST: usize = 64;
/// Digits behind the point of a micro-dollar.
const DECIMALS: i64 = 6;

/// A number that is not negative, cut to a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) whole: u64,
    /// Whether something was cut off, and whether that was a half or more.
    pub(crate) is_cut: bool,
    pub(crate) is_half: bool,
}

/// `text` times ten to the power of `shift`. `None` of what is no such number, or too large.
pub(crate) fn read(text: &str, shift: i64) -> Option<Decimal> {
    if text.len() > LONGEST {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i8>().ok()?),
        None => (text, 0),
    };
    let mantissa = mantissa.strip_prefix('+').unwrap_or(mantissa);
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if before.len() + behind.len() == 0 || !before.bytes().chain(behind.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: Vec<u8> = before.bytes().chain(behind.bytes()).map(|digit| digit - b'0').collect();
    // So many digits make up the whole number.
    let kept = before.len() as i64 + i64::from(exponent) + shift;
    let mut whole: u64 = 0;
    for place in 0..usize::try_from(kept).unwrap_or(0) {
        let digit = digits.get(place).copied().unwrap_or(0);
        whole = whole.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    let cut = digits.get(usize::try_from(kept).unwrap_or(0)..).unwrap_or_default();
    let is_cut = cut.iter().any(|digit| *digit > 0);
    let is_half = kept >= 0 && cut.first().is_some_and(|digit| *digit >= 5);
    Some(Decimal { whole, is_cut, is_half })
}

/// Dollars, also as `$0.04` and `0.04 USD`, and whether they had to be rounded to a whole micro-dollar: up at a half, down
/// under it. `None` of what is no amount from 0 to [`MOST_USD`].
pub(crate) fn dollars(text: &str) -> Option<(MicroUsd, bool)> {
    let text = text.trim();
    let number = text.strip_prefix('$').unwrap_or(text);
    let number = number.strip_suffix("USD").or_else(|| number.strip_suffix("usd")).unwrap_or(number).trim();
    let Decimal { whole, is_cut, is_half } = read(number, DECIMALS)?;
    let micros = whole.checked_add(u64::from(is_half))?;
    (micros <= MicroUsd::from_usd(MOST_USD)?.0).then_some((MicroUsd(micros), is_cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<u64> {
        dollars(text).map(|(amount, _)| amount.0)
    }

    #[test]
    fn amounts_are_read_to_the_micro_dollar() {
        for (text, amount) in [
            ("0.04", 40_000),
            (" $0.04 ", 40_000),
            ("0.04 USD", 40_000),
            ("4e-2", 40_000),
            ("1.5E+1", 15_000_000),
            ("1e-05", 10),
            (".5", 500_000),
            ("3.", 3_000_000),
            ("0", 0),
            ("100000", 100_000_000_000),
            ("0.1", 100_000),
            ("0.000001", 1),
        ] {
            assert_eq!(dollars(text), Some((MicroUsd(amount), false)), "{text}");
        }
    }

    #[test]
    fn what_is_finer_is_rounded_and_says_so() {
        assert_eq!(dollars("0.0421875"), Some((MicroUsd(42_188), true)));
        assert_eq!(dollars("0.04000000000000001"), Some((MicroUsd(40_000), true)));
        assert_eq!(dollars("4e-7"), Some((MicroUsd(0), true)));
        assert_eq!(dollars("5e-7"), Some((MicroUsd(1), true)));
        assert_eq!(dollars("9e-9"), Some((MicroUsd(0), true)));
        assert_eq!(dollars("0.1000000000"), Some((MicroUsd(100_000), false)));
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in
            ["", "-1", "0,04", "1,234.5", "abc", "NaN", "inf", "1e99", "1e999", "100000.000001", "€1", "1 2", "--", "."]
        {
            assert_eq!(micros(text), None, "{text}");
        }
        assert_eq!(micros(&"1".repeat(1_000)), None);
    }
}
