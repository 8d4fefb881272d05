use std::path::Path;

use domain::{
    attempt::{AttemptEnd, Charge, Journal as _},
    failure::FailureKind,
    money::MicroUsd,
    record::Outcome,
};
use sqlx::SqliteConnection;

use super::{batch::Batch, known::Known, *};
use crate::{Filter, Ledger, PromptPolicy, database, sample};

async fn open(dir: &Path) -> Ledger {
    Ledger::open(LedgerSettings::new(dir)).await.unwrap()
}

async fn record(ledger: &Ledger, number: u64) {
    ledger.slot().await.unwrap().record(sample::record(number));
}

/// A connection beside the ledger's own.
async fn beside(dir: &Path) -> SqliteConnection {
    database::connect(dir).await.unwrap()
}

async fn count(dir: &Path, what: &'static str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {what}"));
    sqlx::query_scalar(sql).fetch_one(&mut beside(dir).await).await.unwrap()
}

/// Takes the table of records away, so that nothing can be written.
async fn break_database(dir: &Path) {
    sqlx::query("ALTER TABLE records RENAME TO away").execute(&mut beside(dir).await).await.unwrap();
}

async fn mend_database(dir: &Path) {
    sqlx::query("ALTER TABLE away RENAME TO records").execute(&mut beside(dir).await).await.unwrap();
}

async fn until_it_fails(ledger: &Ledger) {
    let mut status = ledger.writer.status.clone();
    status.wait_for(|status| status.last_error.is_some()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_records_arrive_exactly_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Arc::new(open(dir.path()).await);
    let senders: Vec<_> = (0..4u64)
        .map(|sender| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move {
                for number in 0..2_500 {
                    let slot = ledger.slot().await.unwrap();
                    ledger.started(sample::started(sender * 2_500 + number, Some(50_000)));
                    slot.record(sample::record(sender * 2_500 + number));
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    ledger.flush().await;
    let status = ledger.status();
    assert_eq!((status.written, status.queued, status.duplicates, status.late), (10_000, 0, 0, 0));
    assert_eq!((status.dropped_attempts, status.last_error), (0, None));
    assert_eq!(count(dir.path(), "records").await, 10_000);
    assert_eq!(count(dir.path(), "attempts WHERE recorded").await, 10_000);
    assert_eq!(count(dir.path(), "attempts").await, 10_000);
    assert_eq!(count(dir.path(), "blobs").await, 3);
    let on_disk: i64 = sqlx::query_scalar("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        .fetch_one(&mut beside(dir.path()).await)
        .await
        .unwrap();
    assert!(on_disk / 10_000 < 2_500, "{} bytes a record with its attempt and all indexes", on_disk / 10_000);
}

#[tokio::test]
async fn a_second_record_for_one_id_is_refused_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    record(&ledger, 1).await;
    ledger.flush().await;
    let mut second = sample::record(1);
    second.outcome = Outcome::Failed;
    ledger.slot().await.unwrap().record(second.clone());
    record(&ledger, 2).await;
    record(&ledger, 2).await;
    ledger.flush().await;
    let status = ledger.status();
    assert_eq!((status.written, status.duplicates, status.queued), (2, 2, 0));
    let first = ledger.find(second.id).await.unwrap().expect("the first");
    assert_eq!(first.row.outcome, Outcome::Delivered);
    assert_eq!(count(dir.path(), "records").await, 2);
}

#[test]
fn a_killed_run_leaves_one_interrupted_record_for_each_request() {
    let dir = tempfile::tempdir().unwrap();
    let killed = tokio::runtime::Runtime::new().unwrap();
    killed.block_on(async {
        let ledger = open(dir.path()).await;
        record(&ledger, 1).await;
        ledger.started(sample::started(2, Some(90_000)));
        let failed = AttemptEnd::Failed { kind: FailureKind::Timeout, status: None, detail: "no answer".into() };
        ledger.ended(sample::id(3), &sample::attempt(1, failed, Charge::Possible(MicroUsd(7_000))));
        let mut second = sample::started(3, Some(5_000));
        (second.number, second.at_ms) = (2, sample::NOW_MS + 9_000);
        ledger.started(second);
        ledger.started(sample::started(4, None));
        ledger.flush().await;
        // Started again, and not heard of before the end.
        ledger.started(sample::started(1, Some(1)));
    });
    drop(killed);

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ledger = open(dir.path()).await;
        let interrupted = Filter { outcome: Some(Outcome::Interrupted), ..Filter::default() };
        let rows = ledger.list(&interrupted).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [4, 3, 2].map(sample::id));
        let costs: Vec<_> = rows.iter().map(|row| (row.cost_usd_micros, row.cost_is, row.attempts)).collect();
        assert_eq!(costs, [(0, "unknown", 1), (12_000, "possible", 2), (90_000, "possible", 1)]);
        assert_eq!((rows[1].at_ms, rows[1].latency_ms), (sample::NOW_MS + 3, 8_997));
        let stored = ledger.find(sample::id(3)).await.unwrap().expect("found");
        assert!(stored.trace.is_none() && stored.explanation().is_none());
        let ends: Vec<&str> = stored.attempts.iter().map(|attempt| attempt.ended).collect();
        assert_eq!(ends, ["timeout", "interrupted"]);
        ledger.close().await.unwrap();
        drop(ledger);
        let again = open(dir.path()).await;
        assert_eq!(again.list(&interrupted).await.unwrap().len(), 3);
    });
}

#[tokio::test]
async fn an_attempt_that_is_out_longer_than_a_batch_ends_in_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    ledger.started(sample::started(1, Some(90_000)));
    ledger.flush().await;
    assert_eq!(count(dir.path(), "attempts WHERE recorded = 0 AND ended IS NULL").await, 1);
    ledger.ended(sample::id(1), &sample::delivered());
    ledger.flush().await;
    assert_eq!(count(dir.path(), "attempts WHERE recorded = 0 AND ended = 'delivered'").await, 1);
    record(&ledger, 1).await;
    ledger.flush().await;
    assert_eq!(count(dir.path(), "attempts WHERE recorded = 1 AND cost_usd_micros = 41210").await, 1);
    // What comes late says nothing new.
    ledger.started(sample::started(1, Some(90_000)));
    ledger.flush().await;
    assert_eq!(count(dir.path(), "attempts WHERE recorded = 1 AND ended = 'delivered'").await, 1);
}

#[test]
fn an_attempt_that_is_over_within_its_batch_is_never_written_as_out() {
    let places = Arc::new(Semaphore::new(9));
    let place = || Arc::clone(&places).try_acquire_owned().unwrap();
    let known = Known::new(1);
    let mut batch = Batch::default();
    let mut add = |event| batch.add(event, PromptPolicy::Store, &known);
    add(Event::Started(sample::started(1, None), place()));
    add(Event::Started(sample::started(2, None), place()));
    add(Event::Ended(sample::id(2), sample::delivered(), place()));
    add(Event::Record(Box::new(sample::record(1)), place()));
    add(Event::Ended(sample::id(1), sample::delivered(), place()));
    assert_eq!(batch.open.keys().collect::<Vec<_>>(), [&sample::id(2)]);
    assert_eq!(batch.open[&sample::id(2)][0].ended, Some("delivered"));
    assert_eq!(batch.records[0].attempts.len(), 1);
    drop(batch);
    assert_eq!(places.available_permits(), 9);
}

#[tokio::test]
async fn what_cannot_be_written_is_kept_and_written_later() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    break_database(dir.path()).await;
    for number in 0..700 {
        record(&ledger, number).await;
    }
    until_it_fails(&ledger).await;
    let status = ledger.status();
    assert_eq!((status.queued, status.written), (700, 0));
    assert!(status.last_error.is_some_and(|error| error.contains("records")));
    mend_database(dir.path()).await;
    ledger.flush().await;
    let status = ledger.status();
    assert_eq!((status.queued, status.written, status.last_error), (0, 700, None));
    assert_eq!(count(dir.path(), "records").await, 700);
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_shows_at_admission() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(LedgerSettings { queue: 3, ..LedgerSettings::new(dir.path()) }).await.unwrap();
    // SQLite's own limit on a file's size gives the very error of a full disk.
    limit_pages(&ledger, 1).await;
    for number in 0..3 {
        let mut made = sample::record(number);
        made.trace.warnings = vec!["x".repeat(100_000)];
        ledger.slot().await.unwrap().record(made);
    }
    until_it_fails(&ledger).await;
    assert!(ledger.status().last_error.is_some_and(|error| error.contains("full")));
    assert_eq!(ledger.writer.slot_within(Duration::ZERO).await.err(), Some(QueueFull));
    limit_pages(&ledger, 1_000_000).await;
    ledger.flush().await;
    assert_eq!(ledger.status().written, 3);
    assert!(ledger.slot().await.is_ok());
}

async fn limit_pages(ledger: &Ledger, pages: u32) {
    let store = &ledger.retention.store;
    let sql = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(sql).execute(&mut *store.connection().await).await.unwrap();
}

#[tokio::test]
async fn a_place_is_free_again_when_its_request_gives_it_up_or_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(LedgerSettings { queue: 1, ..LedgerSettings::new(dir.path()) }).await.unwrap();
    drop(ledger.slot().await.unwrap());
    record(&ledger, 1).await;
    record(&ledger, 2).await;
    ledger.flush().await;
    assert_eq!(ledger.status().written, 2);
}

#[tokio::test]
async fn attempt_events_beyond_the_bound_are_counted_and_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(LedgerSettings { queue: 1, ..LedgerSettings::new(dir.path()) }).await.unwrap();
    // The writer has no turn on this one thread before the first await.
    for number in 0..ATTEMPTS_PER_SLOT as u64 + 5 {
        ledger.started(sample::started(number, None));
    }
    assert_eq!(ledger.status().dropped_attempts, 5);
    ledger.flush().await;
    ledger.started(sample::started(100, None));
    assert_eq!(ledger.status().dropped_attempts, 5);
}

#[tokio::test]
async fn closing_writes_what_is_queued_and_counts_what_comes_late() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    let late = ledger.slot().await.unwrap();
    for number in 0..1_000 {
        record(&ledger, number).await;
    }
    ledger.close().await.unwrap();
    assert_eq!(count(dir.path(), "records").await, 1_000);
    late.record(sample::record(5_000));
    assert_eq!((ledger.status().late, ledger.status().queued), (1, 0));
    ledger.close().await.unwrap();
    ledger.flush().await;
}

#[tokio::test]
async fn closing_on_a_broken_database_gives_up_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    break_database(dir.path()).await;
    record(&ledger, 1).await;
    record(&ledger, 2).await;
    let unwritten = ledger.close().await.unwrap_err();
    assert_eq!(unwritten.records, 2);
    assert!(unwritten.to_string().starts_with("2 records were not written: "), "{unwritten}");
}

#[tokio::test]
async fn a_dropped_ledger_still_writes_what_it_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    let mut status = ledger.writer.status.clone();
    record(&ledger, 1).await;
    drop(ledger);
    status.wait_for(|status| status.written == 1).await.unwrap();
    assert_eq!(count(dir.path(), "records").await, 1);
}
