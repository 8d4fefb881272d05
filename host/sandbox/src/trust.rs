//! Whose plugins serve: detached minisign signatures over a component, its name, version and world.
//!
//! `plugins/NAME.wasm.minisig` is an ordinary minisign signature of `NAME.wasm`, which `minisign -V` verifies, too. Its
//! trusted comment, which is signed as well, says what the component is, so that a good signature of one plugin is none
//! for another:
//!
//! ```text
//! muxel plugin=NAME version=1.2.3 worlds=strategy sha256=9f86d081884c7d65...
//! ```
//!
//! Versions only rise: a signed version older than one that has served here is refused, and so is an unsigned file in
//! the place of a signed one. Who may write to the folder cannot bring back what was replaced for a reason; who may
//! administer can, by a rollback.

use std::fmt;

use domain::digest::Digest;
use minisign_verify::{PublicKey, Signature};
use semver::Version;

use crate::fault::bounded;

/// Largest signature file, in bytes.
pub(crate) const LARGEST: usize = 4 << 10;

/// Which keys are trusted, and whether a plugin must be signed.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    keys: Vec<(String, PublicKey)>,
    required: bool,
}

/// What a signature says of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub name: String,
    pub version: String,
    /// Such as `strategy` or `strategy+learner`.
    pub worlds: String,
    pub digest: Digest,
}

/// A key that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is not a minisign public key")]
pub struct NotAKey {
    key: String,
}

/// Why a component is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    #[error("has no signature, and this gateway takes signed plugins only")]
    Unsigned,
    #[error("has no signature, but a signed version of it has served here")]
    NoLongerSigned,
    #[error("has a signature file that is none: {0}")]
    Malformed(String),
    #[error("is signed by no key that is trusted here")]
    UnknownKey,
    #[error("is signed as {what} `{signed}`, but it is `{is}`")]
    OtherStatement { what: &'static str, signed: String, is: String },
    #[error("is version {offered}, but version {served} has served here: versions only rise")]
    PutBack { offered: String, served: String },
    #[error("calls itself version `{0}`, which is no semantic version: signed plugins need one")]
    NoVersion(String),
}

impl TrustError {
    /// Stable word for the API and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsigned | Self::NoLongerSigned => "unsigned",
            Self::PutBack { .. } => "put-back",
            _ => "bad-signature",
        }
    }

    /// The operator's next step.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unsigned | Self::NoLongerSigned | Self::OtherStatement { .. } | Self::Malformed(_) => {
                "sign it with `muxel plugin sign FILE --key SECRET-KEY`, and put the `.minisig` file beside it"
            }
            Self::UnknownKey => "is its public key among `trusted-keys` under [plugins], and the file unchanged?",
            Self::PutBack { .. } => "raise its version, or go back on purpose: POST /admin/plugins/NAME/rollback",
            Self::NoVersion(_) => "give it a version such as 1.2.3 in `describe`",
        }
        .to_owned()
    }
}

impl Trust {
    /// Trusts `keys`, each the base64 line of a minisign public key file.
    ///
    /// # Errors
    ///
    /// The first that is no key.
    pub fn new(keys: &[String], required: bool) -> Result<Self, NotAKey> {
        let parse = |key: &String| match PublicKey::from_base64(key.trim()) {
            Ok(public) => Ok((bounded(key.trim()), public)),
            Err(_) => Err(NotAKey { key: bounded(key) }),
        };
        Ok(Self { keys: keys.iter().map(parse).collect::<Result<_, _>>()?, required })
    }

    /// Verifies what the file says, before anything is compiled: the key's name and the statement. `None` when it is
    /// unsigned and may be.
    pub(crate) fn verify(
        &self,
        name: &str,
        bytes: &[u8],
        signature: Option<&str>,
        served: Option<&str>,
    ) -> Result<Option<(String, Statement)>, TrustError> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let Some(text) = signature else {
            return match (self.required, served) {
                (true, _) => Err(TrustError::Unsigned),
                (false, Some(_)) => Err(TrustError::NoLongerSigned),
                (false, None) => Ok(None),
            };
        };
        let signature = Signature::decode(text).map_err(|error| TrustError::Malformed(bounded(&error.to_string())))?;
        let signer = self.keys.iter().find(|(_, key)| key.verify(bytes, &signature, false).is_ok());
        let (key, _) = signer.ok_or(TrustError::UnknownKey)?;
        let statement = Statement::parse(signature.trusted_comment())
            .ok_or_else(|| TrustError::Malformed("its trusted comment is not one of `muxel plugin sign`".to_owned()))?;
        same("plugin", &statement.name, name)?;
        same("component", &statement.digest.short(), &Digest::of(bytes).short())?;
        Ok(Some((key.clone(), statement)))
    }

    /// Whether a component that served once may serve again: its key must still be trusted, or none be asked for.
    pub(crate) fn accepts(&self, key: Option<&str>, signed_ones_served: bool) -> bool {
        match key {
            _ if self.keys.is_empty() => true,
            Some(key) => self.keys.iter().any(|(known, _)| known == key),
            None => !self.required && !signed_ones_served,
        }
    }

    /// Verifies what only the loaded plugin could say: version and worlds; and that its version does not fall. `served` is
    /// the highest signed version and its digest so far.
    pub(crate) fn verify_identity(
        statement: &Statement,
        version: &str,
        worlds: &str,
        served: Option<(&str, Digest)>,
    ) -> Result<(), TrustError> {
        same("version", &statement.version, version)?;
        same("world", &statement.worlds, worlds)?;
        let offered = Version::parse(version).map_err(|_| TrustError::NoVersion(bounded(version)))?;
        let Some((highest, digest)) = served else { return Ok(()) };
        let falls = Version::parse(highest)
            .is_ok_and(|highest| offered < highest || (offered == highest && statement.digest != digest));
        if falls {
            return Err(TrustError::PutBack { offered: bounded(version), served: highest.to_owned() });
        }
        Ok(())
    }
}

fn same(what: &'static str, signed: &str, is: &str) -> Result<(), TrustError> {
    if signed == is {
        return Ok(());
    }
    Err(TrustError::OtherStatement { what, signed: bounded(signed), is: bounded(is) })
}

impl Statement {
    fn parse(comment: &str) -> Option<Self> {
        let mut words = comment.split(' ');
        let mut next = |key: &str| words.next()?.strip_prefix(key).map(str::to_owned);
        next("muxel").filter(String::is_empty)?;
        let name = next("plugin=")?;
        let version = next("version=")?;
        let worlds = next("worlds=")?;
        let digest = Digest::from_hex(&next("sha256=")?)?;
        words.next().is_none().then_some(Self { name, version, worlds, digest })
    }
}

/// The trusted comment that says this.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, worlds, digest } = self;
        write!(f, "muxel plugin={name} version={version} worlds={worlds} sha256={digest}")
    }
}
