//! `POST /v1/decisions` explains without calling anyone; `GET /v1/decisions/{id}` tells what happened.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State as Shared, rejection::BytesRejection},
    response::{IntoResponse as _, Response},
};
use domain::attempt::DecisionId;
use http::HeaderMap;
use ledger::Stored;
use sandbox::Verdict;
use serde_json::{Map, Value, json};

use super::{
    auth::Key,
    error::ApiError,
    generations::{Wanted, whole},
    headers,
};
use crate::{pipeline, snapshot::Snapshot, state::State};

pub(super) async fn dry_run(
    Shared(state): Shared<Arc<State>>,
    Extension(key): Extension<Option<Arc<Key>>>,
    Extension(snapshot): Extension<Arc<Snapshot>>,
    request_headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let began = Instant::now();
    let wanted = whole(body, &snapshot).and_then(|body| Wanted::read(began, snapshot, key, &request_headers, body));
    let admitted = match wanted {
        Ok(wanted) => {
            // Only so many decide at once: a decision takes the processor for a moment, and no provider's time.
            let turn = state.dry_runs.acquire().await;
            wanted.admit(&state, Duration::ZERO, None).await.map(|admitted| (admitted, turn))
        }
        Err(error) => Err(error),
    };
    let (admitted, _turn) = match admitted {
        Ok(admitted) => admitted,
        Err(error) => {
            state.counts.refuse();
            return error.into_response();
        }
    };
    let run = pipeline::dry_run(&state, admitted).await;
    let mut body = object(json!(run.explanation));
    body.insert("id".to_owned(), json!(run.id.to_string()));
    body.insert("object".to_owned(), json!("decision"));
    body.insert("verdict".to_owned(), json!(verdict(&run.verdict)));
    if !run.weights.is_empty() {
        body.insert("weights".to_owned(), json!(run.weights));
    }
    if let Some(error) = &run.error {
        let told = json!({
            "status": error.status.as_u16(), "code": error.code, "message": error.message, "hint": error.hint,
        });
        body.insert("error".to_owned(), told);
    }
    let mut response = Json(body).into_response();
    headers::decision(response.headers_mut(), run.id);
    response
}

fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Go => "go",
        Verdict::Denied { .. } => "denied",
        Verdict::NoCandidate => "no-candidate",
        Verdict::PluginFailed { .. } => "plugin-failed",
    }
}

pub(super) async fn one(
    Shared(state): Shared<Arc<State>>,
    Extension(key): Extension<Option<Arc<Key>>>,
    Path(id): Path<String>,
) -> Response {
    match find(&state, key.as_deref(), &id).await {
        Ok(stored) => {
            let mut response = Json(describe(&stored)).into_response();
            headers::decision(response.headers_mut(), stored.row.id);
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn find(state: &State, key: Option<&Key>, id: &str) -> Result<Stored, ApiError> {
    let stored = read(state, id).await?;
    // Another tenant's decisions are as good as not there.
    if may_read(key, &stored) { Ok(stored) } else { Err(unknown(id)) }
}

pub(super) fn unknown(id: &str) -> ApiError {
    let shown: String = id.chars().take(60).collect();
    let message = format!("there is no decision `{shown}`");
    ApiError::with(404, "invalid_request_error", "decision_not_found", message)
        .hint("its id is in the answer's `x-muxel-decision` header; old records are deleted")
}

/// A record, whoever asks.
pub(super) async fn read(state: &State, id: &str) -> Result<Stored, ApiError> {
    let parsed: DecisionId = id.parse().map_err(|_| unknown(id))?;
    let stored = state.ledger.find(parsed).await.map_err(|error| {
        tracing::error!(%error, "cannot read a decision");
        ApiError::with(500, "server_error", "ledger_unreadable", "the audit log cannot be read")
    })?;
    stored.ok_or_else(|| unknown(id))
}

fn may_read(key: Option<&Key>, stored: &Stored) -> bool {
    match key {
        None => true,
        Some(key) if key.admin => true,
        Some(key) => {
            let same_tenant = key.tenant.is_some() && key.tenant == stored.row.tenant;
            same_tenant || stored.row.key.as_deref() == Some(&*key.name)
        }
    }
}

/// A record for people and programs: its line, its explanation, its attempts.
#[must_use]
pub fn describe(stored: &Stored) -> Value {
    let mut body = object(json!(stored.row));
    let prompt_digest = body.remove("prompt").unwrap_or(Value::Null);
    if let Some(explanation) = stored.explanation() {
        body.extend(object(json!(explanation)));
    }
    let prompt = stored.trace.as_ref().filter(|_| stored.prompt_kept).map(|trace| &*trace.decision.request.prompt);
    body.insert("object".to_owned(), json!("decision"));
    body.insert("prompt".to_owned(), json!(prompt));
    body.insert("prompt_digest".to_owned(), prompt_digest);
    body.insert("attempts".to_owned(), json!(stored.attempts));
    if let Some(trace) = &stored.trace {
        let request = &trace.decision.request;
        body.insert("size".to_owned(), json!(request.size));
        body.insert("n".to_owned(), json!(request.count));
        body.insert("quality".to_owned(), json!(request.quality.to_string()));
        body.insert("priority".to_owned(), json!(request.priority));
        body.insert("warnings".to_owned(), json!(trace.warnings));
    }
    Value::Object(body)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}
