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

/// An amount in dollars with this many decimals, at most six, for columns that are to be compared.
pub(crate) fn dollars(micros: u64, decimals: usize) -> String {
    let unit = 10u64.pow(6 - decimals as u32);
    let rounded = micros / unit + u64::from(micros % unit >= unit.div_ceil(2) && unit > 1);
    let scale = 10u64.pow(decimals as u32);
    format!("{}.{:0decimals$}", rounded / scale, rounded % scale)
}

/// A difference in dollars, with its sign.
pub(crate) fn signed_dollars(micros: i64, decimals: usize) -> String {
    let sign = match micros.signum() {
        -1 => "-",
        1 => "+",
        _ => "",
    };
    format!("{sign}{}", dollars(micros.unsigned_abs(), decimals))
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
    for expected in &explained.expected {
        text.push_str(&format!("\nquality of {}: {}", expected.model, expected.quality));
    }
    if let Some(observed) = &explained.observed {
        let price = observed.cost_usd_micros.map_or("unknown".to_owned(), |micros| MicroUsd(micros).to_string());
        text.push_str(&format!("\nleft to {}: {} at {price}", observed.strategy, observed.model));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_rounded_to_what_a_column_shows() {
        assert_eq!([2, 4, 6].map(|decimals| dollars(1_234_567, decimals)), ["1.23", "1.2346", "1.234567"]);
        assert_eq!((dollars(995_000, 2), dollars(0, 2)), ("1.00".to_owned(), "0.00".to_owned()));
        assert_eq!((signed_dollars(-20_000, 2), signed_dollars(5, 6)), ("-0.02".to_owned(), "+0.000005".to_owned()));
    }
}
