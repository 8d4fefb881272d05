//! `GET /admin/observed?since=24h`: what routes that only observe would have chosen, and what it would have cost.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State as Shared, rejection::QueryRejection},
};
use serde_json::{Value, json};

use super::spend;
use crate::{
    http::error::ApiError,
    state::{State, unix_ms},
};

pub(super) async fn observed(
    Shared(state): Shared<Arc<State>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(parameters) = query.map_err(|_| ApiError::malformed("the query cannot be read"))?;
    let (period, _) = spend::read(&parameters, unix_ms())?;
    let lines = state.ledger.observed(period).await.map_err(|error| {
        tracing::error!(%error, "cannot add up what was observed");
        ApiError::with(500, "server_error", "ledger_unreadable", "the audit log cannot be read")
    })?;
    let sum = |of: fn(&ledger::ObservedLine) -> u64| lines.iter().map(of).fold(0, u64::saturating_add);
    let (cost, other) = (sum(|line| line.cost_usd_micros), sum(|line| line.observed_usd_micros));
    Ok(Json(json!({
        "object": "observed",
        "period": period,
        "requests": sum(|line| line.requests),
        "comparable": sum(|line| line.comparable),
        "cost_usd_micros": cost,
        "observed_usd_micros": other,
        // Negative where the other choices would have cost more.
        "saved_usd_micros": i128::from(cost) - i128::from(other),
        "data": lines,
    })))
}
