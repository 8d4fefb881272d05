//! From bytes to a plugin, or to an error its author can act on.
//!
//! A failed load never disturbs the plugin that is already serving.

use std::{path::PathBuf, sync::Arc};

use domain::{
    digest::Digest,
    plugin::{Conditions, Setting},
    request::Request,
};
use wasmtime::component::{Component, InstancePre};

use crate::{
    bindings::exports::muxel::plugin as wit,
    call::{Guard, store},
    compile::{self, CompileError, Compiler},
    compiled,
    conduct::Conduct,
    convert::Reads,
    engine::{MEMORIES, Machine, POLICY, Sandbox, TABLES, Tier},
    fault::{Fault, bounded},
    manifest::Manifest,
    plugin::{Code, Exports, Limits, Origin, Plugin},
    terms::Terms,
    trial,
    trust::Trust,
    wasi::World,
};

use precheck::{check_terms, precheck};

mod error;
mod precheck;

pub use error::LoadError;

/// The contract this host speaks.
pub const CONTRACT: &str = "0.1.0";

/// Longest time for a plugin to say what it is, in epochs.
const DESCRIBE_EPOCHS: u64 = 2_000;

/// What is handed in for admission.
#[derive(Clone, Copy)]
pub struct Submission<'a> {
    /// The file's stem.
    pub name: &'a str,
    pub bytes: &'a [u8],
    /// Of the file beside it, when there is one.
    pub signature: Option<&'a str>,
    pub terms: &'a Terms,
    pub trust: &'a Trust,
    /// The highest signed version of this name that has served, with its digest.
    pub served: Option<(&'a str, Digest)>,
    /// Recent requests, for more trials than the built-in ones.
    pub recorded: &'a [Request],
}

impl<'a> Submission<'a> {
    /// A component on the usual terms, signed by nobody.
    #[must_use]
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        static TERMS: std::sync::LazyLock<Terms> = std::sync::LazyLock::new(Terms::default);
        static TRUST: std::sync::LazyLock<Trust> = std::sync::LazyLock::new(Trust::default);
        Self { name, bytes, signature: None, terms: &TERMS, trust: &TRUST, served: None, recorded: &[] }
    }
}

impl Sandbox {
    /// Makes a plugin of a component, trial calls included.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn load(&self, submission: &Submission<'_>, origin: Origin) -> Result<Plugin, LoadError> {
        let Submission { name, bytes, terms, .. } = *submission;
        let plugin = || name.to_owned();
        let (tier, signed) = precheck(submission, &origin, Digest::of(bytes))?;
        let limits = terms.limits(tier).map_err(|error| LoadError::Terms { plugin: plugin(), error })?;
        let mut loaded = self.make(submission, origin, tier, limits)?;
        if let Some((key, statement)) = signed {
            Trust::verify_identity(&statement, loaded.version(), &loaded.worlds(), submission.served)
                .map_err(|error| LoadError::Trust { plugin: plugin(), error })?;
            loaded.signed_by = Some(key.into());
        }
        loaded.on_terms(terms, limits, submission.recorded)
    }

    /// A component that was looked at and asked what it is, and nothing else.
    pub(crate) fn untried(&self, name: &str, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let submission = Submission::new(name, bytes);
        let origin = Origin::File(PathBuf::new());
        let (tier, _) = precheck(&submission, &origin, Digest::of(bytes))?;
        self.make(&submission, origin, tier, Limits::of(tier))
    }

    /// Compiles a component for `tier` and asks it what it is.
    fn make(
        &self,
        submission: &Submission<'_>,
        origin: Origin,
        tier: Tier,
        limits: Limits,
    ) -> Result<Plugin, LoadError> {
        let Submission { name, bytes, .. } = *submission;
        let plugin = || name.to_owned();
        // Ours are no strangers, and a process each would make a slow start.
        let compiler = if origin == Origin::Bundled { &Compiler::Here } else { &self.compiler };
        let machine = self.machine(tier).map_err(|error| machine_trouble(name, &error))?;
        let component = compile::compile(compiler, self.cache.as_deref(), machine, bytes, &self.stop).map_err(
            |error| match error {
                CompileError::Invalid(reason) => LoadError::Compile { plugin: plugin(), reason },
                CompileError::DoesNotFit(reason) => LoadError::DoesNotFit { plugin: plugin(), reason },
                CompileError::TooCostly { .. } => LoadError::TooCostly { plugin: plugin(), reason: error.to_string() },
                CompileError::Machine(reason) => LoadError::Machine { plugin: plugin(), reason },
            },
        )?;
        let code = assemble(name, machine, tier, &component, Digest::of(bytes), &limits)?;
        let mut loaded = Plugin {
            name: name.into(),
            origin,
            code: Arc::new(Code { size: bytes.len(), ..code }),
            limits,
            reads: Reads::default(),
            settings: Arc::default(),
            conduct: Arc::new(Conduct::new()),
            standby: None,
            signed_by: None,
        };
        let manifest = describe(&loaded)?;
        // Nobody else has it yet.
        if let Some(code) = Arc::get_mut(&mut loaded.code) {
            code.manifest = manifest;
        }
        Ok(loaded)
    }
}

impl Sandbox {
    /// A component that served once, to make a recorded call of it again: under the conditions of that call and with its
    /// settings. Nothing is tried.
    ///
    /// # Errors
    ///
    /// When it does not load, or ran under another policy.
    pub fn recreate(
        &self,
        name: &str,
        bytes: &[u8],
        conditions: Conditions,
        settings: Arc<[Setting]>,
    ) -> Result<Plugin, RecreateError> {
        if conditions.policy != POLICY {
            return Err(RecreateError::Policy { recorded: conditions.policy });
        }
        let tier = if conditions.slow { Tier::Slow } else { Tier::Fast };
        let mut limits = Limits::of(tier);
        (limits.fuel, limits.memory) = (conditions.fuel, conditions.memory);
        limits.deadline_ms = u64::from(conditions.deadline_ms);
        let plugin = self.make(&Submission::new(name, bytes), Origin::Bundled, tier, limits)?;
        let reads = Reads::of_bits(conditions.reads).and(plugin.code.manifest.reads);
        Ok(Plugin { limits, settings, reads, ..plugin })
    }
}

/// Why a recorded call cannot be made again.
#[derive(Debug, thiserror::Error)]
pub enum RecreateError {
    #[error("it ran under policy {recorded} of the sandbox, and this program has {POLICY}")]
    Policy { recorded: u16 },
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl Plugin {
    /// The same component on other terms, tried under them. Nothing is compiled.
    ///
    /// # Errors
    ///
    /// What is wrong with the terms, or the trial that it fails under them.
    pub(crate) fn with_terms(&self, terms: &Terms) -> Result<Self, LoadError> {
        let terms_error = |error| LoadError::Terms { plugin: self.name.to_string(), error };
        check_terms(&self.name, terms, self.digest(), Some(self.tier()))?;
        let limits = terms.limits(self.tier()).map_err(terms_error)?;
        // What callers sent may be why an operator changes the terms: it must not keep them from it.
        self.copy(Arc::clone(&self.code)).on_terms(terms, limits, &[])
    }

    /// The same plugin in the slow tier: for one that takes longer than a request's own thread has time for.
    ///
    /// # Errors
    ///
    /// This machine's trouble.
    pub(crate) fn slowed(&self, sandbox: &Sandbox, terms: &Terms) -> Result<Self, LoadError> {
        let trouble = |error: &dyn std::fmt::Display| machine_trouble(&self.name, error);
        let machine = sandbox.machine(Tier::Slow).map_err(|error| trouble(&error))?;
        let code = self.code.pre.component().serialize().map_err(|error| trouble(&error))?;
        // The two tiers differ in their pools only: code of one is code of the other. Should the address space have been
        // enough for one pool and not for the other, the runtime refuses it, and the plugin stays where it is.
        let component = compiled::load(&machine.engine, &code).map_err(|error| trouble(&error))?;
        let limits = terms.limits(Tier::Slow).unwrap_or(Limits::SLOW);
        let assembled = assemble(&self.name, machine, Tier::Slow, &component, self.digest(), &limits)?;
        let code = Code { size: self.size(), manifest: self.code.manifest.clone(), ..assembled };
        Ok(Self { limits, ..self.copy(Arc::new(code)) })
    }

    pub(crate) fn copy(&self, code: Arc<Code>) -> Self {
        Self {
            name: Arc::clone(&self.name),
            origin: self.origin.clone(),
            code,
            limits: self.limits,
            reads: self.reads,
            settings: Arc::clone(&self.settings),
            conduct: Arc::new(Conduct::new()),
            standby: self.standby.clone(),
            signed_by: self.signed_by.clone(),
        }
    }

    fn on_terms(mut self, terms: &Terms, limits: Limits, recorded: &[Request]) -> Result<Self, LoadError> {
        let terms_error = |error| LoadError::Terms { plugin: self.name.to_string(), error };
        self.limits = limits;
        self.reads = terms.reads(&self.code.manifest).map_err(terms_error)?;
        self.settings = terms.settings(&self.code.manifest).map_err(terms_error)?;
        trial::run(&self, recorded)?;
        Ok(self)
    }
}

fn machine_trouble(name: &str, error: &dyn std::fmt::Display) -> LoadError {
    LoadError::Machine { plugin: name.to_owned(), reason: bounded(&error.to_string()) }
}

/// Links a compiled component and finds what it exports.
fn assemble(
    name: &str,
    machine: &Machine,
    tier: Tier,
    component: &Component,
    digest: Digest,
    limits: &Limits,
) -> Result<Code, LoadError> {
    check_resources(name, component, limits)?;
    let pre = machine
        .linker
        .instantiate_pre(component)
        .map_err(|error| LoadError::ImportTypes { plugin: name.to_owned(), reason: bounded(&format!("{error:#}")) })?;
    // Saves copying the initial memory into every sandbox. A failure only costs time later.
    if let Err(error) = component.initialize_copy_on_write_image() {
        tracing::debug!(plugin = name, error = %error, "no copy-on-write image");
    }
    let exports = exports(name, &pre)?;
    Ok(Code { digest, size: 0, tier, pre, exports, manifest: Manifest::default() })
}

/// No more memories, tables and initial memory than a call may use.
fn check_resources(name: &str, component: &Component, limits: &Limits) -> Result<(), LoadError> {
    let structure = |wants: String, limit: String| LoadError::Structure { plugin: name.to_owned(), wants, limit };
    let Some(needed) = component.resources_required() else { return Ok(()) };
    if needed.num_memories > MEMORIES || needed.num_tables > TABLES {
        let wants = format!("{} memories and {} tables", needed.num_memories, needed.num_tables);
        return Err(structure(wants, format!("{MEMORIES} and {TABLES}")));
    }
    let bytes = needed.max_initial_memory_size.unwrap_or(0).saturating_mul(64 << 10);
    if bytes > limits.memory {
        return Err(structure(format!("{bytes} bytes of memory"), format!("{} bytes", limits.memory)));
    }
    Ok(())
}

fn exports(name: &str, pre: &InstancePre<Guard>) -> Result<Exports, LoadError> {
    let missing = |expected| LoadError::MissingExport { plugin: name.to_owned(), expected };
    let exports = Exports {
        describe: wit::describe::GuestIndices::new(pre).map_err(|_| missing("muxel:plugin/describe@0.1.0"))?,
        classifier: wit::classifier::GuestIndices::new(pre).ok(),
        cost_model: wit::cost_model::GuestIndices::new(pre).ok(),
        strategy: wit::strategy::GuestIndices::new(pre).ok(),
        learner: wit::learner::GuestIndices::new(pre).ok(),
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
    let mut store = store(plugin, World::default()).map_err(|error| faulted(&error))?;
    // Once, off the path of requests, maybe while the machine is busy starting: fuel judges, the clock only guards.
    store.set_epoch_deadline(DESCRIBE_EPOCHS);
    let instance = plugin.instantiate(&mut store).map_err(|error| faulted(&error))?;
    let exports = &plugin.code.exports;
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
    if let Some(indices) = &exports.learner {
        indices.load(&mut store, &instance).map_err(wrong("learner"))?;
    }
    let described = guest.call_describe(&mut store).map_err(|error| faulted(&error))?;
    Manifest::check(described).map_err(|reason| LoadError::Manifest { plugin: name(), reason: bounded(&reason) })
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
