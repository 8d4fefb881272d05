//! The loader under attack, in process: what it refuses, by code, and what it survives.
//!
//! Attacks that need a gateway, a call or an operator's eyes are in `tests/hostile` at the root.

mod admission;
mod binary;
mod mutants;

// What the end-to-end tests drop into a gateway's folder. They use all of it, these tests a part.
#[allow(dead_code, unreachable_pub, reason = "shared with the end-to-end tests")]
#[path = "../../../../tests/harness/guests.rs"]
mod guests;

use muxel_sandbox::{Compiler, LoadError, Origin, Plugin, Sandbox, Submission};

/// The one place that knows how a component is loaded.
fn load(sandbox: &Sandbox, bytes: &[u8]) -> Result<Plugin, LoadError> {
    sandbox.load(&Submission::new("attack", bytes), Origin::File("attack.wasm".into()))
}

/// The one place that knows how a sandbox is made.
fn sandbox() -> Sandbox {
    Sandbox::new(Compiler::Here).expect("an engine")
}
