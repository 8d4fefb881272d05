//! What a run that ended in the middle of requests leaves behind, settled at the next start.
//!
//! Its attempts went out, so somebody may have to pay: each request becomes one `interrupted` record with what they may
//! have cost. Only the process that holds the directory's lock does this, so nobody's live attempts are taken for dead.

use domain::attempt::{Charge, DecisionId};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    database::atomically,
    row::{COLUMN_COUNT, COLUMNS, Row, charge, unsigned},
};

/// What is known of an attempt whose request has no record.
#[derive(sqlx::FromRow)]
struct Orphan {
    record: Vec<u8>,
    at_ms: i64,
    latency_ms: Option<u32>,
    cost_usd_micros: i64,
    cost_is: String,
}

/// The orphans of one request.
struct Orphans {
    id: DecisionId,
    /// When the last thing was heard of it.
    last_ms: u64,
    charges: Vec<Charge>,
}

/// How many requests were interrupted.
pub(crate) async fn settle_interrupted(connection: &mut SqliteConnection) -> sqlx::Result<u64> {
    atomically(connection, async |connection| {
        let interrupted = orphans(connection).await?;
        let sql = format!("INSERT INTO records ({COLUMNS}) VALUES (?{})", ", ?".repeat(COLUMN_COUNT - 1));
        for orphans in &interrupted {
            let at_ms = orphans.id.unix_ms();
            let latency_ms = u32::try_from(orphans.last_ms.saturating_sub(at_ms)).unwrap_or(u32::MAX);
            let row = Row::interrupted(orphans.id, at_ms, latency_ms, &orphans.charges);
            row.bind(sqlx::query(AssertSqlSafe(sql.as_str()))).execute(&mut *connection).await?;
        }
        sqlx::query("UPDATE attempts SET recorded = 1 WHERE recorded = 0").execute(connection).await?;
        Ok(interrupted.len() as u64)
    })
    .await
}

async fn orphans(connection: &mut SqliteConnection) -> sqlx::Result<Vec<Orphans>> {
    let rows: Vec<Orphan> = sqlx::query_as(
        "SELECT record, at_ms, latency_ms, cost_usd_micros, cost_is FROM attempts \
         WHERE recorded = 0 AND NOT EXISTS (SELECT 1 FROM records WHERE id = record) ORDER BY record, number",
    )
    .fetch_all(connection)
    .await?;
    let mut requests: Vec<Orphans> = Vec::new();
    for row in rows {
        let id = DecisionId::from_bytes(row.record.try_into().unwrap_or_default());
        let heard_ms = unsigned(row.at_ms).saturating_add(u64::from(row.latency_ms.unwrap_or(0)));
        let charge =
            charge(&row.cost_is, row.cost_usd_micros).unwrap_or(Charge::Unknown(domain::money::MicroUsd::ZERO));
        match requests.last_mut().filter(|orphans| orphans.id == id) {
            Some(orphans) => {
                orphans.last_ms = orphans.last_ms.max(heard_ms);
                orphans.charges.push(charge);
            }
            None => requests.push(Orphans { id, last_ms: heard_ms, charges: vec![charge] }),
        }
    }
    Ok(requests)
}
