//! What a caller wants, normalised. Facts only: never image bytes, never a key.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{money::MicroUsd, quality::AskedQuality, size::Size};

/// Longest prompt that is accepted, in characters: the limit of OpenAI's own interface.
pub const MAX_PROMPT_CHARS: usize = 32_000;
/// Most pictures one request may ask for, as at OpenAI.
pub const MAX_COUNT: u32 = 10;
/// Most of a prompt that a plugin is shown, in bytes.
pub const MAX_PLUGIN_PROMPT: usize = 16 * 1024;

/// What kind of medium is to be made, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Operation {
    #[serde(rename = "image.generate")]
    ImageGenerate,
    #[serde(rename = "image.edit")]
    ImageEdit,
    #[serde(rename = "image.variation")]
    ImageVariation,
}

impl Operation {
    /// The contract's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ImageGenerate => "image.generate",
            Self::ImageEdit => "image.edit",
            Self::ImageVariation => "image.variation",
        }
    }
}

/// How soon the caller needs the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
    Urgent,
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        })
    }
}

/// A word for priority that nobody here knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("priority `{0}` is not one of low, normal, high, urgent")]
pub struct UnknownPriority(String);

impl FromStr for Priority {
    type Err = UnknownPriority;

    fn from_str(word: &str) -> Result<Self, UnknownPriority> {
        match word {
            "low" => Ok(Self::Low),
            "normal" => Ok(Self::Normal),
            "high" => Ok(Self::High),
            "urgent" => Ok(Self::Urgent),
            other => Err(UnknownPriority(other.chars().take(40).collect())),
        }
    }
}

/// Pictures that came with a request, as facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    pub images: u32,
    pub bytes: u64,
    pub mask: bool,
}

/// What the host enforces whatever a plugin says. The strictest of the caller's, the route's and the tenant's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Caps {
    /// Over all attempts.
    pub max_cost: Option<MicroUsd>,
    /// Over all attempts.
    pub max_latency_ms: Option<u32>,
    /// Least expected quality, 0 to 1.
    pub min_quality: Option<f32>,
}

impl Caps {
    /// The stricter of each pair.
    #[must_use]
    pub fn strictest(self, other: Self) -> Self {
        fn least<T: PartialOrd>(a: Option<T>, b: Option<T>) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(if b < a { b } else { a }),
                (a, b) => a.or(b),
            }
        }
        Self {
            max_cost: least(self.max_cost, other.max_cost),
            max_latency_ms: least(self.max_latency_ms, other.max_latency_ms),
            min_quality: match (self.min_quality, other.min_quality) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            },
        }
    }
}

/// What one caller wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub operation: Operation,
    pub prompt: Arc<str>,
    /// `None` when the caller left the size to the provider.
    pub size: Option<Size>,
    /// 1 to [`MAX_COUNT`].
    pub count: u32,
    pub quality: AskedQuality,
    pub priority: Priority,
    pub inputs: Inputs,
    /// Whether the background must be transparent.
    pub transparent: bool,
    pub streaming: bool,
    /// The tenant's configured name.
    pub tenant: Option<Arc<str>>,
    pub caps: Caps,
}

impl Request {
    /// One 1024x1024 picture of `prompt`: what tests and `muxel decide` start from.
    #[must_use]
    pub fn for_prompt(prompt: &str) -> Self {
        Self {
            operation: Operation::ImageGenerate,
            prompt: prompt.into(),
            size: Size::new(1024, 1024),
            count: 1,
            quality: AskedQuality::Any,
            priority: Priority::Normal,
            inputs: Inputs::default(),
            transparent: false,
            streaming: false,
            tenant: None,
            caps: Caps::default(),
        }
    }

    /// The part of the prompt that plugins see, and whether it was cut: at most [`MAX_PLUGIN_PROMPT`] bytes, cut at a
    /// character.
    #[must_use]
    pub fn plugin_prompt(&self) -> (&str, bool) {
        if self.prompt.len() <= MAX_PLUGIN_PROMPT {
            return (&self.prompt, false);
        }
        let mut end = MAX_PLUGIN_PROMPT;
        while !self.prompt.is_char_boundary(end) {
            end -= 1;
        }
        (&self.prompt[..end], true)
    }
}

/// The moment of one decision: the only time and randomness a plugin gets. Recorded, so a call can be replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970-01-01 UTC.
    pub now_ms: u64,
    /// Fresh random bits.
    pub seed: u64,
    /// How many requests this route had decided before this one, on this node.
    pub sequence: u64,
    /// Keyed hash of the end user or tenant.
    pub session: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_prompt_is_cut_at_a_character() {
        let request = Request::for_prompt(&"ä".repeat(10_000));
        let (shown, cut) = request.plugin_prompt();
        assert!(cut);
        assert_eq!(shown.len(), MAX_PLUGIN_PROMPT);
        let odd = Request::for_prompt(&format!("x{}", "ä".repeat(10_000)));
        assert_eq!(odd.plugin_prompt().0.len(), MAX_PLUGIN_PROMPT - 1);
    }

    #[test]
    fn caps_combine_to_the_strictest() {
        let route = Caps { max_cost: Some(MicroUsd(100)), max_latency_ms: None, min_quality: Some(0.4) };
        let caller = Caps { max_cost: Some(MicroUsd(200)), max_latency_ms: Some(9), min_quality: Some(0.6) };
        let both = Caps { max_cost: Some(MicroUsd(100)), max_latency_ms: Some(9), min_quality: Some(0.6) };
        assert_eq!(route.strictest(caller), both);
    }
}
