//! Names of kept pictures: 32 hexadecimal digits, a dot and an extension, and nothing else. So a name is never a path.

use std::{fmt, str::FromStr};

/// A picture's name. It cannot be guessed: who has it may read the picture.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MediaName {
    random: u128,
    extension: Extension,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    Png,
    Jpg,
    Jpeg,
    Webp,
    Gif,
}

/// Text that is no name of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a picture")]
pub struct NotAMediaName;

impl MediaName {
    pub(super) fn random(extension: Extension) -> Result<Self, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        Ok(Self { random: u128::from_be_bytes(random), extension })
    }

    /// The picture's media type.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self.extension {
            Extension::Png => "image/png",
            Extension::Jpg | Extension::Jpeg => "image/jpeg",
            Extension::Webp => "image/webp",
            Extension::Gif => "image/gif",
        }
    }
}

impl fmt::Display for MediaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}.{}", self.random, self.extension.word())
    }
}

/// The name is as good as a key to the picture, so logs do not get it.
impl fmt::Debug for MediaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaName(..{})", self.extension.word())
    }
}

impl FromStr for MediaName {
    type Err = NotAMediaName;

    fn from_str(text: &str) -> Result<Self, NotAMediaName> {
        let (random, extension) = text.split_once('.').ok_or(NotAMediaName)?;
        let plain = random.len() == 32 && random.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return Err(NotAMediaName);
        }
        let random = u128::from_str_radix(random, 16).map_err(|_| NotAMediaName)?;
        Ok(Self { random, extension: extension.parse()? })
    }
}

impl Extension {
    const ALL: [Self; 5] = [Self::Png, Self::Jpg, Self::Jpeg, Self::Webp, Self::Gif];

    fn word(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpg => "jpg",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }
}

impl FromStr for Extension {
    type Err = NotAMediaName;

    fn from_str(text: &str) -> Result<Self, NotAMediaName> {
        Self::ALL.into_iter().find(|extension| extension.word() == text).ok_or(NotAMediaName)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_as_they_are_shown_and_never_come_twice() {
        let name = MediaName::random(Extension::Webp).expect("random bits");
        assert_eq!(name.to_string().parse(), Ok(name));
        assert_ne!(MediaName::random(Extension::Webp).expect("random bits"), name);
        assert!(!format!("{name:?}").contains(&name.to_string()[..32]));
    }

    #[test]
    fn paths_and_other_spellings_are_no_names() {
        let name = "0123456789abcdef0123456789abcdef";
        for text in [
            "",
            ".png",
            "../muxel.lock",
            &format!("../{name}.png"),
            &format!("{name}.png/"),
            &format!("{name}.part"),
            &format!("{name}.png.png"),
            &format!("{name}.PNG"),
            &format!("{}.png", name.to_uppercase()),
            &format!("{}.png", &name[1..]),
            &format!("+{}.png", &name[1..]),
            &format!("{name}.png\0"),
        ] {
            assert_eq!(text.parse::<MediaName>(), Err(NotAMediaName), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_a_name_is_one_plain_file(text in "[0-9a-f./\\\\%]{0,40}(\\.(png|jpg|jpeg|webp|gif))?|\\PC{0,40}") {
            if let Ok(name) = text.parse::<MediaName>() {
                prop_assert_eq!(&name.to_string(), &text);
                let parts: Vec<Component<'_>> = Path::new(&text).components().collect();
                prop_assert!(matches!(parts[..], [Component::Normal(_)]));
            }
        }

        #[test]
        fn every_number_has_a_name(random: u128, at in 0..5usize) {
            let name = MediaName { random, extension: Extension::ALL[at] };
            prop_assert_eq!(name.to_string().parse(), Ok(name));
        }
    }
}
