//! How a ledger is kept.

use std::{path::PathBuf, time::Duration};

/// What is kept of a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptPolicy {
    /// The text, once for all records that share it.
    #[default]
    Store,
    /// Its SHA-256: enough to tell equal prompts.
    Hash,
    /// Nothing.
    Drop,
}

/// How a ledger is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// The data directory.
    pub dir: PathBuf,
    pub prompts: PromptPolicy,
    /// How long records are kept.
    pub retention: Duration,
    /// Most requests that may be under way or waiting to be written at once.
    pub queue: usize,
    /// How often old records and pictures are deleted.
    pub housekeeping: Duration,
    /// Most that kept pictures may take together.
    pub media_bytes: u64,
    /// How long a picture is kept.
    pub media_keep: Duration,
    /// Most that answers which may be asked for again may take together.
    pub answers_bytes: u64,
}

impl LedgerSettings {
    /// The defaults for a data directory.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            prompts: PromptPolicy::default(),
            retention: Duration::from_hours(90 * 24),
            queue: 8192,
            housekeeping: Duration::from_mins(5),
            media_bytes: 1 << 30,
            media_keep: Duration::from_hours(1),
            answers_bytes: 1 << 30,
        }
    }
}
