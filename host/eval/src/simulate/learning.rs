//! Learning while a run is under way, as a gateway does: what was observed goes into one order, is folded by the learners,
//! and decides from the next request on.
//!
//! A gateway reads that order from its ledger and folds off the path of requests; here everything that was observed by
//! now is folded before the next request is decided. The learners are the real ones: the strategy's own `learn` in the
//! sandbox, and the gateway's learner of qualities where the workload asks for it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::Duration,
};

use dispatch::Dispatched;
use domain::{
    attempt::{Attempt, AttemptEnd, DecisionId},
    candidate::CandidateId,
    decision::Decision,
    expectation::Learner,
    failure::FailureKind,
    learning::{LearnPer, Memory, Observation, Outcome},
};
use sandbox::{Folded, Kind, Learned, Plugin};

use super::{
    workload::{ROUTE, Workload},
    worth::Worth,
};

/// What one contestant has learned, and what it will hear.
pub(super) struct Learning<'w> {
    workload: &'w Workload,
    /// The strategy, when it learns.
    plugin: Option<Arc<Plugin>>,
    /// The gateway's own, when it listens.
    quality: Option<Learner>,
    learned: Learned,
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// Of the last outcome.
    sequence: u64,
    account: Account,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    /// Ratings that were given.
    pub(super) ratings: u64,
    /// Outcomes that the strategy could not learn from.
    pub(super) skipped: u64,
    /// What the strategy remembers at the end, in bytes.
    pub(super) memory: usize,
}

/// A request that has ended, and what was said of it.
pub(super) struct Heard<'a> {
    pub(super) n: u64,
    /// Since the start.
    pub(super) ended: Duration,
    /// When the run began, in milliseconds since 1970-01-01 UTC.
    pub(super) start_ms: u64,
    pub(super) decision: &'a Decision,
    pub(super) dispatched: &'a Dispatched,
    pub(super) worth: Option<Worth>,
}

/// An outcome on its way. Its place in the order is what comes first here: nobody else's task decides it.
struct Waiting {
    observed: Duration,
    n: u64,
    /// Among those of one request.
    line: u32,
    outcome: Outcome,
}

impl<'w> Learning<'w> {
    /// `strategy` is whoever decides.
    pub(super) fn new(workload: &'w Workload, strategy: Option<&Arc<Plugin>>) -> Self {
        // Without feedback nobody listens: what there is to learn from deliveries is in the live facts already.
        let listens = workload.feedback.as_ref();
        Self {
            workload,
            plugin: strategy.filter(|plugin| listens.is_some() && plugin.is(Kind::Learner)).cloned(),
            quality: listens.filter(|feedback| feedback.quality).map(|_| Learner::default()),
            learned: Learned::default(),
            waiting: BinaryHeap::new(),
            sequence: 0,
            account: Account::default(),
        }
    }

    /// What decides at `now`: everything that was observed by then is folded first.
    pub(super) fn at(&mut self, now: Duration) -> &Learned {
        let mut outcomes = Vec::new();
        while self.waiting.peek().is_some_and(|Reverse(waiting)| waiting.observed <= now) {
            let Some(Reverse(waiting)) = self.waiting.pop() else { break };
            self.sequence += 1;
            outcomes.push(Outcome { sequence: self.sequence, ..waiting.outcome });
        }
        if !outcomes.is_empty() {
            self.fold(&outcomes);
        }
        &self.learned
    }

    pub(super) fn account(&self) -> Account {
        self.account
    }

    /// Takes down what is to be learned from a request.
    pub(super) fn hear(&mut self, heard: &Heard<'_>) {
        let Some(feedback) = &self.workload.feedback else { return };
        let rating = heard.worth.and_then(|worth| worth.quality).and_then(|quality| {
            let served = heard.dispatched.attempts.last()?;
            feedback.rating(self.workload.seed, heard.n, served.candidate.as_str(), quality).map(|said| (served, said))
        });
        self.account.ratings += u64::from(rating.is_some());
        if self.plugin.is_none() && self.quality.is_none() {
            return;
        }
        // A ledger gets to know of all attempts when their request is over.
        for attempt in &heard.dispatched.attempts {
            self.wait(heard, heard.ended, attempt, observed(attempt));
        }
        if let Some((served, said)) = rating {
            self.wait(heard, heard.ended + feedback.delay, served, Observation::Rated(said));
        }
    }

    fn wait(&mut self, heard: &Heard<'_>, observed: Duration, attempt: &Attempt, observation: Observation) {
        let Decision { request, classification, propensity, .. } = heard.decision;
        let outcome = Outcome {
            sequence: 0,
            at_ms: heard.start_ms + observed.as_millis() as u64,
            decision: DecisionId::new(heard.start_ms, u128::from(heard.n)),
            operation: request.operation,
            classification: classification.clone(),
            quality: request.quality.ladder(),
            model: attempt.candidate.clone(),
            place: self.place(heard.decision, &attempt.candidate),
            propensity: *propensity,
            observed: observation,
        };
        let line = if matches!(outcome.observed, Observation::Rated(_)) { u32::MAX } else { attempt.number };
        self.waiting.push(Reverse(Waiting { observed, n: heard.n, line, outcome }));
    }

    /// In the order of attempts that was decided.
    fn place(&self, decision: &Decision, candidate: &CandidateId) -> u32 {
        let is_it = |index: &u32| {
            let considered = &decision.considered[*index as usize];
            self.workload.candidates[considered.candidate as usize].id == *candidate
        };
        decision.order.iter().position(is_it).unwrap_or(0) as u32
    }

    fn fold(&mut self, outcomes: &[Outcome]) {
        let was_rated = outcomes.iter().any(|outcome| matches!(outcome.observed, Observation::Rated(_)));
        if let (Some(quality), true) = (&mut self.quality, was_rated) {
            let candidates = &self.workload.candidates;
            let prior =
                |model: &str| candidates.iter().find(|candidate| candidate.id.as_str() == model)?.tier().quality;
            for outcome in outcomes {
                quality.learn(outcome, prior);
            }
            self.learned.expectations = quality.expectations();
        }
        let Some(plugin) = &self.plugin else { return };
        let name = (plugin.name(), LearnPer::Route.scope(&ROUTE.into(), None));
        let known = self.learned.memories.get(&name).map_or(&[][..], |memory| &memory.bytes[..]);
        let Folded { bytes, skipped, .. } = sandbox::fold(plugin, known, outcomes, |_, _| {});
        self.account.skipped += skipped;
        self.account.memory = bytes.len();
        // As in a gateway: who has nothing to remember is given nothing.
        self.learned.memories = BTreeMap::new();
        if !bytes.is_empty() {
            self.learned.memories.insert(name, Memory::new(plugin.memory_format(), self.sequence, bytes));
        }
    }
}

fn observed(attempt: &Attempt) -> Observation {
    match &attempt.end {
        AttemptEnd::Delivered { .. } => {
            Observation::Delivered { latency_ms: attempt.latency_ms, cost: attempt.charge.amount() }
        }
        AttemptEnd::Failed { kind: FailureKind::Refused, .. } => Observation::Refused,
        AttemptEnd::Failed { kind, .. } => Observation::Failed(kind.code()),
    }
}

impl Waiting {
    fn key(&self) -> (Duration, u64, u32) {
        (self.observed, self.n, self.line)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
