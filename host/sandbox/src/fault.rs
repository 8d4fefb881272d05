//! Everything a plugin call can do wrong, each with a stable code.

use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::{
    call::LimitReached,
    wasi::{Exited, Waited},
};

/// Why a call counts against its plugin. The request goes on without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    #[error("used all {limit} fuel")]
    Fuel { limit: u64 },
    #[error("ran longer than {limit_ms} ms")]
    Deadline { limit_ms: u64 },
    #[error("wanted more than {limit} bytes of memory")]
    Memory { limit: u64 },
    #[error("recursed deeper than its stack")]
    StackOverflow,
    #[error("reached code that must not be reached, such as a panic")]
    Unreachable,
    #[error("trapped: {0}")]
    Trap(String),
    /// Arguments could not be passed, the answer could not be read, or there was too much of either.
    #[error("broke the rules of passing values: {0}")]
    Unreadable(String),
    #[error("gave an answer that breaks the contract: {0}")]
    Invalid(String),
    #[error("said that it failed: {0}")]
    Failed(String),
    #[error("denied a request, which only a strategy may")]
    DeniedOutOfPlace,
    #[error("could not be started: no free sandbox")]
    PoolExhausted,
    #[error("made the sandbox panic")]
    HostPanic,
    #[error("left the program")]
    Exit,
    #[error("waited, and a plugin has nothing to wait for")]
    Wait,
}

impl Fault {
    /// Stable word for records, metrics and the API.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fuel { .. } => "out-of-fuel",
            Self::Deadline { .. } => "deadline",
            Self::Memory { .. } => "out-of-memory",
            Self::StackOverflow => "stack-overflow",
            Self::Unreachable => "unreachable",
            Self::Trap(_) => "trap",
            Self::Unreadable(_) => "unreadable-answer",
            Self::Invalid(_) => "invalid-answer",
            Self::Failed(_) => "failed",
            Self::DeniedOutOfPlace => "denied-out-of-place",
            Self::PoolExhausted => "pool-exhausted",
            Self::HostPanic => "host-panic",
            Self::Exit => "exit",
            Self::Wait => "wait",
        }
    }

    /// Whether the same inputs lead to the same fault: not when the clock, the stack or this machine ended the call.
    #[must_use]
    pub fn replayable(&self) -> bool {
        !matches!(self, Self::Deadline { .. } | Self::StackOverflow | Self::PoolExhausted | Self::HostPanic)
    }

    /// Sorts an error of the runtime by its type, never by its text.
    pub(crate) fn of(error: &wasmtime::Error, fuel_limit: u64, deadline_ms: u64) -> Self {
        if let Some(limit) = error.downcast_ref::<LimitReached>() {
            return Self::Memory { limit: limit.bytes };
        }
        if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
            return Self::PoolExhausted;
        }
        if error.downcast_ref::<Exited>().is_some() {
            return Self::Exit;
        }
        if error.downcast_ref::<Waited>().is_some() {
            return Self::Wait;
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => Self::Fuel { limit: fuel_limit },
            Some(Trap::Interrupt) => Self::Deadline { limit_ms: deadline_ms },
            Some(Trap::StackOverflow) => Self::StackOverflow,
            Some(Trap::UnreachableCodeReached) => Self::Unreachable,
            Some(trap) => Self::Trap(trap.to_string()),
            // What is left breaks the canonical ABI, going in or coming out: bad pointers, bad UTF-8, a discriminant out
            // of range, more handles or bytes than the host gives and takes.
            None => Self::Unreadable(bounded(&error.root_cause().to_string())),
        }
    }
}

/// Text from a plugin or about one, short and without what would act on a terminal, a header or a reader's eye.
pub(crate) fn bounded(text: &str) -> String {
    const MOST: usize = 256;
    text.chars().take(MOST).map(|character| if acts(character) { ' ' } else { character }).collect()
}

/// Controls, and what turns text around, breaks lines or cannot be seen.
pub(crate) fn acts(character: char) -> bool {
    let unseen = matches!(character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    character.is_control() || unseen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_plugin_does_nothing_to_who_reads_it() {
        let harmful = "\u{1b}[2Ja\r\nb\u{9b}31m\u{7}\u{202e}txt.exe\u{2028}\u{200b}\u{feff}\u{e0041}";
        assert_eq!(bounded(harmful), " [2Ja  b 31m  txt.exe    ");
        assert_eq!(bounded("ünïcödé, 数字 and 🦀"), "ünïcödé, 数字 and 🦀");
        assert_eq!(bounded(&"x".repeat(300)).len(), 256);
    }
}
