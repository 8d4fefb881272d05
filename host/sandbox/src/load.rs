//! From bytes to a plugin, or to an error its author can act on.
//!
//! A failed load never disturbs the plugin that is already serving.

use std::sync::Arc;

use domain::{digest::Digest, plugin::Setting};
use wasmtime::component::{Component, InstancePre, types::ComponentItem};

use crate::{
    bindings::exports::muxel::plugin::{
        self as wit,
        describe::{Manifest as Described, SettingKind},
    },
    call::{Guard, store},
    convert::Reads,
    engine::{MEMORIES, Sandbox, TABLES},
    fault::{Fault, bounded},
    plugin::{Exports, Limits, Manifest, Origin, Plugin},
    trial, validate,
};

/// The contract this host speaks.
const CONTRACT: &str = "0.1.0";
/// What every interface of the contract is called, up to its own name.
const PACKAGE: &str = "muxel:plugin/";
/// The first bytes of every WebAssembly file.
const MAGIC: &[u8] = b"\0asm";
/// What follows in a core module; a component has another layer number here.
const CORE_MODULE: [u8; 4] = [1, 0, 0, 0];

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
    #[error("plugin `{plugin}` imports `{import}`, but plugins import nothing")]
    Import { plugin: String, import: String },
    #[error("plugin `{plugin}` exports nothing of the contract `muxel:plugin`")]
    NoContract { plugin: String },
    #[error("plugin `{plugin}` exports `{offered}`, but this host speaks `muxel:plugin` {CONTRACT}")]
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
            Self::Import { .. } => "import",
            Self::NoContract { .. } => "no-contract",
            Self::Contract { .. } => "contract-version",
            Self::MissingExport { .. } => "missing-export",
            Self::WrongTypes { .. } => "wrong-types",
            Self::Structure { .. } => "structure",
            Self::Describe { .. } => "describe",
            Self::Manifest { .. } => "manifest",
            Self::Trial { .. } => "trial",
        }
    }

    /// Whether the same bytes may well be accepted at another time: this machine was too busy for the trial.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Trial { code, .. } if ["deadline", "pool-exhausted", "host-panic"].contains(&code.as_str()))
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
            Self::Import { .. } => {
                "time, randomness and memory are arguments of every call; for Rust, build for wasm32-unknown-unknown"
                    .to_owned()
            }
            Self::NoContract { .. } => {
                "implement a trait of the SDK and name it in `muxel_sdk::export!`; see wit/README.md".to_owned()
            }
            Self::Contract { .. } => format!("rebuild it with a muxel-sdk for contract {CONTRACT}"),
            Self::MissingExport { .. } => "name the plugin's world in `muxel_sdk::export!`".to_owned(),
            Self::WrongTypes { .. } => "rebuild it against this host's `wit/plugin.wit`".to_owned(),
            Self::Structure { .. } => "link it with a smaller stack: `-C link-arg=-zstack-size=65536`".to_owned(),
            Self::Describe { fault, .. } => format!("`describe` only returns constants; fault code {}", fault.code()),
            Self::Manifest { .. } => "see `manifest` in wit/plugin.wit".to_owned(),
            Self::Trial { code, .. } => {
                format!("it must answer, abstain or deny on the built-in requests; fault code {code}")
            }
        })
    }
}

impl Sandbox {
    /// Makes a plugin of a component, trial calls included.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn load(&self, name: &str, bytes: &[u8], origin: Origin) -> Result<Plugin, LoadError> {
        let plugin = || name.to_owned();
        let limits = Limits::FAST;
        check_bytes(name, bytes, &limits)?;
        let component = Component::new(&self.engine, bytes)
            .map_err(|error| LoadError::Compile { plugin: plugin(), reason: bounded(&format!("{error:#}")) })?;
        check_shape(name, self, &component, &limits)?;
        let pre = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Compile { plugin: plugin(), reason: bounded(&format!("{error:#}")) })?;
        // Saves copying the initial memory into every sandbox. A failure only costs time later.
        if let Err(error) = component.initialize_copy_on_write_image() {
            tracing::debug!(plugin = name, error = %error, "no copy-on-write image");
        }
        let exports = exports(name, &pre)?;
        let mut loaded = Plugin {
            name: name.into(),
            digest: Digest::of(bytes),
            origin,
            size: bytes.len(),
            limits,
            pre,
            exports,
            manifest: Manifest::default(),
        };
        loaded.manifest = describe(&loaded)?;
        trial::run(&loaded)?;
        Ok(loaded)
    }
}

/// What can be said without parsing.
fn check_bytes(name: &str, bytes: &[u8], limits: &Limits) -> Result<(), LoadError> {
    let plugin = || name.to_owned();
    if bytes.is_empty() {
        return Err(LoadError::Empty { plugin: plugin() });
    }
    if !bytes.starts_with(MAGIC) {
        return Err(LoadError::NotWasm { plugin: plugin() });
    }
    if bytes.get(4..8) == Some(&CORE_MODULE) {
        return Err(LoadError::NotAComponent { plugin: plugin() });
    }
    if bytes.len() > limits.component {
        return Err(LoadError::TooLarge { plugin: plugin(), bytes: bytes.len(), limit: limits.component });
    }
    Ok(())
}

/// No imports but the contract's own types, exports of the version we speak, and no more memory than a call may use.
fn check_shape(name: &str, sandbox: &Sandbox, component: &Component, limits: &Limits) -> Result<(), LoadError> {
    let plugin = || name.to_owned();
    let shape = component.component_type();
    for (import, item) in shape.imports(&sandbox.engine) {
        let only_types = match &item.ty {
            ComponentItem::ComponentInstance(instance) => {
                instance.exports(&sandbox.engine).all(|(_, item)| matches!(item.ty, ComponentItem::Type(_)))
            }
            ComponentItem::Type(_) => true,
            _ => false,
        };
        if !only_types {
            return Err(LoadError::Import { plugin: plugin(), import: bounded(import) });
        }
    }
    let ours: Vec<String> = shape
        .exports(&sandbox.engine)
        .filter(|(export, _)| export.starts_with(PACKAGE))
        .map(|(export, _)| export.to_owned())
        .collect();
    if ours.is_empty() {
        return Err(LoadError::NoContract { plugin: plugin() });
    }
    if let Some(other) = ours.iter().find(|export| !speaks(export)) {
        return Err(LoadError::Contract { plugin: plugin(), offered: bounded(other) });
    }
    if let Some(needed) = component.resources_required() {
        let structure = |wants: String, limit: String| LoadError::Structure { plugin: plugin(), wants, limit };
        if needed.num_memories > MEMORIES || needed.num_tables > TABLES {
            let wants = format!("{} memories and {} tables", needed.num_memories, needed.num_tables);
            return Err(structure(wants, format!("{MEMORIES} and {TABLES}")));
        }
        let bytes = needed.max_initial_memory_size.unwrap_or(0).saturating_mul(64 << 10);
        if bytes > limits.memory {
            return Err(structure(format!("{bytes} bytes of memory"), format!("{} bytes", limits.memory)));
        }
    }
    Ok(())
}

/// Whether an export is of a contract version that this host can call: the same 0.x line.
fn speaks(export: &str) -> bool {
    let line = |version: &str| version.rsplit_once('.').map(|(line, _)| line.to_owned());
    export.rsplit_once('@').is_some_and(|(_, version)| line(version) == line(CONTRACT))
}

fn exports(name: &str, pre: &InstancePre<Guard>) -> Result<Exports, LoadError> {
    let missing = |expected| LoadError::MissingExport { plugin: name.to_owned(), expected };
    let exports = Exports {
        describe: wit::describe::GuestIndices::new(pre).map_err(|_| missing("muxel:plugin/describe@0.1.0"))?,
        classifier: wit::classifier::GuestIndices::new(pre).ok(),
        cost_model: wit::cost_model::GuestIndices::new(pre).ok(),
        strategy: wit::strategy::GuestIndices::new(pre).ok(),
        learner: wit::learner::GuestIndices::new(pre).is_ok(),
    };
    let answers = exports.classifier.is_some() || exports.cost_model.is_some() || exports.strategy.is_some();
    if answers { Ok(exports) } else { Err(missing("muxel:plugin/strategy@0.1.0")) }
}

/// Checks the types of every interface and asks the plugin what it is.
fn describe(plugin: &Plugin) -> Result<Manifest, LoadError> {
    let name = || plugin.name.to_string();
    let limits = &plugin.limits;
    let faulted = |error: &wasmtime::Error| LoadError::Describe {
        plugin: name(),
        fault: Fault::of(error, limits.fuel, limits.deadline_ms),
    };
    let wrong = |interface| {
        move |error: wasmtime::Error| LoadError::WrongTypes {
            plugin: plugin.name.to_string(),
            interface,
            reason: bounded(&format!("{error:#}")),
        }
    };
    let mut store = store(plugin, limits).map_err(|error| faulted(&error))?;
    let instance = plugin.instantiate(&mut store).map_err(|error| faulted(&error))?;
    let exports = &plugin.exports;
    let guest = exports.describe.load(&mut store, &instance).map_err(wrong("describe"))?;
    if let Some(indices) = &exports.classifier {
        indices.load(&mut store, &instance).map_err(wrong("classifier"))?;
    }
    if let Some(indices) = &exports.cost_model {
        indices.load(&mut store, &instance).map_err(wrong("cost-model"))?;
    }
    if let Some(indices) = &exports.strategy {
        indices.load(&mut store, &instance).map_err(wrong("strategy"))?;
    }
    let described = guest.call_describe(&mut store).map_err(|error| faulted(&error))?;
    manifest(described).map_err(|reason| LoadError::Manifest { plugin: name(), reason: bounded(&reason) })
}

fn manifest(described: Described) -> Result<Manifest, String> {
    validate::settings(&described.settings)?;
    let reads = Reads::parse(&described.reads)
        .map_err(|name| format!("`reads` names `{}`, which is no field", bounded(name)))?;
    let settings = described.settings.into_iter().map(|setting| default_of(&setting.name, setting.kind));
    Ok(Manifest {
        title: bounded(&described.name),
        version: bounded(&described.version),
        summary: bounded(&described.summary),
        reads,
        settings: settings.collect::<Result<Arc<[Setting]>, String>>()?,
    })
}

/// A setting's default, once it is known to lie within its own range.
fn default_of(name: &str, kind: SettingKind) -> Result<Setting, String> {
    let name = bounded(name);
    match kind {
        SettingKind::Number(range) => {
            let ordered = range.min <= range.default && range.default <= range.max;
            if ordered && range.min.is_finite() && range.max.is_finite() {
                Ok(Setting::Number(range.default))
            } else {
                Err(format!("setting `{name}` has no default between its least and its greatest value"))
            }
        }
        SettingKind::Flag(flag) => Ok(Setting::Flag(flag)),
        SettingKind::Choice(choice) if (choice.default as usize) < choice.options.len() => {
            Ok(Setting::Choice(choice.default))
        }
        SettingKind::Choice(_) => Err(format!("setting `{name}` has a default that is none of its options")),
        SettingKind::Text(text) if text.len() <= 4_096 => Ok(Setting::Text(text)),
        SettingKind::Text(_) => Err(format!("setting `{name}` has a default of more than 4,096 bytes")),
    }
}

/// Turns a core module with the contract's metadata, as the SDK builds it, into a component.
///
/// # Errors
///
/// What the encoder has against the module.
pub fn encode(module: &[u8]) -> Result<Vec<u8>, String> {
    wit_component::ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| format!("{error:#}"))
}
