//! Picture sizes and the rules models have for them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Width and height of one picture in pixels, each from 1 to [`Size::MAX_SIDE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    width: u32,
    height: u32,
}

impl Size {
    /// No model draws a longer side, and a longer one would only serve to exhaust memory.
    pub const MAX_SIDE: u32 = 16_384;

    /// A size, unless a side is 0 or longer than [`Size::MAX_SIDE`].
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Option<Self> {
        if width == 0 || height == 0 || width > Self::MAX_SIDE || height > Self::MAX_SIDE {
            return None;
        }
        Some(Self { width, height })
    }

    #[must_use]
    pub fn width(self) -> u32 {
        self.width
    }

    #[must_use]
    pub fn height(self) -> u32 {
        self.height
    }

    #[must_use]
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Width over height.
    #[must_use]
    pub fn aspect(self) -> f64 {
        f64::from(self.width) / f64::from(self.height)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}x{}", self.width, self.height))
    }
}

/// Why a size was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    #[error("size `{0}` is not WIDTHxHEIGHT in pixels, like \"1024x1024\"")]
    Malformed(String),
    #[error("size `{0}` is out of range: each side is 1 to {max} pixels", max = Size::MAX_SIDE)]
    OutOfRange(String),
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let malformed = || SizeError::Malformed(text.chars().take(40).collect());
        let (width, height) = text.split_once('x').ok_or_else(malformed)?;
        let side = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u32>().unwrap_or(u32::MAX))
        };
        let (width, height) = side(width).zip(side(height)).ok_or_else(malformed)?;
        Self::new(width, height).ok_or_else(|| SizeError::OutOfRange(text.chars().take(40).collect()))
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Which sizes a model draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SizeRule {
    /// These and no others.
    Listed(Vec<Size>),
    /// Any size within these bounds, exactly as asked.
    #[serde(rename_all = "kebab-case")]
    Range {
        min_side: u32,
        max_side: u32,
        /// Both sides are multiples of this.
        multiple: u32,
        /// Smallest width times height.
        #[serde(default)]
        min_pixels: u64,
        /// Largest width times height.
        max_pixels: u64,
        /// The longer side is at most this many times the shorter one.
        max_aspect: f64,
    },
    /// A shape and a resolution step: the picture has about the asked shape, its exact size is the provider's.
    #[serde(rename_all = "kebab-case")]
    Shapes {
        /// Such as `3:2`.
        ratios: Vec<Ratio>,
        /// Longest side of the largest picture.
        max_side: u32,
    },
}

/// How a model would draw an asked size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SizeFit {
    Exact,
    /// The shape is right, the exact pixels are the provider's: the caller is warned.
    Near,
    No,
}

impl SizeRule {
    /// How a model with this rule draws `size`.
    #[must_use]
    pub fn fit(&self, size: Size) -> SizeFit {
        let exact = |fits: bool| if fits { SizeFit::Exact } else { SizeFit::No };
        match self {
            Self::Listed(sizes) => exact(sizes.contains(&size)),
            Self::Range { min_side, max_side, multiple, min_pixels, max_pixels, max_aspect } => {
                let sides = *min_side..=*max_side;
                let multiple = (*multiple).max(1);
                exact(
                    sides.contains(&size.width)
                        && sides.contains(&size.height)
                        && size.width.is_multiple_of(multiple)
                        && size.height.is_multiple_of(multiple)
                        && (*min_pixels..=*max_pixels).contains(&size.pixels())
                        && size.aspect().max(1.0 / size.aspect()) <= *max_aspect,
                )
            }
            Self::Shapes { ratios, max_side } => {
                let shaped = ratios.iter().any(|ratio| (size.aspect() / ratio.aspect() - 1.0).abs() <= 0.03);
                if shaped && size.width.max(size.height) <= *max_side { SizeFit::Near } else { SizeFit::No }
            }
        }
    }

    /// The largest picture this rule allows, for hints.
    #[must_use]
    pub fn largest(&self) -> Option<Size> {
        match self {
            Self::Listed(sizes) => sizes.iter().copied().max_by_key(|size| size.pixels()),
            Self::Range { max_side, max_pixels, multiple, .. } => {
                let multiple = (*multiple).max(1);
                let other = u32::try_from(max_pixels / u64::from((*max_side).max(1))).unwrap_or(*max_side);
                Size::new(*max_side, other.min(*max_side) / multiple * multiple)
            }
            Self::Shapes { max_side, .. } => Size::new(*max_side, *max_side),
        }
    }
}

/// A shape such as `3:2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    width: u32,
    height: u32,
}

impl Ratio {
    #[must_use]
    pub fn aspect(self) -> f64 {
        f64::from(self.width) / f64::from(self.height)
    }
}

impl FromStr for Ratio {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        match parts {
            Some((width, height)) if width > 0 && height > 0 => Ok(Self { width, height }),
            _ => Err(format!("`{text}` is not a shape like \"3:2\"")),
        }
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}:{}", self.width, self.height))
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(text: &str) -> Size {
        text.parse().expect("a size")
    }

    #[test]
    fn refuses_what_is_no_size() {
        for text in ["big", "", "x", "1024", "1024x", "10 24x1024", "-1x5", "1024X1024", "1e3x5"] {
            assert!(matches!(text.parse::<Size>(), Err(SizeError::Malformed(_))), "{text}");
        }
        for text in ["0x0", "99999x1", "1x99999999999999"] {
            assert!(matches!(text.parse::<Size>(), Err(SizeError::OutOfRange(_))), "{text}");
        }
    }

    #[test]
    fn a_range_needs_multiples_and_bounds() {
        let rule = SizeRule::Range {
            min_side: 256,
            max_side: 3840,
            multiple: 16,
            min_pixels: 655_360,
            max_pixels: 8_294_400,
            max_aspect: 3.0,
        };
        assert_eq!(rule.fit(size("3840x2160")), SizeFit::Exact);
        assert_eq!(rule.fit(size("3840x3840")), SizeFit::No);
        assert_eq!(rule.fit(size("1000x1024")), SizeFit::No);
        assert_eq!(rule.fit(size("1024x256")), SizeFit::No);
        assert_eq!(rule.fit(size("512x512")), SizeFit::No);
        assert_eq!(rule.largest(), Some(size("3840x2160")));
    }

    #[test]
    fn shapes_are_near_not_exact() {
        let rule = SizeRule::Shapes { ratios: vec!["1:1".parse().expect("a ratio")], max_side: 2048 };
        assert_eq!(rule.fit(size("1024x1024")), SizeFit::Near);
        assert_eq!(rule.fit(size("1024x1536")), SizeFit::No);
        assert_eq!(rule.fit(size("4096x4096")), SizeFit::No);
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,30}") {
            let _ = text.parse::<Size>();
        }

        #[test]
        fn what_is_shown_can_be_read(width in 1..=Size::MAX_SIDE, height in 1..=Size::MAX_SIDE) {
            let size = Size::new(width, height).expect("in range");
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}
