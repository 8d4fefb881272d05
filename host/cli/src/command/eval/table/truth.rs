//! How good what was delivered really was, and how that went on while strategies learned.

use std::fmt::Write as _;

use eval::simulate::{Report, StrategyReport, TruthReport};

use super::{NONE, percent, table};

const HEADINGS: [&str; 7] = ["strategy", "true quality", "value", "of oracle's", "regret", "ratings", "remembers"];

/// `None` when the workload does not say how good anybody is.
pub(super) fn report(report: &Report, in_order: &[&StrategyReport]) -> Option<String> {
    let known = |strategy: &&StrategyReport| Some((strategy.name.clone(), strategy.truth.clone()?));
    let all: Vec<(String, TruthReport)> = in_order.iter().filter_map(known).collect();
    let (_, first) = all.first()?;
    let mut text = "value: quality, price and wait as strategies weigh them, with the quality that is true".to_owned();
    if let Some(oracle) = first.oracle {
        let _ = write!(text, "; an oracle's is {oracle:.3}");
    }
    let _ = write!(text, "\n{}", table::plain(&HEADINGS, 1, all.iter().map(|(name, truth)| row(name, truth))));
    let learning: Vec<(&str, &TruthReport)> = all
        .iter()
        .filter(|(name, _)| in_order.iter().any(|strategy| strategy.name == *name && !strategy.is_pinned()))
        .map(|(name, truth)| (name.as_str(), truth))
        .collect();
    if let Some((_, first)) = learning.first() {
        let _ = write!(text, "\n\nvalue after so many requests");
        let shifts: Vec<String> = report.workload.shifts.iter().map(u64::to_string).collect();
        if !shifts.is_empty() {
            let _ = write!(text, " (the truth changes after {})", shifts.join(", "));
        }
        let headings: Vec<&str> = std::iter::once("after").chain(learning.iter().map(|(name, _)| *name)).collect();
        let rows = first.curve.iter().enumerate().map(|(index, block)| {
            let value =
                |(_, truth): &(&str, &TruthReport)| number(truth.curve.get(index).and_then(|block| block.value));
            std::iter::once(block.after.to_string()).chain(learning.iter().map(value)).collect()
        });
        let _ = write!(text, "\n{}", table::plain(&headings, 0, rows));
    }
    Some(text)
}

fn row(name: &str, truth: &TruthReport) -> Vec<String> {
    let share = truth.value.zip(truth.oracle).filter(|(_, oracle)| *oracle > 0.0).map(|(value, oracle)| value / oracle);
    let remembers = match truth.memory_bytes {
        0 => NONE.to_owned(),
        bytes => format!("{bytes} B"),
    };
    vec![
        name.to_owned(),
        number(truth.quality),
        number(truth.value),
        share.map_or(NONE.to_owned(), |share| percent(share, 1)),
        number(truth.regret),
        truth.ratings.to_string(),
        remembers,
    ]
}

fn number(value: Option<f64>) -> String {
    value.map_or(NONE.to_owned(), |value| format!("{value:.3}"))
}
