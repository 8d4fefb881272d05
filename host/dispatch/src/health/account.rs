//! A provider's account, as far as it concerns all its candidates at once.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::breaker::{FIRST_PAUSE_MS, Millis};

/// How long an account that refused our key, or has no money, is left alone.
pub(super) const SHUT_MS: Millis = 300_000;

/// No account is paused for longer than this on its provider's word.
const MAX_PAUSE_MS: Millis = 300_000;

/// Until when an account is shut; 0 when it is not.
#[derive(Debug, Default)]
pub(crate) struct Account {
    until: AtomicU64,
    /// How often its key or address has changed: what is said of an earlier one says nothing about this one.
    generation: AtomicU64,
}

impl Account {
    /// The key was refused, or there is no money left.
    pub(super) fn shut(&self, now: Millis) {
        self.until.fetch_max(now.saturating_add(SHUT_MS), Ordering::Relaxed);
    }

    /// The provider asked for a pause.
    pub(super) fn pause(&self, now: Millis, retry_after: Option<Millis>) {
        let pause = retry_after.unwrap_or(FIRST_PAUSE_MS).min(MAX_PAUSE_MS);
        self.until.fetch_max(now.saturating_add(pause), Ordering::Relaxed);
    }

    pub(super) fn shut_until(&self, now: Millis) -> Option<Millis> {
        Some(self.until.load(Ordering::Relaxed)).filter(|until| *until > now)
    }

    pub(super) fn reset(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
        self.until.store(0, Ordering::Relaxed);
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }
}
