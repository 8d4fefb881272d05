//! One job on its way through its steps.

use std::{
    mem,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use domain::{
    attempt::{Attempt, AttemptEnd, AttemptStarted, Charge},
    breaker::State,
    failure::FailureKind,
    money::MicroUsd,
};
use tokio::{sync::SemaphorePermit, time::Instant};

use super::Dispatcher;
use crate::{
    attempt::{Drawn, Errand},
    caller::CallerPresence,
    endpoint::Endpoint,
    failure::Failure,
    health::{Ended, Probe},
    job::{Delivery, DispatchFailure, Dispatched, Job, Step, Stopped},
    next::{Next, Situation, next},
    random::SplitMix,
    settle::{self, Settled},
};

/// Least time an attempt must have had before its lateness counts against the candidate, when its usual time is not
/// known. Else callers with tiny deadlines could close a healthy provider to everyone.
const FAIR_MS: u64 = 30_000;

mod patience;

pub(super) struct Walk<'a> {
    dispatcher: &'a Dispatcher,
    job: Job,
    caller: &'a CallerPresence,
    random: SplitMix,
    attempts: Vec<Attempt>,
    charge: Charge,
    /// Of the attempt that tells most.
    failure: Option<Failure>,
    /// The shortest wait that a provider asked for.
    retry_after: Option<Duration>,
    /// An answer did not come in time: the next candidate must be quick enough for what is left.
    was_late: bool,
    /// A candidate was passed over because of its price.
    was_capped: bool,
}

/// Leave for one attempt.
struct Leave<'a> {
    probe: Option<Probe>,
    _permit: Option<SemaphorePermit<'a>>,
}

/// Whether a step may be tried now.
enum Gate<'a> {
    Open(Leave<'a>),
    /// Not this one.
    Skip,
    /// Nobody any more.
    Stop(Stopped),
}

impl<'a> Walk<'a> {
    pub(super) fn new(dispatcher: &'a Dispatcher, job: Job, caller: &'a CallerPresence) -> Self {
        let random = SplitMix::new(job.seed);
        Self {
            dispatcher,
            job,
            caller,
            random,
            attempts: Vec::new(),
            charge: Charge::None,
            failure: None,
            retry_after: None,
            was_late: false,
            was_capped: false,
        }
    }

    pub(super) async fn run(mut self) -> Dispatched {
        for index in 0..self.job.steps.len() {
            let mut leave = match self.gate(index).await {
                Gate::Open(leave) => leave,
                Gate::Skip => continue,
                Gate::Stop(stopped) => return self.give_up(stopped),
            };
            let mut repeats = 0;
            loop {
                let was_probe = leave.probe.is_some();
                let (kind, retry_after) = match self.attempt(index, leave.probe.take()).await {
                    Ok(drawn) => return self.deliver(index, drawn),
                    Err(failed) => failed,
                };
                match self.next(index, kind, retry_after, repeats, was_probe) {
                    Next::Again(wait) => tokio::time::sleep(wait).await,
                    Next::FallOver => break,
                    Next::Stop => return self.give_up(Stopped::Final),
                }
                if let Some(stopped) = self.stopped() {
                    return self.give_up(stopped);
                }
                repeats += 1;
            }
        }
        let nobody_was_asked = self.attempts.is_empty();
        let stopped = match self.stopped() {
            Some(stopped) => stopped,
            None if nobody_was_asked && self.was_capped => Stopped::Cap,
            None => Stopped::Exhausted,
        };
        self.give_up(stopped)
    }

    /// May the step at `index` be tried now?
    async fn gate(&mut self, index: usize) -> Gate<'a> {
        if let Some(stopped) = self.stopped() {
            return Gate::Stop(stopped);
        }
        self.was_capped |= !self.is_affordable(&self.job.steps[index]);
        if !self.wait_for_account(index).await {
            return Gate::Skip;
        }
        let now = self.dispatcher.health.now();
        let step = &self.job.steps[index];
        if !self.is_possible(step) {
            return Gate::Skip;
        }
        // Who is resting is only asked when nobody else is left: so a fall-over does not land on a provider that has
        // failed meanwhile, and a last resort is still one.
        let mut others = self.job.steps[index + 1..].iter().filter(|other| self.is_possible(other));
        let has_other = others.any(|other| self.is_in_service(other));
        if !self.is_in_service(step) && has_other {
            return Gate::Skip;
        }
        let permits = self.endpoint(step).and_then(|endpoint| endpoint.permits.as_ref());
        let permit = match permits.map(|permits| (permits, permits.try_acquire())) {
            None => None,
            Some((_, Ok(permit))) => Some(permit),
            Some(_) if has_other => return Gate::Skip,
            Some((permits, Err(_))) => match tokio::time::timeout_at(self.job.deadline, permits.acquire()).await {
                Ok(Ok(permit)) => Some(permit),
                _ => return Gate::Stop(Stopped::Deadline),
            },
        };
        // The caller may have left, or the time run out, while this waited for its place.
        if let Some(stopped) = self.stopped() {
            return Gate::Stop(stopped);
        }
        let step = &mut self.job.steps[index];
        let probe = step.probe.take().or_else(|| step.cell.take_probe(now));
        Gate::Open(Leave { probe, _permit: permit })
    }

    /// Why no attempt may begin any more, if so.
    fn stopped(&self) -> Option<Stopped> {
        if Instant::now() >= self.job.deadline {
            return Some(Stopped::Deadline);
        }
        self.caller.left().then_some(Stopped::CallerLeft)
    }

    /// Whether a step may be tried as far as money, time and the account go.
    fn is_possible(&self, step: &Step) -> bool {
        let in_time = !self.was_late || step.p50_ms.is_none_or(|p50_ms| millis(p50_ms) < self.time_left());
        let is_shut = step.cell.is_shut(self.dispatcher.health.now());
        in_time && !is_shut && self.is_affordable(step) && !self.was_turned_away(step)
    }

    /// Whether its upper price fits in what the attempts so far have left of the cap.
    fn is_affordable(&self, step: &Step) -> bool {
        let Some(cap) = self.job.max_cost else { return true };
        let left =
            if matches!(self.charge, Charge::Unknown(_)) { MicroUsd::ZERO } else { cap.minus(self.charge.amount()) };
        step.estimate.is_some_and(|estimate| estimate.upper <= left)
    }

    /// Whether this request has already met the step's account and found it shut or paused, with as many keys as it has.
    fn was_turned_away(&self, step: &Step) -> bool {
        let provider = &step.candidate.provider.name;
        let turned_away = |attempt: &Attempt| match &attempt.end {
            AttemptEnd::Failed { kind, .. } => {
                matches!(kind, FailureKind::Credential | FailureKind::Quota | FailureKind::RateLimited)
                    && attempt.candidate.as_str().split('/').next() == Some(provider)
            }
            AttemptEnd::Delivered { .. } => false,
        };
        self.attempts.iter().filter(|attempt| turned_away(attempt)).count() >= step.cell.key_count()
    }

    fn is_in_service(&self, step: &Step) -> bool {
        step.probe.is_some() || step.cell.view(self.dispatcher.health.now()).state == State::Closed
    }

    fn endpoint(&self, step: &Step) -> Option<&'a Endpoint> {
        self.dispatcher.endpoints.get(&step.candidate.provider.name)
    }

    /// Makes one attempt, tells journal and health, and settles it.
    async fn attempt(&mut self, index: usize, probe: Option<Probe>) -> Result<Drawn, (FailureKind, Option<Duration>)> {
        let dispatcher = self.dispatcher;
        let (at_ms, began) = (unix_ms(), Instant::now());
        let number = self.attempts.len() as u32 + 1;
        let step = &self.job.steps[index];
        let candidate = step.candidate.id.clone();
        let upper = step.estimate.map(|estimate| estimate.upper);
        let decision = self.job.decision;
        dispatcher.journal.started(AttemptStarted { decision, number, candidate: candidate.clone(), at_ms, upper });
        let in_flight = step.cell.begin(dispatcher.health.now(), probe);
        let patience = self.patience(index);

        let (mut result, was_expired) = self.call(index, number, in_flight.key(), patience).await;

        let latency = began.elapsed();
        let latency_ms = u32::try_from(latency.as_millis()).unwrap_or(u32::MAX);
        let jitter = self.random.unit();
        let step = &self.job.steps[index];
        let terms = settle::Terms { candidate: &step.candidate, tariff: &step.tariff, estimate: step.estimate };
        let (ended, end, charge) = match &mut result {
            Ok(drawn) => {
                let pictures = drawn.pictures.len() as u32;
                let Settled { charge, doubt } = terms.delivered(&drawn.report, drawn.sent, self.job.request.count);
                drawn.warnings.extend(doubt);
                let listed_p95_ms = step.candidate.tier().latency.map(|latency| latency.p95_ms);
                (
                    Ended::Delivered { latency_ms, listed_p95_ms, load: patience::load(&self.job.request) },
                    AttemptEnd::Delivered { pictures },
                    charge,
                )
            }
            Err(Failure { kind, retry_after, status, detail, report, .. }) => {
                let ended = if was_expired && !had_fair_time(step, latency) {
                    Ended::Unfair
                } else {
                    Ended::Failed { kind: *kind, retry_after: *retry_after }
                };
                let Settled { charge, doubt } = terms.failed(*kind, report);
                if let Some(doubt) = doubt {
                    tracing::warn!(%decision, %candidate, doubt, "a report of cost was not used");
                }
                (ended, AttemptEnd::Failed { kind: *kind, status: *status, detail: detail.as_str().into() }, charge)
            }
        };
        in_flight.ended(dispatcher.health.now(), ended, jitter);
        let attempt = Attempt { number, candidate, at_ms, latency_ms, end, charge };
        dispatcher.journal.ended(decision, &attempt);
        self.charge = self.charge.and(charge);
        self.attempts.push(attempt);
        result.map_err(|failure| self.remember(failure))
    }

    /// The call itself, in its own box: a waiting request should be small. Also says whether our patience ended it.
    async fn call(&self, index: usize, number: u32, key: usize, until: Instant) -> (Result<Drawn, Failure>, bool) {
        let step = &self.job.steps[index];
        let Some(endpoint) = self.endpoint(step) else {
            let detail = format!("provider `{}` is not set up", step.candidate.provider.name);
            return (Err(Failure::new(FailureKind::Capability, &detail)), false);
        };
        let errand = Errand {
            request: &self.job.request,
            extra: &self.job.extra,
            candidate: &step.candidate,
            tariff: &step.tariff,
            key,
            seed: self.job.seed.wrapping_add(u64::from(number)),
            elapsed: self.dispatcher.health.clock().elapsed(),
        };
        let call = Box::pin(self.dispatcher.means.attempt(endpoint, errand));
        match tokio::time::timeout_at(until, call).await {
            Ok(result) => (result, false),
            Err(_) if until < self.job.deadline => {
                let detail = "no answer in three times as long as it usually takes";
                (Err(Failure::new(FailureKind::Timeout, detail)), true)
            }
            Err(_) => (Err(Failure::new(FailureKind::Timeout, "no answer before the deadline")), true),
        }
    }

    /// Keeps a failure if it tells more than the ones before.
    fn remember(&mut self, failure: Failure) -> (FailureKind, Option<Duration>) {
        let (kind, retry_after) = (failure.kind, failure.retry_after);
        if kind == FailureKind::RateLimited {
            self.retry_after = [self.retry_after, retry_after].into_iter().flatten().min();
        }
        self.was_late |= kind == FailureKind::Timeout;
        let attempt = self.attempts.last();
        let candidate = attempt.map(|attempt| tracing::field::display(attempt.candidate.clone()));
        match kind {
            FailureKind::Credential | FailureKind::Quota => {
                tracing::error!(decision = %self.job.decision, candidate, kind = kind.code(), detail = failure.detail, "account shut: see its key and its budget");
            }
            FailureKind::Refused | FailureKind::Caller => {
                tracing::debug!(decision = %self.job.decision, candidate, kind = kind.code(), "attempt refused");
            }
            _ => {
                tracing::warn!(decision = %self.job.decision, candidate, kind = kind.code(), detail = failure.detail, "attempt failed");
            }
        }
        if self.failure.as_ref().is_none_or(|kept| telling(kind) >= telling(kept.kind)) {
            self.failure = Some(failure);
        }
        (kind, retry_after)
    }

    fn next(
        &mut self,
        index: usize,
        kind: FailureKind,
        retry_after: Option<Duration>,
        repeats: u32,
        was_probe: bool,
    ) -> Next {
        let step = &self.job.steps[index];
        let provider = &step.candidate.provider.name;
        let situation = Situation {
            kind,
            retry_after,
            repeats,
            alone: self.job.steps.iter().all(|other| other.candidate.provider.name == *provider),
            in_service: !was_probe && self.is_in_service(step),
            other_key: !step.cell.is_shut(self.dispatcher.health.now()) && !self.was_turned_away(step),
            fall_over_after_charge: self.job.fall_over_after_charge,
            time_left: self.time_left(),
            p50: step.p50_ms.map(millis),
            jitter: self.random.unit(),
        };
        next(&situation)
    }

    fn time_left(&self) -> Duration {
        self.job.deadline.saturating_duration_since(Instant::now())
    }

    fn deliver(self, step: usize, drawn: Drawn) -> Dispatched {
        let Drawn { pictures, created, usage_as_sent: usage, other, warnings, .. } = drawn;
        let delivery = Delivery { step, pictures, created, usage, other, warnings };
        Dispatched { attempts: self.attempts, charge: self.charge, result: Ok(delivery) }
    }

    fn give_up(mut self, stopped: Stopped) -> Dispatched {
        let stopped = if self.was_late && self.time_left().is_zero() { Stopped::Deadline } else { stopped };
        let may_have_been_charged = self.attempts.iter().any(|attempt| attempt.charge != Charge::None);
        let failure = match self.failure.take() {
            Some(Failure { kind, detail, error, .. }) => (Some(kind), detail, error),
            None => (None, unasked(stopped).to_owned(), None),
        };
        let (kind, detail, error) = failure;
        let retry_after = self.retry_after;
        let failure = DispatchFailure { kind, detail, error, retry_after, may_have_been_charged, stopped };
        Dispatched { attempts: mem::take(&mut self.attempts), charge: self.charge, result: Err(failure) }
    }
}

/// How much a failure tells the caller: what the provider said of the request, then what may have cost money, then what
/// may pass, then what the operator must mend.
fn telling(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::Refused | FailureKind::Caller => 4,
        FailureKind::Server | FailureKind::Timeout | FailureKind::Empty => 3,
        FailureKind::RateLimited => 2,
        FailureKind::Connect => 1,
        FailureKind::Credential | FailureKind::Quota | FailureKind::Capability => 0,
    }
}

/// Whether an attempt had twice its usual time.
fn had_fair_time(step: &Step, had: Duration) -> bool {
    let fair = step.p50_ms.map_or(FAIR_MS, |p50_ms| 2 * u64::from(p50_ms));
    had >= Duration::from_millis(fair)
}

fn unasked(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::Deadline => "the deadline passed before anyone was asked",
        Stopped::Cap => "every candidate may cost more than the cap",
        Stopped::CallerLeft => "the caller left before anyone was asked",
        Stopped::Final | Stopped::Exhausted => "there was nobody to ask",
    }
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
