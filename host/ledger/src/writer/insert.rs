//! Rows into tables, many with one statement.
//!
//! The statements come in a few fixed lengths, so that each is prepared once and SQLite never parses again: the rows of
//! a batch are cut into pieces of those lengths.

use std::sync::{Arc, LazyLock};

use domain::{attempt::DecisionId, digest::Digest};
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::batch::{AttemptRow, Batch, BlobKind, BlobRow, RecordRow};
use crate::{
    components,
    database::atomically,
    outcomes::{self, OutcomeRow},
    row::{COLUMN_COUNT, COLUMNS, integer},
};

/// Rows in one statement: the largest that fits is taken, down to one.
const LENGTHS: [usize; 4] = [64, 16, 4, 1];

struct Insert([(usize, Arc<str>); 4]);

static RECORDS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        &format!("INSERT INTO records ({COLUMNS}, trace, judgement, observed, observed_usd_micros)"),
        COLUMN_COUNT + 4,
        "",
    )
});

/// What belongs to a record already stays as it is.
static ATTEMPTS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "INSERT INTO attempts \
         (record, number, candidate, at_ms, latency_ms, ended, cost_usd_micros, cost_is, recorded)",
        9,
        "ON CONFLICT (record, number) DO UPDATE SET latency_ms = excluded.latency_ms, ended = excluded.ended, \
         cost_usd_micros = excluded.cost_usd_micros, cost_is = excluded.cost_is, recorded = excluded.recorded \
         WHERE attempts.recorded = 0",
    )
});

/// Numbered by the database, in this order.
static OUTCOMES: LazyLock<Insert> =
    LazyLock::new(|| Insert::new(&format!("INSERT INTO outcomes ({})", outcomes::COLUMNS), outcomes::COLUMN_COUNT, ""));

static BLOBS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "INSERT INTO blobs (kind, digest, bytes, used_ms)",
        4,
        "ON CONFLICT (kind, digest) DO UPDATE SET used_ms = max(used_ms, excluded.used_ms)",
    )
});

impl Insert {
    fn new(head: &str, columns: usize, tail: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(", "));
        Self(LENGTHS.map(|rows| (rows, format!("{head} VALUES {} {tail}", vec![&*row; rows].join(", ")).into())))
    }

    async fn all<T>(
        &self,
        connection: &mut SqliteConnection,
        mut rows: &[T],
        bind: for<'q> fn(Insertion<'q>, &T) -> Insertion<'q>,
    ) -> sqlx::Result<()> {
        while let Some((count, sql)) = self.0.iter().find(|(count, _)| *count <= rows.len()) {
            let (now, later) = rows.split_at(*count);
            let query = sqlx::query(AssertSqlSafe(Arc::clone(sql)));
            now.iter().fold(query, bind).execute(&mut *connection).await?;
            rows = later;
        }
        Ok(())
    }
}

/// Writes a batch, all of it or nothing.
pub(super) async fn write(connection: &mut SqliteConnection, batch: &Batch) -> sqlx::Result<()> {
    let blobs: Vec<(&(BlobKind, Digest), &BlobRow)> = batch.blobs.iter().collect();
    let finished = batch.records.iter().flat_map(|record| &record.attempts);
    let attempts: Vec<&AttemptRow> = finished.chain(batch.open.values().flatten()).collect();
    let outcomes: Vec<&OutcomeRow> = batch.records.iter().flat_map(|record| &record.outcomes).collect();
    atomically(connection, async |connection| {
        BLOBS.all(connection, &blobs, bind_blob).await?;
        for ((kind, digest), used_ms) in &batch.renewed {
            components::touch_one(connection, *kind, *digest, *used_ms).await?;
        }
        RECORDS.all(connection, &batch.records, bind_record).await?;
        ATTEMPTS.all(connection, &attempts, bind_attempt).await?;
        OUTCOMES.all(connection, &outcomes, OutcomeRow::bind).await
    })
    .await
}

type Insertion<'q> = Query<'q, Sqlite, SqliteArguments>;

fn bind_blob<'q>(query: Insertion<'q>, ((kind, digest), blob): &(&(BlobKind, Digest), &BlobRow)) -> Insertion<'q> {
    query.bind(kind.word()).bind(&digest.as_bytes()[..]).bind(&blob.bytes[..]).bind(integer(blob.used_ms))
}

fn bind_record<'q>(query: Insertion<'q>, record: &RecordRow) -> Insertion<'q> {
    let observed = record.observed.as_ref();
    let query = record.row.bind(query).bind(record.trace.as_deref()).bind(record.judgement.as_deref());
    let query = query.bind(observed.map(|observed| Arc::<str>::from(observed.model.as_str())));
    query.bind(observed.and_then(|observed| observed.cost).map(|cost| integer(cost.expected.0)))
}

fn bind_attempt<'q>(query: Insertion<'q>, attempt: &&AttemptRow) -> Insertion<'q> {
    query
        .bind(&attempt.record.to_bytes()[..])
        .bind(attempt.number)
        .bind(Arc::clone(&attempt.candidate))
        .bind(integer(attempt.at_ms))
        .bind(attempt.latency_ms)
        .bind(attempt.ended)
        .bind(integer(attempt.charge.amount().0))
        .bind(attempt.charge.word())
        .bind(attempt.recorded)
}

/// Which records of a batch are on disk already.
pub(super) async fn already_written(connection: &mut SqliteConnection, batch: &Batch) -> sqlx::Result<Vec<DecisionId>> {
    let mut written = Vec::new();
    for record in &batch.records {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM records WHERE id = ?")
            .bind(&record.row.id.to_bytes()[..])
            .fetch_optional(&mut *connection)
            .await?;
        written.extend(found.map(|_| record.row.id));
    }
    Ok(written)
}
