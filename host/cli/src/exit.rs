//! What the shell is told.

use std::process::ExitCode;

/// 0 success, 1 the user's input, 2 unexpected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    Success,
    Failure,
    Unexpected,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Success => Self::SUCCESS,
            ExitStatus::Failure => Self::from(1),
            ExitStatus::Unexpected => Self::from(2),
        }
    }
}
