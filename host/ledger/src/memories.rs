//! What learners remember, and who may add to it.
//!
//! A memory and the number of the last outcome in it are one row: they change together or not at all, so no outcome is
//! lost or counted twice, whatever crashes. Only the holder of the lease may change them, and only from where they were
//! when it looked.
//!
//! Memories that strategies are given are kept by digest as well, for as long as a record names them: without them a
//! decision could not be made again.

use std::sync::Arc;

use domain::{
    digest::Digest,
    learning::{Memory, Scope},
};
use sqlx::{Row as _, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use crate::{
    database::{Store, atomically},
    error::{DatabaseError, ReadError},
    row::{integer, unsigned},
    writer::BlobKind,
};

/// The one lease there is.
const LEASE: &str = "learning";

/// What a learner remembers, with how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMemory {
    pub learner: Arc<str>,
    pub scope: Scope,
    pub memory: Memory,
    /// Outcomes up to this number are not learned again: it was emptied there.
    pub since: u64,
    /// The component that folded last. `None` for the gateway's own learner.
    pub component: Option<Digest>,
    /// Outcomes that are in it.
    pub folded: u64,
    /// Outcomes that it could not take.
    pub skipped: u64,
    /// Milliseconds since 1970-01-01 UTC when it last changed.
    pub at_ms: u64,
}

/// Takes or renews the lease. Returns whether `holder` has it now.
pub(crate) async fn lease(store: &Store, holder: &str, now_ms: u64, for_ms: u64) -> Result<bool, DatabaseError> {
    let mut connection = store.connection().await;
    let taken = sqlx::query(
        "INSERT INTO leases (name, holder, until_ms) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE \
         SET holder = excluded.holder, until_ms = excluded.until_ms WHERE holder = ?2 OR until_ms < ?4",
    )
    .bind(LEASE)
    .bind(holder)
    .bind(integer(now_ms.saturating_add(for_ms)))
    .bind(integer(now_ms))
    .execute(&mut *connection)
    .await?;
    Ok(taken.rows_affected() > 0)
}

/// Ends every lease.
pub(crate) async fn end_leases(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM leases").execute(connection).await.map(drop)
}

/// Puts `stored` in the place of `before`. Returns whether it was: not when somebody else holds the lease, or when it is no
/// longer as it was. `keep`: records may name it.
pub(crate) async fn put(
    store: &Store,
    stored: &StoredMemory,
    before: Option<&StoredMemory>,
    holder: &str,
    keep: bool,
) -> Result<bool, DatabaseError> {
    let mut connection = store.connection().await;
    let put = atomically(&mut connection, async |connection| {
        let changed = sqlx::query(
            "INSERT INTO memories (learner, scope, format, sequence, bytes, component, folded, skipped, at_ms, since) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?13 \
             WHERE EXISTS (SELECT 1 FROM leases WHERE name = ?10 AND holder = ?11 AND until_ms >= ?9) \
             AND coalesce((SELECT sequence || ' ' || folded || ' ' || skipped FROM memories \
                 WHERE learner = ?1 AND scope = ?2 AND format = ?3), '') = ?12 \
             ON CONFLICT (learner, scope, format) DO UPDATE SET sequence = excluded.sequence, bytes = excluded.bytes, \
             component = excluded.component, folded = excluded.folded, skipped = excluded.skipped, \
             at_ms = excluded.at_ms, since = excluded.since",
        )
        .bind(Arc::clone(&stored.learner))
        .bind(stored.scope.to_string())
        .bind(stored.memory.format)
        .bind(integer(stored.memory.sequence))
        .bind(&stored.memory.bytes[..])
        .bind(stored.component.as_ref().map(|digest| &digest.as_bytes()[..]))
        .bind(integer(stored.folded))
        .bind(integer(stored.skipped))
        .bind(integer(stored.at_ms))
        .bind(LEASE)
        .bind(holder)
        .bind(
            before.map_or_else(String::new, |known| {
                format!("{} {} {}", known.memory.sequence, known.folded, known.skipped)
            }),
        )
        .bind(integer(stored.since))
        .execute(&mut *connection)
        .await?;
        let changed = changed.rows_affected() > 0;
        if changed && keep {
            keep_bytes(connection, &stored.memory, stored.at_ms).await?;
        }
        Ok(changed)
    });
    Ok(put.await?)
}

async fn keep_bytes(connection: &mut SqliteConnection, memory: &Memory, now_ms: u64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO blobs (kind, digest, bytes, used_ms) VALUES (?, ?, ?, ?) ON CONFLICT (kind, digest) \
         DO UPDATE SET used_ms = max(used_ms, excluded.used_ms)",
    )
    .bind(BlobKind::Memory.word())
    .bind(&memory.digest.as_bytes()[..])
    .bind(&memory.bytes[..])
    .bind(integer(now_ms))
    .execute(connection)
    .await
    .map(drop)
}

/// Forgets what a learner remembers, in all scopes or in one: it learns again from what comes now, or from the start. What
/// it began with stays. Returns how many memories that were.
pub(crate) async fn reset(
    store: &Store,
    learner: &str,
    scope: Option<&Scope>,
    from_the_start: bool,
    now_ms: u64,
) -> Result<u64, DatabaseError> {
    let mut connection = store.connection().await;
    let reset = atomically(&mut connection, async |connection| {
        let newest: Option<i64> =
            sqlx::query_scalar("SELECT max(sequence) FROM outcomes").fetch_one(&mut *connection).await?;
        let sequence = if from_the_start { 0 } else { newest.unwrap_or(0) };
        sqlx::query(
            "UPDATE memories SET sequence = ?1, since = ?1, bytes = x'', folded = 0, skipped = 0, at_ms = ?2 \
             WHERE learner = ?3 AND (?4 IS NULL OR scope = ?4)",
        )
        .bind(sequence)
        .bind(integer(now_ms))
        .bind(learner)
        .bind(scope.map(Scope::to_string))
        .execute(connection)
        .await
    });
    Ok(reset.await?.rows_affected())
}

/// Every memory there is.
pub(crate) async fn all(pool: &SqlitePool) -> Result<Vec<StoredMemory>, ReadError> {
    let rows = sqlx::query(
        "SELECT learner, scope, format, sequence, bytes, component, folded, skipped, at_ms, since FROM memories \
         ORDER BY learner, scope, format",
    );
    let rows = rows.fetch_all(pool).await?;
    let stored: sqlx::Result<Vec<Option<StoredMemory>>> = rows.iter().map(stored).collect();
    Ok(stored?.into_iter().flatten().collect())
}

/// `None` for a scope that this program does not know.
fn stored(row: &SqliteRow) -> sqlx::Result<Option<StoredMemory>> {
    let scope: String = row.try_get("scope")?;
    let Some(scope) = Scope::parse(&scope) else { return Ok(None) };
    let component: Option<Vec<u8>> = row.try_get("component")?;
    let bytes: Vec<u8> = row.try_get("bytes")?;
    let learner: String = row.try_get("learner")?;
    Ok(Some(StoredMemory {
        learner: learner.into(),
        scope,
        memory: Memory::new(row.try_get("format")?, unsigned(row.try_get("sequence")?), bytes),
        since: unsigned(row.try_get("since")?),
        component: component.and_then(|bytes| bytes.try_into().ok()).map(Digest::from_bytes),
        folded: unsigned(row.try_get("folded")?),
        skipped: unsigned(row.try_get("skipped")?),
        at_ms: unsigned(row.try_get("at_ms")?),
    }))
}

#[cfg(test)]
mod tests;
