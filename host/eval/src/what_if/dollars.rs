//! Dollars as people and programs write them, read digit by digit: `0.04`, `$0.04`, `0.04 USD`, `4e-2`.

use domain::money::{MOST_USD, MicroUsd};

/// Digits behind the point of a micro-dollar.
const DECIMALS: i64 = 6;
/// Longest number that is one, in bytes.
const LONGEST: usize = 64;

/// An amount, and whether it had to be rounded to a whole micro-dollar: up at a half, down under it. `None` of what is no
/// amount from 0 to [`MOST_USD`].
pub(super) fn read(text: &str) -> Option<(MicroUsd, bool)> {
    let text = text.trim();
    let number = text.strip_prefix('$').unwrap_or(text);
    let number = number.strip_suffix("USD").or_else(|| number.strip_suffix("usd")).unwrap_or(number).trim();
    if number.len() > LONGEST {
        return None;
    }
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i8>().ok()?),
        None => (number, 0),
    };
    let mantissa = mantissa.strip_prefix('+').unwrap_or(mantissa);
    let (whole, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.len() + behind.len() == 0 || !whole.bytes().chain(behind.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: Vec<u8> = whole.bytes().chain(behind.bytes()).map(|digit| digit - b'0').collect();
    // So many digits make up the whole micro-dollars.
    let kept = whole.len() as i64 + i64::from(exponent) + DECIMALS;
    let mut micros: u64 = 0;
    for place in 0..kept.max(0) {
        let digit = usize::try_from(place).ok().and_then(|place| digits.get(place)).copied().unwrap_or(0);
        micros = micros.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    let cut = digits.get(usize::try_from(kept.max(0)).ok()?..).unwrap_or_default();
    let is_rounded = cut.iter().any(|digit| *digit > 0);
    if kept >= 0 && cut.first().is_some_and(|digit| *digit >= 5) {
        micros = micros.checked_add(1)?;
    }
    (micros <= MicroUsd::from_usd(MOST_USD)?.0).then_some((MicroUsd(micros), is_rounded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<u64> {
        read(text).map(|(amount, _)| amount.0)
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
            assert_eq!(read(text), Some((MicroUsd(amount), false)), "{text}");
        }
    }

    #[test]
    fn what_is_finer_is_rounded_and_says_so() {
        assert_eq!(read("0.0421875"), Some((MicroUsd(42_188), true)));
        assert_eq!(read("0.04000000000000001"), Some((MicroUsd(40_000), true)));
        assert_eq!(read("4e-7"), Some((MicroUsd(0), true)));
        assert_eq!(read("5e-7"), Some((MicroUsd(1), true)));
        assert_eq!(read("9e-9"), Some((MicroUsd(0), true)));
        assert_eq!(read("0.1000000000"), Some((MicroUsd(100_000), false)));
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
