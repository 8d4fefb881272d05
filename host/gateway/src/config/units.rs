//! Durations and sizes in the configuration, with their schemas. `domain::units` reads them.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use domain::units::{BYTES, LONGEST_MS, PERIOD, UnitError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// How long something may take or is kept: `250ms`, `300s`, `5m`, `1h`, `90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(Duration);

/// How many bytes something may have: `500B`, `64KiB`, `32MiB`, `1GiB`, `2TiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl Period {
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Period {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        PERIOD.read(text).map(|ms| Self(Duration::from_millis(ms)))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PERIOD.show(u64::try_from(self.0.as_millis()).unwrap_or(LONGEST_MS), f)
    }
}

impl FromStr for Bytes {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        BYTES.read(text).map(Self)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        BYTES.show(self.0, f)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Period;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration with its unit, like \"300s\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Period, E> {
                text.parse().map_err(|error: UnitError| E::custom(error.line()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size with its unit, like \"32MiB\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                text.parse().map_err(|error: UnitError| E::custom(error.line()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+ *(ms|s|m|h|d)$",
            "description": "a duration with its unit, like \"300s\"",
        })
    }
}

impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+ *(B|KiB|MiB|GiB|TiB)$",
            "description": "a size with its unit, like \"32MiB\"",
        })
    }
}

/// The schema of an amount of money, which `domain` reads.
pub(super) struct Money;

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^ *[0-9]+(\\.[0-9]{1,6})? *USD *$",
            "description": "an amount of money with its unit, like \"0.10 USD\"",
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::units::MOST_BYTES;
    use proptest::prelude::*;

    use super::*;

    fn problem<T: FromStr<Err = UnitError>>(text: &str) -> String {
        text.parse::<T>().err().expect("refused").line()
    }

    #[test]
    fn reads_what_people_write() {
        for (text, ms) in [("250ms", 250), ("300s", 300_000), ("5 m", 300_000), ("1h", 3_600_000), ("0s", 0)] {
            assert_eq!(text.parse(), Ok(Period(Duration::from_millis(ms))), "{text}");
        }
        for (text, bytes) in [("1B", 1), ("64KiB", 65_536), ("32 MiB", 33_554_432), ("1GiB", 1 << 30)] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn says_how_to_write_it() {
        assert_eq!(problem::<Period>("300"), "`300` has no unit: write it with its unit, like \"300s\"");
        assert_eq!(problem::<Bytes>("32"), "`32` has no unit: write it with its unit, like \"32MiB\"");
        assert_eq!(
            problem::<Bytes>("32MB"),
            "`32MB` has a unit that is not known here: write it in B, KiB, MiB, GiB or TiB, like \"32MiB\""
        );
        for text in ["", "soon", "-3s", "1.5h", "٣s"] {
            assert!(matches!(text.parse::<Period>(), Err(UnitError::Malformed { .. })), "{text}");
        }
        assert!(matches!("36501d".parse::<Period>(), Err(UnitError::TooLarge { .. })));
        assert!(matches!("99999999999999999999s".parse::<Period>(), Err(UnitError::TooLarge { .. })));
        assert_eq!("8388607TiB".parse::<Bytes>().map(|bytes| bytes.0), Ok(8_388_607 << 40));
    }

    proptest! {
        #[test]
        fn a_period_that_is_shown_can_be_read(ms in 0..=LONGEST_MS) {
            let period = Period(Duration::from_millis(ms));
            prop_assert_eq!(period.to_string().parse(), Ok(period));
        }

        #[test]
        fn a_size_that_is_shown_can_be_read(bytes in 0..=MOST_BYTES) {
            prop_assert_eq!(Bytes(bytes).to_string().parse(), Ok(Bytes(bytes)));
        }

        #[test]
        fn a_bare_number_is_never_accepted(number in any::<u64>()) {
            prop_assert!(number.to_string().parse::<Period>().is_err());
            prop_assert!(number.to_string().parse::<Bytes>().is_err());
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,12}[0-9]{0,30} ?(ms|s|KiB|MiB|\\PC)?") {
            let _ = (text.parse::<Period>(), text.parse::<Bytes>());
        }
    }
}
