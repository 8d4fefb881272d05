use std::fs;

use super::*;
use crate::{Ledger, LedgerSettings, sample};

fn settings(dir: &Path) -> LedgerSettings {
    LedgerSettings::new(dir)
}

async fn refusal(dir: &Path) -> OpenError {
    Ledger::open(settings(dir)).await.err().expect("refused")
}

#[tokio::test]
async fn a_missing_directory_is_made_for_its_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("deep/data");
    let ledger = Ledger::open(settings(&dir)).await.unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    }
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_second_process_on_one_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = Ledger::open(settings(dir.path())).await.unwrap();
    let error = refusal(dir.path()).await;
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--data")));
    first.close().await.unwrap();
    drop(first);
    Ledger::open(settings(dir.path())).await.unwrap();
}

#[tokio::test]
async fn a_file_in_the_place_of_the_directory_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("data");
    fs::write(&file, "no directory").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = refusal(&path).await;
        assert!(matches!(error, OpenError::NotADirectory { .. }), "{error:?}");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn a_ledger_of_a_newer_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(settings(dir.path())).await.unwrap();
    ledger.close().await.unwrap();
    drop(ledger);
    let mut connection = connect(dir.path()).await.unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (9, 'later', CURRENT_TIMESTAMP, true, x'00', 1)")
        .execute(&mut connection)
        .await
        .unwrap();
    for error in [refusal(dir.path()).await, Ledger::open_read_only(dir.path()).await.err().unwrap()] {
        assert!(
            matches!(error, OpenError::NewerSchema { found: 9, known, .. } if known == known_version()),
            "{error:?}"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("newer muxel")));
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(DATABASE), "not a database at all, but long enough to have a header".repeat(100))
        .unwrap();
    let error = refusal(dir.path()).await;
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[tokio::test]
async fn reading_needs_a_ledger_and_no_lock() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Ledger::open_read_only(dir.path()).await.err().unwrap();
    assert!(matches!(missing, OpenError::Missing { .. }), "{missing:?}");

    let ledger = Ledger::open(settings(dir.path())).await.unwrap();
    ledger.slot().await.unwrap().record(sample::record(1));
    ledger.flush().await;
    let beside_the_server = Ledger::open_read_only(dir.path()).await.unwrap();
    assert!(beside_the_server.find(sample::id(1)).await.unwrap().is_some());

    ledger.close().await.unwrap();
    drop(ledger);
    let after_the_server = Ledger::open_read_only(dir.path()).await.unwrap();
    assert!(after_the_server.find(sample::id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn no_column_is_made_for_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let mut connection = connect(dir.path()).await.unwrap();
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(columns.len(), 38 + 9 + 4 + 3 + 7 + 3 + 9 + 2 + 3 + 10 + 3);
    for column in columns {
        let suspicious = ["secret", "token", "hash", "auth", "password", "header", "body"];
        assert!(!suspicious.iter().any(|word| column.contains(word)), "{column}");
        // The configured name of a key is no secret; the key is.
        assert!(!column.contains("key") || column == "records.key_name", "{column}");
    }
}

#[tokio::test]
async fn what_is_durable_is_synced_and_the_rest_stays_quick() {
    let dir = tempfile::tempdir().unwrap();
    let mut connection = connect(dir.path()).await.unwrap();
    let level = async |connection: &mut SqliteConnection| -> sqlx::Result<i64> {
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(connection).await
    };
    run(&mut connection, "BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(durably(&mut connection, level).await.unwrap(), 2);
    assert_eq!(level(&mut connection).await.unwrap(), 1);
    durably(&mut connection, async |_| Err::<(), _>(sqlx::Error::RowNotFound)).await.unwrap_err();
    assert_eq!(level(&mut connection).await.unwrap(), 1);
}

#[tokio::test]
async fn a_transaction_that_was_left_open_does_not_block_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut connection = connect(dir.path()).await.unwrap();
    run(&mut connection, "BEGIN IMMEDIATE").await.unwrap();
    run(&mut connection, "INSERT INTO blobs VALUES ('prompt', x'01', x'02', 3)").await.unwrap();
    let blobs: i64 = atomically(&mut connection, async |connection| {
        sqlx::query_scalar("SELECT count(*) FROM blobs").fetch_one(connection).await
    })
    .await
    .unwrap();
    assert_eq!(blobs, 0);
}
