//! Writes the short sentence that explains a ranking.
//!
//! By hand: the standard formatting machinery is larger than most plugins, and slower than most rankings.

use crate::MicroUsd;

/// A reason under way: `Reason::new("quality ").share(0.62).text(" at ").usd(13_200)` is `quality 0.62 at 0.0132 USD`.
///
/// It ends where the contract's limit is reached: what does not fit whole, and all after it, is left out, because half
/// an amount is another amount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    text: String,
    full: bool,
}

impl Reason {
    /// The contract's limit, in bytes.
    pub const LIMIT: usize = 256;

    /// Begins with `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: String::with_capacity(96), full: false }.text(text)
    }

    /// Goes on with `text`.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.full |= self.text.len() + text.len() > Self::LIMIT;
        if !self.full {
            self.text.push_str(text);
        }
        self
    }

    /// Goes on with an amount, such as `0.0132 USD`.
    #[must_use]
    pub fn usd(self, amount: MicroUsd) -> Self {
        self.decimal(amount.into(), 6, 2).text(" USD")
    }

    /// Goes on with a time in tenths of seconds, such as `6.2 s`.
    #[must_use]
    pub fn seconds(self, ms: u32) -> Self {
        self.decimal((u64::from(ms) + 50) / 100, 1, 1).text(" s")
    }

    /// Goes on with a number from 0 to 1 in hundredths, such as `0.62`.
    #[must_use]
    pub fn share(self, share: f32) -> Self {
        self.decimal((share.clamp(0.0, 1.0) * 100.0 + 0.5) as u64, 2, 2)
    }

    /// Goes on with a whole number.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.decimal(number, 0, 0)
    }

    /// `value` shifted by `places` decimals, of which trailing zeros beyond `kept` are left out.
    fn decimal(self, mut value: u64, places: usize, kept: usize) -> Self {
        let mut digits = [0u8; 24];
        let (mut at, mut decimals) = (digits.len(), places);
        while decimals > kept && value.is_multiple_of(10) {
            value /= 10;
            decimals -= 1;
        }
        let mut written = 0;
        while value > 0 || written <= decimals {
            if written == decimals && decimals > 0 {
                at -= 1;
                digits[at] = b'.';
            }
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            written += 1;
        }
        self.text(str::from_utf8(&digits[at..]).unwrap_or_default())
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reason: Reason) -> String {
        reason.into()
    }

    #[test]
    fn writes_amounts_times_and_shares() {
        let reason = Reason::new("quality ").share(0.615).text(" at ").usd(13_200).text(", ").seconds(6_170);
        assert_eq!(written(reason), "quality 0.62 at 0.0132 USD, 6.2 s");
        assert_eq!(written(Reason::default().usd(0)), "0.00 USD");
        assert_eq!(written(Reason::default().usd(1)), "0.000001 USD");
        assert_eq!(written(Reason::default().usd(u32::MAX)), "4294.967295 USD");
        assert_eq!(written(Reason::default().seconds(u32::MAX)), "4294967.3 s");
        assert_eq!(written(Reason::default().share(f32::NAN)), "0.00");
        assert_eq!(written(Reason::default().share(9.0)), "1.00");
        assert_eq!(written(Reason::default().number(0)), "0");
        assert_eq!(written(Reason::default().number(u64::MAX)), "18446744073709551615");
    }

    #[test]
    fn ends_at_the_limit() {
        let reason = written(Reason::new(&"x".repeat(255)).text("ä").text("y"));
        assert_eq!(reason, "x".repeat(255));
    }
}
