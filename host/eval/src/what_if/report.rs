//! What it would have cost, as programs read it.
//!
//! Amounts are whole micro-dollars; what is not known is `null`. In every group `rows` are those for which somebody would
//! have been chosen, and `compared` those of them whose both costs are known: amounts are sums over these alone.

use std::cmp::Ordering;

use domain::{hindsight::Incomparable, money::MicroUsd};
use serde::Serialize;

use super::{
    read::Rows,
    tally::{Sums, Tally},
};
use crate::faults::Problem;

const BASIS: &str = "what would have been chosen is priced by the cost models with today's catalogue, as if its first \
    attempt delivered; qualities are expectations, 0 to 1, of both sides: nobody has seen the pictures";

/// All of a file, in each way of deciding.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub file: String,
    /// Behind the headings.
    pub rows: u64,
    /// Those that are requests.
    pub requests: u64,
    /// What the numbers rest on.
    pub basis: &'static str,
    /// Of `size`, `quality`, `n` and `cost`.
    pub missing_columns: Vec<&'static str>,
    /// Bad rows, and what else was noticed.
    pub problems: Vec<Problem>,
    /// How far the catalogue's prices are from what was paid, where both are known.
    pub paid_and_listed: PaidAndListed,
    pub strategies: Vec<Strategy>,
}

/// Over rows with a cost whose model the catalogue can price.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PaidAndListed {
    pub rows: u64,
    pub paid_usd_micros: MicroUsd,
    pub listed_usd_micros: MicroUsd,
}

/// One way of deciding.
#[derive(Clone, Debug, Serialize)]
pub struct Strategy {
    pub name: String,
    #[serde(flatten)]
    pub total: Figures,
    /// Rows that are not in the savings, by reason.
    pub left_out: Vec<LeftOut>,
    /// Rows for which nobody would have been chosen.
    pub unserved: Vec<Unserved>,
    /// By the model that was asked for, most rows first.
    pub by_model: Vec<OfModel>,
    /// By what the classifier calls the prompt, most rows first.
    pub by_label: Vec<Group>,
}

/// Rows of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// `None`: all further ones together.
    pub name: Option<String>,
    #[serde(flatten)]
    pub figures: Figures,
}

/// Rows that asked for one model.
#[derive(Clone, Debug, Serialize)]
pub struct OfModel {
    #[serde(flatten)]
    pub all: Group,
    /// Rows whose model the catalogue does not know, and rows of which it is not known which tier was paid for.
    pub unknown_model: u64,
    pub unclear_tier: u64,
    /// What would have been chosen, most rows first.
    pub chosen: Vec<Chosen>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Chosen {
    pub model: String,
    #[serde(flatten)]
    pub figures: Figures,
}

/// What rows come to.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    pub rows: u64,
    pub compared: u64,
    /// Compared rows whose own model would have been chosen: they save nothing.
    pub same_model: u64,
    /// Compared rows without a cost, for which the catalogue's price of what was asked for counts.
    pub by_list_price: u64,
    pub asked_usd_micros: MicroUsd,
    pub chosen_usd_micros: MicroUsd,
    /// Negative when it would have been dearer.
    pub saved_usd_micros: i64,
    /// Of what was asked for; `None` when that cost nothing.
    pub saved_share: Option<f64>,
    /// `None` when there is no row of which both are known.
    pub quality: Option<Qualities>,
}

/// Means of expected qualities, 0 to 1, over rows of which both are known.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Qualities {
    pub rows: u64,
    pub asked: f64,
    pub chosen: f64,
}

/// Rows that are not in the savings.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LeftOut {
    pub code: &'static str,
    pub count: u64,
    pub why: &'static str,
}

/// Rows for which nobody would have been chosen.
#[derive(Clone, Debug, Serialize)]
pub struct Unserved {
    /// `None`: all further reasons together.
    pub why: Option<String>,
    pub count: u64,
    pub first_lines: Vec<u64>,
    pub hint: Option<String>,
}

impl Report {
    pub(super) fn new(rows: &Rows, requests: u64, problems: Vec<Problem>, names: &[String], tallies: &[Tally]) -> Self {
        let paid_and_listed = tallies
            .first()
            .map_or((0, MicroUsd::ZERO, MicroUsd::ZERO), |tally| (tally.listed_rows, tally.paid, tally.listed));
        let (listed_rows, paid_usd_micros, listed_usd_micros) = paid_and_listed;
        Self {
            file: rows.file().to_owned(),
            rows: rows.seen(),
            requests,
            basis: BASIS,
            missing_columns: rows.missing_columns(),
            problems,
            paid_and_listed: PaidAndListed { rows: listed_rows, paid_usd_micros, listed_usd_micros },
            strategies: names.iter().zip(tallies).map(|(name, tally)| strategy(name, tally)).collect(),
        }
    }
}

fn strategy(name: &str, tally: &Tally) -> Strategy {
    let mut unserved: Vec<Unserved> = tally
        .unserved
        .iter()
        .map(|(why, unserved)| Unserved {
            why: why.clone(),
            count: unserved.count,
            first_lines: unserved.lines.clone(),
            hint: unserved.hint.clone(),
        })
        .collect();
    unserved.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.why.cmp(&b.why)));
    let by_model = tally.by_model.iter().map(|(name, model)| {
        let mut chosen: Vec<Chosen> = model
            .chosen
            .iter()
            .map(|(candidate, sums)| Chosen { model: candidate.to_string(), figures: figures(sums) })
            .collect();
        chosen.sort_by(|a, b| b.figures.rows.cmp(&a.figures.rows).then_with(|| a.model.cmp(&b.model)));
        OfModel {
            all: Group { name: name.clone(), figures: figures(&model.sums) },
            unknown_model: model.unknown,
            unclear_tier: model.unclear,
            chosen,
        }
    });
    let mut by_model: Vec<OfModel> = by_model.collect();
    by_model.sort_by(|a, b| most_rows_first(&a.all, &b.all));
    let group = |(name, sums): (&Option<String>, &Sums)| Group { name: name.clone(), figures: figures(sums) };
    let mut by_label: Vec<Group> = tally.by_label.iter().map(group).collect();
    by_label.sort_by(most_rows_first);
    Strategy {
        name: name.to_owned(),
        total: figures(&tally.total),
        left_out: tally.left_out.iter().map(|(why, count)| left_out(*why, *count)).collect(),
        unserved,
        by_model,
        by_label,
    }
}

fn most_rows_first(a: &Group, b: &Group) -> Ordering {
    b.figures.rows.cmp(&a.figures.rows).then_with(|| a.name.cmp(&b.name))
}

fn left_out(why: Incomparable, count: u64) -> LeftOut {
    let (code, why) = match why {
        Incomparable::Unserved => ("unserved", "nobody would have been chosen"),
        Incomparable::UnknownModel => ("unknown-model", "no cost, and the catalogue does not know the model"),
        Incomparable::UnclearTier => ("unclear-tier", "no cost, and not known which quality was paid for"),
        Incomparable::Unpriced => {
            ("unpriced", "no cost, and the catalogue has no price of the model for such a request")
        }
        Incomparable::ChosenUnpriced => ("chosen-unpriced", "nobody knows the price of what would have been chosen"),
    };
    LeftOut { code, count, why }
}

fn figures(sums: &Sums) -> Figures {
    let (asked, chosen) = (sums.asked, sums.chosen);
    let saved = i128::from(asked.0) - i128::from(chosen.0);
    let rated = sums.rated as f64;
    Figures {
        rows: sums.rows,
        compared: sums.compared,
        same_model: sums.same,
        by_list_price: sums.by_the_list,
        asked_usd_micros: asked,
        chosen_usd_micros: chosen,
        saved_usd_micros: i64::try_from(saved).unwrap_or(if saved < 0 { i64::MIN } else { i64::MAX }),
        saved_share: (asked > MicroUsd::ZERO).then(|| short(saved as f64 / asked.0 as f64)),
        quality: (sums.rated > 0).then(|| Qualities {
            rows: sums.rated,
            asked: short(sums.asked_quality / rated),
            chosen: short(sums.chosen_quality / rated),
        }),
    }
}

/// Six decimals: behind them there is only noise.
fn short(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
