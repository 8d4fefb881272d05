//! What last month's requests would have cost, for people.

use std::fmt::Write as _;

use comfy_table::CellAlignment;
use domain::money::{Difference, MicroUsd};
use eval::what_if::{Figures, Report, Strategy};

use crate::table;

/// Models that were asked for, models that would have been chosen for each of them, and lines about who is left out.
const MODELS: usize = 15;
const CHOSEN: usize = 4;
const REASONS: usize = 5;
/// Widest name in a column.
const WIDEST: usize = 34;
/// Sums from which on cents suffice.
const MANY: MicroUsd = MicroUsd(100_000_000);
/// Shares by which the catalogue may be off what was paid before a word is due.
const OFF: f64 = 0.05;

/// The file in a line, and for each way of deciding the sum, then by model and by label.
pub(super) fn report(report: &Report) -> String {
    let mut text = format!("{}: {}, {} of them requests", report.file, counted(report.rows, "row"), report.requests);
    if !report.missing_columns.is_empty() {
        let _ = write!(text, "; no column {}", report.missing_columns.join(", "));
    }
    let _ = write!(text, "\n{}", wrapped(report.basis));
    if let Some(line) = off(report) {
        let _ = write!(text, "\n{line}");
    }
    for strategy in &report.strategies {
        let _ = write!(text, "\n\n{}", told(strategy));
    }
    text
}

fn told(strategy: &Strategy) -> String {
    let Figures { rows, compared, same_model, by_list_price, .. } = strategy.total;
    let mut text = format!("{}: {}", strategy.name, saved(&strategy.total));
    let _ = write!(
        text,
        "\n  over {} whose costs are known, {by_list_price} of them by the list price of what was asked for",
        counted(compared, "row")
    );
    if same_model > 0 {
        let _ = write!(text, "\n  {same_model} of them keep their model, and save nothing");
    }
    if let Some(quality) = strategy.total.quality {
        let _ = write!(
            text,
            "\n  expected quality (q): {:.3}, of what was asked for {:.3}, over {} of which both are known",
            quality.chosen,
            quality.asked,
            counted(quality.rows, "row")
        );
    } else if rows > 0 {
        text.push_str("\n  expected quality: no row of which both sides are known");
    }
    for left_out in &strategy.left_out {
        let _ = write!(text, "\n  not in the savings: {}, {}", counted(left_out.count, "row"), left_out.why);
    }
    for unserved in strategy.unserved.iter().take(REASONS) {
        let why = unserved.why.as_deref().unwrap_or("for further reasons");
        let lines: Vec<String> = unserved.first_lines.iter().map(u64::to_string).collect();
        let more = if unserved.count > lines.len() as u64 { ", ..." } else { "" };
        let rows = counted(unserved.count, "row");
        let _ = write!(text, "\n    {rows}: {why} (line {}{more})", lines.join(", "));
        if let Some(hint) = &unserved.hint {
            let _ = write!(text, "\n      hint: {hint}");
        }
    }
    if rows == 0 {
        return text;
    }
    // Cents say enough of what is many dollars.
    let decimals = if strategy.total.asked_usd_micros >= MANY { 2 } else { 4 };
    let row = |name: &str, figures: &Figures| row(name, figures, decimals);
    let mut lines = Vec::new();
    for model in strategy.by_model.iter().take(MODELS) {
        lines.push(row(&name(model.all.name.as_deref(), "all other models"), &model.all.figures));
        for chosen in model.chosen.iter().take(CHOSEN) {
            lines.push(row(&format!("  -> {}", short(&chosen.model)), &chosen.figures));
        }
        let further = model.chosen.iter().skip(CHOSEN).count();
        if further > 0 {
            lines.push(blank(format!("  -> {further} more")));
        }
    }
    let further = strategy.by_model.iter().skip(MODELS).count();
    if further > 0 {
        lines.push(blank(format!("{further} more models")));
    }
    let _ = write!(text, "\n\n{}", rows_of("asked -> chosen", lines));
    let labels = strategy.by_label.iter().map(|label| row(&name(label.name.as_deref(), "all others"), &label.figures));
    let _ = write!(text, "\n\n{}", rows_of("label", labels.collect()));
    text
}

/// `saved 1.20 USD of 4.80 USD (25.0 %)`, or what it would have cost more.
fn saved(figures: &Figures) -> String {
    let (asked, chosen) = (figures.asked_usd_micros, figures.chosen_usd_micros);
    let share = figures.saved_share.map_or(String::new(), |share| format!(", {:.1} %", share.abs() * 100.0));
    match figures.saved_usd_micros {
        _ if figures.compared == 0 => "savings unknown".to_owned(),
        saved if saved < 0 => format!("{chosen} instead of {asked}: {} dearer{share}", chosen.minus(asked)),
        _ => format!("{chosen} instead of {asked}: {} saved{share}", asked.minus(chosen)),
    }
}

const HEADINGS: [&str; 7] = ["rows", "compared", "asked USD", "chosen USD", "saved", "q asked", "q chosen"];

fn rows_of(first: &str, rows: Vec<Vec<String>>) -> String {
    let headings: Vec<&str> = std::iter::once(first).chain(HEADINGS).collect();
    let mut table = table::plain(&headings, 1, rows);
    if let Some(column) = table.column_mut(0) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table.to_string()
}

fn row(name: &str, figures: &Figures, decimals: usize) -> Vec<String> {
    let known = |text: String| if figures.compared == 0 { "?".to_owned() } else { text };
    let amount = |amount: MicroUsd| known(table::dollars(amount.0, decimals));
    let quality = |value: Option<f64>| value.map_or("?".to_owned(), |value| format!("{value:.2}"));
    vec![
        name.to_owned(),
        figures.rows.to_string(),
        figures.compared.to_string(),
        amount(figures.asked_usd_micros),
        amount(figures.chosen_usd_micros),
        known(figures.saved_share.map_or("?".to_owned(), |share| format!("{:.1} %", share * 100.0))),
        quality(figures.quality.map(|quality| quality.asked)),
        quality(figures.quality.map(|quality| quality.chosen)),
    ]
}

fn blank(name: String) -> Vec<String> {
    std::iter::once(name).chain(HEADINGS.map(|_| String::new())).collect()
}

fn name(name: Option<&str>, others: &str) -> String {
    name.map_or(others.to_owned(), short)
}

fn short(name: &str) -> String {
    if name.chars().count() <= WIDEST {
        return name.to_owned();
    }
    let kept: String = name.chars().take(WIDEST - 3).collect();
    format!("{kept}...")
}

/// A word when the catalogue's prices are not those that were paid.
fn off(report: &Report) -> Option<String> {
    let told = &report.paid_and_listed;
    let (paid, listed) = (told.paid_usd_micros, told.listed_usd_micros);
    let off = (listed.0 as f64 / paid.0.max(1) as f64 - 1.0).abs();
    (told.rows > 0 && off > OFF).then(|| {
        let difference = i128::from(paid.0) - i128::from(listed.0);
        let difference = Difference(i64::try_from(difference).unwrap_or(i64::MAX));
        format!(
            "beware: for {} {paid} was paid, where the catalogue says {listed} ({difference});\nif your prices differ, \
             say so in the configuration:\n`price-factor` of a provider, or a price of `[[models]]`",
            counted(told.rows, "row")
        )
    })
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Over lines of at most a hundred characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        if lines.last().is_some_and(|line| line.len() + word.len() >= 99) {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
