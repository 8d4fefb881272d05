//! Reading records back.

use std::{path::Path, time::Duration};

use domain::{
    attempt::DecisionId,
    candidate::CandidateId,
    digest::Digest,
    explain::{ExplainedAttempt, Explanation},
    failure::FailureKind,
    learning::Judgement,
    record::{Outcome, Terms, Trace},
};
use serde::{Deserialize as _, de::value::StrDeserializer};
use sqlx::{AssertSqlSafe, Row as _, SqlitePool, sqlite::SqlitePoolOptions};

use crate::{
    components, database,
    error::{ComponentError, ReadError},
    judgement,
    memories::{self, StoredMemory},
    outcomes::{self, Stretch, Wanted},
    row::{COLUMNS, Row, charge, integer},
    trace::{self, Unpacked},
    writer::BlobKind,
};

/// Connections that read at once.
const CONNECTIONS: u32 = 2;
/// How long a reader waits for one of them.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most rows of one list.
const MOST: u32 = 1000;

/// Reads one data directory, also while another process writes to it.
#[derive(Clone)]
pub struct Reader {
    pub(crate) pool: SqlitePool,
}

/// One record with everything that was kept for it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub row: Row,
    /// `None` for an interrupted request. The prompt in it is empty unless `prompt_kept`.
    pub trace: Option<Trace>,
    pub prompt_kept: bool,
    /// How long the prompt was, also when it was not kept. Records of the first version do not say.
    pub prompt_chars: Option<u32>,
    /// What the trace's candidates are called.
    pub candidates: Vec<CandidateId>,
    /// What strategies were told of each besides. Empty in records of the first version.
    pub terms: Vec<Terms>,
    /// What was learned before and went into the decision.
    pub judgement: Judgement,
    /// In order, also those of an interrupted request: one that was still out has ended as `interrupted`.
    pub attempts: Vec<ExplainedAttempt>,
}

/// A row of `attempts`.
#[derive(sqlx::FromRow)]
struct AttemptRow {
    number: u32,
    candidate: String,
    latency_ms: Option<u32>,
    ended: Option<String>,
    cost_usd_micros: i64,
    cost_is: String,
}

/// Which records to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// At most 1000; 0 means that too.
    pub limit: u32,
    /// Only records before this one: the last one of the page before.
    pub before: Option<DecisionId>,
    pub tenant: Option<String>,
    pub outcome: Option<Outcome>,
}

impl Reader {
    /// Connects when first asked. The directory has been checked.
    pub(crate) fn new(dir: &Path) -> Self {
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(database::reading(dir));
        Self { pool }
    }

    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// The record of one request, if it is written.
    ///
    /// # Errors
    ///
    /// When the database fails, or the record in it is damaged.
    pub async fn find(&self, id: DecisionId) -> Result<Option<Stored>, ReadError> {
        let found = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS}, trace, judgement FROM records WHERE id = ?")))
            .bind(&id.to_bytes()[..])
            .fetch_optional(&self.pool)
            .await?;
        let Some(found) = found else { return Ok(None) };
        let row = Row::read(&found)?;
        let damaged = |problem| ReadError::Damaged { id, problem };
        let Some(packed) = found.try_get::<Option<Vec<u8>>, _>("trace")? else {
            let attempts = self.attempts(id).await?;
            return Ok(Some(Stored::interrupted(row, attempts)));
        };
        let inputs = trace::inputs_of(&packed).map_err(damaged)?;
        let inputs = self.blob(BlobKind::Inputs, Some(inputs)).await?;
        let inputs = inputs.ok_or_else(|| damaged("its fixed inputs are missing"))?;
        let prompt = self.blob(BlobKind::Prompt, row.prompt).await?;
        let prompt_kept = prompt.is_some();
        let prompt = String::from_utf8(prompt.unwrap_or_default()).map_err(|_| damaged("its prompt is not text"))?;
        let Unpacked { trace, prompt_chars } = trace::unpack(&packed, &inputs, &prompt).map_err(damaged)?;
        let context = self.blob(BlobKind::Candidates, row.catalogue).await?.unwrap_or_default();
        let (candidates, terms) =
            trace::unpack_context(&context).ok_or_else(|| damaged("the names of its candidates cannot be read"))?;
        let attempts = trace.attempts.iter().map(ExplainedAttempt::from).collect();
        let judgement: Option<Vec<u8>> = found.try_get("judgement")?;
        let judgement = judgement::unpack(judgement.as_deref()).map_err(damaged)?;
        let trace = Some(trace);
        Ok(Some(Stored { row, trace, prompt_kept, prompt_chars, candidates, terms, judgement, attempts }))
    }

    /// Records, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails, or a record in it is damaged.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Row>, ReadError> {
        let limit = if filter.limit == 0 { MOST } else { filter.limit.min(MOST) };
        let mut query = sqlx::QueryBuilder::new(format!("SELECT {COLUMNS} FROM records WHERE true"));
        if let Some(tenant) = &filter.tenant {
            query.push(" AND tenant = ").push_bind(tenant.as_str());
        }
        if let Some(outcome) = filter.outcome {
            query.push(" AND outcome = ").push_bind(outcome.word());
        }
        if let Some(before) = filter.before {
            let id = before.to_bytes();
            query.push(" AND (at_ms, id) < (coalesce((SELECT at_ms FROM records WHERE id = ").push_bind(id.to_vec());
            query.push("), ").push_bind(integer(before.unix_ms())).push("), ").push_bind(id.to_vec()).push(")");
        }
        query.push(" ORDER BY at_ms DESC, id DESC LIMIT ").push_bind(limit);
        query.build().fetch_all(&self.pool).await?.iter().map(Row::read).collect()
    }

    /// The component of this digest, if it is kept: whole, or an error.
    ///
    /// # Errors
    ///
    /// When the database fails, or the component in it is damaged.
    pub async fn component(&self, digest: Digest) -> Result<Option<Vec<u8>>, ComponentError> {
        let Some(bytes) = self.stored_blob(BlobKind::Component, digest).await? else { return Ok(None) };
        match components::verified(digest, bytes).await {
            None => Err(ComponentError::Damaged { digest }),
            whole => Ok(whole),
        }
    }

    /// A memory that a strategy was given, if it is kept.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn memory(&self, digest: Digest) -> Result<Option<Vec<u8>>, ReadError> {
        let bytes = self.stored_blob(BlobKind::Memory, digest).await?;
        Ok(bytes.filter(|bytes| Digest::of(bytes) == digest))
    }

    /// What there is to learn from, in the ledger's order.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn outcomes(&self, wanted: &Wanted<'_>) -> Result<Stretch, ReadError> {
        outcomes::read(&self.pool, wanted).await
    }

    /// What every learner remembers.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn memories(&self) -> Result<Vec<StoredMemory>, ReadError> {
        memories::all(&self.pool).await
    }

    async fn blob(&self, kind: BlobKind, digest: Option<Digest>) -> Result<Option<Vec<u8>>, ReadError> {
        match digest {
            Some(digest) => Ok(self.stored_blob(kind, digest).await?),
            None => Ok(None),
        }
    }

    async fn stored_blob(&self, kind: BlobKind, digest: Digest) -> sqlx::Result<Option<Vec<u8>>> {
        sqlx::query_scalar("SELECT bytes FROM blobs WHERE kind = ? AND digest = ?")
            .bind(kind.word())
            .bind(&digest.as_bytes()[..])
            .fetch_optional(&self.pool)
            .await
    }

    /// The attempts of an interrupted request.
    async fn attempts(&self, id: DecisionId) -> Result<Vec<ExplainedAttempt>, ReadError> {
        let rows: Vec<AttemptRow> = sqlx::query_as(
            "SELECT number, candidate, latency_ms, ended, cost_usd_micros, cost_is FROM attempts \
             WHERE record = ? ORDER BY number",
        )
        .bind(&id.to_bytes()[..])
        .fetch_all(&self.pool)
        .await?;
        let damaged = |problem| ReadError::Damaged { id, problem };
        let explained = rows.into_iter().map(|row| {
            let charge = charge(&row.cost_is, row.cost_usd_micros);
            let charge = charge.ok_or_else(|| damaged("a cost is of an unknown kind"))?;
            Ok(ExplainedAttempt {
                number: row.number,
                model: row.candidate,
                latency_ms: row.latency_ms.unwrap_or(0),
                ended: end_word(row.ended.as_deref()).ok_or_else(|| damaged("an attempt ended in an unknown way"))?,
                detail: None,
                cost_usd_micros: charge.amount().0,
                cost_is: charge.word(),
            })
        });
        explained.collect()
    }
}

impl Stored {
    fn interrupted(row: Row, attempts: Vec<ExplainedAttempt>) -> Self {
        Self {
            row,
            trace: None,
            prompt_kept: false,
            prompt_chars: None,
            candidates: Vec::new(),
            terms: Vec::new(),
            judgement: Judgement::default(),
            attempts,
        }
    }

    /// The decision for people; none was kept of an interrupted request.
    #[must_use]
    pub fn explanation(&self) -> Option<Explanation> {
        let explain = |trace: &Trace| {
            let explanation = Explanation::of(trace, &self.candidates);
            explanation.with_judgement(&self.judgement, &trace.decision, &self.candidates)
        };
        self.trace.as_ref().map(explain)
    }
}

/// The stable word behind the column `ended`.
fn end_word(stored: Option<&str>) -> Option<&'static str> {
    match stored {
        None => Some("interrupted"),
        Some("delivered") => Some("delivered"),
        Some(kind) => {
            let kind = FailureKind::deserialize(StrDeserializer::<serde::de::value::Error>::new(kind));
            kind.ok().map(FailureKind::code)
        }
    }
}

#[cfg(test)]
mod tests;
