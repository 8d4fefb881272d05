//! Replay: the plugin calls of a recorded decision made again, each in a fresh sandbox, from what the record holds.
//!
//! The same component, inputs and conditions must give the same answer and the same fuel, on any thread, in any process,
//! on any day. The inputs are put together from the record alone; no catalogue and no configuration of today is asked.
//! What is compared is what the record holds: fuel and ending of every call, the classification, the price of every
//! candidate, scores, order, parts, reason and propensity of the ranking, and the same of shadows.
//!
//! A call is reported as not replayable when the clock, the stack or the machine ended it, or when something that it
//! needs was not kept: its component, the prompt it read, or, in records of the first version, what strategies were told
//! of providers. Nothing else may keep a call from being the same.

use std::{collections::HashMap, sync::Arc};

use domain::{
    digest::Digest,
    plugin::{CallEnd, Conditions, PluginCall, Role, Setting},
    record::Trace,
};
use ledger::Stored;
use sandbox::{EngineError, Plugin};
use serde::Serialize;

mod compare;
mod inputs;
mod plugins;

use compare::Prices;
use inputs::Inputs;
use plugins::Plugins;

/// How often a call is made when this machine, and not the plugin, ends it.
const TRIES: usize = 5;
/// Memories of at most 16 KiB each after which all are forgotten before the next decision.
const MEMORIES: usize = 1_024;

/// Makes recorded decisions again, in an engine of its own.
pub struct Replayer {
    plugins: Plugins,
    /// `None` when it is not to be had.
    memories: HashMap<Digest, Option<Vec<u8>>>,
}

/// One decision, made again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replayed {
    /// Its id.
    pub decision: String,
    pub finding: Finding,
    /// In the record's order, shadows last.
    pub calls: Vec<ReplayedCall>,
}

/// What a decision's replay comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Every call that was made was made again and came to the same.
    Same,
    /// At least one call came to something else.
    Different,
    /// At least one call could not be made again, or none was made; no other differs.
    NotReplayable,
}

/// One call, made again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplayedCall {
    pub role: Role,
    pub plugin: Arc<str>,
    /// Of the component.
    pub digest: String,
    /// It was only watched.
    pub shadow: bool,
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// What was found about one call.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "replay", rename_all = "kebab-case")]
pub enum Comparison {
    Same,
    /// What was recorded, and what came now.
    Different {
        differences: Vec<String>,
    },
    NotReplayable {
        reason: String,
    },
    /// There is nothing to make again.
    NotCalled {
        reason: String,
    },
}

impl Replayer {
    /// # Errors
    ///
    /// When this machine cannot run the engine.
    pub fn new() -> Result<Self, EngineError> {
        Ok(Self { plugins: Plugins::new()?, memories: HashMap::new() })
    }

    /// Components that [`Self::replay`] of this record needs and that were not offered yet.
    pub fn wants(&mut self, stored: &Stored) -> Vec<Digest> {
        let Some(trace) = &stored.trace else { return Vec::new() };
        let repeated = calls(trace).filter(|call| ended_by_itself(call).is_ok()).map(|call| call.digest);
        self.plugins.wants(repeated)
    }

    /// Hands over a component, or says that it is not to be had.
    pub fn offer(&mut self, digest: Digest, component: Option<Vec<u8>>) {
        self.plugins.offer(digest, component);
    }

    /// What strategies of this record had learned, as far as it was not offered yet.
    pub fn wants_memories(&mut self, stored: &Stored) -> Vec<Digest> {
        if self.memories.len() > MEMORIES {
            self.memories.clear();
        }
        let named = stored.judgement.memories.iter().map(|(_, memory)| *memory);
        named.filter(|memory| !self.memories.contains_key(memory)).collect()
    }

    /// Hands over what a strategy had learned, or says that it is not to be had.
    pub fn offer_memory(&mut self, digest: Digest, memory: Option<Vec<u8>>) {
        self.memories.insert(digest, memory.filter(|bytes| Digest::of(bytes) == digest));
    }

    /// What the component of this digest was given of what it had learned.
    fn memory(&self, stored: &Stored, component: Digest) -> Result<Vec<u8>, Comparison> {
        let named = stored.judgement.memories.iter().find(|(given_to, _)| *given_to == component);
        let Some((_, memory)) = named else { return Ok(Vec::new()) };
        self.memories.get(memory).cloned().flatten().ok_or_else(|| not("what it had learned was not kept"))
    }

    /// Makes every call of one decision again.
    pub fn replay(&mut self, stored: &Stored) -> Replayed {
        let calls = stored.trace.as_ref().map_or_else(Vec::new, |trace| self.replay_calls(stored, trace));
        Replayed { decision: stored.row.id.to_string(), finding: finding(&calls), calls }
    }

    fn replay_calls(&mut self, stored: &Stored, trace: &Trace) -> Vec<ReplayedCall> {
        let inputs = Inputs::of(stored, trace);
        let mut prices = Prices::new(&inputs);
        let mut replayed = Vec::with_capacity(trace.decision.calls.len() + trace.shadows.len());
        for (index, call) in trace.decision.calls.iter().enumerate() {
            let memory = self.memory(stored, call.digest);
            let settings = trace.settings.get(index);
            let conditions = trace.conditions.get(index).copied();
            let differences = self.plugin(call, settings, conditions, &inputs).and_then(|plugin| match call.role {
                Role::Classifier => compare::classifier(&inputs, call, plugin),
                Role::CostModel => compare::cost_model(&inputs, call, plugin, &mut prices),
                Role::Strategy => compare::strategy(&inputs, call, plugin, &memory?),
                Role::Learner => Err(not("what a learner made of outcomes is no part of a decision")),
            });
            if differences.is_err() && call.role == Role::CostModel && call.ended == CallEnd::Answered {
                prices.lose();
            }
            replayed.push(report(call, false, comparison(differences, conditions)));
        }
        for shadow in &trace.shadows {
            let conditions = Some(shadow.conditions);
            let memory = self.memory(stored, shadow.call.digest);
            let plugin = self.plugin(&shadow.call, Some(&shadow.settings), conditions, &inputs);
            let differences = plugin.and_then(|plugin| compare::shadow(&inputs, shadow, plugin, &memory?));
            replayed.push(report(&shadow.call, true, comparison(differences, conditions)));
        }
        replayed
    }

    /// The plugin that is asked again, or why it cannot be.
    fn plugin(
        &mut self,
        call: &PluginCall,
        settings: Option<&Arc<[Setting]>>,
        conditions: Option<Conditions>,
        inputs: &Inputs<'_>,
    ) -> Result<&Plugin, Comparison> {
        ended_by_itself(call)?;
        let settings = settings.ok_or_else(|| not("its settings were not kept"))?;
        let reads_prompt = conditions.is_none_or(|conditions| conditions.reads & Conditions::READS_PROMPT != 0);
        if reads_prompt && !inputs.prompt_kept() {
            return Err(not("the prompt was not kept"));
        }
        self.plugins.get(call, settings, conditions).map_err(not)
    }
}

/// All calls of a record.
fn calls(trace: &Trace) -> impl Iterator<Item = &PluginCall> {
    trace.decision.calls.iter().chain(trace.shadows.iter().map(|shadow| &shadow.call))
}

/// Whether a call was made, and ended by what the plugin did.
fn ended_by_itself(call: &PluginCall) -> Result<(), Comparison> {
    match &call.ended {
        CallEnd::Skipped { reason } => Err(Comparison::NotCalled { reason: reason.to_string() }),
        CallEnd::Faulted { replayable: false, code, .. } => {
            Err(not(format!("the clock, the stack or the machine ended it: {code}")))
        }
        _ => Ok(()),
    }
}

fn not(reason: impl Into<String>) -> Comparison {
    Comparison::NotReplayable { reason: reason.into() }
}

fn comparison(differences: Result<Vec<String>, Comparison>, conditions: Option<Conditions>) -> Comparison {
    match differences {
        Err(comparison) => comparison,
        Ok(differences) if differences.is_empty() => Comparison::Same,
        Ok(_) if conditions.is_none() => not("it came out otherwise, but its record does not say what it was allowed"),
        Ok(differences) => Comparison::Different { differences },
    }
}

fn report(call: &PluginCall, shadow: bool, comparison: Comparison) -> ReplayedCall {
    let digest = call.digest.to_string();
    ReplayedCall { role: call.role, plugin: Arc::clone(&call.plugin), digest, shadow, comparison }
}

fn finding(calls: &[ReplayedCall]) -> Finding {
    let any = |is: fn(&Comparison) -> bool| calls.iter().any(|call| is(&call.comparison));
    if any(|comparison| matches!(comparison, Comparison::Different { .. })) {
        Finding::Different
    } else if any(|comparison| matches!(comparison, Comparison::NotReplayable { .. })) {
        Finding::NotReplayable
    } else if any(|comparison| *comparison == Comparison::Same) {
        Finding::Same
    } else {
        Finding::NotReplayable
    }
}

#[cfg(test)]
mod tests;
