use std::{path::Path, time::Duration};

use super::*;
use crate::{Ledger, LedgerSettings, sample};

const DAY_MS: u64 = 86_400_000;
/// A plugin that the sample records name; its component is its own name.
const PLUGIN: &[u8] = b"hybrid";

async fn ledger(dir: &Path) -> Ledger {
    Ledger::open(LedgerSettings { retention: Duration::from_hours(8 * 24), ..LedgerSettings::new(dir) }).await.unwrap()
}

async fn keep_at(ledger: &Ledger, bytes: &[u8], now_ms: u64) -> Result<(), ComponentError> {
    keep(&ledger.retention.store, &ledger.reader, Digest::of(bytes), bytes.to_vec(), now_ms).await
}

async fn is_kept(ledger: &Ledger, bytes: &[u8]) -> bool {
    let kept = ledger.component(Digest::of(bytes)).await.unwrap();
    kept.is_some_and(|kept| kept == bytes)
}

async fn record(ledger: &Ledger, record: domain::record::Record) {
    ledger.slot().await.unwrap().record(record);
    ledger.flush().await;
}

#[tokio::test]
async fn a_component_lives_as_long_as_the_last_record_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    for component in [PLUGIN, b"watched", b"idle"] {
        keep_at(&ledger, component, sample::NOW_MS).await.unwrap();
    }
    // The second is too soon after the first to renew anything again.
    for number in [DAY_MS, DAY_MS + 1, 3 * DAY_MS] {
        record(&ledger, sample::record(number)).await;
    }
    let mut watching = sample::record(4 * DAY_MS);
    watching.trace.shadows = sample::trace_with_every_ending().shadows;
    watching.trace.decision.calls.clear();
    record(&ledger, watching).await;

    ledger.prune(sample::NOW_MS + 9 * DAY_MS + 1).await.unwrap();
    assert!(is_kept(&ledger, PLUGIN).await && is_kept(&ledger, b"watched").await);
    assert!(!is_kept(&ledger, b"idle").await, "no record names it");
    ledger.prune(sample::NOW_MS + 12 * DAY_MS).await.unwrap();
    assert!(is_kept(&ledger, PLUGIN).await, "its last record may be a day younger than is known");
    ledger.prune(sample::NOW_MS + 12 * DAY_MS + 1).await.unwrap();
    assert!(!is_kept(&ledger, PLUGIN).await && is_kept(&ledger, b"watched").await);
    ledger.prune(sample::NOW_MS + 13 * DAY_MS + 1).await.unwrap();
    assert!(!is_kept(&ledger, b"watched").await);
}

#[tokio::test]
async fn what_is_in_service_is_renewed_without_records() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    keep_at(&ledger, PLUGIN, sample::NOW_MS).await.unwrap();
    let unknown = Digest::of(b"unknown");
    let digests = [unknown, Digest::of(PLUGIN)];
    touch(&ledger.retention.store, &digests, sample::NOW_MS + 5 * DAY_MS).await.unwrap();
    // A clock that was put back takes nothing away.
    touch(&ledger.retention.store, &digests, sample::NOW_MS).await.unwrap();
    ledger.prune(sample::NOW_MS + 14 * DAY_MS).await.unwrap();
    assert!(is_kept(&ledger, PLUGIN).await);
    assert_eq!(ledger.component(unknown).await.unwrap(), None);
    ledger.touch_components(&digests).await.unwrap();
}

#[tokio::test]
async fn a_component_is_kept_across_a_restart_and_read_beside_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let first = ledger(dir.path()).await;
    let bytes = vec![7; 3 << 20];
    for _ in 0..2 {
        first.keep_component(Digest::of(&bytes), bytes.clone()).await.unwrap();
    }
    let beside = Ledger::open_read_only(dir.path()).await.unwrap();
    assert_eq!(beside.component(Digest::of(&bytes)).await.unwrap().as_ref(), Some(&bytes));
    first.close().await.unwrap();
    drop(first);
    assert!(is_kept(&ledger(dir.path()).await, &bytes).await);
}

#[tokio::test]
async fn damaged_bytes_are_refused_and_replaced_when_they_are_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    keep_at(&ledger, PLUGIN, sample::NOW_MS).await.unwrap();
    let digest = Digest::of(PLUGIN);
    let damage = sqlx::query("UPDATE blobs SET bytes = x'00' WHERE kind = 'component'");
    damage.execute(&mut *ledger.retention.store.connection().await).await.unwrap();
    let error = ledger.component(digest).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the kept component `{digest}` is damaged"));
    keep_at(&ledger, PLUGIN, sample::NOW_MS).await.unwrap();
    assert!(is_kept(&ledger, PLUGIN).await);
}

#[tokio::test]
async fn what_is_too_large_or_another_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    let other = ledger.keep_component(Digest::of(b"other"), PLUGIN.to_vec()).await.unwrap_err();
    assert!(matches!(other, ComponentError::Another { .. }), "{other}");
    let large = ledger.keep_component(Digest::of(PLUGIN), vec![0; MAX_COMPONENT + 1]).await.unwrap_err();
    assert!(matches!(large, ComponentError::TooLarge { .. }), "{large}");
    assert!(!is_kept(&ledger, b"other").await && !is_kept(&ledger, PLUGIN).await);
}

#[tokio::test]
async fn a_full_disk_refuses_a_component_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    let limit = async |pages: u32| {
        let sql = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::query(sql).execute(&mut *ledger.retention.store.connection().await).await.unwrap();
    };
    let bytes = vec![7; 1 << 20];
    // SQLite's own limit on a file's size gives the very error of a full disk; 60 pages are room for some records.
    limit(60).await;
    let full = keep_at(&ledger, &bytes, sample::NOW_MS).await.unwrap_err();
    assert!(matches!(&full, ComponentError::Database(error) if error.to_string().contains("full")), "{full:?}");
    assert_eq!(ledger.component(Digest::of(&bytes)).await.unwrap(), None);
    record(&ledger, sample::record(1)).await;
    assert_eq!((ledger.status().written, ledger.status().last_error), (1, None));
    limit(1_000_000).await;
    keep_at(&ledger, &bytes, sample::NOW_MS).await.unwrap();
    assert!(is_kept(&ledger, &bytes).await);
}
