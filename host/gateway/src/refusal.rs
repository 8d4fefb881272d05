//! What a caller is told when nothing was delivered: the error table, in one place.

use std::time::Duration;

use dispatch::{DispatchFailure, ProviderError, Stopped};
use domain::{
    decision::{Decision, Veto},
    failure::FailureKind,
    money::MicroUsd,
    record::Outcome,
};
use sandbox::Verdict;

use crate::{
    http::error::{ApiError, VetoLine},
    snapshot::Offering,
};

/// How soon to come back when nobody could be reached: by then the first breakers are due.
const COME_BACK: Duration = Duration::from_secs(2);

/// Why a decision came to nothing.
///
/// # Panics
///
/// When the verdict is to go on: that is no refusal.
pub(crate) fn undecided(verdict: &Verdict, decision: &Decision, offering: &Offering) -> (Outcome, ApiError) {
    match verdict {
        Verdict::Go => unreachable!("only called for verdicts that end a request"),
        Verdict::Denied { reason } => {
            let message = format!("denied by strategy `{}`: {reason}", decision.strategy);
            (Outcome::Denied, ApiError::with(403, "invalid_request_error", "denied", message))
        }
        Verdict::PluginFailed { plugin } => {
            let message = format!("plugin `{plugin}` failed, and route `{}` does not go on without it", decision.route);
            let error = ApiError::with(503, "server_error", "plugin_failed", message);
            (Outcome::Failed, error.hint("the decision says how it failed: GET /v1/decisions/{id}"))
        }
        Verdict::NoCandidate => match soonest(decision) {
            Some(wait) => (Outcome::NoCandidate, resting(wait)),
            None => (Outcome::NoCandidate, no_candidate(decision, offering)),
        },
    }
}

/// When the first candidate that could serve is back from its rest, if one is resting.
fn soonest(decision: &Decision) -> Option<Duration> {
    let waits = decision.considered.iter().filter_map(|row| match row.veto {
        Some(Veto::Breaker { wait_ms }) => Some(Duration::from_millis(u64::from(wait_ms))),
        _ => None,
    });
    waits.min()
}

fn resting(wait: Duration) -> ApiError {
    let message = "whoever could serve this request is resting after failures";
    ApiError::with(503, "server_error", "unavailable", message).retry(Some(wait))
}

fn no_candidate(decision: &Decision, offering: &Offering) -> ApiError {
    let line = |considered: &domain::decision::Considered| {
        let veto = considered.veto?;
        let model = offering.candidates[considered.candidate as usize].id.to_string();
        Some(VetoLine { model, veto: veto.code(), why: veto.to_string() })
    };
    // What nobody asked for needs no explanation, unless there is nothing else.
    let named = |considered: &&domain::decision::Considered| considered.veto != Some(Veto::NotNamed);
    let mut vetoes: Vec<VetoLine> = decision.considered.iter().filter(named).filter_map(line).collect();
    if vetoes.is_empty() {
        vetoes = decision.considered.iter().filter_map(line).collect();
    }
    let all = |code: &str| vetoes.iter().all(|line| line.veto == code);
    let request = &decision.request;
    let (message, param) = if all("size")
        && let Some(size) = request.size
    {
        (format!("no candidate can draw {size}"), Some("size"))
    } else if all("count") {
        (format!("no candidate makes {} pictures in one call", request.count), Some("n"))
    } else if all("transparent") {
        ("no candidate can leave the background transparent".to_owned(), Some("background"))
    } else {
        ("no candidate can serve this request".to_owned(), None)
    };
    let mut error = ApiError::with(422, "invalid_request_error", "no_candidate", message);
    error.param = param.map(Into::into);
    error.hint = Some(next_step(decision, offering));
    error.vetoes = vetoes;
    error
}

/// What would have helped.
fn next_step(decision: &Decision, offering: &Offering) -> String {
    let has = |code: &str| decision.considered.iter().any(|row| row.veto.is_some_and(|veto| veto.code() == code));
    if has("size") {
        let sizes = decision.considered.iter().filter(|row| matches!(row.veto, Some(Veto::Size { .. })));
        let largest = sizes
            .filter_map(|row| {
                let candidate = &offering.candidates[row.candidate as usize];
                Some((candidate.model.sizes.largest()?, candidate.id.untiered()))
            })
            .max_by_key(|(size, _)| size.pixels());
        if let Some((size, model)) = largest {
            return format!("largest here: {model} at {size}; see GET /v1/models");
        }
    }
    if has("max-cost") {
        let uppers = decision.considered.iter().filter_map(|row| row.cost).map(|cost| cost.upper);
        let least = uppers.min().unwrap_or(MicroUsd::ZERO);
        return format!("the cheapest that can may cost {least}");
    }
    "each candidate says why; see GET /v1/models".to_owned()
}

/// Why no attempt delivered.
pub(crate) fn failed(failure: DispatchFailure, deadline: Duration) -> ApiError {
    let retry = failure.should_retry();
    let DispatchFailure { kind, detail, error, retry_after, may_have_been_charged, stopped } = failure;
    let (kind_word, status, code, message) = match (kind, stopped) {
        (Some(FailureKind::Refused), _) => return said_by_provider(error, &detail, "moderation_blocked"),
        (Some(FailureKind::Caller), _) => return said_by_provider(error, &detail, "invalid_value"),
        (_, Stopped::Deadline) => {
            ("server_error", 504, "deadline", format!("no answer within {} ms: {detail}", deadline.as_millis()))
        }
        (_, Stopped::Cap) => ("invalid_request_error", 422, "no_candidate", format!("the cap is too low: {detail}")),
        _ if may_have_been_charged => {
            ("server_error", 502, "upstream_failed", format!("every attempt failed: {detail}"))
        }
        (Some(FailureKind::RateLimited), _) => {
            ("rate_limit_error", 429, "rate_limited", format!("every provider asks for patience: {detail}"))
        }
        // What the provider says about the operator's account, or the network about its hosts, is the operator's to read:
        // it stands in the log.
        (Some(FailureKind::Credential | FailureKind::Quota | FailureKind::Connect), _) => {
            ("server_error", 503, "unavailable", "no provider can be used now".to_owned())
        }
        _ => ("server_error", 503, "unavailable", format!("no provider can be used now: {detail}")),
    };
    let error = ApiError::with(status, kind_word, code, message);
    let error = match kind {
        Some(FailureKind::Credential) => error.hint("the operator's key for that provider is not accepted"),
        Some(FailureKind::Quota) => error.hint("the operator's account at that provider has nothing left"),
        _ => error,
    };
    if retry { error.retry(Some(retry_after.unwrap_or(COME_BACK))) } else { error }
}

/// A refusal, or a mistake that only the provider saw: the caller gets its words.
fn said_by_provider(error: Option<Box<ProviderError>>, detail: &str, code: &'static str) -> ApiError {
    let said = error.map(|error| *error).unwrap_or_default();
    let message = if said.message.is_empty() { detail.to_owned() } else { said.message };
    let kind = if code == "moderation_blocked" { "image_generation_user_error" } else { "invalid_request_error" };
    let mut answer = ApiError::with(400, kind, code, message);
    if let Some(kind) = said.error_type {
        answer.kind = kind.into();
    }
    if code != "moderation_blocked"
        && let Some(code) = said.code
    {
        answer.code = code.into();
    }
    answer.param = said.param.map(Into::into);
    answer.moderation = said.moderation_details;
    answer
}
