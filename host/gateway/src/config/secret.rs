//! Secrets of a configuration: they can be used, and never shown.

use std::{fmt, sync::Arc};

/// A provider's key. Debug does not show it, and nothing serialises it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

/// Why a key cannot be one. Never holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("is empty")]
    Empty,
    #[error("holds characters that cannot be sent in a header")]
    Unsendable,
}

impl Secret {
    /// Space around it is dropped: files end with a line end.
    ///
    /// # Errors
    ///
    /// When nothing is left, or it could not be sent in a header.
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretError::Unsendable);
        }
        Ok(Self(text.into()))
    }

    /// The key itself, to be sent to its provider and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}

/// The SHA-256 of a key that callers present. Not a secret, but nobody's business either.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let digits = digits.as_bytes();
        if digits.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
        }
        Some(Self(bytes))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(not shown)")
    }
}

/// Whether the value of a key with this name may be a secret, so that no error may show it.
pub(super) fn is_secret_like(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ends = ["key", "hash", "secret", "token", "password", "credential", "credentials"];
    // `key-env` and `key-file` name a place, but a key is pasted there often enough.
    ends.iter().any(|end| name.ends_with(end)) || name.starts_with("key") || name.contains("url")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_trimmed_and_not_shown() {
        let secret = Secret::new("sk-12345\n").expect("a key");
        assert_eq!(secret.expose(), "sk-12345");
        assert_eq!(format!("{secret:?}"), "Secret(not shown)");
        assert_eq!(Secret::new(" \n"), Err(SecretError::Empty));
        assert_eq!(Secret::new("sk\r\nhost: evil"), Err(SecretError::Unsendable));
    }

    #[test]
    fn a_hash_is_64_hexadecimal_digits() {
        let digits = "00ff".repeat(16);
        let hash = KeyHash::from_hex(&digits).expect("a hash");
        assert_eq!(hash.as_bytes()[..4], [0, 255, 0, 255]);
        assert_eq!(KeyHash::from_hex(&digits.to_uppercase()), Some(hash));
        for wrong in ["", "...", &digits[1..], &"zz".repeat(32), &"ä".repeat(32)] {
            assert_eq!(KeyHash::from_hex(wrong), None, "{wrong}");
        }
    }
}
