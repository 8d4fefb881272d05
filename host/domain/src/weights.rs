//! How much the respects of a decision count, as a route or a request says: `quality = 0.5, cost = 0.3`.
//!
//! A weight is a word and a number. It takes the place of the number setting `WORD-weight` of whatever strategy is asked,
//! for that call only. Words are free, because strategies may have weights of their own.

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use serde::Serialize;

/// What the bundled strategies weigh.
pub const USUAL: [&str; 4] = ["quality", "cost", "latency", "reliability"];
/// Most weights of one route or request.
const MOST: usize = 16;
/// Longest word.
const LONGEST: usize = 32;

/// Weights by word, each from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Weights(BTreeMap<Arc<str>, f64>);

/// What cannot be a weight.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WeightError {
    #[error("`{0}` is not a name for a weight")]
    Name(String),
    #[error("`{0}` comes twice")]
    Twice(String),
    #[error("the weight `{name}` is {value}, not a number from 0 to 1")]
    Value { name: String, value: String },
    #[error("{0} weights are too many")]
    TooMany(usize),
    #[error("every weight is 0")]
    AllZero,
}

impl WeightError {
    /// Of what was written for the weight `name`.
    #[must_use]
    pub fn not_a_number(name: &str, written: &str) -> Self {
        Self::Value { name: name.to_owned(), value: format!("`{}`", written.chars().take(40).collect::<String>()) }
    }

    /// The reader's next step.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Name(_) => format!("a name is a lower-case word, as in {}", USUAL.join(", ")),
            Self::Twice(_) => "keep one of them".to_owned(),
            Self::Value { .. } => {
                "write shares like 0.5: 0 leaves a respect out, and only their ratio counts".to_owned()
            }
            Self::TooMany(_) => format!("name at most {MOST}"),
            Self::AllZero => "give one of them some weight".to_owned(),
        }
    }
}

impl Weights {
    /// # Errors
    ///
    /// The first thing that is wrong with `pairs`.
    pub fn of(pairs: impl IntoIterator<Item = (String, f64)>) -> Result<Self, WeightError> {
        let mut weights = BTreeMap::new();
        for (name, value) in pairs {
            Self::check(&name, value)?;
            if weights.insert(Arc::from(name.as_str()), value).is_some() {
                return Err(WeightError::Twice(name));
            }
        }
        if weights.len() > MOST {
            return Err(WeightError::TooMany(weights.len()));
        }
        // Whoever leaves one of the usual out keeps its strategy's own weight there.
        let all = USUAL.iter().all(|name| weights.contains_key(*name));
        if all && weights.values().all(|value| *value == 0.0) {
            return Err(WeightError::AllZero);
        }
        Ok(Self(weights))
    }

    /// # Errors
    ///
    /// When `name` or `value` cannot be one of a weight.
    pub fn check(name: &str, value: f64) -> Result<(), WeightError> {
        let shown = || name.chars().take(40).collect::<String>();
        let of_words = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        if name.is_empty() || name.len() > LONGEST || !name.bytes().all(of_words) {
            return Err(WeightError::Name(shown()));
        }
        if !(0.0..=1.0).contains(&value) {
            return Err(WeightError::Value { name: shown(), value: value.to_string() });
        }
        Ok(())
    }

    /// These, and those of `route` for what these do not name.
    #[must_use]
    pub fn over(&self, route: &Self) -> Self {
        let mut both = route.0.clone();
        both.extend(self.0.iter().map(|(name, value)| (Arc::clone(name), *value)));
        Self(both)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, f64)> {
        self.0.iter().map(|(name, value)| (name, *value))
    }
}

impl FromStr for Weights {
    type Err = WeightError;

    /// As in a header or on a command line: `quality=0.5,cost=0.3`.
    fn from_str(text: &str) -> Result<Self, WeightError> {
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (name.trim(), value.trim());
            // A bad name is the better thing to say where both are bad.
            Self::check(name, 0.0)?;
            let number = value.parse().map_err(|_| WeightError::not_a_number(name, value))?;
            Ok((name.to_owned(), number))
        };
        let pairs = text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(pair);
        Self::of(pairs.collect::<Result<Vec<_>, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<(String, f64)>, String> {
        let pairs = |weights: Weights| weights.iter().map(|(name, value)| (name.to_string(), value)).collect();
        text.parse().map(pairs).map_err(|error: WeightError| error.to_string())
    }

    #[test]
    fn what_is_written_is_read_or_named() {
        assert_eq!(parsed(" quality = 0.5, cost=.3 "), Ok(vec![("cost".to_owned(), 0.3), ("quality".to_owned(), 0.5)]));
        assert_eq!(parsed(""), Ok(vec![]));
        assert_eq!(parsed("quality=0"), Ok(vec![("quality".to_owned(), 0.0)]), "the others keep theirs");
        for (text, error) in [
            ("quality", "the weight `quality` is ``, not a number from 0 to 1"),
            ("quality=much", "the weight `quality` is `much`, not a number from 0 to 1"),
            ("quality=NaN", "the weight `quality` is NaN, not a number from 0 to 1"),
            ("quality=-0.1", "the weight `quality` is -0.1, not a number from 0 to 1"),
            ("quality=1e300", "the weight `quality` is 1"),
            ("quality=inf", "the weight `quality` is inf, not a number from 0 to 1"),
            ("Quality=0.1", "`Quality` is not a name for a weight"),
            ("=0.1", "`` is not a name for a weight"),
            ("quality=0.1,quality=0.2", "`quality` comes twice"),
            ("quality=0,cost=0,latency=0,reliability=0", "every weight is 0"),
        ] {
            assert!(parsed(text).is_err_and(|told| told.starts_with(error)), "{text}: {:?}", parsed(text));
        }
        let many: Vec<String> = (b'a'..=b'q').map(|letter| format!("{}=1", letter as char)).collect();
        assert_eq!(parsed(&many.join(",")), Err("17 weights are too many".to_owned()));
    }

    #[test]
    fn a_requests_weights_take_the_place_of_its_routes() {
        let weights = |text: &str| text.parse::<Weights>().expect(text);
        let both = weights("cost=0.9").over(&weights("cost=0.1,quality=0.5"));
        assert_eq!(both, weights("cost=0.9,quality=0.5"));
    }
}
