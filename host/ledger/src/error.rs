//! What can go wrong with a ledger. `OpenError` ends a start, `ReadError` an answer; the writer keeps trying and says so
//! in its status.

use std::{
    io,
    path::{Path, PathBuf},
};

use domain::{attempt::DecisionId, digest::Digest};

/// The database refused. Opaque: nobody outside this crate depends on its library.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DatabaseError(#[from] pub(crate) sqlx::Error);

/// Why a data directory could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    #[error("data directory `{}` is not a directory", .dir.display())]
    NotADirectory { dir: PathBuf },

    #[error("data directory `{}` is not writable", .dir.display())]
    NotWritable { dir: PathBuf, source: io::Error },

    #[error("data directory `{}` cannot be used", .dir.display())]
    Unusable { dir: PathBuf, source: io::Error },

    #[error("data directory `{}` is in use by another process", .dir.display())]
    Locked { dir: PathBuf },

    #[error("there is no ledger in `{}`", .dir.display())]
    Missing { dir: PathBuf },

    #[error("the ledger in `{}` is of version {found}, but this program knows versions up to {known}", .dir.display())]
    NewerSchema { dir: PathBuf, found: i64, known: i64 },

    #[error("the ledger in `{}` is of version {found}, but this program reads version {known}", .dir.display())]
    OlderSchema { dir: PathBuf, found: i64, known: i64 },

    #[error("`{}` is damaged or not a ledger", .file.display())]
    Damaged { file: PathBuf, source: DatabaseError },

    #[error("cannot open the ledger in `{}`", .dir.display())]
    Database { dir: PathBuf, source: DatabaseError },
}

impl OpenError {
    /// What an error of the file system means for the data directory.
    pub(crate) fn unusable(dir: &Path, source: io::Error) -> Self {
        let dir = dir.to_owned();
        match source.kind() {
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => Self::NotADirectory { dir },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::NotWritable { dir, source },
            _ => Self::Unusable { dir, source },
        }
    }

    /// The operator's next step.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotADirectory { .. } => {
                Some("name a directory with `--data` or `[data] dir`, or move that file away")
            }
            Self::NotWritable { .. } => {
                Some("give the user that runs muxel write access, or name another with `--data`")
            }
            Self::Locked { .. } => Some("stop the other muxel, or give this one a directory of its own with `--data`"),
            Self::Missing { .. } => Some("name the directory that `muxel serve` was given with `--data`"),
            Self::NewerSchema { .. } => Some("use the newer muxel that wrote it, or another directory"),
            Self::OlderSchema { .. } => Some("start `muxel serve` on it once: that brings it up to date"),
            Self::Damaged { .. } => {
                Some("move the file away to start a new ledger; keep it for `sqlite3 FILE .recover`")
            }
            Self::Unusable { .. } | Self::Database { .. } => None,
        }
    }
}

/// Why records could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    #[error("cannot read the ledger")]
    Database(#[from] DatabaseError),

    #[error("the record `{id}` is damaged: {problem}")]
    Damaged { id: DecisionId, problem: &'static str },
}

impl From<sqlx::Error> for ReadError {
    fn from(source: sqlx::Error) -> Self {
        Self::Database(DatabaseError(source))
    }
}

/// Why a component was not kept or not given back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    #[error("a component of {bytes} bytes is not kept, at most {limit} are allowed")]
    TooLarge { bytes: usize, limit: usize },

    #[error("the bytes are not those of component `{digest}`")]
    Another { digest: Digest },

    #[error("the kept component `{digest}` is damaged")]
    Damaged { digest: Digest },

    #[error("the ledger cannot keep or read components")]
    Database(#[from] DatabaseError),
}

impl From<sqlx::Error> for ComponentError {
    fn from(source: sqlx::Error) -> Self {
        Self::Database(DatabaseError(source))
    }
}

/// Why the state of a plugin was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    #[error("the state of plugin `{plugin}` has {bytes} bytes, at most {limit} are kept")]
    TooLarge { plugin: String, bytes: usize, limit: usize },

    #[error("the state of plugin `{plugin}` is not kept: there are those of {limit} others")]
    TooMany { plugin: String, limit: u32 },

    #[error("the ledger cannot be written")]
    Database(#[from] DatabaseError),
}

/// What a closing ledger could not write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{records} records were not written: {reason}")]
pub struct Unwritten {
    pub records: u64,
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_may_not_be_written_is_told_from_a_file() {
        let open_error = |kind: io::ErrorKind| OpenError::unusable(Path::new("data"), kind.into());
        let denied = open_error(io::ErrorKind::PermissionDenied);
        assert_eq!(denied.to_string(), "data directory `data` is not writable");
        assert!(denied.hint().is_some_and(|hint| hint.contains("write access")));
        let full = open_error(io::ErrorKind::StorageFull);
        assert_eq!((full.to_string().as_str(), full.hint()), ("data directory `data` cannot be used", None));
        assert!(matches!(open_error(io::ErrorKind::NotADirectory), OpenError::NotADirectory { .. }));
    }
}
