//! One contestant's run: requests arrive on a clock that is paused, are decided by the real plugins and carried out by
//! the real dispatcher, and are counted.
//!
//! The runtime has one thread and a clock that jumps to the next moment at which anything happens, so hours pass in
//! seconds and everything happens in one order. Plugins are ended by their fuel only: this machine's clock would end now
//! one call, now another.

use std::{sync::Arc, time::Duration};

use dispatch::{CallerPresence, Cell, Dispatched, Dispatcher, Health, Job, ProviderSetup, SetupError, Step};
use domain::{
    attempt::{DecisionId, Journal},
    candidate::Candidate,
    catalogue::Date,
    field::Field,
    request::{Caps, Moment, Operation, Request},
};
use sandbox::{Circumstances, Decided, Kind, Learned, Roster, Verdict, decide};
use tokio::{task::JoinSet, time::Instant};

use super::{
    contestant::Contestant,
    learning::{Heard, Learning},
    report::Outcome,
    tally::{Ended, Tally},
    watch::Watch,
    workload::Workload,
    worth::{Case, Worth},
};

/// Requests between two words about progress.
const PROGRESS: u64 = 1_000;

/// A simulation that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    #[error("cannot make a runtime")]
    Runtime(#[from] std::io::Error),
    #[error(transparent)]
    Provider(#[from] SetupError),
    /// A defect of this program.
    #[error("a simulated request ended unexpectedly")]
    Broken,
}

/// Runs the whole workload with one contestant. `progress` hears how many requests have arrived.
///
/// # Errors
///
/// When no runtime can be made, or for a defect of this program.
pub fn run(
    workload: &Workload,
    contestant: &Contestant,
    progress: &mut dyn FnMut(u64),
) -> Result<Outcome, SimulationError> {
    sandbox::prepare_thread();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let roster = contestant.roster.unhurried();
    runtime.block_on(async {
        let stage = Arc::new(Stage::new(workload)?);
        let learning = Learning::new(workload, roster.get(&contestant.strategy, Kind::Strategy));
        let mut books = Books { workload, start_ms: stage.start_ms, tally: Tally::new(workload), learning };
        let watching = stage.watch.attend(&stage.health);
        let mut tasks = JoinSet::new();
        let start = stage.start;
        let seed = workload.seed;
        let last = workload.mix.len().unwrap_or(u64::MAX);
        let arrivals = workload.arrivals.times(seed).zip(0..last);
        for (at, n) in arrivals.take_while(|(at, _)| workload.duration.is_none_or(|end| *at < end)) {
            tokio::time::sleep_until(start + at).await;
            while let Some(ended) = tasks.try_join_next() {
                books.enter(ended.map_err(|_| SimulationError::Broken)?);
            }
            let (request, bits) = workload.mix.request(seed, n, stage.caps);
            let arrival = Arrival { n, at, bits };
            let planned = stage.plan(workload, contestant, &roster, request, arrival, books.learning.at(at));
            tasks.spawn(Arc::clone(&stage).carry_out(planned));
            // Attempts that begin at this moment are seen by whoever is decided at the same moment.
            tokio::task::yield_now().await;
            if n % PROGRESS == 0 {
                progress(n);
            }
        }
        while let Some(ended) = tasks.join_next().await {
            books.enter(ended.map_err(|_| SimulationError::Broken)?);
        }
        drop(watching);
        let recoveries = stage.watch.recoveries(workload.duration);
        Ok(Outcome { name: contestant.name.clone(), recoveries, learned: books.learning.account(), tally: books.tally })
    })
}

/// Everything one run happens on.
struct Stage {
    dispatcher: Dispatcher,
    health: Arc<Health>,
    cells: Vec<Arc<Cell>>,
    watch: Arc<Watch>,
    start: Instant,
    start_ms: u64,
    today: Date,
    caps: Caps,
    deadline: Duration,
    attempt_timeout: Option<Duration>,
    fall_over_after_charge: bool,
}

/// When a request comes.
#[derive(Clone, Copy)]
struct Arrival {
    /// Its number, from 0.
    n: u64,
    /// Since the start.
    at: Duration,
    /// Random, and its own.
    bits: u64,
}

/// A request on its way to the dispatcher, or none when nobody may serve it.
struct Planned {
    arrival: Arrival,
    arrived: Instant,
    request: Arc<Request>,
    decided: Decided,
    job: Option<Job>,
}

impl Stage {
    fn new(workload: &Workload) -> Result<Self, SimulationError> {
        let health = Arc::new(Health::new());
        let cell = |candidate: &Arc<Candidate>| health.cell(&candidate.id, Operation::ImageGenerate);
        let cells: Vec<Arc<Cell>> = workload.candidates.iter().map(cell).collect();
        let watch = Arc::new(Watch::new(workload, &cells, health.clock()));
        let setups = workload.accounts.iter().map(|account| ProviderSetup {
            provider: Arc::clone(&account.provider),
            base_url: None,
            keys: Vec::new(),
            result_hosts: Vec::new(),
            simulate: account.settings.clone(),
        });
        let journal: Arc<dyn Journal> = Arc::clone(&watch) as _;
        let dispatcher = Dispatcher::new(setups.collect(), Arc::clone(&health), journal)?;
        let deadline_ms = u32::try_from(workload.terms.deadline.as_millis()).unwrap_or(u32::MAX);
        let mut caps = workload.terms.caps;
        caps.max_latency_ms.get_or_insert(deadline_ms);
        Ok(Self {
            dispatcher,
            cells,
            watch,
            // The clock stands still, so this is the moment at which health began as well.
            start: Instant::now(),
            start_ms: workload.date.unix_ms(),
            today: workload.date,
            caps,
            deadline: workload.terms.deadline,
            attempt_timeout: workload.terms.attempt_timeout,
            fall_over_after_charge: workload.terms.fall_over_after_charge,
            health,
        })
    }

    /// Decides as a gateway does, and lines up the attempts.
    fn plan(
        &self,
        workload: &Workload,
        contestant: &Contestant,
        roster: &Roster,
        request: Request,
        arrival: Arrival,
        learned: &Learned,
    ) -> Planned {
        let Arrival { n, bits, .. } = arrival;
        let arrived = Instant::now();
        let request = Arc::new(request);
        let now = self.health.now();
        let admits = |candidate: &_| contestant.admits(candidate);
        let candidates = &workload.candidates;
        let field = Field::new(candidates, &request, self.today, now, admits, |index| self.cells[index].view(now));
        let moment = Moment { now_ms: self.start_ms + now, seed: bits, sequence: n, session: 0 };
        let mut probe = None;
        let panel = workload.panel(&contestant.strategy);
        let decided = decide(roster, &panel, &request, moment, field, Circumstances::knowing(learned), |due| {
            probe = self.cells[due as usize].take_probe(now);
            probe.is_some()
        });
        let decision = &decided.decision;
        let step = |index: &u32| {
            let considered = &decision.considered[*index as usize];
            let at = considered.candidate as usize;
            Step {
                candidate: Arc::clone(&candidates[at]),
                cell: Arc::clone(&self.cells[at]),
                tariff: considered.tariff.unwrap_or_default(),
                estimate: considered.cost,
                p50_ms: considered.latency.map(|latency| latency.p50_ms),
                // The probe, when there is one, is the first of the order.
                probe: probe.take(),
            }
        };
        let job = (decided.verdict == Verdict::Go).then(|| Job {
            decision: DecisionId::new(moment.now_ms, u128::from(bits)),
            request: Arc::clone(&request),
            extra: serde_json::Map::new(),
            steps: decision.order.iter().map(step).collect(),
            max_cost: request.caps.max_cost,
            deadline: arrived + self.deadline,
            attempt_timeout: self.attempt_timeout,
            fall_over_after_charge: self.fall_over_after_charge,
            seed: bits,
        });
        Planned { arrival, arrived, request, decided, job }
    }

    async fn carry_out(self: Arc<Self>, planned: Planned) -> Carried {
        let Planned { arrival, arrived, request, decided, job } = planned;
        let dispatched = match job {
            Some(job) => Some(self.dispatcher.run(job, &CallerPresence::steady()).await),
            None => None,
        };
        Carried { arrival, latency: arrived.elapsed(), request, decided, dispatched }
    }
}

/// A request that has ended.
struct Carried {
    arrival: Arrival,
    latency: Duration,
    request: Arc<Request>,
    decided: Decided,
    /// `None` when nobody was asked.
    dispatched: Option<Dispatched>,
}

/// What is kept of one run.
struct Books<'w> {
    workload: &'w Workload,
    start_ms: u64,
    tally: Tally,
    learning: Learning<'w>,
}

impl Books<'_> {
    fn enter(&mut self, carried: Carried) {
        let Carried { arrival: Arrival { n, at, .. }, latency, request, decided, dispatched } = carried;
        let decision = &decided.decision;
        let step = dispatched.as_ref().and_then(|dispatched| Some(dispatched.result.as_ref().ok()?.step));
        let served = step.map(|step| decision.considered[decision.order[step] as usize].candidate as usize);
        let case = Case { request: &request, classification: &decision.classification, n, at };
        let worth = self.workload.truth.as_ref().map(|truth| Worth::of(self.workload, truth, case, served));
        if let Some(dispatched) = &dispatched {
            let (ended, start_ms) = (at + latency, self.start_ms);
            self.learning.hear(&Heard { n, ended, start_ms, decision, dispatched, worth });
        }
        self.tally.add(Ended { n, at, latency, request: &request, decided: &decided, dispatched, worth });
    }
}
