//! The results of a simulation for people.

mod truth;

use std::fmt::Write as _;

use domain::money::MicroUsd;
use eval::simulate::{Percentiles, Report, StrategyReport};

use crate::table;

const HEADINGS: [&str; 14] = [
    "strategy",
    "answered",
    "fell over",
    "added",
    "recovery",
    "cost",
    "of it maybe",
    "each",
    "saved",
    "quality",
    "unrated",
    "p50",
    "p95",
    "p99",
];

/// The workload in a line, a row for each strategy, and how load spread.
pub(super) fn report(report: &Report) -> String {
    let about = &report.workload;
    let requests = report.strategies.first().map_or(0, |strategy| strategy.requests);
    let mut text = format!("{}: {requests} requests", about.title);
    if let Some(seconds) = about.duration_s {
        let _ = write!(text, " in {}", span(seconds));
    }
    let _ = write!(
        text,
        ", {} providers, {} candidates ({} without a quality prior, {} without a price), seed {}",
        about.providers,
        about.candidates,
        percent(about.unrated_candidates_share, 0),
        percent(about.unpriced_candidates_share, 0),
        about.seed,
    );
    if let Some(baseline) = &about.baseline {
        let _ = write!(text, "\nsaved: against what {baseline} would have charged for the same pictures");
    }
    let rows = table::plain(&HEADINGS, 1, in_order(report).into_iter().map(row));
    let _ = write!(text, "\n\n{rows}");
    if let Some(truth) = truth::report(report, &in_order(report)) {
        let _ = write!(text, "\n\n{truth}");
    }
    let problems: Vec<String> = report.strategies.iter().filter_map(problems).collect();
    if !problems.is_empty() {
        let _ = write!(text, "\n\nwithout an answer, and failed attempts:\n{}", problems.join("\n"));
    }
    let _ = write!(text, "\n\n{}", load(report));
    text
}

/// Those that were asked for first, then those that were pinned in turn, by what they cost.
fn in_order(report: &Report) -> Vec<&StrategyReport> {
    let (mut pinned, mut others): (Vec<_>, Vec<_>) =
        report.strategies.iter().partition(|strategy| strategy.is_pinned());
    pinned
        .sort_by_key(|strategy| (strategy.cost_per_request_usd_micros.is_none(), strategy.cost_per_request_usd_micros));
    others.extend(pinned);
    others
}

fn row(strategy: &StrategyReport) -> Vec<String> {
    let unknown = if strategy.unknown_charges > 0 { "+?" } else { "" };
    let money = |amount: u64| format!("{:.2} USD", MicroUsd(amount).usd());
    vec![
        strategy.name.clone(),
        percent(strategy.success_rate, 3),
        percent(strategy.fall_over_share, 2),
        strategy.fall_over_ms.p50.map_or(NONE.to_owned(), seconds),
        strategy.recovery_s.map_or(NONE.to_owned(), |recovery| format!("{recovery:.1} s")),
        format!("{}{unknown}", money(strategy.cost_usd_micros)),
        money(strategy.possible_usd_micros),
        strategy.cost_per_request_usd_micros.map_or("?".to_owned(), |each| MicroUsd(each).to_string()),
        strategy.savings.map_or(NONE.to_owned(), |share| percent(share, 1)),
        strategy.expected_quality.map_or("?".to_owned(), |quality| format!("{quality:.3}")),
        strategy.unrated_share.map_or(NONE.to_owned(), |share| percent(share, 0)),
        shown(strategy.latency_ms, |times| times.p50),
        shown(strategy.latency_ms, |times| times.p95),
        shown(strategy.latency_ms, |times| times.p99),
    ]
}

/// Of what there is nothing to say about.
const NONE: &str = "-";

fn problems(strategy: &StrategyReport) -> Option<String> {
    let list = |counts: &std::collections::BTreeMap<&str, u64>| {
        let counted: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
        counted.join(", ")
    };
    let mut parts = Vec::new();
    if !strategy.unanswered.is_empty() {
        parts.push(format!("unanswered {}", list(&strategy.unanswered)));
    }
    if !strategy.attempt_failures.is_empty() {
        parts.push(format!("failed attempts {}", list(&strategy.attempt_failures)));
    }
    if strategy.native_decisions > 0 {
        parts.push(format!("{} decisions without a strategy", strategy.native_decisions));
    }
    if strategy.plugin_faults > 0 {
        parts.push(format!("{} plugin faults", strategy.plugin_faults));
    }
    if let Some(truth) = strategy.truth.as_ref().filter(|truth| truth.skipped > 0) {
        parts.push(format!("{} outcomes it could not learn from", truth.skipped));
    }
    if strategy.calls_ended_by_clock > 0 {
        parts.push("a plugin call was ended by this machine's clock: another run may differ".to_owned());
    }
    (!parts.is_empty()).then(|| format!("  {}: {}", strategy.name, parts.join("; ")))
}

/// Shares of attempts, by provider.
fn load(report: &Report) -> comfy_table::Table {
    // Who is pinned loads one provider only.
    let choosing = || report.strategies.iter().filter(|strategy| !strategy.is_pinned());
    let mut providers: Vec<&str> =
        choosing().flat_map(|strategy| strategy.load.attempts.keys().map(String::as_str)).collect();
    providers.sort_unstable();
    providers.dedup();
    let headings: Vec<&str> = std::iter::once("attempts at").chain(providers.iter().copied()).collect();
    let rows = choosing().map(|strategy| {
        let share =
            |provider: &&str| strategy.load.attempts.get(*provider).map_or(NONE.to_owned(), |share| percent(*share, 1));
        std::iter::once(strategy.name.clone()).chain(providers.iter().map(share)).collect()
    });
    table::plain(&headings, 1, rows)
}

fn shown(times: Percentiles, of: fn(Percentiles) -> Option<u64>) -> String {
    of(times).map_or(NONE.to_owned(), seconds)
}

fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1e3)
}

fn percent(share: f64, decimals: usize) -> String {
    // Never rounded up to all.
    let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(0) + 2);
    let shown = if share < 1.0 && share > 0.5 { (share * scale).floor() / scale } else { share };
    format!("{:.decimals$} %", shown * 100.0)
}

fn span(seconds: f64) -> String {
    if seconds >= 3_600.0 { format!("{:.1} h", seconds / 3_600.0) } else { format!("{:.0} min", seconds / 60.0) }
}
