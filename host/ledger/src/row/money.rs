//! The part of a row that a finance person reads: what the cost is made of, and what it is compared with.

use std::sync::Arc;

use domain::{
    attempt::{AttemptEnd, Charge},
    record::{Comparison, Outcome, Record},
};
use serde::Serialize;
use sqlx::{Row as _, Sqlite, query::Query, sqlite::SqliteArguments, sqlite::SqliteRow};

use super::{charge, integer, unsigned};

/// What is `None` was not known: of a request that was not delivered, only its charges are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowMoney {
    /// Whose price was used for the candidate that served.
    pub cost_model: Option<Arc<str>>,
    /// What the candidate that served was expected to cost.
    pub served_estimate_usd_micros: Option<u64>,
    pub served_upper_usd_micros: Option<u64>,
    /// What the attempt that delivered cost, without those that failed before it.
    pub served_cost_usd_micros: Option<u64>,
    /// How sure that is: a word of [`Charge::word`].
    pub served_cost_is: Option<&'static str>,
    /// The cost by how sure it is, over all attempts.
    pub reported_usd_micros: u64,
    pub estimated_usd_micros: u64,
    pub possible_usd_micros: u64,
    /// Attempts that cost something that nobody knows.
    pub unknown_charges: u32,
    /// The model that the caller uses now.
    pub baseline: Option<Arc<str>>,
    /// What the request would have cost there.
    pub baseline_usd_micros: Option<u64>,
    /// `baseline_usd_micros` less the whole cost, of delivered requests whose cost is known. Negative when the baseline
    /// would have been cheaper.
    pub savings_usd_micros: Option<i64>,
}

impl RowMoney {
    pub(super) fn of(record: &Record) -> Self {
        let Comparison { cost_model, estimate, baseline, baseline_cost } = &record.comparison;
        let attempts = &record.trace.attempts;
        let served = attempts.iter().find(|attempt| matches!(attempt.end, AttemptEnd::Delivered { .. }));
        let served = served.filter(|_| record.served.is_some()).map(|attempt| attempt.charge);
        let charges: Vec<Charge> = attempts.iter().map(|attempt| attempt.charge).collect();
        let baseline_usd_micros = baseline_cost.map(|cost| cost.0);
        Self {
            cost_model: cost_model.clone(),
            served_estimate_usd_micros: estimate.map(|estimate| estimate.expected.0),
            served_upper_usd_micros: estimate.map(|estimate| estimate.upper.0),
            served_cost_usd_micros: served.map(|charge| charge.amount().0),
            served_cost_is: served.map(Charge::word),
            baseline: baseline.as_ref().map(|id| id.as_str().into()),
            baseline_usd_micros,
            savings_usd_micros: savings(record.outcome, record.charge, baseline_usd_micros),
            ..Self::interrupted(&charges)
        }
    }

    /// All that is known of an interrupted request.
    pub(super) fn interrupted(attempts: &[Charge]) -> Self {
        let mut money = Self::default();
        for charge in attempts {
            let part = match charge {
                Charge::None => continue,
                Charge::Reported(_) => &mut money.reported_usd_micros,
                Charge::Estimated(_) => &mut money.estimated_usd_micros,
                Charge::Possible(_) => &mut money.possible_usd_micros,
                Charge::Unknown(_) => {
                    money.unknown_charges += 1;
                    continue;
                }
            };
            *part = part.saturating_add(charge.amount().0);
        }
        money
    }

    pub(super) fn bind<'q>(&self, query: Query<'q, Sqlite, SqliteArguments>) -> Query<'q, Sqlite, SqliteArguments> {
        query
            .bind(self.cost_model.clone())
            .bind(self.served_estimate_usd_micros.map(integer))
            .bind(self.served_upper_usd_micros.map(integer))
            .bind(self.served_cost_usd_micros.map(integer))
            .bind(self.served_cost_is)
            .bind(integer(self.reported_usd_micros))
            .bind(integer(self.estimated_usd_micros))
            .bind(integer(self.possible_usd_micros))
            .bind(self.unknown_charges)
            .bind(self.baseline.clone())
            .bind(self.baseline_usd_micros.map(integer))
    }

    /// `None` when a kind of cost is not known here.
    pub(super) fn read(row: &SqliteRow, outcome: Outcome, cost: Charge) -> sqlx::Result<Option<Self>> {
        let text = |column| row.try_get::<Option<String>, _>(column).map(|text| text.map(Arc::from));
        let optional = |column| row.try_get::<Option<i64>, _>(column).map(|value| value.map(unsigned));
        let whole = |column| row.try_get::<i64, _>(column).map(unsigned);
        let served_cost_is: Option<String> = row.try_get("served_cost_is")?;
        let served_cost_is = match served_cost_is.map(|word| charge(&word, 0)) {
            Some(None) => return Ok(None),
            known => known.flatten().map(Charge::word),
        };
        let baseline_usd_micros = optional("baseline_usd_micros")?;
        Ok(Some(Self {
            cost_model: text("cost_model")?,
            served_estimate_usd_micros: optional("served_estimate_usd_micros")?,
            served_upper_usd_micros: optional("served_upper_usd_micros")?,
            served_cost_usd_micros: optional("served_cost_usd_micros")?,
            served_cost_is,
            reported_usd_micros: whole("reported_usd_micros")?,
            estimated_usd_micros: whole("estimated_usd_micros")?,
            possible_usd_micros: whole("possible_usd_micros")?,
            unknown_charges: row.try_get("unknown_charges")?,
            baseline: text("baseline")?,
            baseline_usd_micros,
            savings_usd_micros: savings(outcome, cost, baseline_usd_micros),
        }))
    }
}

/// Unknown, never 0, where nothing can be compared. What may have been charged counts as cost: a saving is never too large.
fn savings(outcome: Outcome, cost: Charge, baseline_usd_micros: Option<u64>) -> Option<i64> {
    let cost = cost.known().filter(|_| outcome == Outcome::Delivered)?;
    Some(integer(baseline_usd_micros?).saturating_sub(integer(cost.0)))
}

#[cfg(test)]
mod tests {
    use domain::money::MicroUsd;

    use super::*;

    #[test]
    fn a_cost_is_made_of_what_is_sure_and_what_is_not() {
        let charges = [
            Charge::Possible(MicroUsd(10)),
            Charge::None,
            Charge::Unknown(MicroUsd::ZERO),
            Charge::Estimated(MicroUsd(7)),
            Charge::Reported(MicroUsd(5)),
            Charge::Reported(MicroUsd(6)),
        ];
        let money = RowMoney::interrupted(&charges);
        let parts = (money.reported_usd_micros, money.estimated_usd_micros, money.possible_usd_micros);
        assert_eq!((parts, money.unknown_charges), ((11, 7, 10), 1));
    }

    #[test]
    fn savings_are_unknown_where_nothing_can_be_compared() {
        let cost = Charge::Reported(MicroUsd(40));
        assert_eq!(savings(Outcome::Delivered, cost, Some(100)), Some(60));
        assert_eq!(savings(Outcome::Delivered, cost, Some(10)), Some(-30));
        assert_eq!(savings(Outcome::Delivered, cost, None), None);
        assert_eq!(savings(Outcome::Abandoned, cost, Some(100)), None);
        assert_eq!(savings(Outcome::Delivered, Charge::Unknown(MicroUsd(40)), Some(100)), None);
        assert_eq!(savings(Outcome::Delivered, Charge::Possible(MicroUsd(40)), Some(100)), Some(60));
    }
}
