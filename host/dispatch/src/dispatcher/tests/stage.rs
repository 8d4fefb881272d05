//! Providers, a dispatcher over them, and jobs for it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::{
    attempt::{Attempt, AttemptEnd, AttemptStarted, DecisionId, Journal},
    breaker::FAILURES_TO_OPEN,
    candidate::Candidate,
    catalogue::Model,
    failure::FailureKind,
    money::{MicroUsd, PriceFactor},
    price::{Estimate, Tariff},
    provider::{DialectName, Provider},
    request::{Operation, Request},
};
use serde_json::{Map, json};
use tokio::time::Instant;
use url::Url;

use crate::{
    CallerPresence, Cell, Dispatched, Dispatcher, Health, Job, ProviderSetup, Secret, SimulationSettings, Step,
    health::Ended,
};

/// Providers to be. Each has one model `m`, priced at 0.01 USD, at most 0.012, and usually taking 8 s.
#[derive(Default)]
pub(super) struct Stage {
    pub(super) providers: Vec<ProviderSetup>,
}

/// A stage with its dispatcher.
pub(super) struct Play {
    pub(super) dispatcher: Dispatcher,
    pub(super) health: Arc<Health>,
    pub(super) journal: Arc<Notes>,
    providers: Vec<Arc<Provider>>,
}

/// What the journal heard, as words.
#[derive(Default)]
pub(super) struct Notes(Mutex<Vec<String>>);

impl Journal for Notes {
    fn started(&self, attempt: AttemptStarted) {
        self.0.lock().expect("no panic while held").push(format!("{} started {}", attempt.number, attempt.candidate));
    }

    fn ended(&self, _: DecisionId, attempt: &Attempt) {
        let line = format!("{} {} {}", attempt.number, end(attempt), attempt.charge.word());
        self.0.lock().expect("no panic while held").push(line);
    }
}

impl Notes {
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no panic while held").clone()
    }
}

impl Stage {
    pub(super) fn at(self, name: &str, url: &Url) -> Self {
        self.with(name, DialectName::Openai, |setup| setup.base_url = Some(url.clone()))
    }

    pub(super) fn simulated(self, name: &str, simulate: SimulationSettings) -> Self {
        self.with(name, DialectName::Simulated, |setup| setup.simulate = simulate)
    }

    /// Changes the provider that was added last.
    pub(super) fn but(mut self, change: impl FnOnce(&mut ProviderSetup)) -> Self {
        change(self.providers.last_mut().expect("a provider"));
        self
    }

    pub(super) fn key(self, key: &str) -> Self {
        self.but(|setup| setup.keys.push(Secret::new(key)))
    }

    pub(super) fn play(self) -> Play {
        let providers = self.providers.iter().map(|setup| Arc::clone(&setup.provider)).collect();
        let (health, journal) = (Arc::new(Health::running_for(Duration::from_secs(3_600))), Arc::new(Notes::default()));
        let dispatcher = Dispatcher::new(self.providers, Arc::clone(&health), journal.clone()).expect("a dispatcher");
        Play { dispatcher, health, journal, providers }
    }

    fn with(mut self, name: &str, dialect: DialectName, change: impl FnOnce(&mut ProviderSetup)) -> Self {
        let provider = Provider {
            name: name.to_owned(),
            dialect,
            tags: Vec::new(),
            price_factor: PriceFactor::ONE,
            weight: 1.0,
            max_in_flight: 0,
        };
        self.providers.push(ProviderSetup {
            provider: Arc::new(provider),
            base_url: None,
            keys: Vec::new(),
            result_hosts: Vec::new(),
            simulate: SimulationSettings::default(),
        });
        self.but(change)
    }
}

impl Play {
    /// A job for one picture that tries `steps` in order: `provider`, or `provider/model`.
    pub(super) fn job(&self, steps: &[&str]) -> Job {
        Job {
            decision: DecisionId::new(1_795_478_400_000, 7),
            request: Arc::new(Request { size: None, ..Request::for_prompt("a red bicycle") }),
            extra: Map::new(),
            steps: steps.iter().map(|step| self.step(step)).collect(),
            max_cost: None,
            deadline: Instant::now() + Duration::from_secs(60),
            attempt_timeout: None,
            fall_over_after_charge: true,
            seed: 7,
        }
    }

    pub(super) async fn run(&self, job: Job) -> Dispatched {
        self.dispatcher.run(job, &CallerPresence::steady()).await
    }

    pub(super) async fn try_all(&self, steps: &[&str]) -> Dispatched {
        self.run(self.job(steps)).await
    }

    pub(super) fn cell(&self, step: &str) -> Arc<Cell> {
        self.step(step).cell
    }

    /// Opens a candidate's breaker, so long ago that its probe is due when `long_ago`.
    pub(super) fn trip(&self, step: &str, long_ago: bool) {
        // The clock of health has run for an hour before the test began.
        let at = if long_ago { 0 } else { self.health.now() };
        for _ in 0..FAILURES_TO_OPEN {
            let failed = Ended::Failed { kind: FailureKind::Server, retry_after: None };
            self.cell(step).begin(at, None).ended(at, failed, 0.0);
        }
    }

    fn step(&self, step: &str) -> Step {
        let (name, model) = step.split_once('/').unwrap_or((step, "m"));
        let provider = self.providers.iter().find(|provider| provider.name == name).expect("a provider of the stage");
        let model: Model = serde_json::from_value(json!({
            "name": model, "sizes": { "listed": ["1024x1024"] }, "max-count": 10, "max-prompt-chars": 32000,
            "tiers": [{ "latency": { "p50-ms": 8000, "p95-ms": 12000 } }], "source": "a test", "as-of": "2026-11-23",
        }))
        .expect("a model");
        let candidate = Candidate::all(provider, &Arc::new(model)).next().expect("one tier");
        let cell = self.health.cell(&candidate.id, Operation::ImageGenerate);
        Step {
            candidate: Arc::new(candidate),
            cell,
            tariff: Tariff { known: true, per_output: MicroUsd(10_000), ..Tariff::default() },
            estimate: Some(Estimate { expected: MicroUsd(10_000), upper: MicroUsd(12_000) }),
            p50_ms: Some(8_000),
            probe: None,
        }
    }
}

/// How each attempt ended, such as `a/m server`.
pub(super) fn ends(dispatched: &Dispatched) -> Vec<String> {
    dispatched.attempts.iter().map(|attempt| format!("{} {}", attempt.candidate, end(attempt))).collect()
}

fn end(attempt: &Attempt) -> &'static str {
    match &attempt.end {
        AttemptEnd::Delivered { .. } => "delivered",
        AttemptEnd::Failed { kind, .. } => kind.code(),
    }
}
