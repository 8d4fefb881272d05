//! A loaded plugin: its identity, what it says of itself, and how it is asked.

use std::{path::PathBuf, sync::Arc};

use domain::{
    digest::Digest,
    plugin::{Classification, Contender, Offer, PluginCall, Ranking, Role, Setting},
    price::Estimate,
    request::{Moment, Request},
};
use serde::Serialize;
use wasmtime::{
    Engine, Store,
    component::{Instance, InstancePre},
};

use crate::{
    bindings::exports::muxel::plugin as wit,
    call::{Called, Guard, call},
    convert::{self, Reads},
    validate,
};

/// What a plugin exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Classifier,
    CostModel,
    Strategy,
    Learner,
}

impl Kind {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Classifier => "classifier",
            Self::CostModel => "cost-model",
            Self::Strategy => "strategy",
            Self::Learner => "learner",
        }
    }
}

/// What one call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    pub fuel: u64,
    /// All memories and tables together, initial ones included, in bytes.
    pub memory: u64,
    pub deadline_ms: u64,
    /// Live component handles.
    pub handles: usize,
    /// Bytes the host takes from the guest.
    pub answer: usize,
    /// Bytes of the component itself.
    pub component: usize,
}

impl Limits {
    /// For plugins that run inline on a request's thread.
    pub const FAST: Self =
        Self { fuel: 1_000_000, memory: 2 << 20, deadline_ms: 10, handles: 64, answer: 64 << 10, component: 2 << 20 };
}

/// Where a plugin's bytes came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    Bundled,
    File(PathBuf),
}

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub request: &'a Request,
    pub moment: &'a Moment,
    /// Of the whole prompt, counted once for all calls.
    pub prompt_chars: u32,
}

/// One component in service.
pub struct Plugin {
    pub(crate) name: Arc<str>,
    pub(crate) digest: Digest,
    pub(crate) origin: Origin,
    pub(crate) size: usize,
    pub(crate) limits: Limits,
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
    pub(crate) learner: bool,
}

/// What a plugin says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    pub(crate) reads: Reads,
    /// Its settings' values, in its manifest's order.
    pub(crate) settings: Arc<[Setting]>,
}

impl Plugin {
    /// The file's stem: how routes and requests name it.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Of the component, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// What it calls itself, for show.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.manifest.title
    }

    #[must_use]
    pub fn version(&self) -> &str {
        &self.manifest.version
    }

    #[must_use]
    pub fn summary(&self) -> &str {
        &self.manifest.summary
    }

    #[must_use]
    pub fn settings(&self) -> Arc<[Setting]> {
        Arc::clone(&self.manifest.settings)
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What it can be asked.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let exports = &self.exports;
        let has = [
            (exports.classifier.is_some(), Kind::Classifier),
            (exports.cost_model.is_some(), Kind::CostModel),
            (exports.strategy.is_some(), Kind::Strategy),
            (exports.learner, Kind::Learner),
        ];
        has.into_iter().filter_map(|(has, kind)| has.then_some(kind)).collect()
    }

    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        self.kinds().contains(&kind)
    }

    /// Makes the trial calls of admission again, for their figures.
    ///
    /// # Errors
    ///
    /// The first trial that it fails.
    pub fn trial(&self) -> Result<Vec<PluginCall>, crate::LoadError> {
        crate::trial::measure(self)
    }

    /// What kind of request this is. `None` when this is no classifier.
    #[must_use]
    pub fn classify(&self, subject: Subject<'_>) -> Option<Called<Classification>> {
        let indices = self.exports.classifier.as_ref()?;
        let request = convert::request(subject, self.manifest.reads);
        let settings = convert::settings(&self.manifest.settings);
        Some(call(
            self,
            Role::Classifier,
            |store, instance| indices.load(&mut *store, instance)?.call_classify(store, request, &settings),
            |raw| validate::classification(&raw).map(|()| convert::classification(raw)),
        ))
    }

    /// What each offer would cost. `None` when this is no cost model.
    #[must_use]
    pub fn price(&self, subject: Subject<'_>, offers: &[Offer]) -> Option<Called<Vec<Option<Estimate>>>> {
        let indices = self.exports.cost_model.as_ref()?;
        let request = convert::request(subject, self.manifest.reads);
        let settings = convert::settings(&self.manifest.settings);
        let listed = convert::listed_size(offers);
        let columns = convert::offer_columns(&listed);
        let offers = convert::offers(offers);
        Some(call(
            self,
            Role::CostModel,
            |store, instance| {
                indices.load(&mut *store, instance)?.call_price(store, request, &settings, &offers, &columns)
            },
            |raw| validate::estimates(&raw, offers.len()).map(|()| raw.into_iter().map(convert::estimate).collect()),
        ))
    }

    /// Which contender should serve. `None` when this is no strategy.
    #[must_use]
    pub fn rank(
        &self,
        subject: Subject<'_>,
        classification: &Classification,
        contenders: &[Contender],
        tags: &[(String, Vec<bool>)],
    ) -> Option<Called<Ranking>> {
        let indices = self.exports.strategy.as_ref()?;
        let request = convert::request(subject, self.manifest.reads);
        let settings = convert::settings(&self.manifest.settings);
        let classification = convert::classification_view(classification);
        let values = convert::tag_values(tags);
        let columns = convert::tag_columns(tags, &values);
        let contenders = convert::contenders(contenders);
        Some(call(
            self,
            Role::Strategy,
            |store, instance| {
                indices.load(&mut *store, instance)?.call_rank(
                    store,
                    request,
                    &settings,
                    &[],
                    &classification,
                    &contenders,
                    &columns,
                )
            },
            |raw| validate::ranking(&raw, contenders.len()).map(|()| convert::ranking(raw)),
        ))
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    pub(crate) fn instantiate(&self, store: &mut Store<Guard>) -> wasmtime::Result<Instance> {
        self.pre.instantiate(store)
    }
}
