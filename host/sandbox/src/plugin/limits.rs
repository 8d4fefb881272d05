//! What one call may use, tier by tier.

use serde::Serialize;

use crate::engine::Tier;

/// Most that a learner may remember, in bytes.
pub(super) const MAX_LEARNED: usize = 16_384;

/// What one call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    pub fuel: u64,
    /// All memories and tables together, initial ones included, in bytes.
    pub memory: u64,
    pub deadline_ms: u64,
    /// Live component handles.
    pub handles: usize,
    /// Bytes the host takes from the guest.
    pub answer: usize,
    /// Bytes of the component itself.
    pub component: usize,
}

impl Limits {
    /// For plugins that run inline on a request's thread.
    pub const FAST: Self =
        Self { fuel: 1_000_000, memory: 2 << 20, deadline_ms: 10, handles: 64, answer: 64 << 10, component: 2 << 20 };

    /// For plugins that run behind a gate: those that need WASI, and those of interpreted languages.
    pub const SLOW: Self = Self {
        fuel: 100_000_000,
        memory: 256 << 20,
        deadline_ms: 200,
        handles: 1_024,
        answer: 256 << 10,
        component: 64 << 20,
    };

    #[must_use]
    pub fn of(tier: Tier) -> Self {
        match tier {
            Tier::Fast => Self::FAST,
            Tier::Slow => Self::SLOW,
        }
    }
}
