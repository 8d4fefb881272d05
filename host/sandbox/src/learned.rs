//! What was learned so far, as decisions use it.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    digest::Digest,
    expectation::Expectations,
    learning::{Memory, Scope},
};

use crate::plugin::{Kind, Plugin};

/// Expectations and memories of one snapshot.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    pub expectations: Expectations,
    /// By the learner's name: an upgrade inherits what the version before it has learned.
    pub memories: BTreeMap<(Arc<str>, Scope), Memory>,
}

static NOTHING: Learned = Learned { expectations: Expectations::NONE, memories: BTreeMap::new() };

impl Learned {
    #[must_use]
    pub fn nothing() -> &'static Self {
        &NOTHING
    }

    /// The memories that these plugins are given: the component's digest and the memory's.
    #[must_use]
    pub fn given<'p>(
        &self,
        plugins: impl IntoIterator<Item = &'p Arc<Plugin>>,
        scope: &Scope,
    ) -> Vec<(Digest, Digest)> {
        let given = |plugin: &Arc<Plugin>| Some((plugin.digest(), self.memory(plugin, scope)?.digest));
        plugins.into_iter().filter_map(given).collect()
    }

    /// What `plugin` remembers, in a form that it reads.
    #[must_use]
    pub fn memory(&self, plugin: &Plugin, scope: &Scope) -> Option<&Memory> {
        // Most strategies learn nothing: then nothing is looked up.
        if self.memories.is_empty() || !plugin.is(Kind::Learner) {
            return None;
        }
        let memory = self.memories.get(&(plugin.name(), scope.clone()))?;
        (memory.format == plugin.memory_format()).then_some(memory)
    }
}
