//! For whom a decision is made, and with what.

use crate::{learned::Learned, plugin::Source};

/// For whom a decision is made, and what may be used for it.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    pub source: Source,
    /// Whether plugins of the slow tier may be asked: whoever says so has taken a place behind their gate.
    pub slow: bool,
    /// What was learned so far.
    pub learned: &'a Learned,
}

impl Circumstances<'static> {
    /// For somebody at a terminal: nobody waits, nothing counts, nothing was learned.
    #[must_use]
    pub fn alone() -> Self {
        Self { source: Source::Trial, slow: true, learned: Learned::nothing() }
    }
}

impl<'a> Circumstances<'a> {
    /// For somebody at a terminal, with what was learned.
    #[must_use]
    pub fn knowing(learned: &'a Learned) -> Self {
        Circumstances { learned, ..Circumstances::alone() }
    }
}
