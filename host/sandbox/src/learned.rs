//! What was learned so far, as decisions use it.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    candidate::Candidate,
    decision::{Considered, Decision},
    digest::Digest,
    expectation::{Expectations, Seen},
    learning::{Memory, Scope},
    plugin::Classification,
    request::Operation,
};

use crate::plugin::{Kind, Plugin};

/// Candidates, from the first, whose expected quality is explained.
const EXPLAINED: usize = 3;

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

    /// Puts what was learned in the place of priors.
    pub(crate) fn expect(
        &self,
        classification: &Classification,
        operation: Operation,
        candidates: &[Arc<Candidate>],
        considered: &mut [Considered],
    ) {
        if self.expectations.is_empty() {
            return;
        }
        let seen = Seen::of(classification);
        for row in considered.iter_mut().filter(|row| row.veto.is_none()) {
            let candidate = &candidates[row.candidate as usize];
            row.quality = self.expectations.of(candidate.id.as_str(), operation, &seen, row.quality);
        }
    }

    /// How the quality that is expected of the first few came about, where something was learned of them.
    pub(crate) fn explain(&self, decision: &Decision, candidates: &[Arc<Candidate>]) -> Vec<(u32, String)> {
        if self.expectations.is_empty() {
            return Vec::new();
        }
        let seen = Seen::of(&decision.classification);
        let told = |index: &u32| {
            let candidate = &candidates[decision.considered[*index as usize].candidate as usize];
            let explained = self.expectations.explain(candidate.id.as_str(), decision.request.operation, &seen)?;
            Some((*index, explained.to_string()))
        };
        decision.order.iter().filter_map(told).take(EXPLAINED).collect()
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
