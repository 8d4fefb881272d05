//! The plugins that come with this program. A file of the same name in the plugin folder takes a bundled one's place.

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".wasm")))),*]
    };
}

/// Name and component of each bundled plugin.
pub(crate) const BUNDLED: [(&str, &[u8]); 5] =
    bundled!["context-classifier", "list-price", "hybrid", "cheapest", "fastest"];

/// The names of the bundled plugins.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUNDLED.iter().map(|(name, _)| *name)
}
