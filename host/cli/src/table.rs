//! Tables that read well on a terminal and in a README.

use comfy_table::{CellAlignment, Table, presets};
use domain::{explain::Explanation, money::MicroUsd};

/// Rows under headings, columns from `first_number` on aligned to the right.
pub(crate) fn plain(headings: &[&str], first_number: usize, rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headings.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(first_number) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A decision: candidate, quality, price, latency, score, and why not.
pub(crate) fn decision(explained: &Explanation) -> String {
    let shown = |value: Option<f64>| value.map_or("?".to_owned(), |value| format!("{value:.3}"));
    let rows = explained.candidates.iter().map(|candidate| {
        vec![
            candidate.model.clone(),
            shown(candidate.quality),
            candidate.cost_usd_micros.map_or("?".to_owned(), |micros| MicroUsd(micros).to_string()),
            candidate.p50_ms.map_or("?".to_owned(), |ms| format!("{:.1} s", f64::from(ms) / 1e3)),
            candidate.score.map_or(String::new(), |score| format!("{score:.3}")),
            candidate.why.clone().unwrap_or_default(),
        ]
    });
    let mut table = plain(&["candidate", "quality", "price", "p50", "score", "veto"], 1, rows);
    if let Some(column) = table.column_mut(5) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    let traits = if explained.traits.is_empty() { String::new() } else { format!(", {}", explained.traits.join(", ")) };
    let mut text = format!(
        "{label} ({confidence:.0} %), complexity {complexity:.2}{traits}\n{strategy}: {reason}\n\n{table}\n",
        label = explained.label,
        confidence = explained.confidence * 100.0,
        complexity = explained.complexity,
        strategy = explained.strategy,
        reason = explained.reason,
    );
    for call in &explained.plugins {
        let fault = call.fault.as_ref().map_or(String::new(), |code| format!(", {code}"));
        text.push_str(&format!(
            "\n{plugin}: {ended}{fault} in {us} us, {fuel} fuel, {kib} KiB",
            plugin = call.plugin,
            ended = call.ended,
            us = call.us,
            fuel = call.fuel,
            kib = call.memory_bytes / 1024,
        ));
    }
    for warning in &explained.warnings {
        text.push_str(&format!("\nwarning: {warning}"));
    }
    text
}
