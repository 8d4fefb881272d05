//! What routes that only observe would have done: requests, their cost, and what the other choice was expected to cost.

use serde::Serialize;
use sqlx::{FromRow, SqlitePool};

use crate::{
    error::ReadError,
    row::{integer, unsigned},
    spend::Period,
};

/// Most lines of an answer: routes times models asked for times models chosen.
const MOST: u32 = 1_000;

/// Delivered requests that came the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedLine {
    pub route: Option<String>,
    /// What it looked like to the classifier.
    pub label: Option<String>,
    /// Who served.
    pub served: String,
    /// Who would have been chosen.
    pub observed: String,
    pub requests: u64,
    /// Of those whose other choice has a known price: only these can be compared.
    pub comparable: u64,
    /// What the comparable ones cost.
    pub cost_usd_micros: u64,
    /// What they were expected to cost with the other choice.
    pub observed_usd_micros: u64,
}

#[derive(FromRow)]
struct Sum {
    route: Option<String>,
    label: Option<String>,
    served: String,
    observed: String,
    requests: i64,
    comparable: i64,
    cost: f64,
    other: f64,
}

/// Where the one that served would have been chosen, its cost stands on both sides: an estimate that was off is no saving.
pub(crate) async fn read(pool: &SqlitePool, period: Period) -> Result<Vec<ObservedLine>, ReadError> {
    let sums: Vec<Sum> = sqlx::query_as(
        "SELECT route, label, served, observed, count(*) AS requests, count(observed_usd_micros) AS comparable, \
         total(CASE WHEN observed_usd_micros IS NOT NULL THEN cost_usd_micros END) AS cost, \
         total(CASE WHEN observed_usd_micros IS NOT NULL AND observed = served THEN cost_usd_micros \
         ELSE observed_usd_micros END) AS other FROM records \
         WHERE observed IS NOT NULL AND served IS NOT NULL AND at_ms >= ? AND at_ms < ? \
         GROUP BY route, label, served, observed ORDER BY requests DESC, 1, 2, 3, 4 LIMIT ?",
    )
    .bind(integer(period.since_ms))
    .bind(integer(period.until_ms))
    .bind(MOST)
    .fetch_all(pool)
    .await?;
    let line = |sum: Sum| ObservedLine {
        route: sum.route,
        label: sum.label,
        served: sum.served,
        observed: sum.observed,
        requests: unsigned(sum.requests),
        comparable: unsigned(sum.comparable),
        cost_usd_micros: sum.cost as u64,
        observed_usd_micros: sum.other as u64,
    };
    Ok(sums.into_iter().map(line).collect())
}
