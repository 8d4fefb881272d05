//! `GET /admin/breakers`: how each candidate is doing, whether it is asked, and why not.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State as Shared, rejection::QueryRejection},
};
use dispatch::{KeyView, Report};
use domain::{
    breaker::{Change, Millis, State as Breaker},
    candidate::Pattern,
    request::Operation,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    http::error::ApiError,
    snapshot::Snapshot,
    state::{State, unix_ms},
};

/// What to list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// A pattern over candidates.
    model: Option<String>,
    /// Also those of which nothing is known yet.
    #[serde(default)]
    all: bool,
}

/// The node's monotonic clock beside the calendar's.
#[derive(Clone, Copy)]
struct Now {
    clock: Millis,
    unix_ms: u64,
}

pub(super) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(snapshot): Extension<Arc<Snapshot>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(which) = which.map_err(|rejection| {
        ApiError::invalid("query", rejection.body_text()).hint("`model=openai/*` and `all=true` may be asked")
    })?;
    let now = Now { clock: state.health.now(), unix_ms: unix_ms() };
    let pattern = which.model.map(Pattern);
    let (mut rows, mut accounts) = (Vec::new(), Map::new());
    for (candidate, cell) in snapshot.offering.candidates.iter().zip(&snapshot.offering.cells) {
        let provider = &candidate.provider.name;
        if !accounts.contains_key(provider) {
            accounts.insert(provider.clone(), json!({"keys": keys(&cell.keys(now.clock), now)}));
        }
        if pattern.as_ref().is_some_and(|pattern| !pattern.matches(&candidate.id)) {
            continue;
        }
        let report = cell.report(now.clock);
        if which.all || has_something(&report) {
            rows.push(describe(candidate.id.as_str(), Operation::ImageGenerate, &report, now));
        }
    }
    Ok(Json(json!({"object": "list", "at_ms": now.unix_ms, "accounts": accounts, "data": rows})))
}

fn has_something(report: &Report) -> bool {
    let has_outcomes = report.windows.iter().any(|(_, window)| window.samples > 0 || !window.failures.is_empty());
    has_outcomes || !report.changes.is_empty() || report.view.live.in_flight > 0 || report.view.state != Breaker::Closed
}

fn describe(model: &str, operation: Operation, report: &Report, now: Now) -> Value {
    let Report { view, changes, windows } = report;
    let (state, probing, until) = match view.state {
        Breaker::Closed => ("closed", false, None),
        Breaker::Open { until } => ("open", false, Some(until)),
        Breaker::HalfOpen { probing } => ("half-open", probing, None),
    };
    let opened = changes.last().filter(|change| change.until.is_some());
    json!({
        "model": model,
        "operation": operation.word(),
        "state": state,
        "probing": probing,
        "open_for_ms": until.map(|until| until.saturating_sub(now.clock)),
        "reason": match opened {
            _ if view.shut => Some("every key of its provider rests: see `accounts`".to_owned()),
            Some(change) if state != "closed" => Some(change.reason.to_string()),
            _ => None,
        },
        "in_flight": view.live.in_flight,
        "windows": windows.iter().map(|(span, window)| (span.word().to_owned(), json!(window))).collect::<Map<_, _>>(),
        "history": changes.iter().map(|change| changed(change, now)).collect::<Vec<_>>(),
    })
}

fn changed(change: &Change, now: Now) -> Value {
    let at = |moment: Millis| now.unix_ms.saturating_add(moment).saturating_sub(now.clock);
    json!({
        "at_ms": at(change.at),
        "state": if change.until.is_some() { "open" } else { "closed" },
        "until_ms": change.until.map(at),
        "reason": change.reason,
        "why": change.reason.to_string(),
    })
}

/// By their places in the configuration. Never the keys themselves.
fn keys(keys: &[KeyView], now: Now) -> Vec<Value> {
    let key = |(index, key): (usize, &KeyView)| {
        json!({
            "number": index + 1,
            "in_flight": key.in_flight,
            "resting": key.resting.map(|(why, _)| why),
            "rests_for_ms": key.resting.map(|(_, until)| until.saturating_sub(now.clock)),
        })
    };
    keys.iter().enumerate().map(key).collect()
}
