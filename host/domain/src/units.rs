//! Quantities as people write them: a whole number and its unit, always.
//!
//! A bare number is refused. `300` may mean seconds to one reader and milliseconds to the next, and both are right
//! until the first bill. Money has the same rule in `money`.

use std::fmt;

/// Units of a period in milliseconds, largest first.
const PERIOD_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
/// Units of a size, largest first.
const BYTE_UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
/// A hundred years: the sum of any two periods and any moment is still a moment.
pub const LONGEST_MS: u64 = 36_500 * 86_400_000;
/// As much as a file can have.
pub const MOST_BYTES: u64 = i64::MAX as u64;

/// Why a duration or a size was not understood. Keeps at most the first characters of what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("`{text}` has no unit")]
    NoUnit { text: String, unit: &'static str },
    #[error("`{text}` has a unit that is not known here")]
    UnknownUnit { text: String, known: &'static str, like: &'static str },
    #[error("`{text}` is not a whole number with a unit")]
    Malformed { text: String, like: &'static str },
    #[error("`{text}` is too large")]
    TooLarge { text: String, most: &'static str },
}

impl UnitError {
    /// How to write it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoUnit { text, unit } => format!("write it with its unit, like \"{text}{unit}\""),
            Self::UnknownUnit { known, like, .. } => format!("write it in {known}, like \"{like}\""),
            Self::Malformed { like, .. } => format!("write it like \"{like}\""),
            Self::TooLarge { most, .. } => format!("write at most \"{most}\""),
        }
    }

    /// Error and hint in one line, for `serde`, whose errors are text. The reader takes them apart again.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{self}: {}", self.hint())
    }
}

/// One kind of quantity: how its text is read and shown.
#[derive(Debug)]
pub struct Quantity {
    units: &'static [(&'static str, u64)],
    /// What to add to a bare number in a hint.
    usual: &'static str,
    known: &'static str,
    like: &'static str,
    limit: u64,
    most: &'static str,
}

/// How long something may take or is kept, in milliseconds: `250ms`, `300s`, `5m`, `1h`, `90d`.
pub const PERIOD: Quantity = Quantity {
    units: &PERIOD_UNITS,
    usual: "s",
    known: "ms, s, m, h or d",
    like: "300s",
    limit: LONGEST_MS,
    most: "36500d",
};
/// How many bytes something may have: `500B`, `64KiB`, `32MiB`, `1GiB`, `2TiB`.
pub const BYTES: Quantity = Quantity {
    units: &BYTE_UNITS,
    usual: "MiB",
    known: "B, KiB, MiB, GiB or TiB",
    like: "32MiB",
    limit: MOST_BYTES,
    most: "8388607TiB",
};

impl Quantity {
    /// The amount in the smallest unit.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn read(&self, written: &str) -> Result<u64, UnitError> {
        let text = || written.trim().chars().take(40).collect::<String>();
        let trimmed = written.trim();
        let end = trimmed.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(trimmed.len());
        let (digits, unit) = (&trimmed[..end], trimmed[end..].trim_start());
        if digits.is_empty() || unit.starts_with(|first: char| !first.is_alphabetic()) {
            return Err(UnitError::Malformed { text: text(), like: self.like });
        }
        if unit.is_empty() {
            return Err(UnitError::NoUnit { text: text(), unit: self.usual });
        }
        let Some((_, scale)) = self.units.iter().find(|(name, _)| *name == unit) else {
            return Err(UnitError::UnknownUnit { text: text(), known: self.known, like: self.like });
        };
        digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*scale))
            .filter(|amount| *amount <= self.limit)
            .ok_or_else(|| UnitError::TooLarge { text: text(), most: self.most })
    }

    /// In the largest unit that divides `amount`.
    ///
    /// # Errors
    ///
    /// Those of `f`.
    pub fn show(&self, amount: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (smallest, _) = self.units[self.units.len() - 1];
        let fitting = self.units.iter().find(|(_, scale)| amount >= *scale && amount.is_multiple_of(*scale));
        let (unit, scale) = fitting.copied().unwrap_or((smallest, 1));
        f.pad(&format!("{}{unit}", amount / scale))
    }
}
