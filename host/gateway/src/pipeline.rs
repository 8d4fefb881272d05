//! The way of one request: decide, dispatch, settle, record.
//!
//! It runs in its own task. The connection only waits for it, so a caller who leaves takes nothing with them: the
//! attempt under way is finished and settled, and there is exactly one record.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use dispatch::{CallerPresence, Delivery, DispatchFailure, Dispatched, Job, Step, Stopped};
use domain::{
    attempt::{Charge, DecisionId},
    candidate::CandidateId,
    capability,
    catalogue::Date,
    explain::Explanation,
    failure::FailureKind,
    learning::{Judgement, Observed},
    provider::DialectName,
    record::{Comparison, Outcome, Record, Trace},
    request::Request,
    weights::Weights,
};
use ledger::{MediaName, Once, Slot};
use sandbox::{Circumstances, Decided, Kind, Source, Verdict, decide, shadow};

use crate::{
    comparison,
    http::{
        ask::{Ask, Handover},
        auth::Key,
        error::ApiError,
        ledger_full,
    },
    media, prepare, refusal,
    shadows::{Shadows, answers},
    snapshot::{Offering, Snapshot, Target},
    state::{State, unix_ms},
};

/// A request that got an id.
pub(crate) struct Admitted {
    pub(crate) id: DecisionId,
    pub(crate) seed: u64,
    pub(crate) at_ms: u64,
    pub(crate) began: Instant,
    /// How long it waited for its place.
    pub(crate) queued: Duration,
    pub(crate) ask: Ask,
    pub(crate) key: Option<Arc<Key>>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) target: Target,
    pub(crate) slot: Slot,
    /// With an idempotency key.
    pub(crate) once: Option<Once>,
}

impl Admitted {
    /// For whom plugins are asked: what one caller's requests do to them is not held against others.
    fn source(&self) -> Source {
        let key = self.key.as_ref();
        Source::of(key.and_then(|key| key.tenant.as_deref()), key.map(|key| &*key.name))
    }
}

/// What the caller gets when it worked.
pub(crate) struct Served {
    pub(crate) id: DecisionId,
    pub(crate) delivery: Delivery,
    pub(crate) model: CandidateId,
    pub(crate) strategy: Arc<str>,
    pub(crate) charge: Charge,
    pub(crate) attempts: usize,
    pub(crate) warnings: Vec<String>,
    /// Where the pictures are kept, in their order, when the caller wants addresses.
    pub(crate) kept: Vec<MediaName>,
}

/// A decision that nobody carries out.
pub(crate) struct DryRun {
    pub(crate) id: DecisionId,
    pub(crate) explanation: Explanation,
    /// The route's and the request's.
    pub(crate) weights: Weights,
    pub(crate) verdict: Verdict,
    /// What the real request would be told, when it would not be served.
    pub(crate) error: Option<ApiError>,
}

/// Serves a request to its end. Always leaves one record.
pub(crate) async fn serve(state: &State, admitted: Admitted, caller: &CallerPresence) -> Result<Box<Served>, ApiError> {
    let is_slow = admitted.target.is_slow(&admitted.snapshot.roster);
    let (decided, request, steps) = state.gate.pass(is_slow, |slow| plan(state, &admitted, slow, true)).await;
    let deadline = tokio::time::Instant::from_std(admitted.began + patience(&request, &admitted));
    let (verdict, mut trace, mut aside) = traced(decided);
    aside.note_shadows(&admitted, &request);
    let Target { route, panel, .. } = &admitted.target;
    let (snapshot, source) = (&admitted.snapshot, admitted.source());
    let shadows = Shadows::ask(&state.shadows, snapshot, route, panel, &trace.decision, source);
    if verdict != Verdict::Go {
        trace.shadows = answers(shadows).await;
        let (outcome, error) = refusal::undecided(&verdict, &trace.decision, &admitted.snapshot.offering);
        let id = admitted.id;
        record(admitted, trace, aside.judgement, Ending::failed(outcome, &error));
        return Err(error.of(id));
    }
    // On disk before anyone is asked: whatever happens from here on, it will not be carried out twice.
    if let Some(once) = admitted.once
        && let Err(error) = state.ledger.answers().begin(once).await
    {
        tracing::error!(decision = %admitted.id, %error, "cannot begin a request with an idempotency key");
        trace.shadows = answers(shadows).await;
        let (id, error) = (admitted.id, ledger_full());
        record(admitted, trace, aside.judgement, Ending::failed(Outcome::Failed, &error));
        return Err(error.of(id));
    }
    let job = Job {
        decision: admitted.id,
        request: Arc::clone(&request),
        extra: admitted.ask.extra.clone(),
        steps,
        max_cost: request.caps.max_cost,
        deadline,
        attempt_timeout: admitted.target.route.attempt_timeout,
        fall_over_after_charge: admitted.target.route.fall_over_after_charge,
        seed: admitted.seed,
    };
    let dispatched = Box::pin(admitted.snapshot.service.dispatcher.run(job, caller)).await;
    // Before the record is written: it says what the caller was told.
    let kept = match (&dispatched.result, admitted.ask.handover) {
        (Ok(delivery), Handover::Url) => media::keep(state, &delivery.pictures).await,
        _ => Ok(Vec::new()),
    };
    trace.shadows = answers(shadows).await;
    settle(admitted, &request, trace, aside, dispatched, kept, caller)
}

/// Explains a request without calling anyone. Leaves one record, too.
pub(crate) async fn dry_run(state: &State, admitted: Admitted) -> DryRun {
    let is_slow = admitted.target.is_slow(&admitted.snapshot.roster);
    let (decided, request, _) = state.gate.pass(is_slow, |slow| plan(state, &admitted, slow, false)).await;
    let (verdict, mut trace, mut aside) = traced(decided);
    aside.note_shadows(&admitted, &request);
    let circumstances = Circumstances { source: admitted.source(), slow: false, learned: &admitted.snapshot.learned };
    let Admitted { id, snapshot, target, .. } = &admitted;
    let (id, offering) = (*id, &snapshot.offering);
    let (shadows, panel) = (&target.route.shadows, &target.panel);
    trace.shadows = shadow(&snapshot.roster, shadows, panel, &trace.decision, &offering.candidates, circumstances);
    let names = &offering.context.candidates;
    let explanation = Explanation::of(&trace, names).with_judgement(&aside.judgement, &trace.decision, names);
    let weights = panel.weights.clone();
    let error = (verdict != Verdict::Go).then(|| refusal::undecided(&verdict, &trace.decision, offering).1);
    let ending = Ending {
        outcome: Outcome::DryRun,
        status: 200,
        error: None,
        served: None,
        charge: Charge::None,
        comparison: Comparison::default(),
    };
    record(admitted, trace, aside.judgement, ending);
    DryRun { id, explanation, weights, verdict, error }
}

/// Decides, and lines up the attempts.
fn plan(state: &State, admitted: &Admitted, slow: bool, for_real: bool) -> (Decided, Arc<Request>, Vec<Step>) {
    let Admitted { ask, snapshot, target, .. } = admitted;
    let offering = &snapshot.offering;
    let deadline_ms = u32::try_from(target.route.deadline.as_millis()).unwrap_or(u32::MAX);
    let mut request = ask.request.clone();
    request.tenant = admitted.key.as_ref().and_then(|key| key.tenant.clone());
    request.caps = request.caps.strictest(target.route.caps);
    // What was waited for a place is gone for everyone who might serve.
    let queued_ms = u32::try_from(admitted.queued.as_millis()).unwrap_or(u32::MAX);
    let latency_ms = request.caps.max_latency_ms.unwrap_or(deadline_ms);
    request.caps.max_latency_ms = Some(latency_ms.saturating_sub(queued_ms));
    let request = Arc::new(request);

    let now = state.health.now();
    let field = prepare::field(offering, target, &request, Date::of_unix_ms(admitted.at_ms), now);
    let sequence = target.route.sequence.fetch_add(u64::from(for_real), Ordering::Relaxed);
    let user = ask.user.as_deref().or(request.tenant.as_deref());
    let moment = state.moment(admitted.at_ms, admitted.seed, sequence, user);
    // A user stays with their arm of a split. A tenant is many users, so that does not count.
    let panel = target.panel_for(if ask.user.is_some() { moment.session } else { moment.seed });
    let mut probe = None;
    let circumstances = Circumstances { source: admitted.source(), slow, learned: &snapshot.learned };
    let mut decided = decide(&snapshot.roster, &panel, &request, moment, field, circumstances, |due| {
        probe = for_real.then(|| offering.cells[due as usize].take_probe(now)).flatten();
        probe.is_some()
    });
    if for_real && target.route.observe && target.is_named() {
        let large = target.at_large();
        let field = prepare::field(offering, &large, &request, Date::of_unix_ms(admitted.at_ms), now);
        let watched = decide(&snapshot.roster, &panel, &request, moment, field, circumstances, |_| false);
        decided.judgement.observed = observed(&watched, offering);
        decided.judgement.memories.extend(watched.judgement.memories);
    }
    let decision = &decided.decision;
    let step = |index: &u32| {
        let considered = &decision.considered[*index as usize];
        let at = considered.candidate as usize;
        Step {
            candidate: Arc::clone(&offering.candidates[at]),
            cell: Arc::clone(&offering.cells[at]),
            tariff: considered.tariff.unwrap_or_default(),
            estimate: considered.cost,
            p50_ms: considered.latency.map(|latency| latency.p50_ms),
            // The probe, when there is one, is the first of the order.
            probe: probe.take(),
        }
    };
    let steps = if for_real { decision.order.iter().map(step).collect() } else { Vec::new() };
    (decided, request, steps)
}

/// Whom a decision that is only watched would have chosen.
fn observed(watched: &Decided, offering: &Offering) -> Option<Observed> {
    let decision = &watched.decision;
    let first = &decision.considered[*decision.order.first()? as usize];
    Some(Observed {
        model: offering.candidates[first.candidate as usize].id.clone(),
        strategy: Arc::clone(&decision.strategy),
        cost: first.cost,
        quality: first.quality,
        reason: decision.reason.clone(),
    })
}

/// Time for the whole request from its arrival, the wait for a place and all attempts: the route's deadline, or less when
/// the caller says so. The cap of `request` is what the wait has left of it.
fn patience(request: &Request, admitted: &Admitted) -> Duration {
    let deadline = admitted.target.route.deadline;
    let left = request.caps.max_latency_ms.map(|ms| Duration::from_millis(u64::from(ms)));
    left.map_or(deadline, |left| left.saturating_add(admitted.queued).min(deadline))
}

/// Works out what the caller is told and writes it down.
fn settle(
    admitted: Admitted,
    request: &Request,
    mut trace: Trace,
    aside: Aside,
    dispatched: Dispatched,
    kept: Result<Vec<MediaName>, ApiError>,
    caller: &CallerPresence,
) -> Result<Box<Served>, ApiError> {
    let Dispatched { attempts, charge, result } = dispatched;
    let id = admitted.id;
    let strategy = Arc::clone(&trace.decision.strategy);
    let count = attempts.len();
    trace.attempts = attempts;
    match result {
        Ok(mut delivery) => {
            let decision = &trace.decision;
            let index = decision.order[delivery.step];
            let comparison = comparison::of(&admitted, &trace, &aside.priced_by, index);
            let candidate =
                &admitted.snapshot.offering.candidates[decision.considered[index as usize].candidate as usize];
            let model = candidate.id.clone();
            let mut warnings = std::mem::take(&mut trace.warnings);
            warnings.append(&mut capability::warnings(candidate, request));
            warnings.append(&mut delivery.warnings);
            if candidate.provider.dialect == DialectName::Simulated {
                let ignored: Vec<&str> = admitted.ask.extra.keys().map(String::as_str).collect();
                if !ignored.is_empty() {
                    warnings.push(format!("a simulated provider ignores {}", ignored.join(", ")));
                }
            }
            trace.warnings.clone_from(&warnings);
            let kept = match kept {
                Ok(kept) => kept,
                Err(error) => {
                    record(
                        admitted,
                        trace,
                        aside.judgement,
                        Ending { charge, ..Ending::failed(Outcome::Failed, &error) },
                    );
                    return Err(error.of(id));
                }
            };
            let outcome = if caller.left() { Outcome::Abandoned } else { Outcome::Delivered };
            let ending = Ending { outcome, status: 200, error: None, served: Some(model.clone()), charge, comparison };
            record(admitted, trace, aside.judgement, ending);
            Ok(Box::new(Served { id, delivery, model, strategy, charge, attempts: count, warnings, kept }))
        }
        Err(failure) => {
            let outcome = outcome_of(&failure, caller);
            let error = refusal::failed(failure, patience(request, &admitted));
            record(admitted, trace, aside.judgement, Ending { charge, ..Ending::failed(outcome, &error) });
            Err(error.of(id))
        }
    }
}

/// What a decision leaves beside its trace.
struct Aside {
    /// Whose price each candidate has.
    priced_by: Vec<Option<Arc<str>>>,
    judgement: Judgement,
}

/// What is decided, and the record of it before anything else has happened.
fn traced(decided: Decided) -> (Verdict, Trace, Aside) {
    let Decided { decision, verdict, settings, conditions, warnings, judgement, priced_by } = decided;
    let (attempts, shadows) = Default::default();
    let aside = Aside { priced_by, judgement };
    (verdict, Trace { decision, settings, attempts, warnings, conditions, shadows }, aside)
}

impl Aside {
    /// Notes what the route's shadows are given of what they have learned.
    fn note_shadows(&mut self, admitted: &Admitted, request: &Request) {
        let Admitted { snapshot, target, .. } = admitted;
        let shadows = target.route.shadows.iter().filter_map(|name| snapshot.roster.get(name, Kind::Strategy));
        let panel = &target.panel;
        let scope = panel.learn_per.scope(&panel.route, request.tenant.as_ref());
        self.judgement.memories.extend(snapshot.learned.given(shadows, &scope));
    }
}

fn outcome_of(failure: &DispatchFailure, caller: &CallerPresence) -> Outcome {
    match failure.kind {
        _ if caller.left() || failure.stopped == Stopped::CallerLeft => Outcome::Abandoned,
        Some(FailureKind::Refused) => Outcome::Refused,
        _ => Outcome::Failed,
    }
}

/// The part of a record that only the end knows.
struct Ending {
    outcome: Outcome,
    status: u16,
    error: Option<Arc<str>>,
    served: Option<CandidateId>,
    charge: Charge,
    comparison: Comparison,
}

impl Ending {
    fn failed(outcome: Outcome, error: &ApiError) -> Self {
        Self {
            outcome,
            status: error.status.as_u16(),
            error: Some(error.code.as_ref().into()),
            served: None,
            charge: Charge::None,
            comparison: Comparison::default(),
        }
    }
}

fn record(admitted: Admitted, trace: Trace, judgement: Judgement, ending: Ending) {
    let Admitted { id, at_ms, began, ask, key, snapshot, slot, .. } = admitted;
    let latency = began.elapsed().min(Duration::from_millis(u64::from(u32::MAX)));
    let record = Record {
        id,
        at_ms,
        tenant: trace.decision.request.tenant.clone(),
        key: key.map(|key| Arc::clone(&key.name)),
        asked: ask.model,
        outcome: ending.outcome,
        status: ending.status,
        error: ending.error,
        served: ending.served,
        charge: ending.charge,
        comparison: ending.comparison,
        latency_ms: latency.as_millis() as u32,
        judgement,
        trace,
        context: Arc::clone(&snapshot.offering.context),
    };
    tracing::debug!(decision = %id, outcome = ending.outcome.word(), at_ms = unix_ms(), "request ended");
    slot.record(record);
}
