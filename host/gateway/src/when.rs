//! Moments as people write them: an age like `24h`, or a day like `2026-10-01`.

use std::{str::FromStr, time::Duration};

use domain::catalogue::Date;

use crate::config::units::Period;

/// A moment in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This long ago.
    Ago(Duration),
    /// The first moment of this day, in UTC.
    Day(Date),
}

/// Text that names no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a moment")]
pub struct NotAMoment(String);

impl NotAMoment {
    /// How to write one.
    pub const HINT: &str = "write how long ago, like `24h` or `30d`, or a day in UTC, like `2026-10-01`";
}

impl When {
    /// In milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn unix_ms(self, now_ms: u64) -> u64 {
        match self {
            Self::Ago(age) => now_ms.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            Self::Day(day) => day.unix_ms(),
        }
    }
}

impl FromStr for When {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        let age = text.parse::<Period>().map(|age| Self::Ago(age.duration()));
        let day = || text.parse().map(Self::Day);
        age.or_else(|_| day()).map_err(|_: String| NotAMoment(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_days_are_moments() {
        let at = |text: &str| text.parse::<When>().map(|when| when.unix_ms(1_795_478_400_000));
        assert_eq!(at("24h"), Ok(1_795_392_000_000));
        assert_eq!(at("2026-11-24"), Ok(1_795_478_400_000));
        assert_eq!(at("36500d"), Ok(0));
        for no in ["", "24", "yesterday", "-1h", "2026-13-01", "2026-11-24T00:00:00Z"] {
            assert!(at(no).is_err(), "{no}");
        }
    }
}
