//! What an author did wrong, with the next step: one shape for every command here.

use serde::Serialize;

use crate::{exit::ExitStatus, printer::Printer};

/// A mistake of the author's. Not an error of this program: the command ends with [`ExitStatus::Failure`].
#[derive(Debug, Serialize)]
pub(in crate::command) struct Mistake {
    /// Stable word for programs.
    pub(super) code: &'static str,
    pub(in crate::command) reason: String,
    pub(in crate::command) hint: Option<String>,
}

impl Mistake {
    pub(super) fn new(code: &'static str, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), hint: Some(hint.into()) }
    }

    /// Says it, as JSON on stdout or in words on stderr.
    ///
    /// # Errors
    ///
    /// When stdout is gone.
    pub(super) fn tell(&self, json: bool, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        #[derive(Serialize)]
        struct Told<'a> {
            ok: bool,
            #[serde(flatten)]
            mistake: &'a Mistake,
        }
        if json {
            // On one line, because it may be one of many.
            printer.json_line(&Told { ok: false, mistake: self })?;
        } else {
            printer.failure(&self.reason, self.hint.as_ref());
        }
        Ok(ExitStatus::Failure)
    }
}
