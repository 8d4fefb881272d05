//! Forgetting: records older than the retention, and blobs that no record refers to any more.
//!
//! Rows go in small batches, each a transaction of its own, so that the writer never waits long for its turn.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::SqliteConnection;

use crate::{
    answers::Answers,
    database::{Store, atomically},
    error::DatabaseError,
    media::Media,
    row::integer,
    writer::touch_after_ms,
};

/// Rows deleted in one transaction.
const ROWS: i64 = 500;

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub records: u64,
    pub blobs: u64,
}

#[derive(Clone)]
pub(crate) struct Retention {
    pub(crate) store: Arc<Store>,
    keep_ms: u64,
}

impl Retention {
    pub(crate) fn new(store: Arc<Store>, keep: Duration) -> Self {
        Self { store, keep_ms: u64::try_from(keep.as_millis()).unwrap_or(u64::MAX) }
    }

    pub(crate) async fn prune(&self, now_ms: u64) -> Result<Pruned, DatabaseError> {
        let oldest_ms = now_ms.saturating_sub(self.keep_ms);
        // A blob's last use is known to within this.
        let oldest_use_ms = oldest_ms.saturating_sub(touch_after_ms(self.keep_ms));
        let mut pruned = Pruned::default();
        loop {
            let deleted = delete_records(&mut *self.store.connection().await, integer(oldest_ms)).await?;
            pruned.records += deleted;
            if deleted == 0 {
                break;
            }
        }
        loop {
            let deleted = delete_blobs(&mut *self.store.connection().await, integer(oldest_use_ms)).await?;
            pruned.blobs += deleted;
            if deleted == 0 {
                break;
            }
        }
        Ok(pruned)
    }
}

async fn delete_records(connection: &mut SqliteConnection, oldest_ms: i64) -> sqlx::Result<u64> {
    const ATTEMPTS: &str =
        "DELETE FROM attempts WHERE record IN (SELECT id FROM records WHERE at_ms < ? ORDER BY at_ms, id LIMIT ?)";
    const OUTCOMES: &str =
        "DELETE FROM outcomes WHERE record IN (SELECT id FROM records WHERE at_ms < ? ORDER BY at_ms, id LIMIT ?)";
    const FEEDBACK: &str =
        "DELETE FROM feedback WHERE record IN (SELECT id FROM records WHERE at_ms < ? ORDER BY at_ms, id LIMIT ?)";
    const RECORDS: &str =
        "DELETE FROM records WHERE id IN (SELECT id FROM records WHERE at_ms < ? ORDER BY at_ms, id LIMIT ?)";
    atomically(connection, async |connection| {
        delete(connection, ATTEMPTS, oldest_ms).await?;
        delete(connection, OUTCOMES, oldest_ms).await?;
        delete(connection, FEEDBACK, oldest_ms).await?;
        delete(connection, RECORDS, oldest_ms).await
    })
    .await
}
async fn delete_blobs(connection: &mut SqliteConnection, oldest_ms: i64) -> sqlx::Result<u64> {
    delete(
        connection,
        "DELETE FROM blobs WHERE rowid IN (SELECT rowid FROM blobs WHERE used_ms < ? LIMIT ?)",
        oldest_ms,
    )
    .await
}

async fn delete(connection: &mut SqliteConnection, sql: &'static str, oldest_ms: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query(sql).bind(oldest_ms).bind(ROWS).execute(connection).await?;
    Ok(deleted.rows_affected())
}

/// Prunes and sweeps every `every`, until it is aborted.
pub(crate) async fn keep_house(retention: Retention, media: Media, answers: Answers, every: Duration) {
    // An interval of nothing would panic.
    let every = every.max(Duration::from_millis(1));
    let mut rounds = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    loop {
        rounds.tick().await;
        let now_ms = unix_ms();
        match retention.prune(now_ms).await {
            Ok(Pruned { records: 0, .. }) => {}
            Ok(Pruned { records, blobs }) => tracing::info!(records, blobs, "deleted what was kept long enough"),
            Err(error) => tracing::warn!(%error, "old records could not be deleted"),
        }
        if let Err(error) = media.sweep(now_ms).await {
            tracing::warn!(%error, "old pictures could not be deleted");
        }
        if let Err(error) = answers.prune(now_ms).await {
            tracing::warn!(%error, "old answers could not be deleted");
        }
    }
}

/// Milliseconds since 1970-01-01 UTC.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
