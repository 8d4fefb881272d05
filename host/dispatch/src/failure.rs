//! What went wrong with one attempt, and what the provider said about it.

use std::time::Duration;

use domain::failure::FailureKind;
use serde_json::Value;

use crate::{
    dialect::Report,
    text::{MAX_CHARS, bounded},
};

/// A failed attempt, before it is settled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// HTTP status, when there was one.
    pub(crate) status: Option<u16>,
    /// For the record: bounded, escaped, without keys.
    pub(crate) detail: String,
    pub(crate) retry_after: Option<Duration>,
    /// What the provider said, in its own words, when its answer could be read.
    pub(crate) error: Option<Box<ProviderError>>,
    /// The provider's own report, when it charges although it failed.
    pub(crate) report: Box<Report>,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, detail: &str) -> Self {
        Self {
            kind,
            status: None,
            detail: bounded(detail, MAX_CHARS),
            retry_after: None,
            error: None,
            report: Box::default(),
        }
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }
}

/// A provider's error, in OpenAI's words. Every text is bounded and escaped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderError {
    pub message: String,
    /// OpenAI's `type`.
    pub error_type: Option<String>,
    pub code: Option<String>,
    pub param: Option<String>,
    /// As the provider gave it, unless it is long.
    pub moderation_details: Option<Value>,
}
