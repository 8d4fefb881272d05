//! Plugins in sandboxes: everything that touches wasmtime.
//!
//! A plugin is compiled once for each digest of its bytes. Every call gets a fresh store with fuel, a memory limit and a
//! deadline, its answer is checked after it is lifted, and the store is dropped. Nothing a call writes is seen by the
//! next. Plugins in service form a [`Roster`], which is immutable: a reload builds a new one and swaps it in whole.
//!
//! Types of the contract do not leave this crate: `convert` turns them into the words of `domain`.

mod archive;
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
mod cache;
mod call;
mod circumstances;
mod compile;
mod compiled;
mod conduct;
mod convert;
mod decide;
mod engine;
mod fault;
mod fleet;
mod fold;
mod folder;
mod history;
mod inspect;
mod learned;
mod load;
mod manifest;
mod outline;
mod plugin;
mod prices;
mod roster;
mod shadow;
mod terms;
mod trial;
mod trust;
mod validate;
mod wasi;

pub use archive::Archive;
pub use bundled::{component as bundled_component, names as bundled_names};
pub use call::Called;
pub use circumstances::Circumstances;
pub use compile::{CHILD_COMMAND, Compiler, run_child};
pub use conduct::{LastFault, Usage};
pub use decide::{Decided, Panel, Verdict, decide};
pub use domain::field::Field;
pub use engine::{EngineError, POLICY, Sandbox, Tier};
pub use fault::Fault;
pub use fleet::{ActionError, PluginStatus, Plugins, RolledBack, Setup};
pub use fold::{Folded, fold};
pub use folder::is_name as is_plugin_name;
pub use history::{Event, What};
pub use inspect::{Described, FileKind, Inspection, Producer, Sections, inspect};
pub use learned::Learned;
pub use load::{CONTRACT, LoadError, RecreateError, Submission, encode};
pub use manifest::{SettingForm, SettingInfo};
pub use plugin::{Kind, Limits, Origin, Plugin, Source, Subject};
pub use roster::{Refused, Roster};
pub use shadow::{shadow, shadow_patience, skipped};
pub use terms::{Terms, TermsError};
pub use trust::{NotAKey, Statement, Trust, TrustError};

/// Prepares a thread for plugin calls. Without it, the first call on a thread costs hundreds of microseconds; give it to
/// the runtime's `on_thread_start`.
pub fn prepare_thread() {
    wasmtime::Engine::tls_eager_initialize();
}
