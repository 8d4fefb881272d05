//! Plugins in sandboxes: everything that touches wasmtime.
//!
//! A plugin is compiled once for each digest of its bytes. Every call gets a fresh store with fuel, a memory limit and a
//! deadline, its answer is checked after it is lifted, and the store is dropped. Nothing a call writes is seen by the
//! next. Plugins in service form a [`Roster`], which is immutable: a reload builds a new one and swaps it in whole.
//!
//! Types of the contract do not leave this crate: `convert` turns them into the words of `domain`.

#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::str_to_string,
    reason = "generated from `wit/`"
)]
mod bindings;
mod bundled;
mod call;
mod convert;
mod decide;
mod engine;
mod fault;
mod load;
mod plugin;
mod prices;
mod roster;
mod trial;
mod validate;
mod watch;

pub use bundled::names as bundled_names;
pub use call::Called;
pub use decide::{Decided, Field, Panel, Verdict, decide};
pub use engine::{EngineError, Sandbox};
pub use fault::Fault;
pub use load::{LoadError, encode};
pub use plugin::{Kind, Limits, Origin, Plugin, Subject};
pub use roster::{Refused, Roster};
pub use watch::Plugins;

/// Prepares a thread for plugin calls. Without it, the first call on a thread costs hundreds of microseconds; give it to
/// the runtime's `on_thread_start`.
pub fn prepare_thread() {
    wasmtime::Engine::tls_eager_initialize();
}
