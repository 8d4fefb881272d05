//! What callers say of their pictures: once for each request, on disk before they are told so.

use std::sync::Arc;

use domain::attempt::DecisionId;
use sqlx::SqliteConnection;

use crate::{
    database::{Store, durably},
    error::DatabaseError,
    outcomes::{self, OutcomeRow, What},
    row::{integer, unsigned},
};

/// What is said of a delivered request.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    pub decision: DecisionId,
    /// Who served it.
    pub served: Arc<str>,
    pub verdict: Verdict,
}

/// How good it was.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// 0 to 1.
    Rated(f32),
    /// Better than what this model made of the same request.
    BetterThan(Arc<str>),
    /// Worse than what this model made of it.
    WorseThan(Arc<str>),
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It counts from now on, under this number.
    Now { sequence: u64 },
    /// Something was said of this request before, and that counts.
    Before { sequence: u64 },
}

pub(crate) async fn give(store: &Store, feedback: &Feedback, now_ms: u64) -> Result<Taken, DatabaseError> {
    let mut connection = store.connection().await;
    let taken = durably(&mut connection, async |connection| {
        let record = feedback.decision.to_bytes();
        let before: Option<i64> = sqlx::query_scalar("SELECT sequence FROM feedback WHERE record = ?")
            .bind(&record[..])
            .fetch_optional(&mut *connection)
            .await?;
        if let Some(before) = before {
            return Ok(Taken::Before { sequence: unsigned(before) });
        }
        let row = row(connection, feedback, now_ms).await?;
        let sql = format!("INSERT INTO outcomes ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", outcomes::COLUMNS);
        let query = OutcomeRow::bind(sqlx::query(sqlx::AssertSqlSafe(sql)), &&row);
        let sequence = query.execute(&mut *connection).await?.last_insert_rowid();
        sqlx::query("INSERT INTO feedback (record, sequence, at_ms) VALUES (?, ?, ?)")
            .bind(&record[..])
            .bind(sequence)
            .bind(integer(now_ms))
            .execute(connection)
            .await?;
        Ok(Taken::Now { sequence: unsigned(sequence) })
    });
    Ok(taken.await?)
}

/// The line of a verdict: it is about whoever did better.
async fn row(connection: &mut SqliteConnection, feedback: &Feedback, now_ms: u64) -> sqlx::Result<OutcomeRow> {
    let served = Arc::clone(&feedback.served);
    // The one that delivered is the last.
    let place: Option<u32> = sqlx::query_scalar(
        "SELECT place FROM outcomes WHERE record = ? AND kind = 'attempt' ORDER BY number DESC LIMIT 1",
    )
    .bind(&feedback.decision.to_bytes()[..])
    .fetch_optional(connection)
    .await?;
    let what = match &feedback.verdict {
        Verdict::Rated(rating) => What::Rated { model: served, rating: *rating },
        Verdict::BetterThan(other) => What::Preferred { model: served, other: Arc::clone(other) },
        Verdict::WorseThan(other) => What::Preferred { model: Arc::clone(other), other: served },
    };
    Ok(OutcomeRow { at_ms: now_ms, record: feedback.decision, place: place.unwrap_or(0), what })
}

#[cfg(test)]
mod tests;
