//! A decision for people and programs: one shape for the dry run, the API, the audit log and the terminal.

use serde::Serialize;

use crate::{
    attempt::{Attempt, AttemptEnd},
    candidate::CandidateId,
    decision::{Considered, Decision},
    learning::Judgement,
    plugin::{CallEnd, PluginCall, Role, Shadow},
    record::Trace,
};

/// Four decimals: more is noise of the binary form, and says nothing.
fn short(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
}

/// A decision with names in place of indices.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    pub route: String,
    pub strategy: String,
    /// Why the first one is first.
    pub reason: String,
    /// What would be, or was, tried first.
    pub model: Option<String>,
    pub estimate_usd_micros: Option<u64>,
    pub label: String,
    pub confidence: f64,
    pub complexity: f64,
    pub traits: Vec<String>,
    /// How sure the classifier is of each of them, 0 to 1: so much of a trait's adjustment counts.
    pub trait_confidences: Vec<(String, f64)>,
    /// All candidates: first those to be tried, in order, then the vetoed ones.
    pub candidates: Vec<ExplainedCandidate>,
    pub plugins: Vec<ExplainedCall>,
    /// Strategies that were only watched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<ExplainedShadow>,
    /// How the quality that is expected of the first few came about, where it was learned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<ExplainedQuality>,
    /// On a route that only observes: what would have been chosen, had the caller left the choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<ExplainedObserved>,
    /// What was asked for and not done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    pub probe: bool,
    pub last_resort: bool,
    /// Over all plugin calls.
    pub fuel: u64,
    pub decide_us: u32,
    pub revision: u64,
}

/// One row of the decision's table.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedCandidate {
    pub model: String,
    pub score: Option<f64>,
    /// What added up to the score.
    pub parts: Vec<(String, f64)>,
    pub quality: Option<f64>,
    pub cost_usd_micros: Option<u64>,
    pub cost_upper_usd_micros: Option<u64>,
    pub p50_ms: Option<u32>,
    pub veto: Option<String>,
    pub why: Option<String>,
}

/// What would have been chosen.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedObserved {
    pub model: String,
    pub strategy: String,
    pub cost_usd_micros: Option<u64>,
    pub quality: Option<f64>,
    pub reason: String,
}

/// Where a candidate's expected quality is from.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedQuality {
    pub model: String,
    /// Such as `0.71 ± 0.05 = 0.62 prior + 0.09 text, from 304 ratings`.
    pub quality: String,
}

/// One plugin call.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedCall {
    pub role: Role,
    pub plugin: String,
    pub digest: String,
    pub fuel: u64,
    pub memory_bytes: u64,
    pub us: u32,
    pub ended: &'static str,
    pub fault: Option<String>,
    pub detail: Option<String>,
}

/// What a strategy would have done that was only watched.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedShadow {
    pub strategy: String,
    pub ended: &'static str,
    pub fault: Option<String>,
    /// What it would have tried first.
    pub model: Option<String>,
    /// Why, or why it did not answer.
    pub reason: Option<String>,
    pub fuel: u64,
    pub us: u32,
}

/// One attempt.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedAttempt {
    pub number: u32,
    pub model: String,
    pub latency_ms: u32,
    /// `delivered`, or the kind of failure.
    pub ended: &'static str,
    pub detail: Option<String>,
    pub cost_usd_micros: u64,
    pub cost_is: &'static str,
}

impl Explanation {
    /// `names` are the candidates of the decision's snapshot.
    #[must_use]
    pub fn new(decision: &Decision, names: &[CandidateId]) -> Self {
        let considered = |index: &u32| &decision.considered[*index as usize];
        let first = decision.order.first().map(considered);
        let tried = decision.order.iter().enumerate().map(|(place, index)| {
            let place = place.checked_sub(usize::from(decision.probe));
            let parts =
                decision.parts.iter().filter_map(|part| Some((part.name.clone(), short(*part.values.get(place?)?))));
            explain_candidate(considered(index), names, parts.collect())
        });
        let vetoed = decision.considered.iter().filter(|candidate| candidate.veto.is_some());
        let vetoed = vetoed.map(|candidate| explain_candidate(candidate, names, Vec::new()));
        Self {
            route: decision.route.to_string(),
            strategy: decision.strategy.to_string(),
            reason: decision.reason.clone(),
            model: first.map(|candidate| name(candidate, names)),
            estimate_usd_micros: first.and_then(|candidate| candidate.cost).map(|cost| cost.expected.0),
            label: decision.classification.label.clone(),
            confidence: short(decision.classification.confidence),
            complexity: short(decision.classification.complexity),
            traits: decision.classification.traits.iter().map(|seen| seen.name.clone()).collect(),
            trait_confidences: decision
                .classification
                .traits
                .iter()
                .map(|seen| (seen.name.clone(), short(seen.confidence)))
                .collect(),
            candidates: tried.chain(vetoed).collect(),
            plugins: decision.calls.iter().map(explain_call).collect(),
            shadows: Vec::new(),
            expected: Vec::new(),
            observed: None,
            warnings: Vec::new(),
            probe: decision.probe,
            last_resort: decision.last_resort,
            fuel: decision.calls.iter().map(|call| call.fuel).sum(),
            decide_us: decision.micros,
            revision: decision.revision,
        }
    }

    /// The decision of a record, shadows and warnings included.
    #[must_use]
    pub fn of(trace: &Trace, names: &[CandidateId]) -> Self {
        let explained = Self::new(&trace.decision, names).with_shadows(&trace.shadows, &trace.decision, names);
        Self { warnings: trace.warnings.clone(), ..explained }
    }

    /// With what was learned before and went into the decision.
    #[must_use]
    pub fn with_judgement(mut self, judgement: &Judgement, decision: &Decision, names: &[CandidateId]) -> Self {
        let told = |(index, line): &(u32, String)| {
            let candidate = decision.considered.get(*index as usize)?;
            Some(ExplainedQuality { model: name(candidate, names), quality: line.clone() })
        };
        self.observed = judgement.observed.as_ref().map(|observed| ExplainedObserved {
            model: observed.model.to_string(),
            strategy: observed.strategy.to_string(),
            cost_usd_micros: observed.cost.map(|cost| cost.expected.0),
            quality: observed.quality.map(|quality| short(quality.mean)),
            reason: observed.reason.clone(),
        });
        self.expected = judgement.expected.iter().filter_map(told).collect();
        self
    }

    /// With what was only watched beside the decision.
    #[must_use]
    pub fn with_shadows(mut self, shadows: &[Shadow], decision: &Decision, names: &[CandidateId]) -> Self {
        self.shadows = shadows.iter().map(|shadow| explain_shadow(shadow, decision, names)).collect();
        self
    }
}

fn name(candidate: &Considered, names: &[CandidateId]) -> String {
    names.get(candidate.candidate as usize).map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

fn explain_candidate(candidate: &Considered, names: &[CandidateId], parts: Vec<(String, f64)>) -> ExplainedCandidate {
    ExplainedCandidate {
        model: name(candidate, names),
        score: candidate.score.map(short),
        parts,
        quality: candidate.quality.map(|prior| short(prior.mean)),
        cost_usd_micros: candidate.cost.map(|cost| cost.expected.0),
        cost_upper_usd_micros: candidate.cost.map(|cost| cost.upper.0),
        p50_ms: candidate.latency.map(|latency| latency.p50_ms),
        veto: candidate.veto.map(|veto| veto.code().to_owned()),
        why: candidate.veto.map(|veto| veto.to_string()),
    }
}

/// The word for an end, the fault's code and what there is to say about it.
fn explain_end(ended: &CallEnd) -> (&'static str, Option<String>, Option<String>) {
    match ended {
        CallEnd::Answered => ("answered", None, None),
        CallEnd::Abstained { reason } => ("abstained", None, Some(reason.clone())),
        CallEnd::Denied { reason } => ("denied", None, Some(reason.clone())),
        CallEnd::Faulted { code, detail, .. } => ("faulted", Some(code.to_string()), Some(detail.clone())),
        CallEnd::Skipped { reason } => ("skipped", None, Some(reason.to_string())),
    }
}

fn explain_shadow(shadow: &Shadow, decision: &Decision, names: &[CandidateId]) -> ExplainedShadow {
    let (ended, fault, detail) = explain_end(&shadow.call.ended);
    let first = shadow.order.first().and_then(|place| decision.considered.get(place.candidate as usize));
    ExplainedShadow {
        strategy: shadow.call.plugin.to_string(),
        ended,
        fault,
        model: first.map(|candidate| name(candidate, names)),
        reason: detail.or_else(|| Some(shadow.reason.clone())).filter(|reason| !reason.is_empty()),
        fuel: shadow.call.fuel,
        us: shadow.call.micros,
    }
}

fn explain_call(call: &PluginCall) -> ExplainedCall {
    let (ended, fault, detail) = explain_end(&call.ended);
    ExplainedCall {
        role: call.role,
        plugin: call.plugin.to_string(),
        digest: call.digest.to_string(),
        fuel: call.fuel,
        memory_bytes: call.memory,
        us: call.micros,
        ended,
        fault,
        detail,
    }
}

impl From<&Attempt> for ExplainedAttempt {
    fn from(attempt: &Attempt) -> Self {
        let (ended, detail) = match &attempt.end {
            AttemptEnd::Delivered { .. } => ("delivered", None),
            AttemptEnd::Failed { kind, detail, .. } => (kind.code(), Some(detail.to_string())),
        };
        Self {
            number: attempt.number,
            model: attempt.candidate.to_string(),
            latency_ms: attempt.latency_ms,
            ended,
            detail,
            cost_usd_micros: attempt.charge.amount().0,
            cost_is: attempt.charge.word(),
        }
    }
}
