//! The ladder of quality tiers.
//!
//! Every provider has its own words for how much effort a picture gets. Muxel keeps one ladder: `draft` (20),
//! `standard` (40), `hd` (60), `ultra` (80 and 100). A model's tier stands on a rung and keeps its provider's word.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A place on the ladder, 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rung(pub u8);

impl Rung {
    /// Muxel's word for this rung.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self.0 {
            0..=30 => "draft",
            31..=50 => "standard",
            51..=70 => "hd",
            _ => "ultra",
        }
    }
}

/// The quality a caller asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AskedQuality {
    /// `auto`, or nothing: every tier is offered, the decision picks one.
    #[default]
    Any,
    /// Only tiers on these rungs, `from` to `to`.
    Within { from: Rung, to: Rung },
}

impl AskedQuality {
    /// The words callers may use, Muxel's first, then OpenAI's.
    pub const WORDS: [&str; 10] = ["auto", "draft", "standard", "hd", "ultra", "low", "medium", "high", "xhigh", "max"];

    /// Whether a tier on `rung` is what was asked for.
    #[must_use]
    pub fn admits(self, rung: Rung) -> bool {
        match self {
            Self::Any => true,
            Self::Within { from, to } => (from..=to).contains(&rung),
        }
    }

    /// As the contract's `request.quality`: 0 when the caller did not say.
    #[must_use]
    pub fn ladder(self) -> u8 {
        match self {
            Self::Any => 0,
            Self::Within { from, .. } => from.0,
        }
    }
}

/// A word for quality that nobody here knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("quality `{0}` is not one of auto, draft, standard, hd, ultra (or low, medium, high, xhigh, max)")]
pub struct UnknownQuality(String);

impl FromStr for AskedQuality {
    type Err = UnknownQuality;

    fn from_str(word: &str) -> Result<Self, UnknownQuality> {
        let within = |from, to| Self::Within { from: Rung(from), to: Rung(to) };
        Ok(match word {
            "auto" | "" => Self::Any,
            "draft" | "low" => within(20, 20),
            "standard" | "medium" => within(40, 40),
            "hd" | "high" => within(60, 60),
            "xhigh" => within(80, 80),
            "max" => within(100, 100),
            "ultra" => within(80, 100),
            other => return Err(UnknownQuality(other.chars().take(40).collect())),
        })
    }
}

impl fmt::Display for AskedQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "auto",
            Self::Within { from: Rung(80), to: Rung(80) } => "xhigh",
            Self::Within { from: Rung(100), .. } => "max",
            Self::Within { from, .. } => from.word(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_understood_and_shown_as_a_word() {
        for word in AskedQuality::WORDS {
            let asked: AskedQuality = word.parse().expect("a listed word");
            assert_eq!(asked.to_string().parse(), Ok(asked), "{word}");
        }
        assert!("best".parse::<AskedQuality>().is_err());
    }

    #[test]
    fn ultra_takes_either_top_rung_and_max_only_the_last() {
        let ultra: AskedQuality = "ultra".parse().expect("a word");
        let max: AskedQuality = "max".parse().expect("a word");
        assert!(ultra.admits(Rung(80)) && ultra.admits(Rung(100)) && !ultra.admits(Rung(60)));
        assert!(!max.admits(Rung(80)) && max.admits(Rung(100)));
    }
}
