//! Why a component did not become a plugin: what is wrong, under a stable word, with the author's next step.

use domain::digest::Digest;

use super::CONTRACT;
use crate::{engine::MEMORIES, fault::Fault, terms::TermsError, trust::TrustError};

/// A component that did not become a plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    #[error("plugin `{plugin}` cannot be read: {reason}")]
    Read { plugin: String, reason: String },
    #[error("plugin `{plugin}` is an empty file")]
    Empty { plugin: String },
    #[error("plugin `{plugin}` is not WebAssembly")]
    NotWasm { plugin: String },
    #[error("plugin `{plugin}` is a core module, but a component is required")]
    NotAComponent { plugin: String },
    #[error("plugin `{plugin}` has {bytes} bytes, at most {limit} are allowed")]
    TooLarge { plugin: String, bytes: usize, limit: usize },
    #[error("plugin `{plugin}` does not compile: {reason}")]
    Compile { plugin: String, reason: String },
    #[error("plugin `{plugin}` has more of something than a sandbox has room for: {reason}")]
    DoesNotFit { plugin: String, reason: String },
    #[error("plugin `{plugin}` is too costly to compile: {reason}")]
    TooCostly { plugin: String, reason: String },
    #[error("plugin `{plugin}` could not be tried: {reason}")]
    Machine { plugin: String, reason: String },
    #[error("plugin `{plugin}` imports `{import}`, which no plugin may have")]
    Import { plugin: String, import: String },
    #[error("plugin `{plugin}` imports what this host does not have in that form: {reason}")]
    ImportTypes { plugin: String, reason: String },
    #[error("plugin `{plugin}` exports nothing of the contract `muxel:plugin`")]
    NoContract { plugin: String },
    #[error("plugin `{plugin}` is built for `{offered}`, but this host speaks `muxel:plugin` {CONTRACT}")]
    Contract { plugin: String, offered: String },
    #[error("plugin `{plugin}` does not export `{expected}`")]
    MissingExport { plugin: String, expected: &'static str },
    #[error("plugin `{plugin}` exports `{interface}` with other types than the contract's: {reason}")]
    WrongTypes { plugin: String, interface: &'static str, reason: String },
    #[error("plugin `{plugin}` wants {wants} from the start, at most {limit} are allowed")]
    Structure { plugin: String, wants: String, limit: String },
    #[error("plugin `{plugin}` did not describe itself: it {fault}")]
    Describe { plugin: String, fault: Fault },
    #[error("plugin `{plugin}` has a manifest that breaks the contract: {reason}")]
    Manifest { plugin: String, reason: String },
    #[error("plugin `{plugin}` failed its trial as {role} ({trial}): it {detail}")]
    Trial { plugin: String, role: &'static str, trial: &'static str, code: String, detail: String },
    #[error(
        "plugin `{plugin}` used {fuel} of {limit} fuel as {role} ({trial}): more than {gate} in a trial leaves no room for \
         real requests"
    )]
    FuelGate { plugin: String, role: &'static str, trial: &'static str, fuel: u64, gate: u64, limit: u64 },
    #[error("plugin `{plugin}` has terms that are wrong, `{plugin}.toml` {error}")]
    Terms { plugin: String, error: TermsError },
    #[error("plugin `{plugin}` is component {offered}, but `{plugin}.toml` allows only {pinned}")]
    Pinned { plugin: String, offered: Digest, pinned: Digest },
    #[error("plugin `{plugin}` cannot run in the fast tier: {reason}")]
    NotFast { plugin: String, reason: String },
    #[error("plugin `{plugin}` {error}")]
    Trust { plugin: String, error: TrustError },
    #[error("plugin `{plugin}` has a digest that was rolled back from: {digest}")]
    HeldBack { plugin: String, digest: Digest },
}

impl LoadError {
    /// Stable word for the API and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "unreadable",
            Self::Empty { .. } => "empty",
            Self::NotWasm { .. } => "not-wasm",
            Self::NotAComponent { .. } => "core-module",
            Self::TooLarge { .. } => "too-large",
            Self::Compile { .. } => "does-not-compile",
            Self::TooCostly { .. } => "too-costly",
            Self::Machine { .. } => "machine",
            Self::Import { .. } => "import",
            Self::ImportTypes { .. } => "import-types",
            Self::NoContract { .. } => "no-contract",
            Self::Contract { .. } => "contract-version",
            Self::MissingExport { .. } => "missing-export",
            Self::WrongTypes { .. } => "wrong-types",
            Self::Structure { .. } | Self::DoesNotFit { .. } => "structure",
            Self::Describe { .. } => "describe",
            Self::Manifest { .. } => "manifest",
            Self::Trial { .. } => "trial",
            Self::FuelGate { .. } => "fuel-gate",
            Self::Terms { .. } => "terms",
            Self::Pinned { .. } => "pinned",
            Self::NotFast { .. } => "not-fast",
            Self::Trust { error, .. } => error.code(),
            Self::HeldBack { .. } => "held-back",
        }
    }

    /// Whether the same bytes may well be accepted at another time: this machine was too busy for the trial.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Trial { code, .. } => ["deadline", "pool-exhausted", "host-panic"].contains(&code.as_str()),
            Self::Read { .. } | Self::Machine { .. } => true,
            _ => false,
        }
    }

    /// The author's next step, when there is an obvious one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => "it must be a regular file that the gateway's user may read".to_owned(),
            Self::Compile { .. } => return None,
            Self::Empty { .. } => "copy the file under another name first, then rename it into place".to_owned(),
            Self::NotWasm { .. } => {
                "a plugin is a WebAssembly component: build one with `muxel plugin build`".to_owned()
            }
            Self::NotAComponent { .. } => {
                "build it with `muxel plugin build`, which turns a module into a component".to_owned()
            }
            Self::TooLarge { .. } => {
                "build it with `muxel plugin build`, which leaves debug info out; large tables cost bytes, too"
                    .to_owned()
            }
            Self::TooCostly { .. } => {
                "a plugin is small: leave large tables and generated code out of it, and build it in release mode"
                    .to_owned()
            }
            Self::Machine { .. } => {
                "this is the machine's trouble, not the plugin's: it is tried again soon".to_owned()
            }
            Self::Import { import, .. } if import.starts_with("wasi:") => {
                "a plugin has no network, files or threads; of WASI it may import wasi:cli, wasi:clocks, wasi:io and \
                 wasi:random in version 0.2; for Rust, build for wasm32-unknown-unknown"
                    .to_owned()
            }
            Self::Import { .. } => {
                "time, randomness and memory are arguments of every call, and the host offers no functions; for Rust, \
                 build with `muxel plugin build`"
                    .to_owned()
            }
            Self::ImportTypes { .. } => {
                "build it with a toolchain for WASI 0.2 and this host's `wit/plugin.wit`".to_owned()
            }
            Self::NoContract { .. } => {
                "implement a trait of the SDK and name it in `muxel_sdk::export!`; see wit/README.md".to_owned()
            }
            Self::Contract { .. } => format!("rebuild it with a muxel-sdk for contract {CONTRACT}"),
            Self::MissingExport { .. } => "name the plugin's world in `muxel_sdk::export!`".to_owned(),
            Self::WrongTypes { .. } => "rebuild it against this host's `wit/plugin.wit`".to_owned(),
            Self::DoesNotFit { .. } => {
                format!("a plugin is one module with {MEMORIES} memory and a few small tables")
            }
            Self::Structure { .. } => {
                "make a large `static` smaller, or raise `memory` under [limits] in its .toml file; built without \
                 `muxel plugin build`, the stack alone takes 1 MiB: `-C link-arg=-zstack-size=16384`"
                    .to_owned()
            }
            Self::Describe { fault, .. } => format!("`describe` only returns constants; fault code {}", fault.code()),
            Self::Manifest { .. } => "see `manifest` in wit/plugin.wit".to_owned(),
            Self::Trial { code, .. } => {
                format!("it must answer, abstain or deny on every trial request; fault code {code}")
            }
            Self::FuelGate { .. } => {
                "see what it spends with `muxel plugin run`, or raise `fuel` under [limits] in its .toml file"
                    .to_owned()
            }
            Self::Terms { error, .. } => return error.hint.clone(),
            Self::Pinned { .. } => {
                "change `digest` in its .toml file when this component is the one you want".to_owned()
            }
            Self::NotFast { .. } => "leave `tier` out of its .toml file: it is found from the component".to_owned(),
            Self::Trust { error, .. } => error.hint(),
            Self::HeldBack { .. } => {
                "drop a new version, or POST /admin/plugins/NAME/enable to take it after all".to_owned()
            }
        })
    }
}
