//! What outlives this process: components by digest, and what was decided about each plugin.
//!
//! Kept elsewhere: this crate says what, the implementation says where. Without one, everything works and nothing is
//! remembered.

use std::collections::BTreeMap;

use domain::{digest::Digest, request::Request};
use serde::{Deserialize, Serialize};

/// Where components and plugin states are kept. Called from threads that may wait.
pub trait Archive: Send + Sync {
    /// Keeps a component for as long as a record may name it.
    ///
    /// # Errors
    ///
    /// Why it is not kept, for people.
    fn keep(&self, digest: Digest, bytes: &[u8]) -> Result<(), String>;

    /// A component that was kept; `None` when it is not there.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, for people.
    fn fetch(&self, digest: Digest) -> Result<Option<Vec<u8>>, String>;

    /// Every plugin's name with its state.
    ///
    /// # Errors
    ///
    /// Why they cannot be read, for people.
    fn states(&self) -> Result<Vec<(String, String)>, String>;

    /// Remembers a plugin's state in the place of the one before.
    ///
    /// # Errors
    ///
    /// Why it is not remembered, for people.
    fn remember(&self, name: &str, state: &str) -> Result<(), String>;

    /// Requests that callers have sent lately, at most so many.
    fn recent(&self, most: usize) -> Vec<Request>;
}

/// Most digests of each list.
const MOST: usize = 8;

/// What is remembered of one plugin from one run to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Remembered {
    pub(crate) disabled: bool,
    /// The component that serves.
    pub(crate) serving: Option<String>,
    /// Those that served before it, the latest last.
    pub(crate) good: Vec<String>,
    /// Those that an operator went back from.
    pub(crate) held: Vec<String>,
    /// The highest signed version, and its component.
    pub(crate) highest: Option<(String, String)>,
    /// The keys that signed components that served.
    pub(crate) signed: BTreeMap<String, String>,
    /// The terms of what serves, as written.
    pub(crate) terms: Option<String>,
}

impl Remembered {
    pub(crate) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `digest` serves from now on.
    pub(crate) fn serve(&mut self, digest: Digest) {
        let digest = digest.to_string();
        if self.serving.as_ref() == Some(&digest) {
            return;
        }
        if let Some(before) = self.serving.replace(digest.clone()) {
            self.good.retain(|good| *good != before);
            push(&mut self.good, before);
        }
        self.good.retain(|good| *good != digest);
    }

    /// `bad` is not to serve again by itself, and `to` serves.
    pub(crate) fn go_back(&mut self, bad: Digest, to: Digest) {
        let (bad, to) = (bad.to_string(), to.to_string());
        self.good.retain(|good| *good != bad && *good != to);
        self.held.retain(|held| *held != bad);
        push(&mut self.held, bad);
        self.serving = Some(to);
    }

    /// Forgets the signatures of components that can no longer come back.
    pub(crate) fn sign(&mut self, digest: Digest, key: &str) {
        self.signed.insert(digest.to_string(), key.to_owned());
        let (serving, good) = (&self.serving, &self.good);
        self.signed.retain(|digest, _| serving.as_ref() == Some(digest) || good.contains(digest));
    }

    pub(crate) fn holds(&self, digest: Digest) -> bool {
        self.held.contains(&digest.to_string())
    }
}

fn push(list: &mut Vec<String>, digest: String) {
    if list.len() == MOST {
        list.remove(0);
    }
    list.push(digest);
}
