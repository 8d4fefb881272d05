//! The plugins in service at one moment. Immutable: a reload builds a new roster and swaps it in whole.

use std::{collections::BTreeMap, sync::Arc};

use domain::digest::Digest;
use serde::Serialize;

use crate::{
    engine::Tier,
    load::LoadError,
    plugin::{Kind, Plugin},
};

/// What the clock leaves a call when only its fuel is to end it.
const UNHURRIED_MS: u64 = 600_000;

/// All plugins in service, and what was refused.
#[derive(Default)]
pub struct Roster {
    /// Rises by one with every swap.
    pub(crate) revision: u64,
    pub(crate) plugins: BTreeMap<Arc<str>, Arc<Plugin>>,
    /// Whether any of them runs in the slow tier.
    pub(crate) slow: bool,
    pub(crate) refused: BTreeMap<String, Refused>,
    /// Plugins that an operator took out of service.
    pub(crate) disabled: BTreeMap<Arc<str>, Digest>,
}

/// A file that is not serving, and why. The last good version of it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    pub code: &'static str,
    pub reason: String,
    pub hint: Option<String>,
}

impl From<&LoadError> for Refused {
    fn from(error: &LoadError) -> Self {
        Self { code: error.code(), reason: error.to_string(), hint: error.hint() }
    }
}

impl Roster {
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The plugin of this name, when it can be asked for `kind`.
    #[must_use]
    pub fn get(&self, name: &str, kind: Kind) -> Option<&Arc<Plugin>> {
        self.plugins.get(name).filter(|plugin| plugin.is(kind))
    }

    /// Whether an operator took the plugin of this name out of service.
    #[must_use]
    pub fn is_disabled(&self, name: &str) -> bool {
        self.disabled.contains_key(name)
    }

    /// Whether the plugin of this name, or what stands by for it, runs in the slow tier.
    #[must_use]
    pub fn is_slow(&self, name: &str) -> bool {
        let is_slow = |plugin: &Plugin| plugin.tier() == Tier::Slow;
        let of = |plugin: &Arc<Plugin>| is_slow(plugin) || plugin.standby().is_some_and(|standby| is_slow(standby));
        // Most gateways have none: then nothing is looked up.
        self.slow && self.plugins.get(name).is_some_and(of)
    }

    /// These plugins and one more, which takes the place of another of its name: to try it before it serves.
    #[must_use]
    pub fn with(&self, plugin: Arc<Plugin>) -> Self {
        let mut plugins = self.plugins.clone();
        plugins.insert(plugin.name(), plugin);
        let disabled = self.disabled.clone();
        Self { revision: self.revision, plugins, refused: self.refused.clone(), disabled, slow: true }
    }

    /// The same plugins, whose calls this machine's clock does not end: fuel does. For whoever must come to the same
    /// answers on a busy machine, and whom nobody waits for.
    #[must_use]
    pub fn unhurried(&self) -> Self {
        let unhurried = |(name, plugin): (&Arc<str>, &Arc<Plugin>)| {
            (Arc::clone(name), Arc::new(plugin.with_deadline(UNHURRIED_MS)))
        };
        let plugins = self.plugins.iter().map(unhurried).collect();
        let (refused, disabled) = (self.refused.clone(), self.disabled.clone());
        Self { revision: self.revision, plugins, refused, disabled, slow: self.slow }
    }

    /// All plugins by name.
    pub fn plugins(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.plugins.values()
    }

    /// Files that are not serving, by plugin name.
    #[must_use]
    pub fn refused(&self) -> &BTreeMap<String, Refused> {
        &self.refused
    }
}
