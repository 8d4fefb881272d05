//! Components turned into plugins again, under the conditions of a recorded call.

use std::{collections::HashMap, sync::Arc};

use domain::{
    digest::Digest,
    plugin::{Conditions, PluginCall, Setting},
};
use sandbox::{Compiler, EngineError, Limits, POLICY, Plugin, Sandbox};

/// Bytes of components after which all are forgotten before the next decision: a bound on memory, not on work.
const HELD: usize = 256 << 20;
/// The same for compiled ones.
const LOADED: usize = 128;

/// A component with the settings it was last asked with.
type Loaded = Result<(Arc<[Setting]>, Plugin), String>;

pub(super) struct Plugins {
    sandbox: Sandbox,
    /// `None` when it is not to be had.
    components: HashMap<Digest, Option<Vec<u8>>>,
    held: usize,
    loaded: HashMap<(Digest, Conditions), Loaded>,
}

impl Plugins {
    pub(super) fn new() -> Result<Self, EngineError> {
        let sandbox = Sandbox::new(Compiler::Here)?;
        Ok(Self { sandbox, components: HashMap::new(), held: 0, loaded: HashMap::new() })
    }

    /// Those of `digests` that were not offered yet, each once.
    pub(super) fn wants(&mut self, digests: impl Iterator<Item = Digest>) -> Vec<Digest> {
        if self.held > HELD || self.loaded.len() > LOADED {
            self.components.clear();
            self.loaded.clear();
            self.held = 0;
        }
        let mut wanted: Vec<Digest> = digests.filter(|digest| !self.components.contains_key(digest)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    pub(super) fn offer(&mut self, digest: Digest, component: Option<Vec<u8>>) {
        // What is not what it says it is would be found to differ, and not for the reason that is looked for.
        let component = component.filter(|bytes| Digest::of(bytes) == digest);
        self.held += component.as_ref().map_or(0, Vec::len);
        self.components.insert(digest, component);
    }

    /// The plugin of a recorded call, or why there is none.
    pub(super) fn get(
        &mut self,
        call: &PluginCall,
        settings: &Arc<[Setting]>,
        conditions: Option<Conditions>,
    ) -> Result<&Plugin, String> {
        let component = self.components.get(&call.digest).and_then(Option::as_ref);
        let component = component.ok_or("its component was not kept")?;
        // The first records do not say what a call was allowed: it was the usual.
        let conditions = conditions.unwrap_or_else(usual);
        let load = || {
            let plugin = self.sandbox.recreate(&call.plugin, component, conditions, Arc::clone(settings));
            plugin.map(|plugin| (Arc::clone(settings), plugin)).map_err(|error| error.to_string())
        };
        let loaded = self.loaded.entry((call.digest, conditions)).or_insert_with(load);
        // A request's weights are settings of its own.
        if let Ok((known, plugin)) = loaded
            && known != settings
        {
            *loaded = Ok((Arc::clone(settings), plugin.with_settings(Arc::clone(settings))));
        }
        loaded.as_ref().map(|(_, plugin)| plugin).map_err(String::clone)
    }
}

fn usual() -> Conditions {
    let limits = Limits::FAST;
    Conditions {
        policy: POLICY,
        slow: false,
        fuel: limits.fuel,
        memory: limits.memory,
        deadline_ms: limits.deadline_ms as u32,
        reads: u16::MAX,
    }
}
