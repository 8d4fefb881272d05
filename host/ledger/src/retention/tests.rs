use std::path::Path;

use super::*;
use crate::{Filter, Ledger, LedgerSettings, sample};

const DAY_MS: u64 = 86_400_000;

async fn ledger(dir: &Path) -> Ledger {
    Ledger::open(LedgerSettings { retention: Duration::from_hours(8 * 24), ..LedgerSettings::new(dir) }).await.unwrap()
}

async fn record(ledger: &Ledger, number: u64) {
    ledger.slot().await.unwrap().record(sample::record(number));
}

async fn rows(ledger: &Ledger, table: &'static str) -> i64 {
    let mut connection = ledger.retention.store.connection().await;
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(sql).fetch_one(&mut *connection).await.unwrap()
}

#[tokio::test]
async fn old_records_go_with_their_attempts_and_young_ones_stay() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    for number in 0..1_200 {
        record(&ledger, number).await;
    }
    record(&ledger, DAY_MS).await;
    ledger.flush().await;

    let pruned = ledger.prune(sample::NOW_MS + 8 * DAY_MS + 1_200).await.unwrap();

    assert_eq!(pruned, Pruned { records: 1_200, blobs: 0 });
    assert_eq!((rows(&ledger, "records").await, rows(&ledger, "attempts").await), (1, 1));
    let left = ledger.list(&Filter::default()).await.unwrap();
    assert_eq!(left[0].id, sample::id(DAY_MS));
    assert_eq!(ledger.prune(sample::NOW_MS).await.unwrap(), Pruned::default());
}

#[tokio::test]
async fn a_prompt_lives_as_long_as_the_last_record_that_shares_it() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    // The second is too soon after the first for the prompt to be touched again.
    for number in [0, DAY_MS, 3 * DAY_MS] {
        record(&ledger, number).await;
        ledger.flush().await;
    }
    let pruned = ledger.prune(sample::NOW_MS + 11 * DAY_MS).await.unwrap();
    assert_eq!(pruned, Pruned { records: 2, blobs: 0 });
    assert!(ledger.find(sample::id(3 * DAY_MS)).await.unwrap().unwrap().prompt_kept);
    let pruned = ledger.prune(sample::NOW_MS + 12 * DAY_MS + 1).await.unwrap();
    assert_eq!(pruned, Pruned { records: 1, blobs: 3 });
    assert_eq!(rows(&ledger, "blobs").await, 0);
}

#[tokio::test]
async fn a_forgotten_prompt_is_kept_again() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    record(&ledger, 0).await;
    ledger.flush().await;
    ledger.prune(sample::NOW_MS + 20 * DAY_MS).await.unwrap();
    record(&ledger, 20 * DAY_MS).await;
    assert!(ledger.find(sample::id(20 * DAY_MS)).await.unwrap().unwrap().prompt_kept);
}

#[tokio::test]
async fn housekeeping_prunes_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let settings = LedgerSettings { housekeeping: Duration::from_millis(1), ..LedgerSettings::new(dir.path()) };
    let ledger = Ledger::open(settings).await.unwrap();
    let mut long_ago = sample::record(0);
    long_ago.at_ms = 0;
    ledger.slot().await.unwrap().record(long_ago);
    ledger.flush().await;
    while rows(&ledger, "records").await > 0 {
        tokio::task::yield_now().await;
    }
    ledger.close().await.unwrap();
}
