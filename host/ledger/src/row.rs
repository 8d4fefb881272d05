//! The scalar part of a record: one row of the table `records`, and one line of a list.

use std::sync::Arc;

use domain::{
    attempt::{Charge, DecisionId},
    digest::Digest,
    money::MicroUsd,
    record::{Outcome, Record},
};
use serde::{Deserialize as _, Serialize, Serializer, de::value::StrDeserializer};
use sqlx::{Row as _, Sqlite, query::Query, sqlite::SqliteArguments, sqlite::SqliteRow};

use crate::error::ReadError;

mod money;

pub use money::RowMoney;

/// The columns that [`Row`] holds, in the order in which they are bound.
pub(crate) const COLUMNS: &str = "id, at_ms, tenant, key_name, route, asked, label, strategy, outcome, status, error, \
     served, provider, cost_usd_micros, cost_is, estimate_usd_micros, attempts, latency_ms, decide_us, revision, \
     prompt, settings, catalogue, cost_model, served_estimate_usd_micros, served_upper_usd_micros, \
     served_cost_usd_micros, served_cost_is, reported_usd_micros, estimated_usd_micros, possible_usd_micros, \
     unknown_charges, baseline, baseline_usd_micros";
pub(crate) const COLUMN_COUNT: usize = 34;

/// One record without its trace. What is `None` was not known: of an interrupted request, only its attempts are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    #[serde(serialize_with = "shown")]
    pub id: DecisionId,
    /// Milliseconds since 1970-01-01 UTC when it arrived.
    pub at_ms: u64,
    pub tenant: Option<Arc<str>>,
    /// The configured name of the caller's key.
    pub key: Option<Arc<str>>,
    pub route: Option<Arc<str>>,
    /// `model` as the caller wrote it.
    pub asked: Option<Arc<str>>,
    pub label: Option<Arc<str>>,
    pub strategy: Option<Arc<str>>,
    pub outcome: Outcome,
    pub status: Option<u16>,
    pub error: Option<Arc<str>>,
    /// The candidate that delivered.
    pub served: Option<Arc<str>>,
    pub provider: Option<Arc<str>>,
    pub cost_usd_micros: u64,
    /// How sure the cost is: a word of [`Charge::word`].
    pub cost_is: &'static str,
    /// What the first choice was expected to cost.
    pub estimate_usd_micros: Option<u64>,
    pub attempts: u32,
    pub latency_ms: u32,
    pub decide_us: Option<u32>,
    pub revision: Option<u64>,
    /// SHA-256 of the prompt, unless prompts are dropped.
    #[serde(serialize_with = "shown_if_any")]
    pub prompt: Option<Digest>,
    #[serde(serialize_with = "shown_if_any")]
    pub settings: Option<Digest>,
    #[serde(serialize_with = "shown_if_any")]
    pub catalogue: Option<Digest>,
    #[serde(flatten)]
    pub money: RowMoney,
}

impl Row {
    pub(crate) fn of(record: &Record, prompt: Option<Digest>) -> Self {
        let decision = &record.trace.decision;
        let first = decision.order.first().and_then(|index| decision.considered.get(*index as usize));
        let served: Option<Arc<str>> = record.served.as_ref().map(|id| id.as_str().into());
        Self {
            id: record.id,
            at_ms: record.at_ms,
            tenant: record.tenant.clone(),
            key: record.key.clone(),
            route: Some(Arc::clone(&decision.route)),
            asked: Some(Arc::clone(&record.asked)),
            label: Some(decision.classification.label.as_str().into()),
            strategy: Some(Arc::clone(&decision.strategy)),
            outcome: record.outcome,
            status: Some(record.status),
            error: record.error.clone(),
            provider: served.as_deref().and_then(|id| id.split_once('/')).map(|(provider, _)| provider.into()),
            served,
            cost_usd_micros: record.charge.amount().0,
            cost_is: record.charge.word(),
            estimate_usd_micros: first.and_then(|candidate| candidate.cost).map(|cost| cost.expected.0),
            attempts: u32::try_from(record.trace.attempts.len()).unwrap_or(u32::MAX),
            latency_ms: record.latency_ms,
            decide_us: Some(decision.micros),
            revision: Some(decision.revision),
            prompt,
            settings: Some(record.context.settings),
            catalogue: Some(record.context.catalogue),
            money: RowMoney::of(record),
        }
    }

    /// The line of a request whose program ended before its answer: all that is known is its attempts.
    pub(crate) fn interrupted(id: DecisionId, at_ms: u64, latency_ms: u32, attempts: &[Charge]) -> Self {
        let charge = attempts.iter().copied().fold(Charge::None, Charge::and);
        Self {
            id,
            at_ms,
            tenant: None,
            key: None,
            route: None,
            asked: None,
            label: None,
            strategy: None,
            outcome: Outcome::Interrupted,
            status: None,
            error: None,
            served: None,
            provider: None,
            cost_usd_micros: charge.amount().0,
            cost_is: charge.word(),
            estimate_usd_micros: None,
            attempts: u32::try_from(attempts.len()).unwrap_or(u32::MAX),
            latency_ms,
            decide_us: None,
            revision: None,
            prompt: None,
            settings: None,
            catalogue: None,
            money: RowMoney::interrupted(attempts),
        }
    }

    pub(crate) fn bind<'q>(&self, query: Query<'q, Sqlite, SqliteArguments>) -> Query<'q, Sqlite, SqliteArguments> {
        let query = query
            .bind(&self.id.to_bytes()[..])
            .bind(integer(self.at_ms))
            .bind(self.tenant.clone())
            .bind(self.key.clone())
            .bind(self.route.clone())
            .bind(self.asked.clone())
            .bind(self.label.clone())
            .bind(self.strategy.clone())
            .bind(self.outcome.word())
            .bind(self.status)
            .bind(self.error.clone())
            .bind(self.served.clone())
            .bind(self.provider.clone())
            .bind(integer(self.cost_usd_micros))
            .bind(self.cost_is)
            .bind(self.estimate_usd_micros.map(integer))
            .bind(self.attempts)
            .bind(self.latency_ms)
            .bind(self.decide_us)
            .bind(self.revision.map(integer))
            .bind(self.prompt.as_ref().map(|digest| &digest.as_bytes()[..]))
            .bind(self.settings.as_ref().map(|digest| &digest.as_bytes()[..]))
            .bind(self.catalogue.as_ref().map(|digest| &digest.as_bytes()[..]));
        self.money.bind(query)
    }

    pub(crate) fn read(row: &SqliteRow) -> Result<Self, ReadError> {
        let id: Vec<u8> = row.try_get("id")?;
        let id = DecisionId::from_bytes(id.try_into().unwrap_or_default());
        let damaged = |problem| ReadError::Damaged { id, problem };
        let text = |column| row.try_get::<Option<String>, _>(column).map(|text| text.map(Arc::from));
        let digest = |column| -> Result<Option<Digest>, ReadError> {
            let bytes: Option<Vec<u8>> = row.try_get(column)?;
            let bytes: Option<[u8; 32]> =
                bytes.map(TryFrom::try_from).transpose().map_err(|_| damaged("a digest has another length"))?;
            Ok(bytes.map(Digest::from_bytes))
        };
        let charge = charge(row.try_get("cost_is")?, row.try_get("cost_usd_micros")?)
            .ok_or_else(|| damaged("its cost is of an unknown kind"))?;
        let outcome = outcome(row.try_get("outcome")?).ok_or_else(|| damaged("its outcome is unknown"))?;
        Ok(Self {
            id,
            at_ms: unsigned(row.try_get("at_ms")?),
            tenant: text("tenant")?,
            key: text("key_name")?,
            route: text("route")?,
            asked: text("asked")?,
            label: text("label")?,
            strategy: text("strategy")?,
            outcome,
            status: row.try_get("status")?,
            error: text("error")?,
            served: text("served")?,
            provider: text("provider")?,
            cost_usd_micros: charge.amount().0,
            cost_is: charge.word(),
            estimate_usd_micros: row.try_get::<Option<i64>, _>("estimate_usd_micros")?.map(unsigned),
            attempts: row.try_get("attempts")?,
            latency_ms: row.try_get("latency_ms")?,
            decide_us: row.try_get("decide_us")?,
            revision: row.try_get::<Option<i64>, _>("revision")?.map(unsigned),
            prompt: digest("prompt")?,
            settings: digest("settings")?,
            catalogue: digest("catalogue")?,
            money: RowMoney::read(row, outcome, charge)?.ok_or_else(|| damaged("its cost is of an unknown kind"))?,
        })
    }
}

/// SQLite's integers are signed; an amount beyond them is kept as the largest there is.
pub(crate) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A charge from its word and amount.
pub(crate) fn charge(word: &str, usd_micros: i64) -> Option<Charge> {
    let amount = MicroUsd(unsigned(usd_micros));
    [
        Charge::None,
        Charge::Reported(amount),
        Charge::Estimated(amount),
        Charge::Possible(amount),
        Charge::Unknown(amount),
    ]
    .into_iter()
    .find(|charge| charge.word() == word)
}

/// An outcome from its word: the same that it has in JSON.
fn outcome(word: &str) -> Option<Outcome> {
    Outcome::deserialize(StrDeserializer::<serde::de::value::Error>::new(word)).ok()
}

fn shown<S: Serializer>(id: &DecisionId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

fn shown_if_any<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
    match digest {
        Some(digest) => serializer.collect_str(digest),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for known in [
            Outcome::Delivered,
            Outcome::Refused,
            Outcome::Denied,
            Outcome::NoCandidate,
            Outcome::Failed,
            Outcome::Abandoned,
            Outcome::Interrupted,
            Outcome::DryRun,
        ] {
            assert_eq!(outcome(known.word()), Some(known));
        }
        assert_eq!(outcome("lost"), None);
        for known in
            [Charge::None, Charge::Unknown(MicroUsd(5)), Charge::Possible(MicroUsd(7)), Charge::Reported(MicroUsd(9))]
        {
            assert_eq!(charge(known.word(), integer(known.amount().0)), Some(known));
        }
    }
}
