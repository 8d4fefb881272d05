//! A provider's key: nothing shows it by accident.

use std::fmt;

use http::{HeaderValue, header::InvalidHeaderValue};

/// A key. Its `Debug` never shows it, and there is no `Display`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Surrounding white space is dropped: keys are often read from files that end with a line break.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(key.trim().to_owned())
    }

    /// As the header `Authorization: Bearer`, marked so that no library logs it.
    pub(crate) fn bearer(&self) -> Result<HeaderValue, InvalidHeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// `text` without this key, for what a provider wrote: some repeat the key they were given.
    pub(crate) fn redact(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "[redacted]") }
    }

    /// Whether `text` holds this key.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        !self.0.is_empty() && text.contains(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown() {
        let key = Secret::new(" sk-very-secret\n");
        assert_eq!(format!("{key:?}"), "Secret(..)");
        assert!(!format!("{:?}", key.bearer().expect("a header")).contains("very"));
        assert_eq!(key.redact("wrong key sk-very-secret, sorry"), "wrong key [redacted], sorry");
    }

    #[test]
    fn no_key_redacts_nothing() {
        assert_eq!(Secret::new("").redact("as it was"), "as it was");
    }
}
