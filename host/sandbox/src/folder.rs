//! The plugin folder as files: which there are, whether they changed, and what is in them once they keep still.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{plugin::Limits, terms, trust};

/// Most plugins in a folder: what is beyond, by name, is left out.
const MOST: usize = 256;

/// The files of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    /// `NAME.wasm`
    pub(crate) component: Option<PathBuf>,
    /// `NAME.toml`
    pub(crate) terms: Option<PathBuf>,
    /// `NAME.wasm.minisig`
    pub(crate) signature: Option<PathBuf>,
}

/// What tells that a file may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

/// The stamps of one plugin's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamps([Option<Stamp>; 3]);

/// What is in one plugin's files.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) stamps: Stamps,
    pub(crate) component: Option<Vec<u8>>,
    pub(crate) terms: Option<String>,
    pub(crate) signature: Option<String>,
}

/// Why a plugin's files have no contents now.
#[derive(Debug)]
pub(crate) enum NotRead {
    /// They are still being written, or were moved away meanwhile: the next look will tell.
    Moving,
    Failed {
        file: PathBuf,
        reason: String,
    },
    TooLarge {
        bytes: usize,
        limit: usize,
    },
}

/// The files of each plugin, by name, and files whose names name none.
///
/// # Errors
///
/// When the folder is not there or cannot be read.
pub(crate) fn list(folder: &Path) -> io::Result<(BTreeMap<String, Files>, BTreeSet<String>)> {
    let mut strange = BTreeSet::new();
    let mut plugins: BTreeMap<String, Files> = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some((name, kind)) = file.split_once('.') else { continue };
        let kind = kind.to_owned();
        if !matches!(kind.as_str(), "wasm" | "toml" | "wasm.minisig") {
            continue;
        }
        if !is_name(name) {
            strange.insert(file.to_owned());
            continue;
        }
        let files = plugins.entry(name.to_owned()).or_default();
        match kind.as_str() {
            "wasm" => files.component = Some(path),
            "toml" => files.terms = Some(path),
            _ => files.signature = Some(path),
        }
    }
    if plugins.len() > MOST {
        // By name, so that a new file does not push out one that serves by the whim of the folder's order.
        let beyond = plugins.keys().nth(MOST).cloned().unwrap_or_default();
        tracing::warn!(files = plugins.len(), most = MOST, "too many plugins: the last ones by name are left out");
        plugins.split_off(&beyond);
    }
    Ok((plugins, strange))
}

/// Plugin names stand in URLs, headers and settings: lower-case words joined by `-`, and none that means something else.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let reserved = [domain::decision::NATIVE, "auto"];
    (1..=64).contains(&name.len()) && name.bytes().all(plain) && !reserved.contains(&name)
}

impl Files {
    /// What tells that any of them may have changed.
    pub(crate) fn stamps(&self) -> Stamps {
        let of = |path: &Option<PathBuf>| fs::metadata(path.as_ref()?).ok().map(|facts| stamp(&facts));
        Stamps([of(&self.component), of(&self.terms), of(&self.signature)])
    }

    /// Reads them all, if none changes meanwhile.
    pub(crate) fn read(&self) -> Result<Contents, NotRead> {
        let stamps = self.stamps();
        let component = self.component.as_deref().map(|path| read(path, Limits::SLOW.component)).transpose()?;
        let terms = self.terms.as_deref().map(|path| text(path, terms::LARGEST)).transpose()?;
        let signature = self.signature.as_deref().map(|path| text(path, trust::LARGEST)).transpose()?;
        if self.stamps() != stamps {
            return Err(NotRead::Moving);
        }
        Ok(Contents { stamps, component, terms, signature })
    }
}

fn text(path: &Path, limit: usize) -> Result<String, NotRead> {
    let failed = |reason: String| NotRead::Failed { file: path.to_owned(), reason };
    match read(path, limit) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| failed("it is not text in UTF-8".to_owned())),
        Err(NotRead::TooLarge { bytes, limit }) => {
            Err(failed(format!("it has {bytes} bytes, at most {limit} are read")))
        }
        Err(other) => Err(other),
    }
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>, NotRead> {
    let failed = |reason: String| NotRead::Failed { file: path.to_owned(), reason };
    let facts = match fs::metadata(path) {
        Ok(facts) => facts,
        // Gone since the folder was listed, unless something dangles.
        Err(_) if fs::symlink_metadata(path).is_err() => return Err(NotRead::Moving),
        Err(error) => return Err(failed(error.to_string())),
    };
    // Opening a pipe would wait for its writer, and a device has no end.
    if !facts.is_file() {
        return Err(failed("it is no regular file".to_owned()));
    }
    if facts.len() > limit as u64 {
        return Err(NotRead::TooLarge { bytes: usize::try_from(facts.len()).unwrap_or(usize::MAX), limit });
    }
    let mut bytes = Vec::with_capacity(facts.len() as usize);
    fs::File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| failed(error.to_string()))?;
    if bytes.len() > limit {
        return Err(NotRead::TooLarge { bytes: bytes.len(), limit });
    }
    Ok(bytes)
}

fn stamp(facts: &fs::Metadata) -> Stamp {
    let (device, inode, changed) = identity_of(facts);
    Stamp { modified: facts.modified().ok(), length: facts.len(), device, inode, changed }
}

/// What tells one folder from another of the same path.
pub(crate) fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|facts| identity_of(&facts).1)
}

/// Device, inode and the time of the last change of either content or attributes: a copy may preserve the modification
/// time and the length, never this one.
#[cfg(unix)]
fn identity_of(facts: &fs::Metadata) -> (u64, u64, (i64, i64)) {
    use std::os::unix::fs::MetadataExt as _;
    (facts.dev(), facts.ino(), (facts.ctime(), facts.ctime_nsec()))
}

#[cfg(not(unix))]
fn identity_of(_: &fs::Metadata) -> (u64, u64, (i64, i64)) {
    (0, 0, (0, 0))
}
