//! What learners learn from: one line for every attempt of a recorded request, and one for what its caller said of it.
//!
//! A line says who, when and what; the rest of an outcome is in the record's trace, so that nothing is kept twice. The
//! number that a line gets when it is written is its place in the ledger's order. Lines go with their records, and those
//! of records that are too old to be learned from, or damaged, are passed over.

use std::sync::Arc;

use domain::{
    attempt::{Attempt, AttemptEnd, DecisionId},
    candidate::CandidateId,
    failure::FailureKind,
    learning::{Observation, Outcome, Scope},
    record::{Record, Trace},
};
use sqlx::{QueryBuilder, Sqlite, SqlitePool, query::Query, sqlite::SqliteArguments};

use crate::{
    error::ReadError,
    row::{integer, unsigned},
    trace,
};

pub(crate) const COLUMNS: &str = "at_ms, record, kind, number, place, model, rating, other";
pub(crate) const COLUMN_COUNT: usize = 8;

/// A row of `outcomes` before it has its number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OutcomeRow {
    pub(crate) at_ms: u64,
    pub(crate) record: DecisionId,
    /// Of whom it is about in its decision's order, from 0.
    pub(crate) place: u32,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Attempt(u32),
    Rated { model: Arc<str>, rating: f32 },
    Preferred { model: Arc<str>, other: Arc<str> },
}

impl OutcomeRow {
    /// Those of a record's attempts.
    pub(crate) fn of(record: &Record) -> Vec<Self> {
        let decision = &record.trace.decision;
        let name = |index: &u32| {
            let considered = decision.considered.get(*index as usize)?;
            record.context.candidates.get(considered.candidate as usize)
        };
        let row = |attempt: &Attempt| Self {
            at_ms: attempt.at_ms.saturating_add(u64::from(attempt.latency_ms)),
            record: record.id,
            place: decision.order.iter().position(|index| name(index) == Some(&attempt.candidate)).unwrap_or(0) as u32,
            what: What::Attempt(attempt.number),
        };
        record.trace.attempts.iter().map(row).collect()
    }

    pub(crate) fn bind<'q>(
        query: Query<'q, Sqlite, SqliteArguments>,
        row: &&Self,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        let (kind, number, model, rating, other) = match &row.what {
            What::Attempt(number) => ("attempt", Some(*number), None, None, None),
            What::Rated { model, rating } => ("rated", None, Some(Arc::clone(model)), Some(*rating), None),
            What::Preferred { model, other } => {
                ("preferred", None, Some(Arc::clone(model)), None, Some(Arc::clone(other)))
            }
        };
        query
            .bind(integer(row.at_ms))
            .bind(&row.record.to_bytes()[..])
            .bind(kind)
            .bind(number)
            .bind(row.place)
            .bind(model)
            .bind(rating)
            .bind(other)
    }
}

/// A stretch of the ledger's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stretch {
    pub outcomes: Vec<Outcome>,
    /// How far it goes: what is at or before this number is in it, or not for this learner.
    pub reached: u64,
    /// Whether there may be more behind it.
    pub more: bool,
}

/// Which outcomes a learner wants.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub scope: &'a Scope,
    /// Only those with a higher number.
    pub after: u64,
    /// Only what callers said.
    pub feedback_only: bool,
    /// Routes whose outcomes are not wanted.
    pub except: &'a [Arc<str>],
    /// At most so many lines are looked at.
    pub limit: u32,
}

#[derive(sqlx::FromRow)]
struct Line {
    sequence: i64,
    at_ms: i64,
    record: Vec<u8>,
    kind: String,
    number: Option<u32>,
    place: u32,
    model: Option<String>,
    rating: Option<f32>,
    other: Option<String>,
    trace: Option<Vec<u8>>,
}

pub(crate) async fn read(pool: &SqlitePool, wanted: &Wanted<'_>) -> Result<Stretch, ReadError> {
    // Before the lines: what is written meanwhile comes next time.
    let (oldest, newest): (Option<i64>, Option<i64>) =
        sqlx::query_as("SELECT (SELECT min(sequence) FROM outcomes), (SELECT max(sequence) FROM outcomes)")
            .fetch_one(pool)
            .await?;
    let (oldest, newest) = (unsigned(oldest.unwrap_or(0)), unsigned(newest.unwrap_or(0)));
    // What was forgotten is passed over at once. Feedback has an index of its own; of other lines only so many are looked
    // at, whether they are of this scope or not.
    let from = wanted.after.max(oldest.saturating_sub(1));
    let to = if wanted.feedback_only { newest } else { newest.min(from.saturating_add(u64::from(wanted.limit))) };
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT sequence, o.at_ms, record, kind, number, place, model, rating, other, trace \
         FROM outcomes o JOIN records r ON r.id = o.record WHERE sequence > ",
    );
    query.push_bind(integer(from)).push(" AND sequence <= ").push_bind(integer(to));
    if wanted.feedback_only {
        query.push(" AND kind <> 'attempt'");
    }
    match wanted.scope {
        Scope::All => {}
        Scope::Route(route) => {
            query.push(" AND r.route = ").push_bind(&**route);
        }
        Scope::Tenant(tenant) => {
            query.push(" AND r.tenant IS ").push_bind(tenant.as_deref());
        }
    }
    if !wanted.except.is_empty() {
        query.push(" AND coalesce(r.route, '') NOT IN (");
        let mut routes = query.separated(", ");
        for route in wanted.except {
            routes.push_bind(&**route);
        }
        query.push(")");
    }
    query.push(" ORDER BY sequence LIMIT ").push_bind(wanted.limit);
    let lines: Vec<Line> = query.build_query_as().fetch_all(pool).await?;
    let last = lines.last().filter(|_| lines.len() >= wanted.limit as usize).map(|line| unsigned(line.sequence));
    let reached = last.unwrap_or(to).max(wanted.after);
    Ok(Stretch { reached, more: reached < newest, outcomes: lines.iter().filter_map(outcome).collect() })
}

fn outcome(line: &Line) -> Option<Outcome> {
    let trace = trace::peek(line.trace.as_deref()?)?;
    let (model, observed) = match (&*line.kind, &line.model, line.rating, &line.other) {
        ("attempt", ..) => observed(&trace, line.number?)?,
        ("rated", Some(model), Some(rating), _) => (name(model)?, Observation::Rated(rating)),
        ("preferred", Some(model), _, Some(other)) => (name(model)?, Observation::PreferredOver(name(other)?)),
        _ => return None,
    };
    let decision = trace.decision;
    Some(Outcome {
        sequence: unsigned(line.sequence),
        at_ms: unsigned(line.at_ms),
        decision: DecisionId::from_bytes(line.record.clone().try_into().ok()?),
        operation: decision.request.operation,
        quality: decision.request.quality.ladder(),
        classification: decision.classification,
        model,
        place: line.place,
        propensity: decision.propensity,
        observed,
    })
}

fn observed(trace: &Trace, number: u32) -> Option<(CandidateId, Observation)> {
    let attempt = trace.attempts.iter().find(|attempt| attempt.number == number)?;
    let observed = match &attempt.end {
        AttemptEnd::Delivered { .. } => {
            Observation::Delivered { latency_ms: attempt.latency_ms, cost: attempt.charge.amount() }
        }
        AttemptEnd::Failed { kind: FailureKind::Refused, .. } => Observation::Refused,
        AttemptEnd::Failed { kind, .. } => Observation::Failed(kind.code()),
    };
    Some((attempt.candidate.clone(), observed))
}

/// A stored name: `provider/model` or `provider/model@tier`.
fn name(stored: &str) -> Option<CandidateId> {
    let (provider, model) = stored.split_once('/')?;
    Some(CandidateId::new(provider, model, None))
}

#[cfg(test)]
mod tests;
