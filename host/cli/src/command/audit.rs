//! `muxel audit`: what was decided, and what it cost. Works while a server runs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::{
    attempt::DecisionId,
    money::{Difference, MicroUsd},
};
use ledger::{Filter, Ledger, Reader, Row};

use crate::{exit::ExitStatus, printer::Printer, table};

mod spend;

/// Read the audit log
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    List(List),
    Show(Show),
    Spend(spend::Spend),
}

/// List records, newest first
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Data folder
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,

    /// Most records to list
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,

    /// Only records before this one: the last one of the page before
    #[arg(long, value_name = "ID")]
    before: Option<DecisionId>,

    /// Only this tenant's
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Show one record: candidates, plugin calls, attempts
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The decision's id, from the header `x-muxel-decision`
    #[arg(value_name = "ID")]
    id: DecisionId,

    /// Data folder
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let folder = match &self {
                Self::List(List { data, .. }) | Self::Show(Show { data, .. }) => data,
                Self::Spend(command) => command.data(),
            };
            let reader = match Ledger::open_read_only(folder).await {
                Ok(reader) => reader,
                Err(error) => {
                    printer.failure(&error, error.hint());
                    return Ok(ExitStatus::Failure);
                }
            };
            match self {
                Self::List(command) => command.run(&reader, printer).await,
                Self::Show(command) => command.run(&reader, printer).await,
                Self::Spend(command) => command.run(&reader, printer).await,
            }
        })
    }
}

impl List {
    async fn run(self, reader: &Reader, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let filter = Filter { limit: self.limit, before: self.before, tenant: self.tenant, outcome: None };
        let rows = reader.list(&filter).await?;
        if self.json {
            printer.json(&rows)?;
            return Ok(ExitStatus::Success);
        }
        let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().unwrap_or("").to_owned();
        let lines = rows.iter().map(|row| {
            vec![
                row.id.to_string(),
                row.outcome.word().to_owned(),
                text(&row.served),
                text(&row.strategy),
                text(&row.label),
                if row.cost_is == "unknown" { "?".to_owned() } else { MicroUsd(row.cost_usd_micros).to_string() },
                row.cost_is.to_owned(),
                row.money.savings_usd_micros.map_or_else(String::new, |saved| Difference(saved).to_string()),
                row.attempts.to_string(),
                format!("{:.1} s", f64::from(row.latency_ms) / 1e3),
            ]
        });
        let headings =
            ["decision", "outcome", "served by", "strategy", "label", "cost", "cost is", "saved", "attempts", "took"];
        printer.data(table::plain(&headings, 5, lines))?;
        Ok(ExitStatus::Success)
    }
}

impl Show {
    async fn run(self, reader: &Reader, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let Some(stored) = reader.find(self.id).await? else {
            let hint = "list them with `muxel audit list`; old records are deleted";
            printer.failure(format_args!("there is no record of {}", self.id), Some(hint));
            return Ok(ExitStatus::Failure);
        };
        if self.json {
            printer.json(&gateway::describe(&stored))?;
            return Ok(ExitStatus::Success);
        }
        let row = &stored.row;
        let mut text = format!(
            "{}  {}  {} ({})  {} ms\n",
            row.id,
            row.outcome.word(),
            MicroUsd(row.cost_usd_micros),
            row.cost_is,
            row.latency_ms,
        );
        text.push_str(&money(row));
        if let Some(trace) = stored.trace.as_ref().filter(|_| stored.prompt_kept) {
            text.push_str(&format!("prompt: {}\n", trace.decision.request.prompt));
        }
        if let Some(explained) = stored.explanation() {
            text.push_str(&table::decision(&explained));
            text.push('\n');
        }
        for attempt in &stored.attempts {
            let detail = attempt.detail.as_ref().map_or(String::new(), |detail| format!(": {detail}"));
            text.push_str(&format!(
                "\nattempt {} at {}: {}{detail}, {} ms, {} ({})",
                attempt.number,
                attempt.model,
                attempt.ended,
                attempt.latency_ms,
                MicroUsd(attempt.cost_usd_micros),
                attempt.cost_is,
            ));
        }
        printer.data(text)?;
        Ok(ExitStatus::Success)
    }
}

/// How the cost came about, and what it is compared with.
fn money(row: &Row) -> String {
    let money = &row.money;
    let mut text = String::new();
    if let (Some(model), Some(expected), Some(upper)) =
        (&money.cost_model, money.served_estimate_usd_micros, money.served_upper_usd_micros)
    {
        text.push_str(&format!("expected by {model}: {}, at most {}\n", MicroUsd(expected), MicroUsd(upper)));
    }
    if let (Some(cost), Some(is)) = (money.served_cost_usd_micros, money.served_cost_is) {
        let cost = if is == "unknown" { "?".to_owned() } else { MicroUsd(cost).to_string() };
        text.push_str(&format!("the attempt that delivered: {cost} ({is})\n"));
    }
    if let Some(baseline) = &money.baseline {
        let cost = money.baseline_usd_micros.map_or("?".to_owned(), |cost| MicroUsd(cost).to_string());
        let saved = money.savings_usd_micros.map_or("not known".to_owned(), |saved| Difference(saved).to_string());
        text.push_str(&format!("at the model used now, {baseline}: {cost}; saved: {saved}\n"));
    }
    text
}
