//! A loaded plugin: its identity, what it says of itself, and how it is asked.

use std::{path::PathBuf, sync::Arc};

use domain::{
    digest::Digest,
    learning::Outcome,
    plugin::{Classification, Conditions, Contender, Offer, PluginCall, Ranking, Role, Setting},
    price::Estimate,
    quarantine::Admission,
    request::{Moment, Request},
    weights::Weights,
};
use serde::Serialize;
use wasmtime::{
    Engine, Store,
    component::{Instance, InstancePre},
};

use crate::{
    bindings::exports::muxel::plugin as wit,
    call::{Called, Guard, call},
    conduct::{Conduct, Usage},
    convert::{self, Reads},
    engine::{POLICY, Tier},
    manifest::{Manifest, SettingInfo},
    validate,
    wasi::World,
};

mod kind;
mod limits;
mod subject;
mod weighing;

pub use kind::Kind;
pub use limits::Limits;
pub use subject::{Source, Subject};
pub(crate) use weighing::Unheeded;

/// Where a plugin's bytes came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    Bundled,
    File(PathBuf),
}

/// One component in service, on its operator's terms.
pub struct Plugin {
    pub(crate) name: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) code: Arc<Code>,
    pub(crate) limits: Limits,
    /// What it may read: what its manifest names, less what its operator withholds.
    pub(crate) reads: Reads,
    /// Its settings' values, in its manifest's order.
    pub(crate) settings: Arc<[Setting]>,
    pub(crate) conduct: Arc<Conduct>,
    /// The last good version before this one: it serves while this one is put aside.
    pub(crate) standby: Option<Arc<Plugin>>,
    /// The key that signed it.
    pub(crate) signed_by: Option<Arc<str>>,
}

/// A compiled component: what depends on its bytes alone.
pub(crate) struct Code {
    pub(crate) digest: Digest,
    pub(crate) size: usize,
    pub(crate) tier: Tier,
    pub(crate) pre: InstancePre<Guard>,
    pub(crate) exports: Exports,
    pub(crate) manifest: Manifest,
}

/// Where the interfaces are in the component. Taken once, so that a call looks nothing up by name.
pub(crate) struct Exports {
    pub(crate) describe: wit::describe::GuestIndices,
    pub(crate) classifier: Option<wit::classifier::GuestIndices>,
    pub(crate) cost_model: Option<wit::cost_model::GuestIndices>,
    pub(crate) strategy: Option<wit::strategy::GuestIndices>,
    pub(crate) learner: Option<wit::learner::GuestIndices>,
}

impl Plugin {
    /// The file's stem: how routes and requests name it.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    #[must_use]
    pub fn digest(&self) -> Digest {
        self.code.digest
    }

    #[must_use]
    pub fn tier(&self) -> Tier {
        self.code.tier
    }

    /// The name of the key that signed it.
    #[must_use]
    pub fn signed_by(&self) -> Option<&str> {
        self.signed_by.as_deref()
    }

    /// The last good version before this one.
    #[must_use]
    pub fn standby(&self) -> Option<&Arc<Plugin>> {
        self.standby.as_ref()
    }

    /// What its calls took since it was loaded.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.conduct.usage()
    }

    /// Whether it serves, rests, or is on probation.
    #[must_use]
    pub fn state(&self) -> domain::quarantine::State {
        self.conduct.state()
    }

    /// What it wrote to its standard output and error lately.
    #[must_use]
    pub fn log(&self) -> String {
        self.conduct.read_log()
    }

    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Of the component, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.code.size
    }

    /// What it calls itself, for show.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.code.manifest.title
    }

    #[must_use]
    pub fn version(&self) -> &str {
        &self.code.manifest.version
    }

    #[must_use]
    pub fn summary(&self) -> &str {
        &self.code.manifest.summary
    }

    #[must_use]
    pub fn settings(&self) -> Arc<[Setting]> {
        Arc::clone(&self.settings)
    }

    /// What each of its calls is allowed, so that it can be made again.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        Conditions {
            policy: POLICY,
            slow: self.tier() == Tier::Slow,
            fuel: self.limits.fuel,
            memory: self.limits.memory,
            deadline_ms: u32::try_from(self.limits.deadline_ms).unwrap_or(u32::MAX),
            reads: self.reads.bits(),
        }
    }

    /// The settings it has, with ranges and defaults.
    #[must_use]
    pub fn described_settings(&self) -> &[SettingInfo] {
        &self.code.manifest.settings
    }

    /// The request fields it is given.
    #[must_use]
    pub fn reads(&self) -> Vec<&'static str> {
        self.reads.names()
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What it can be asked.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        [Kind::Classifier, Kind::CostModel, Kind::Strategy, Kind::Learner]
            .into_iter()
            .filter(|kind| self.is(*kind))
            .collect()
    }

    /// What it can be asked, in one word for signatures: `strategy`, `strategy+learner`.
    #[must_use]
    pub fn worlds(&self) -> String {
        let words: Vec<&str> = self.kinds().into_iter().map(Kind::word).collect();
        words.join("+")
    }

    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        let exports = &self.code.exports;
        match kind {
            Kind::Classifier => exports.classifier.is_some(),
            Kind::CostModel => exports.cost_model.is_some(),
            Kind::Strategy => exports.strategy.is_some(),
            Kind::Learner => exports.learner.is_some(),
        }
    }

    /// Makes the trial calls of admission again, for their figures.
    ///
    /// # Errors
    ///
    /// The first trial that it fails.
    pub fn trial(&self) -> Result<Vec<PluginCall>, crate::LoadError> {
        crate::trial::measure(self, &[])
    }

    /// What kind of request this is. `None` when this is no classifier.
    #[must_use]
    pub fn classify(&self, subject: Subject<'_>) -> Option<Called<Classification>> {
        let indices = self.code.exports.classifier.as_ref()?;
        let request = convert::request(subject, self.reads);
        let settings = convert::settings(&self.settings);
        Some(call(
            self,
            Role::Classifier,
            subject,
            |store, instance| indices.load(&mut *store, instance)?.call_classify(store, request, &settings),
            |raw| validate::classification(&raw).map(|()| convert::classification(raw)),
        ))
    }

    /// What each offer would cost. `None` when this is no cost model.
    #[must_use]
    pub fn price(&self, subject: Subject<'_>, offers: &[Offer]) -> Option<Called<Vec<Option<Estimate>>>> {
        let indices = self.code.exports.cost_model.as_ref()?;
        let request = convert::request(subject, self.reads);
        let settings = convert::settings(&self.settings);
        let listed = convert::listed_size(offers);
        let columns = convert::offer_columns(&listed);
        let offers = convert::offers(offers);
        Some(call(
            self,
            Role::CostModel,
            subject,
            |store, instance| {
                indices.load(&mut *store, instance)?.call_price(store, request, &settings, &offers, &columns)
            },
            |raw| validate::estimates(&raw, offers.len()).map(|()| raw.into_iter().map(convert::estimate).collect()),
        ))
    }

    /// Its settings with these weights in their places, and the weights that it does not heed.
    pub(crate) fn weighed(&self, weights: &Weights) -> (Arc<[Setting]>, Vec<Unheeded>) {
        weighing::weighed(&self.settings, &self.code.manifest.settings, weights)
    }

    /// Whether `weights` would leave it without any weight at all.
    #[must_use]
    pub fn is_left_weightless(&self, weights: &Weights) -> bool {
        weighing::is_left_weightless(&self.settings, &self.code.manifest.settings, weights)
    }

    /// The form of the memory that it reads and writes.
    #[must_use]
    pub fn memory_format(&self) -> u32 {
        self.code.manifest.memory_format
    }

    /// Which contender should serve. `settings` are its own, or those with a request's weights; `memory` is what it has
    /// learned, or empty. `None` when this is no strategy.
    #[must_use]
    pub fn rank(
        &self,
        subject: Subject<'_>,
        settings: &[Setting],
        memory: &[u8],
        classification: &Classification,
        contenders: &[Contender],
        tags: &[(String, Vec<bool>)],
    ) -> Option<Called<Ranking>> {
        let indices = self.code.exports.strategy.as_ref()?;
        let request = convert::request(subject, self.reads);
        let settings = convert::settings(settings);
        let classification = convert::classification_view(classification);
        let values = convert::tag_values(tags);
        let columns = convert::tag_columns(tags, &values);
        let contenders = convert::contenders(contenders);
        Some(call(
            self,
            Role::Strategy,
            subject,
            |store, instance| {
                indices.load(&mut *store, instance)?.call_rank(
                    store,
                    request,
                    &settings,
                    memory,
                    &classification,
                    &contenders,
                    &columns,
                )
            },
            |raw| validate::ranking(&raw, contenders.len()).map(|()| convert::ranking(raw)),
        ))
    }

    /// What it remembers after `outcomes`. `None` when this is no learner.
    #[must_use]
    pub fn learn(&self, memory: &[u8], outcomes: &[Outcome]) -> Option<Called<Vec<u8>>> {
        let indices = self.code.exports.learner.as_ref()?;
        // A fold has no moment and nobody for whom it is made; what it learns from is among its arguments.
        let (request, moment) = (Request::for_prompt(""), Moment { now_ms: 0, seed: 0, sequence: 0, session: 0 });
        let subject = Subject { request: &request, moment: &moment, prompt_chars: 0, source: Source::Trial };
        let settings = convert::settings(&self.settings);
        let outcomes = convert::outcomes(outcomes);
        Some(call(
            self,
            Role::Learner,
            subject,
            |store, instance| indices.load(&mut *store, instance)?.call_learn(store, memory, &settings, &outcomes),
            |raw: Vec<u8>| match raw.len() {
                0..=limits::MAX_LEARNED => Ok(raw),
                bytes => Err(format!("{bytes} bytes of memory, at most {} are allowed", limits::MAX_LEARNED)),
            },
        ))
    }

    /// The same plugin with other settings, in its manifest's order: to make a recorded call again.
    #[must_use]
    pub fn with_settings(&self, settings: Arc<[Setting]>) -> Self {
        Self { settings, ..self.afresh() }
    }

    /// The same plugin with nothing known about how it behaves.
    pub(crate) fn afresh(&self) -> Self {
        self.copy(Arc::clone(&self.code))
    }

    /// The same plugin, its conduct included, with what serves in its place while it is put aside.
    pub(crate) fn with_standby(&self, standby: Arc<Self>) -> Self {
        let conduct = Arc::clone(&self.conduct);
        Self { conduct, standby: Some(standby), ..self.copy(Arc::clone(&self.code)) }
    }

    /// The same plugin with `deadline_ms` for a call, and nothing noted of it yet.
    pub(crate) fn with_deadline(&self, deadline_ms: u64) -> Self {
        Self { limits: Limits { deadline_ms, ..self.limits }, ..self.copy(Arc::clone(&self.code)) }
    }

    /// Whether half of its calls take longer than a request's own thread has time for.
    pub(crate) fn is_too_slow(&self) -> bool {
        self.tier() == Tier::Fast && self.conduct.is_slow()
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.code.pre.engine()
    }

    /// What a call sees of the world: as much of the moment as it may read.
    pub(crate) fn world(&self, moment: &Moment) -> World {
        let granted = |granted: bool, value: u64| if granted { value } else { 0 };
        World::new(granted(self.reads.now(), moment.now_ms), granted(self.reads.seed(), moment.seed))
    }

    /// May it be asked about this now?
    pub(crate) fn admission(&self, role: Role, subject: &Subject<'_>) -> Admission {
        self.conduct.admission(role, subject)
    }

    /// Notes how a call went.
    pub(crate) fn note(&self, call: &PluginCall, subject: Subject<'_>, said: &[u8]) {
        self.conduct.log(said);
        let source = match subject.source {
            Source::Trial => return,
            Source::Anyone => 0,
            Source::Named(source) => source.max(1),
        };
        if self.conduct.note(call, &subject, source) {
            tracing::warn!(plugin = %self.name, digest = %self.digest().short(), "plugin put aside after repeated faults");
        }
    }

    pub(crate) fn instantiate(&self, store: &mut Store<Guard>) -> wasmtime::Result<Instance> {
        self.code.pre.instantiate(store)
    }
}
