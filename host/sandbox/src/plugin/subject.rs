//! What a call is about, and for whom it is made.

use domain::request::{Moment, Request};

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub request: &'a Request,
    pub moment: &'a Moment,
    /// Of the whole prompt, counted once for all calls.
    pub prompt_chars: u32,
    /// For whom it is.
    pub source: Source,
}

/// For whom a plugin is asked: what keeps one caller's prompts from taking a plugin from everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A trial or a replay: it counts neither for nor against the plugin.
    Trial,
    /// A caller of whom nothing is known by name.
    Anyone,
    /// A tenant or a key, hashed.
    Named(u64),
}

impl Source {
    /// The tenant, else the key.
    #[must_use]
    pub fn of(tenant: Option<&str>, key: Option<&str>) -> Self {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        if tenant.is_none() && key.is_none() {
            return Self::Anyone;
        }
        let mut hasher = DefaultHasher::new();
        (tenant, if tenant.is_none() { key } else { None }).hash(&mut hasher);
        Self::Named(hasher.finish())
    }
}
