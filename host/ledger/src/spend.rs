//! What was spent: sums over the records and attempts of a period.
//!
//! Dry runs cost nothing and are left out. A request belongs to the moment it arrived, with all its attempts.
//!
//! By tenant, key, route or strategy, a line has whole requests. By provider or model, its cost is that of the attempts
//! made there, so a request that fell over counts in several lines, and `delivered` is who made the picture. Either way
//! the costs of all lines add up to the total, in which every request counts once.
//!
//! Sums are taken as 64-bit floats, which hold whole micro-dollars exactly up to nine billion dollars and never overflow.

use std::{collections::BTreeMap, fmt, str::FromStr};

use domain::attempt::DecisionId;
use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow};

use crate::{error::ReadError, read::Reader, row::integer};

/// A span of time, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Period {
    /// The first moment of it.
    pub since_ms: u64,
    /// The first moment after it.
    pub until_ms: u64,
}

/// What the lines of a spend are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    #[default]
    Provider,
    /// `provider/model`, all tiers together.
    Model,
    Tenant,
    Key,
    Route,
    Strategy,
}

/// Money and requests of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SpendLine {
    /// `None` for requests that have none, such as requests without a tenant.
    pub name: Option<String>,
    pub requests: u64,
    pub delivered: u64,
    /// The sum of the three parts that follow.
    pub cost_usd_micros: u64,
    /// As providers reported it.
    pub reported_usd_micros: u64,
    /// Where providers do not say: as it was estimated.
    pub estimated_usd_micros: u64,
    /// What failed attempts may have cost, at most.
    pub possible_usd_micros: u64,
    /// Attempts that cost something that nobody knows.
    pub unknown_charges: u64,
    /// What delivered requests were expected to cost, where that was known.
    pub estimate_usd_micros: u64,
    /// Delivered requests that can be compared with a baseline.
    pub compared: u64,
    /// What those would have cost there.
    pub baseline_usd_micros: u64,
    /// What they cost.
    pub compared_cost_usd_micros: u64,
    /// The difference; `None` when nothing can be compared. Negative when the baseline would have been cheaper.
    pub savings_usd_micros: Option<i64>,
}

/// How far a cost model is off, over the requests whose provider reported the cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bias {
    pub cost_model: String,
    pub requests: u64,
    pub estimate_usd_micros: u64,
    pub actual_usd_micros: u64,
    /// Actual less estimate: positive when it estimates too low.
    pub bias_usd_micros: i64,
    /// For each request.
    pub mean_usd_micros: f64,
    /// Of the estimates: 0.1 is a tenth too low. `None` when they come to nothing.
    pub share: Option<f64>,
}

/// What was spent in a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spend {
    pub by: Grouping,
    #[serde(flatten)]
    pub period: Period,
    /// When the oldest record arrived that there still is.
    pub oldest_ms: Option<u64>,
    /// Dearest first.
    pub data: Vec<SpendLine>,
    pub total: SpendLine,
    pub cost_models: Vec<Bias>,
}

impl Grouping {
    pub const ALL: [Self; 6] = [Self::Provider, Self::Model, Self::Tenant, Self::Key, Self::Route, Self::Strategy];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Tenant => "tenant",
            Self::Key => "key",
            Self::Route => "route",
            Self::Strategy => "strategy",
        }
    }

    /// What a record is grouped by: for a provider and a model, of the candidate that delivered.
    fn of_record(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Model => {
                "CASE instr(served, '@') WHEN 0 THEN served ELSE substr(served, 1, instr(served, '@') - 1) END"
            }
            Self::Tenant => "tenant",
            Self::Key => "key_name",
            Self::Route => "route",
            Self::Strategy => "strategy",
        }
    }

    /// What an attempt is grouped by, where records are not enough.
    fn of_attempt(self) -> Option<&'static str> {
        match self {
            Self::Provider => Some("substr(candidate, 1, instr(candidate, '/') - 1)"),
            Self::Model => Some(
                "CASE instr(candidate, '@') WHEN 0 THEN candidate ELSE substr(candidate, 1, instr(candidate, '@') - 1) END",
            ),
            Self::Tenant | Self::Key | Self::Route | Self::Strategy => None,
        }
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no [`Grouping`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of provider, model, tenant, key, route, strategy")]
pub struct NotAGrouping(String);

impl FromStr for Grouping {
    type Err = NotAGrouping;

    fn from_str(word: &str) -> Result<Self, NotAGrouping> {
        let known = Self::ALL.into_iter().find(|grouping| grouping.word() == word);
        known.ok_or_else(|| NotAGrouping(word.chars().take(40).collect()))
    }
}

/// Sums over records.
#[derive(FromRow)]
struct RecordSums {
    name: Option<String>,
    requests: i64,
    delivered: i64,
    reported: f64,
    estimated: f64,
    possible: f64,
    unknown: f64,
    estimate: f64,
    compared: i64,
    baseline: f64,
    compared_cost: f64,
}

/// Sums over attempts.
#[derive(FromRow)]
struct AttemptSums {
    name: String,
    requests: i64,
    reported: f64,
    estimated: f64,
    possible: f64,
    unknown: i64,
}

#[derive(FromRow)]
struct BiasSums {
    cost_model: String,
    requests: i64,
    estimate: f64,
    actual: f64,
}

/// Records that can be compared with their baseline.
const COMPARED: &str = "outcome = 'delivered' AND cost_is <> 'unknown' AND baseline_usd_micros IS NOT NULL";

impl Reader {
    /// What was spent in a period.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn spend(&self, period: Period, by: Grouping) -> Result<Spend, ReadError> {
        let groups = self.record_sums(period, by).await?;
        let mut total = SpendLine::default();
        groups.iter().for_each(|group| total.add(group));
        let mut data: Vec<SpendLine> = match by.of_attempt() {
            None => groups.iter().map(SpendLine::of).collect(),
            Some(name) => {
                let mut lines: BTreeMap<String, SpendLine> = BTreeMap::new();
                for group in groups {
                    // Nobody served these: what was tried is among the attempts.
                    let Some(name) = group.name.clone() else { continue };
                    lines.insert(name, SpendLine::of(&group).without_cost());
                }
                for sums in self.attempt_sums(period, name).await? {
                    lines.entry(sums.name.clone()).or_default().charge(&sums);
                }
                lines.into_values().collect()
            }
        };
        data.sort_by(|a, b| b.cost_usd_micros.cmp(&a.cost_usd_micros).then_with(|| a.name.cmp(&b.name)));
        let oldest: Option<i64> = sqlx::query_scalar("SELECT min(at_ms) FROM records").fetch_one(self.pool()).await?;
        let oldest_ms = oldest.map(|ms| u64::try_from(ms).unwrap_or(0));
        Ok(Spend { by, period, oldest_ms, data, total, cost_models: self.biases(period).await? })
    }

    async fn record_sums(&self, period: Period, by: Grouping) -> sqlx::Result<Vec<RecordSums>> {
        let sql = format!(
            "SELECT {name} AS name, count(*) AS requests, count(*) FILTER (WHERE outcome = 'delivered') AS delivered, \
             total(reported_usd_micros) AS reported, total(estimated_usd_micros) AS estimated, \
             total(possible_usd_micros) AS possible, total(unknown_charges) AS unknown, \
             total(served_estimate_usd_micros) FILTER (WHERE outcome = 'delivered') AS estimate, \
             count(*) FILTER (WHERE {COMPARED}) AS compared, \
             total(baseline_usd_micros) FILTER (WHERE {COMPARED}) AS baseline, \
             total(cost_usd_micros) FILTER (WHERE {COMPARED}) AS compared_cost \
             FROM records INDEXED BY records_by_spend \
             WHERE at_ms >= ? AND at_ms < ? AND outcome <> 'dry-run' GROUP BY 1",
            name = by.of_record(),
        );
        let query = sqlx::query_as(AssertSqlSafe(sql));
        query.bind(integer(period.since_ms)).bind(integer(period.until_ms)).fetch_all(self.pool()).await
    }

    /// Attempts lie in the order of their requests' ids, which begin with the moment of the request.
    async fn attempt_sums(&self, period: Period, name: &str) -> sqlx::Result<Vec<AttemptSums>> {
        let of = |kind: &str| format!("total(cost_usd_micros) FILTER (WHERE cost_is = '{kind}')");
        let sql = format!(
            "SELECT {name} AS name, count(DISTINCT record) AS requests, {reported} AS reported, \
             {estimated} AS estimated, {possible} AS possible, count(*) FILTER (WHERE cost_is = 'unknown') AS unknown \
             FROM attempts WHERE record >= ? AND record < ? AND recorded = 1 GROUP BY 1",
            reported = of("reported"),
            estimated = of("estimated"),
            possible = of("possible"),
        );
        let query = sqlx::query_as(AssertSqlSafe(sql));
        query.bind(first_id(period.since_ms)).bind(first_id(period.until_ms)).fetch_all(self.pool()).await
    }

    async fn biases(&self, period: Period) -> sqlx::Result<Vec<Bias>> {
        let sums: Vec<BiasSums> = sqlx::query_as(
            "SELECT cost_model, count(*) AS requests, total(served_estimate_usd_micros) AS estimate, \
             total(served_cost_usd_micros) AS actual FROM records INDEXED BY records_by_spend \
             WHERE at_ms >= ? AND at_ms < ? AND served_cost_is = 'reported' AND cost_model IS NOT NULL \
             AND served_estimate_usd_micros IS NOT NULL GROUP BY cost_model ORDER BY cost_model",
        )
        .bind(integer(period.since_ms))
        .bind(integer(period.until_ms))
        .fetch_all(self.pool())
        .await?;
        Ok(sums.into_iter().map(Bias::of).collect())
    }
}

impl SpendLine {
    fn of(sums: &RecordSums) -> Self {
        let mut line = Self { name: sums.name.clone(), ..Self::default() };
        line.add(sums);
        line
    }

    fn add(&mut self, sums: &RecordSums) {
        self.requests += count(sums.requests);
        self.delivered += count(sums.delivered);
        self.add_cost(sums.reported, sums.estimated, sums.possible);
        self.unknown_charges += sums.unknown as u64;
        self.estimate_usd_micros = self.estimate_usd_micros.saturating_add(sums.estimate as u64);
        self.compared += count(sums.compared);
        self.baseline_usd_micros = self.baseline_usd_micros.saturating_add(sums.baseline as u64);
        self.compared_cost_usd_micros = self.compared_cost_usd_micros.saturating_add(sums.compared_cost as u64);
        let savings = integer(self.baseline_usd_micros).saturating_sub(integer(self.compared_cost_usd_micros));
        self.savings_usd_micros = (self.compared > 0).then_some(savings);
    }

    fn add_cost(&mut self, reported: f64, estimated: f64, possible: f64) {
        self.reported_usd_micros = self.reported_usd_micros.saturating_add(reported as u64);
        self.estimated_usd_micros = self.estimated_usd_micros.saturating_add(estimated as u64);
        self.possible_usd_micros = self.possible_usd_micros.saturating_add(possible as u64);
        let parts = [self.reported_usd_micros, self.estimated_usd_micros, self.possible_usd_micros];
        self.cost_usd_micros = parts.into_iter().fold(0, u64::saturating_add);
    }

    /// Only what is known of those who delivered: the money follows from the attempts.
    fn without_cost(self) -> Self {
        let Self { name, delivered, estimate_usd_micros, .. } = self;
        let Self { compared, baseline_usd_micros, compared_cost_usd_micros, savings_usd_micros, .. } = self;
        Self {
            name,
            delivered,
            estimate_usd_micros,
            compared,
            baseline_usd_micros,
            compared_cost_usd_micros,
            savings_usd_micros,
            ..Self::default()
        }
    }

    fn charge(&mut self, sums: &AttemptSums) {
        self.name = Some(sums.name.clone());
        self.requests = count(sums.requests);
        self.add_cost(sums.reported, sums.estimated, sums.possible);
        self.unknown_charges = count(sums.unknown);
    }
}

impl Bias {
    fn of(sums: BiasSums) -> Self {
        let bias = sums.actual - sums.estimate;
        Self {
            cost_model: sums.cost_model,
            requests: count(sums.requests),
            estimate_usd_micros: sums.estimate as u64,
            actual_usd_micros: sums.actual as u64,
            bias_usd_micros: bias as i64,
            mean_usd_micros: bias / sums.requests.max(1) as f64,
            share: (sums.estimate > 0.0).then(|| bias / sums.estimate),
        }
    }
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}

/// The first id of a moment.
fn first_id(ms: u64) -> Vec<u8> {
    /// Where a moment's 48 bits end.
    const MOST: u64 = (1 << 48) - 1;
    DecisionId::new(ms.min(MOST), 0).to_bytes().to_vec()
}

#[cfg(test)]
mod tests;
