//! What the sandbox remembers of plugins over a restart. Opaque here: one text for each name.

use sqlx::SqliteConnection;

use crate::{
    database::durably,
    error::{DatabaseError, StateError},
    row::integer,
};

/// Longest state of one plugin, in bytes.
pub const MAX_STATE: usize = 64 << 10;
/// Most plugins of which a state is kept.
const MOST: u32 = 1024;

/// Writes one plugin's state, on disk when this returns.
pub(crate) async fn set(
    connection: &mut SqliteConnection,
    name: &str,
    state: &str,
    at_ms: u64,
) -> Result<(), StateError> {
    if state.len() > MAX_STATE {
        return Err(StateError::TooLarge { plugin: name.to_owned(), bytes: state.len(), limit: MAX_STATE });
    }
    let written = durably(connection, async |connection| {
        sqlx::query(
            "INSERT INTO plugins (name, state, at_ms) SELECT ?1, ?2, ?3 \
             WHERE (SELECT count(*) FROM plugins) < ?4 OR EXISTS (SELECT 1 FROM plugins WHERE name = ?1) \
             ON CONFLICT (name) DO UPDATE SET state = excluded.state, at_ms = excluded.at_ms",
        )
        .bind(name)
        .bind(state)
        .bind(integer(at_ms))
        .bind(MOST)
        .execute(connection)
        .await
    });
    match written.await.map_err(DatabaseError)?.rows_affected() {
        0 => Err(StateError::TooMany { plugin: name.to_owned(), limit: MOST }),
        _ => Ok(()),
    }
}

/// Name and state of every plugin that has one, by name.
pub(crate) async fn all(connection: &mut SqliteConnection) -> Result<Vec<(String, String)>, DatabaseError> {
    Ok(sqlx::query_as("SELECT name, state FROM plugins ORDER BY name").fetch_all(connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ledger, LedgerSettings};

    #[tokio::test]
    async fn the_last_state_of_each_plugin_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
        assert_eq!(ledger.plugin_states().await.unwrap(), []);
        ledger.set_plugin_state("mine", "{}", 1).await.unwrap();
        ledger.set_plugin_state("hybrid", r#"{"disabled": true}"#, 2).await.unwrap();
        ledger.set_plugin_state("mine", r#"{"version": 3}"#, 3).await.unwrap();
        ledger.close().await.unwrap();
        drop(ledger);
        let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
        let expected = [("hybrid", r#"{"disabled": true}"#), ("mine", r#"{"version": 3}"#)];
        let expected = expected.map(|(name, state)| (name.to_owned(), state.to_owned()));
        assert_eq!(ledger.plugin_states().await.unwrap(), expected);
    }

    #[tokio::test]
    async fn states_are_bounded_in_size_and_number() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
        let large = ledger.set_plugin_state("mine", &"x".repeat(MAX_STATE + 1), 1).await.unwrap_err();
        assert!(matches!(large, StateError::TooLarge { .. }), "{large}");
        ledger.set_plugin_state("mine", &"x".repeat(MAX_STATE), 1).await.unwrap();
        let fill = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
                    INSERT INTO plugins SELECT 'plugin-' || i, '{}', i FROM n";
        let mut connection = ledger.retention.store.connection().await;
        sqlx::query(fill).bind(MOST).execute(&mut *connection).await.unwrap();
        drop(connection);
        let many = ledger.set_plugin_state("one-more", "{}", 1).await.unwrap_err();
        assert!(matches!(many, StateError::TooMany { .. }), "{many}");
        ledger.set_plugin_state("mine", "{}", 2).await.unwrap();
        assert_eq!(ledger.plugin_states().await.unwrap().len(), MOST as usize);
    }
}
