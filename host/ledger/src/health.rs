//! How candidates were doing, over a restart. Opaque here: one text.

use sqlx::SqliteConnection;

use crate::{
    error::DatabaseError,
    row::{integer, unsigned},
};

/// Writes it in the place of the one before. Not on disk at once: losing it costs a slower start.
pub(crate) async fn set(connection: &mut SqliteConnection, saved: &[u8], at_ms: u64) -> Result<(), DatabaseError> {
    sqlx::query(
        "INSERT INTO health (one, saved, at_ms) VALUES (1, ?, ?) \
         ON CONFLICT (one) DO UPDATE SET saved = excluded.saved, at_ms = excluded.at_ms",
    )
    .bind(saved)
    .bind(integer(at_ms))
    .execute(connection)
    .await?;
    Ok(())
}

/// What was set last, and when.
pub(crate) async fn get(connection: &mut SqliteConnection) -> Result<Option<(Vec<u8>, u64)>, DatabaseError> {
    let found: Option<(Vec<u8>, i64)> =
        sqlx::query_as("SELECT saved, at_ms FROM health").fetch_optional(connection).await?;
    Ok(found.map(|(saved, at_ms)| (saved, unsigned(at_ms))))
}

#[cfg(test)]
mod tests {
    use crate::{Ledger, LedgerSettings};

    #[tokio::test]
    async fn the_last_one_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
        assert_eq!(ledger.health().await.unwrap(), None);
        ledger.set_health(b"first", 1).await.unwrap();
        ledger.set_health(b"second", 2).await.unwrap();
        ledger.close().await.unwrap();
        drop(ledger);
        let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
        assert_eq!(ledger.health().await.unwrap(), Some((b"second".to_vec(), 2)));
    }
}
