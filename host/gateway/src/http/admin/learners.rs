//! `/admin/learners`: what learners remember, to look at, to take away and to empty.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State as Shared, rejection::QueryRejection},
};
use base64::Engine as _;
use domain::{expectation, learning::Scope};
use ledger::StoredMemory;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{http::error::ApiError, learning, state::State};

/// What the gateway's own learner is called in addresses.
const QUALITY: &str = "quality";

/// Which memories.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// `all`, `route:NAME`, `tenant:NAME`.
    scope: Option<String>,
    /// Learn again from everything that is still in the ledger.
    #[serde(default)]
    relearn: bool,
}

pub(super) async fn list(Shared(state): Shared<Arc<State>>) -> Result<Json<Value>, ApiError> {
    let memories = memories(&state).await?;
    Ok(Json(json!({"object": "list", "data": memories.iter().map(describe).collect::<Vec<_>>()})))
}

/// Everything about one learner, memories included.
pub(super) async fn one(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let scope = scope(which)?.0;
    let wanted = |stored: &&StoredMemory| {
        *stored.learner == *internal(&name) && scope.as_ref().is_none_or(|scope| stored.scope == *scope)
    };
    let memories = memories(&state).await?;
    let found: Vec<Value> = memories.iter().filter(wanted).map(export).collect();
    if found.is_empty() {
        return Err(unknown(&name));
    }
    let mut body = json!({"object": "learner", "name": name, "memories": found});
    if name == QUALITY {
        // In force, and in the form that `[learning] quality` reads.
        body["quality_toml"] = json!(expectation::write(&state.snapshot.load().learned.expectations));
    }
    Ok(Json(body))
}

pub(super) async fn reset(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let (scope, relearn) = scope(which)?;
    let emptied = state.ledger.reset_memory(internal(&name), scope.as_ref(), relearn).await;
    let emptied = emptied.map_err(|error| {
        tracing::error!(%error, "a memory cannot be emptied");
        ApiError::with(503, "server_error", "ledger_unwritable", "the memory could not be emptied")
    })?;
    if emptied == 0 {
        return Err(unknown(&name));
    }
    if let Err(error) = learning::round(&state).await {
        tracing::warn!(%error, "an emptied memory is not in service yet");
    }
    Ok(Json(json!({"object": "learner", "name": name, "emptied": emptied, "relearns": relearn})))
}

async fn memories(state: &State) -> Result<Vec<StoredMemory>, ApiError> {
    state.ledger.memories().await.map_err(|error| {
        tracing::error!(%error, "memories cannot be read");
        ApiError::with(500, "server_error", "ledger_unreadable", "what was learned cannot be read")
    })
}

fn scope(which: Result<Query<Which>, QueryRejection>) -> Result<(Option<Scope>, bool), ApiError> {
    let Query(which) = which.map_err(|rejection| {
        ApiError::invalid("query", rejection.body_text()).hint("`scope=route:default` and `relearn=true` may be asked")
    })?;
    let parsed = which.scope.map(|text| Scope::parse(&text).ok_or(text)).transpose();
    let scope = parsed.map_err(|text| {
        let shown: String = text.chars().take(60).collect();
        ApiError::invalid("scope", format!("`{shown}` is no scope"))
            .hint("write `all`, `route:NAME` or `tenant:NAME`; GET /admin/learners lists them")
    })?;
    Ok((scope, which.relearn))
}

fn internal(name: &str) -> &str {
    if name == QUALITY { learning::QUALITY } else { name }
}

fn shown(learner: &str) -> &str {
    if learner == learning::QUALITY { QUALITY } else { learner }
}

fn unknown(name: &str) -> ApiError {
    let shown: String = name.chars().take(60).collect();
    ApiError::with(404, "invalid_request_error", "learner_not_found", format!("`{shown}` has learned nothing yet"))
        .hint("GET /admin/learners lists who has")
}

fn describe(stored: &StoredMemory) -> Value {
    json!({
        "learner": shown(&stored.learner),
        "scope": stored.scope.to_string(),
        "format": stored.memory.format,
        "sequence": stored.memory.sequence,
        "folded": stored.folded,
        "skipped": stored.skipped,
        "bytes": stored.memory.bytes.len(),
        "digest": stored.memory.digest.to_string(),
        "component": stored.component.map(|digest| digest.to_string()),
        "at_ms": stored.at_ms,
    })
}

fn export(stored: &StoredMemory) -> Value {
    let mut body = describe(stored);
    body["memory_base64"] = json!(base64::engine::general_purpose::STANDARD.encode(&stored.memory.bytes));
    body
}
