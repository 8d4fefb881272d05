//! Answers that may be asked for again: what requests with an idempotency key were told, for a day.
//!
//! Such a request is carried out once, whatever happens to this program meanwhile. Before anyone is asked, a row that says
//! `begun` is on disk; afterwards the answer is, first its file and then its row. So a row without an answer means that
//! nobody knows how it ended, and that it may have been charged; no row means that nothing was sent.
//!
//! Files have a bound together; beyond it the oldest are dropped. Their rows stay for the rest of the day: who asks again
//! is told that the answer is gone, and is not charged a second time.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::{attempt::DecisionId, digest::Digest, money::MicroUsd};
use sqlx::{AssertSqlSafe, FromRow, SqliteConnection, SqlitePool};

use crate::{
    database::{Store, atomically, durably},
    error::DatabaseError,
    row::{COLUMN_COUNT, COLUMNS, Row, integer, unsigned},
};

mod file;

/// How long an answer may be asked for again, counted from when its request arrived.
pub const KEEP_ANSWERS: Duration = Duration::from_hours(24);
/// What the smallest file takes on a usual disk.
const LEAST_BYTES: u64 = 4096;
/// Rows deleted in one transaction.
const ROWS: i64 = 500;

/// A request that is carried out once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once {
    /// Of whose key it is and of the key.
    pub name: Digest,
    /// Of what was asked.
    pub asks: Digest,
    pub decision: DecisionId,
    /// Milliseconds since 1970-01-01 UTC when it arrived.
    pub at_ms: u64,
}

/// What is known of a request that came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It was begun and not answered. `nothing_charged` when its record is whole and says so.
    Begun { nothing_charged: bool },
    /// Its answer, as it was given.
    Kept { head: Vec<u8>, body: Vec<u8> },
    /// It was answered, and the answer is gone.
    Dropped,
}

/// The answers of one data directory. Clones share them.
#[derive(Clone)]
pub struct Answers {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    most_bytes: u64,
    store: Arc<Store>,
    readers: SqlitePool,
}

#[derive(FromRow)]
struct AnswerRow {
    asks: Vec<u8>,
    decision: Vec<u8>,
    at_ms: i64,
    state: String,
    digest: Option<Vec<u8>>,
    nothing_charged: bool,
}

impl Answers {
    /// Settles what the last run left, and removes files that nothing names.
    pub(crate) async fn open(
        data: &Path,
        most_bytes: u64,
        store: Arc<Store>,
        readers: SqlitePool,
    ) -> Result<Self, OpenAnswersError> {
        let mut connection = store.connection().await;
        let settled = settle_begun(&mut connection).await?;
        if settled > 0 {
            tracing::warn!(settled, "the last run ended while it carried out requests with an idempotency key");
        }
        let kept: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT decision FROM answers WHERE state = 'kept'").fetch_all(&mut *connection).await?;
        drop(connection);
        let kept: HashSet<DecisionId> = kept.into_iter().map(decision).collect();
        let dir = file::open(data, |decision| kept.contains(&decision))?;
        Ok(Self { shared: Arc::new(Shared { dir, most_bytes, store, readers }) })
    }

    /// What came of the last request of this name, unless that was a day ago.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn find(&self, name: Digest, now_ms: u64) -> Result<Option<(Once, Known)>, DatabaseError> {
        const SQL: &str = "SELECT asks, decision, answers.at_ms, state, digest, \
             coalesce(outcome != 'interrupted' AND cost_is = 'none', false) AS nothing_charged \
             FROM answers LEFT JOIN records ON id = decision WHERE name = ?";
        let Shared { dir, readers, .. } = &*self.shared;
        let row: Option<AnswerRow> = sqlx::query_as(SQL).bind(&name.as_bytes()[..]).fetch_optional(readers).await?;
        let Some(row) = row else { return Ok(None) };
        let once = Once {
            name,
            asks: Digest::from_bytes(row.asks.try_into().unwrap_or_default()),
            decision: decision(row.decision),
            at_ms: unsigned(row.at_ms),
        };
        if once.at_ms < oldest_ms(now_ms) {
            self.free(once).await?;
            return Ok(None);
        }
        let known = match (row.state.as_str(), row.digest.and_then(|digest| digest.try_into().ok())) {
            ("begun", _) => Known::Begun { nothing_charged: row.nothing_charged },
            ("kept", Some(digest)) => {
                let read = file::read(dir.clone(), once.decision, Digest::from_bytes(digest)).await;
                read.map_or(Known::Dropped, |(head, body)| Known::Kept { head, body })
            }
            _ => Known::Dropped,
        };
        Ok(Some((once, known)))
    }

    /// Writes that somebody is about to be asked: on disk when this returns.
    ///
    /// # Errors
    ///
    /// When the database fails; then nobody may be asked.
    pub async fn begin(&self, once: Once) -> Result<(), DatabaseError> {
        let mut connection = self.shared.store.connection().await;
        Ok(durably(&mut connection, async |connection| put(connection, once, "begun", 0, None).await).await?)
    }

    /// Forgets a request: it may be carried out again.
    ///
    /// # Errors
    ///
    /// When the database fails; then its name stays taken.
    pub async fn free(&self, once: Once) -> Result<(), DatabaseError> {
        let mut connection = self.shared.store.connection().await;
        let deleted = atomically(&mut connection, async |connection| {
            sqlx::query("DELETE FROM answers WHERE name = ? AND decision = ?")
                .bind(&once.name.as_bytes()[..])
                .bind(&once.decision.to_bytes()[..])
                .execute(connection)
                .await
        });
        deleted.await?;
        drop(connection);
        file::remove(self.shared.dir.clone(), vec![once.decision]).await;
        Ok(())
    }

    /// See [`Ledger::keep_answer`](crate::Ledger::keep_answer).
    pub(crate) async fn keep(
        &self,
        once: Once,
        head: Vec<u8>,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<(), DatabaseError> {
        let Shared { dir, most_bytes, store, .. } = &*self.shared;
        let bytes = file::length(&head, body.as_ref()).max(LEAST_BYTES);
        let digest = if bytes > *most_bytes { None } else { file::write(dir.clone(), once.decision, head, body).await };
        let mut connection = store.connection().await;
        let kept = durably(&mut connection, async |connection| {
            let Some(digest) = digest else {
                put(connection, once, "dropped", 0, None).await?;
                return Ok(Vec::new());
            };
            put(connection, once, "kept", bytes, Some(digest)).await?;
            make_room(connection, *most_bytes).await
        });
        let kept = kept.await;
        drop(connection);
        // What no row names must not take room either.
        let unnamed = kept.as_ref().map_or_else(|_| vec![once.decision], Vec::clone);
        file::remove(dir.clone(), unnamed).await;
        Ok(kept.map(|_| ())?)
    }

    /// Deletes what may no longer be asked for, and says how much that was. Also done with the ledger's housekeeping.
    ///
    /// # Errors
    ///
    /// When the database fails; what was deleted before stays deleted.
    pub async fn prune(&self, now_ms: u64) -> Result<u64, DatabaseError> {
        let mut pruned = 0;
        loop {
            let mut connection = self.shared.store.connection().await;
            let deleted: Vec<Vec<u8>> = sqlx::query_scalar(
                "DELETE FROM answers WHERE name IN (SELECT name FROM answers WHERE at_ms < ? LIMIT ?) RETURNING decision",
            )
            .bind(integer(oldest_ms(now_ms)))
            .bind(ROWS)
            .fetch_all(&mut *connection)
            .await?;
            drop(connection);
            if deleted.is_empty() {
                return Ok(pruned);
            }
            pruned += deleted.len() as u64;
            file::remove(self.shared.dir.clone(), deleted.into_iter().map(decision).collect()).await;
        }
    }
}

/// Why the answers could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenAnswersError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Files(#[from] std::io::Error),
}

fn oldest_ms(now_ms: u64) -> u64 {
    now_ms.saturating_sub(KEEP_ANSWERS.as_millis() as u64)
}

fn decision(bytes: Vec<u8>) -> DecisionId {
    DecisionId::from_bytes(bytes.try_into().unwrap_or_default())
}

async fn put(
    connection: &mut SqliteConnection,
    once: Once,
    state: &'static str,
    bytes: u64,
    digest: Option<Digest>,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO answers (name, asks, decision, at_ms, state, bytes, digest) VALUES (?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (name) DO UPDATE SET asks = excluded.asks, decision = excluded.decision, at_ms = excluded.at_ms, \
         state = excluded.state, bytes = excluded.bytes, digest = excluded.digest",
    )
    .bind(&once.name.as_bytes()[..])
    .bind(&once.asks.as_bytes()[..])
    .bind(&once.decision.to_bytes()[..])
    .bind(integer(once.at_ms))
    .bind(state)
    .bind(integer(bytes))
    .bind(digest.as_ref().map(|digest| &digest.as_bytes()[..]))
    .execute(connection)
    .await
    .map(|_| ())
}

/// Drops the oldest answers until the rest takes at most `most_bytes`, and says which those were.
async fn make_room(connection: &mut SqliteConnection, most_bytes: u64) -> sqlx::Result<Vec<DecisionId>> {
    let kept: i64 = sqlx::query_scalar("SELECT coalesce(sum(bytes), 0) FROM answers WHERE state = 'kept'")
        .fetch_one(&mut *connection)
        .await?;
    let mut over = unsigned(kept).saturating_sub(most_bytes);
    let mut dropped = Vec::new();
    while over > 0 {
        let oldest: Option<(Vec<u8>, Vec<u8>, i64)> = sqlx::query_as(
            "SELECT name, decision, bytes FROM answers WHERE state = 'kept' ORDER BY at_ms, bytes, name LIMIT 1",
        )
        .fetch_optional(&mut *connection)
        .await?;
        let Some((name, id, bytes)) = oldest else { break };
        sqlx::query("UPDATE answers SET state = 'dropped', bytes = 0, digest = NULL WHERE name = ?")
            .bind(name)
            .execute(&mut *connection)
            .await?;
        over = over.saturating_sub(unsigned(bytes));
        dropped.push(decision(id));
    }
    Ok(dropped)
}

/// Gives each request that the last run had begun, and of which no attempt got into the ledger, its one record: its call may
/// have gone out in the last moment. Those with attempts have theirs already.
async fn settle_begun(connection: &mut SqliteConnection) -> sqlx::Result<u64> {
    atomically(connection, async |connection| {
        let begun: Vec<(Vec<u8>, i64)> = sqlx::query_as(
            "SELECT decision, at_ms FROM answers WHERE state = 'begun' \
             AND NOT EXISTS (SELECT 1 FROM records WHERE id = decision)",
        )
        .fetch_all(&mut *connection)
        .await?;
        let sql = format!("INSERT INTO records ({COLUMNS}) VALUES (?{})", ", ?".repeat(COLUMN_COUNT - 1));
        let unknown = domain::attempt::Charge::Unknown(MicroUsd::ZERO);
        let settled = begun.len() as u64;
        for (id, at_ms) in begun {
            let row = Row { attempts: 0, ..Row::interrupted(decision(id), unsigned(at_ms), 0, &[unknown]) };
            row.bind(sqlx::query(AssertSqlSafe(sql.as_str()))).execute(&mut *connection).await?;
        }
        Ok(settled)
    })
    .await
}

#[cfg(test)]
mod tests;
