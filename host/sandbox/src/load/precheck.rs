//! Everything that can be known before a component is compiled.

use domain::digest::Digest;

use super::{CONTRACT, LoadError, Submission};
use crate::{
    engine::Tier,
    fault::bounded,
    outline::{Outline, OutlineError, PACKAGE},
    plugin::{Limits, Origin},
    terms::Terms,
    trust::Statement,
};

/// The first bytes of every WebAssembly file.
const MAGIC: &[u8] = b"\0asm";
/// What follows in a core module; a component has another layer number here.
const CORE_MODULE: [u8; 4] = [1, 0, 0, 0];

/// Where a component would run, and who signed it.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub(super) fn precheck(
    submission: &Submission<'_>,
    origin: &Origin,
    digest: Digest,
) -> Result<(Tier, Option<(String, Statement)>), LoadError> {
    let Submission { name, bytes, terms, .. } = *submission;
    let plugin = || name.to_owned();
    check_bytes(name, bytes)?;
    // Ours are signed with the program.
    let signed = if *origin == Origin::Bundled {
        None
    } else {
        let served = submission.served.map(|(version, _)| version);
        submission
            .trust
            .verify(name, bytes, submission.signature, served)
            .map_err(|error| LoadError::Trust { plugin: plugin(), error })?
    };
    let outline = Outline::read(bytes).map_err(|error| excess(name, error))?;
    if let Some(import) = outline.forbidden_import() {
        return Err(LoadError::Import { plugin: plugin(), import: bounded(import) });
    }
    check_contract(name, &outline)?;
    let tier = tier(name, &outline, bytes.len(), terms)?;
    check_terms(name, terms, digest, None)?;
    outline.fits(tier).map_err(|error| excess(name, error))?;
    Ok((tier, signed))
}

pub(super) fn check_terms(name: &str, terms: &Terms, digest: Digest, tier: Option<Tier>) -> Result<(), LoadError> {
    let plugin = || name.to_owned();
    let pinned = terms.digest().map_err(|error| LoadError::Terms { plugin: plugin(), error })?;
    if let Some(pinned) = pinned.filter(|pinned| *pinned != digest) {
        return Err(LoadError::Pinned { plugin: plugin(), offered: digest, pinned });
    }
    if tier == Some(Tier::Slow) && terms.tier() == Some(Tier::Fast) {
        return Err(LoadError::NotFast { plugin: plugin(), reason: "it is in the slow one".to_owned() });
    }
    Ok(())
}

/// The tier that a component needs, or the slower one that its operator wants.
fn tier(name: &str, outline: &Outline, bytes: usize, terms: &Terms) -> Result<Tier, LoadError> {
    let why_slow = if outline.needs_wasi() {
        Some("it imports WASI".to_owned())
    } else if bytes > Limits::FAST.component {
        Some(format!("it has {bytes} bytes, at most {} are allowed there", Limits::FAST.component))
    } else {
        None
    };
    match (terms.tier(), why_slow) {
        (Some(Tier::Fast), Some(reason)) => Err(LoadError::NotFast { plugin: name.to_owned(), reason }),
        (None, Some(_)) | (Some(Tier::Slow), _) => Ok(Tier::Slow),
        (None | Some(Tier::Fast), None) => Ok(Tier::Fast),
    }
}

fn excess(name: &str, error: OutlineError) -> LoadError {
    match error {
        OutlineError::Malformed(reason) => LoadError::Compile { plugin: name.to_owned(), reason: bounded(&reason) },
        OutlineError::Excess { wants, limit } => LoadError::Structure { plugin: name.to_owned(), wants, limit },
    }
}

fn check_bytes(name: &str, bytes: &[u8]) -> Result<(), LoadError> {
    let plugin = || name.to_owned();
    if bytes.is_empty() {
        return Err(LoadError::Empty { plugin: plugin() });
    }
    if !bytes.starts_with(MAGIC) {
        return Err(LoadError::NotWasm { plugin: plugin() });
    }
    if bytes.get(4..8) == Some(&CORE_MODULE) {
        return Err(LoadError::NotAComponent { plugin: plugin() });
    }
    let limit = Limits::SLOW.component;
    if bytes.len() > limit {
        return Err(LoadError::TooLarge { plugin: plugin(), bytes: bytes.len(), limit });
    }
    Ok(())
}

/// Exports and imports of the contract, all of the version we speak, and something among them that can be asked.
fn check_contract(name: &str, outline: &Outline) -> Result<(), LoadError> {
    let plugin = || name.to_owned();
    let ours =
        |names: &[String]| -> Vec<String> { names.iter().filter(|name| name.starts_with(PACKAGE)).cloned().collect() };
    let (exports, imports) = (ours(&outline.exports), ours(&outline.imports));
    if exports.is_empty() {
        return Err(LoadError::NoContract { plugin: plugin() });
    }
    if let Some(other) = exports.iter().chain(&imports).find(|name| !speaks(name)) {
        return Err(LoadError::Contract { plugin: plugin(), offered: bounded(other) });
    }
    Ok(())
}

/// Whether an interface is of a contract version that this host can call: the same 0.x line.
fn speaks(interface: &str) -> bool {
    let line = |version: &str| version.rsplit_once('.').map(|(line, _)| line.to_owned());
    interface.rsplit_once('@').is_some_and(|(_, version)| line(version) == line(CONTRACT))
}
