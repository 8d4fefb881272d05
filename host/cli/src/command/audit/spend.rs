//! `muxel audit spend`: what was spent, on what, and what it is compared with.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use domain::catalogue::Date;
use gateway::When;
use ledger::{Bias, Grouping, Period, Reader, SpendLine};

use crate::{exit::ExitStatus, printer::Printer, table};

/// Add up what was spent
#[derive(Debug, Args)]
pub(crate) struct Spend {
    /// Data folder
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,

    /// How long ago it begins, such as 24h, or a day in UTC, such as 2026-10-01
    #[arg(long, value_name = "WHEN", default_value = "30d")]
    since: When,

    /// Where it ends, likewise; now when left out
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,

    /// What the lines are: provider, model, tenant, key, route or strategy
    #[arg(long, value_name = "WORD", default_value_t)]
    by: Grouping,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Spend {
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    pub(super) async fn run(self, reader: &Reader, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now_ms = u64::try_from(now_ms).unwrap_or(u64::MAX);
        let until_ms = self.until.map_or(now_ms.saturating_add(1), |until| until.unix_ms(now_ms));
        let period = Period { since_ms: self.since.unix_ms(now_ms), until_ms };
        if period.since_ms >= period.until_ms {
            printer.failure("`--since` is not before `--until`", Some("leave out `--until` for everything until now"));
            return Ok(ExitStatus::Failure);
        }
        let spend = reader.spend(period, self.by).await?;
        if self.json {
            printer.json(&spend)?;
            return Ok(ExitStatus::Success);
        }
        let decimals = decimals(spend.total.cost_usd_micros);
        printer.data(lines(&spend, decimals))?;
        if !spend.cost_models.is_empty() {
            printer.data(format_args!("\n{}", biases(&spend.cost_models, decimals)))?;
        }
        let day = |ms| Date::of_unix_ms(ms);
        let begins = spend.oldest_ms.filter(|oldest| *oldest > period.since_ms);
        let begins = begins.map_or_else(String::new, |oldest| format!("; the oldest record is of {}", day(oldest)));
        printer.say(format_args!(
            "\nUSD, {} to {} (UTC){begins}\npossible: what failed attempts may have cost, at most; unknown: attempts that \
             nobody knows the price of\nsaved: against the model used now, over the requests that can be compared",
            day(period.since_ms),
            day(period.until_ms - 1),
        ));
        Ok(ExitStatus::Success)
    }
}

/// So many that every amount of a table can be told from nothing, and none is longer than it has to be.
fn decimals(total_usd_micros: u64) -> usize {
    match total_usd_micros {
        0..10_000_000 => 6,
        10_000_000..1_000_000_000 => 4,
        _ => 2,
    }
}

fn lines(spend: &ledger::Spend, decimals: usize) -> comfy_table::Table {
    let by = spend.by.word();
    let headings = [
        by,
        "requests",
        "delivered",
        "cost",
        "reported",
        "estimated",
        "possible",
        "unknown",
        "compared",
        "baseline",
        "saved",
    ];
    let none = format!("(no {by})");
    let named = spend.data.iter().map(|line| row(line.name.as_deref().unwrap_or(&none), line, decimals));
    table::plain(&headings, 1, named.chain([row("total", &spend.total, decimals)]))
}

fn row(name: &str, line: &SpendLine, decimals: usize) -> Vec<String> {
    let money = |micros| table::dollars(micros, decimals);
    let compared = |text: String| if line.compared > 0 { text } else { String::new() };
    vec![
        name.to_owned(),
        line.requests.to_string(),
        line.delivered.to_string(),
        money(line.cost_usd_micros),
        money(line.reported_usd_micros),
        money(line.estimated_usd_micros),
        money(line.possible_usd_micros),
        line.unknown_charges.to_string(),
        line.compared.to_string(),
        compared(money(line.baseline_usd_micros)),
        line.savings_usd_micros.map_or_else(String::new, |saved| table::signed_dollars(saved, decimals)),
    ]
}

/// How far cost models are off.
fn biases(cost_models: &[Bias], decimals: usize) -> comfy_table::Table {
    let headings = ["cost model", "reported", "expected", "actual", "off by", "for each", "share"];
    let rows = cost_models.iter().map(|of| {
        vec![
            of.cost_model.clone(),
            of.requests.to_string(),
            table::dollars(of.estimate_usd_micros, decimals),
            table::dollars(of.actual_usd_micros, decimals),
            table::signed_dollars(of.bias_usd_micros, decimals),
            table::signed_dollars(of.mean_usd_micros.round() as i64, 6),
            of.share.map_or_else(String::new, |share| format!("{:+.1} %", share * 100.0)),
        ]
    });
    table::plain(&headings, 1, rows)
}
