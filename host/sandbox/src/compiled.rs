//! Taking compiled code in: the one place that trusts bytes to be what the compiler made.

#![allow(unsafe_code, reason = "code that was compiled elsewhere can only be taken in on trust")]

use wasmtime::{Engine, component::Component};

/// `code` must come from this program's own compiler: straight from its child's pipe, or from the cache that only this
/// machine's key can write to. The runtime itself refuses code of another version or for other settings.
pub(crate) fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the callers hand in nothing but the output of `Engine::precompile_component`, as said above.
    unsafe { Component::deserialize(engine, code) }
}
