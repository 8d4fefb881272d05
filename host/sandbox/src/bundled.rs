//! The plugins that come with this program. A file of the same name in the plugin folder takes a bundled one's place.

use domain::digest::Digest;

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".wasm")))),*]
    };
}

/// Name and component of each bundled plugin.
pub(crate) const BUNDLED: [(&str, &[u8]); 9] = bundled![
    "context-classifier",
    "list-price",
    "hybrid",
    "cheapest",
    "fastest",
    "context-aware",
    "round-robin",
    "weighted",
    "bandit",
];

/// The bundled component with this digest.
#[must_use]
pub fn component(digest: Digest) -> Option<&'static [u8]> {
    BUNDLED.iter().map(|(_, component)| *component).find(|component| Digest::of(component) == digest)
}

/// The names of the bundled plugins.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUNDLED.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests;
