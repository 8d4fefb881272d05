//! The JSON schema of `muxel.toml`, for editors. Checked in beside this crate's manifest; a test keeps it current.

use super::written::Written;

/// The schema as JSON text, with a line end.
///
/// # Panics
///
/// Never: a schema is JSON.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Written);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_schema_is_current() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/muxel.schema.json");
        if std::env::var_os("MUXEL_BLESS").is_some() {
            std::fs::write(file, schema()).unwrap();
        }
        let checked_in = std::fs::read_to_string(file).unwrap_or_default();
        assert!(checked_in == schema(), "muxel.schema.json is stale: run the tests once with MUXEL_BLESS=1");
    }
}
