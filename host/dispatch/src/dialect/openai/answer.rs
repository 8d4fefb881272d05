//! The body of a successful answer, read in place.
//!
//! Bounded whatever arrives: only so many pictures and other fields are kept, and each other field only while it is
//! small. A repeated or oversized field costs its bytes once and nothing more.

use std::{borrow::Cow, fmt};

use domain::request::MAX_COUNT;
use serde::{
    Deserialize,
    de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

/// Longest other field that is kept, in bytes of JSON.
const MAX_OTHER_BYTES: usize = 4 * 1024;
/// Most other fields that are kept.
const MAX_OTHER_FIELDS: usize = 32;

/// An answer's body. Text borrows from it where JSON did not escape it.
#[derive(Debug, Default)]
pub(super) struct Body<'a> {
    pub(super) data: Vec<Entry<'a>>,
    pub(super) other: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Entry<'a> {
    #[serde(borrow, default)]
    pub(super) b64_json: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) url: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) revised_prompt: Option<Text<'a>>,
    /// How servers that never fail say that they refused: `CONTENT_FILTERED` and the like.
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<Text<'a>>,
    /// The same elsewhere.
    #[serde(default)]
    pub(super) respect_moderation: Option<bool>,
}

/// Text that borrows from the body where it can. (Serde's own `Cow` inside an `Option` always copies.)
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body<'de>, A::Error> {
        let mut body = Body::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if key.0 == "data" {
                body.data = map.next_value::<Option<Entries<'de>>>()?.map_or_else(Vec::new, |entries| entries.0);
                continue;
            }
            let raw: &'de RawValue = map.next_value()?;
            let keep = raw.get().len() <= MAX_OTHER_BYTES && key.0.len() <= 64 && body.other.len() < MAX_OTHER_FIELDS;
            if keep && let Ok(value) = serde_json::from_str(raw.get()) {
                body.other.insert(key.0.into_owned(), value);
            }
        }
        Ok(body)
    }
}

/// The first pictures of a list of any length.
struct Entries<'a>(Vec<Entry<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of pictures")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while entries.len() < MAX_COUNT as usize {
                    match list.next_element()? {
                        Some(entry) => entries.push(entry),
                        None => return Ok(Entries(entries)),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_seq(EntriesVisitor)
    }
}
