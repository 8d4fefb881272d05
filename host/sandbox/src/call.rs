//! One plugin call: a fresh store, every limit set, the answer lifted, the store dropped.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use domain::plugin::{CallEnd, PluginCall, Role};
use wasmtime::{ResourceLimiter, Store, component::Instance};

use crate::{
    bindings::muxel::plugin::types::Refusal,
    engine::EPOCH,
    fault::{Fault, bounded},
    plugin::{Limits, Plugin, Subject},
    wasi::World,
};

/// How a call went, and its answer when there is one.
#[derive(Debug)]
pub struct Called<T> {
    pub call: PluginCall,
    pub answer: Option<T>,
}

/// A store's data: what its guest may still take, and what it sees of the world.
pub(crate) struct Guard {
    limit: u64,
    used: u64,
    pub(crate) world: World,
}

/// The guest asked for more memory than its limit.
#[derive(Debug, thiserror::Error)]
#[error("memory limit of {bytes} bytes reached")]
pub(crate) struct LimitReached {
    pub(crate) bytes: u64,
}

impl Guard {
    pub(crate) fn new(limits: &Limits, world: World) -> Self {
        Self { limit: limits.memory, used: 0, world }
    }

    /// One budget for all memories and tables together. A failed growth ends the call: a guest that goes on without the
    /// memory it wanted rarely does anything good.
    fn take(&mut self, from: usize, to: usize, bytes_each: u64) -> wasmtime::Result<bool> {
        let more = (to as u64).saturating_sub(from as u64).saturating_mul(bytes_each);
        let used = self.used.saturating_add(more);
        if used > self.limit {
            return Err(LimitReached { bytes: self.limit }.into());
        }
        self.used = used;
        Ok(true)
    }
}

impl ResourceLimiter for Guard {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.take(current, desired, 1)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        const ELEMENT: u64 = 16;
        self.take(current, desired, ELEMENT)
    }
}

/// A store ready for one call under `limits`.
pub(crate) fn store(plugin: &Plugin, world: World) -> wasmtime::Result<Store<Guard>> {
    let limits = plugin.limits();
    let mut store = Store::new(plugin.engine(), Guard::new(limits, world));
    store.limiter(|guard| guard);
    store.set_fuel(limits.fuel)?;
    store.epoch_deadline_trap();
    store.set_epoch_deadline(epochs(limits));
    store.set_hostcall_fuel(limits.answer);
    store.set_max_component_handles(limits.handles);
    Ok(store)
}

/// The deadline in whole epochs, one more because the first is already under way.
fn epochs(limits: &Limits) -> u64 {
    limits.deadline_ms.div_ceil(EPOCH.as_millis() as u64).saturating_add(1)
}

/// Runs `guest` in a fresh sandbox and `check`s what it answers.
pub(crate) fn call<Raw, Answer>(
    plugin: &Plugin,
    role: Role,
    subject: Subject<'_>,
    guest: impl FnOnce(&mut Store<Guard>, &Instance) -> wasmtime::Result<Result<Raw, Refusal>>,
    check: impl FnOnce(Raw) -> Result<Answer, String>,
) -> Called<Answer> {
    let limits = plugin.limits();
    let began = Instant::now();
    let mut fuel = 0;
    let mut memory = 0;
    let mut said = Vec::new();
    let run = || -> wasmtime::Result<Result<Raw, Refusal>> {
        let mut store = store(plugin, plugin.world(subject.moment))?;
        let result = plugin.instantiate(&mut store).and_then(|instance| guest(&mut store, &instance));
        fuel = limits.fuel - store.get_fuel()?;
        let guard = store.into_data();
        memory = guard.used;
        said = guard.world.into_log();
        result
    };
    // The runtime is not supposed to panic, whatever a guest does. Should it, this call is lost and nothing else: the
    // store, the only thing that the closure may leave broken, is dropped with it.
    let lifted = catch_unwind(AssertUnwindSafe(run));
    let answered = match lifted {
        Err(_) => Err(end(Fault::HostPanic)),
        Ok(Err(error)) => Err(end(Fault::of(&error, limits.fuel, limits.deadline_ms))),
        Ok(Ok(Ok(raw))) => check(raw).map_err(|broken| end(Fault::Invalid(bounded(&broken)))),
        Ok(Ok(Err(refusal))) => Err(refused(refusal, role)),
    };
    let (answer, ended) = match answered {
        Ok(answer) => (Some(answer), CallEnd::Answered),
        Err(ended) => (None, ended),
    };
    let micros = u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX);
    let call = PluginCall { role, plugin: plugin.name(), digest: plugin.digest(), fuel, memory, micros, ended };
    plugin.note(&call, subject, &said);
    Called { call, answer }
}

fn refused(refusal: Refusal, role: Role) -> CallEnd {
    match refusal {
        Refusal::Abstain(reason) => CallEnd::Abstained { reason: bounded(&reason) },
        Refusal::Deny(reason) if role == Role::Strategy => CallEnd::Denied { reason: bounded(&reason) },
        Refusal::Deny(_) => end(Fault::DeniedOutOfPlace),
        Refusal::Fault(reason) => end(Fault::Failed(bounded(&reason))),
    }
}

fn end(fault: Fault) -> CallEnd {
    let replayable = fault.replayable();
    CallEnd::Faulted { code: fault.code().into(), detail: fault.to_string(), replayable }
}

#[cfg(test)]
mod tests;
