//! Generates the SDK's bindings from `wit/`: see `tests/bindings.rs`.
//!
//! It stands beside the SDK, not in it, so that it builds when the committed bindings do not.
