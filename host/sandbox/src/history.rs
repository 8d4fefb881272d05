//! What happened to a plugin: loads, refusals, rollbacks, rests. The latest of it, for people and the API.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use domain::digest::Digest;
use serde::Serialize;

/// Events that are kept of each plugin.
const MOST: usize = 32;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    pub what: What,
    /// Of the component that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Stable word, where something was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What may happen to a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Loaded,
    /// The same component on other terms.
    NewTerms,
    Refused,
    Removed,
    RolledBack,
    Disabled,
    Enabled,
    Quarantined,
    /// Back from quarantine, and watched.
    Probation,
    /// Its probation went well.
    Recovered,
    /// It is too slow for a request's own thread.
    MovedToSlowTier,
    /// It serves and could not be kept: no replay, no rollback to it after a restart.
    NotKept,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    events: VecDeque<Event>,
    /// Events that there ever were.
    pushed: u64,
}

impl Event {
    pub(crate) fn new(what: What) -> Self {
        Self { at_ms: unix_ms(), what, digest: None, version: None, code: None, reason: None }
    }

    pub(crate) fn of(mut self, digest: Digest) -> Self {
        self.digest = Some(digest.to_string());
        self
    }

    pub(crate) fn version(mut self, version: &str) -> Self {
        self.version = Some(version.to_owned());
        self
    }

    pub(crate) fn because(mut self, code: &'static str, reason: String) -> Self {
        (self.code, self.reason) = (Some(code), Some(reason));
        self
    }
}

impl History {
    pub(crate) fn push(&mut self, event: Event) {
        if self.events.len() == MOST {
            self.events.pop_front();
        }
        self.events.push_back(event);
        self.pushed += 1;
    }

    /// The latest last.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.iter().cloned().collect()
    }

    /// What happened since this history was `before`.
    pub(crate) fn since(&self, before: &Self) -> Vec<Event> {
        let new = usize::try_from(self.pushed.saturating_sub(before.pushed)).unwrap_or(usize::MAX);
        self.events.iter().skip(self.events.len().saturating_sub(new)).cloned().collect()
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
