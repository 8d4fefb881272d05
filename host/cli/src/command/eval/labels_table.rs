//! How right classifiers are, for people.

use std::fmt::Write as _;

use eval::labels::{Bin, Group, Label, Report, Scored, Seen, Work};

use crate::table;

/// The classifiers beside each other, then each by itself.
pub(super) fn report(report: &Report) -> String {
    let mut text = format!("{} of {} rows scored\n{}\n", report.prompts, report.rows, report.basis);
    let lazy = &report.most_frequent;
    let lazy = vec![
        format!("always `{}`", lazy.label),
        share(lazy.macro_f1),
        String::new(),
        share(lazy.accuracy),
        String::new(),
        String::new(),
    ];
    let rows = report.classifiers.iter().map(row).chain([lazy]);
    let _ = write!(text, "\n{}\n", table::plain(&HEADINGS, 1, rows));
    for scored in &report.classifiers {
        let _ = write!(text, "\n{}", one(scored));
    }
    text.truncate(text.trim_end().len());
    text
}

const HEADINGS: [&str; 6] = ["classifier", "macro-F1", "95 %", "right", "calibration error", "unanswered"];

fn row(scored: &Scored) -> Vec<String> {
    let interval = scored.interval.map_or("?".to_owned(), |[low, high]| format!("{} to {}", share(low), share(high)));
    vec![
        scored.name.clone(),
        share(scored.macro_f1),
        interval,
        share(scored.accuracy),
        share(scored.calibration_error),
        scored.unanswered.to_string(),
    ]
}

fn one(scored: &Scored) -> String {
    let mut text = format!("{}\n", scored.name);
    let said: Vec<String> = scored.labels.iter().map(|label| format!("as {}", label.name)).collect();
    let any_other = scored.labels.iter().any(|label| label.said.last().is_some_and(|(_, count)| *count > 0));
    let headings = ["label", "prompts", "precision", "recall", "F1"].into_iter().chain(said.iter().map(String::as_str));
    let headings: Vec<&str> = headings.chain(any_other.then_some("as other")).collect();
    let _ = writeln!(text, "{}", table::plain(&headings, 1, scored.labels.iter().map(|row| label(row, any_other))));
    if !scored.traits.is_empty() {
        let headings = ["trait", "prompts", "precision", "recall", "F1"];
        let _ = writeln!(text, "\n{}", table::plain(&headings, 1, scored.traits.iter().map(seen)));
    }
    let headings = ["confidence", "prompts", "mean", "right"];
    let _ = writeln!(text, "\n{}", table::plain(&headings, 1, scored.calibration.iter().map(bin)));
    if !scored.groups.is_empty() {
        let headings = ["group", "prompts", "macro-F1", "right"];
        let _ = writeln!(text, "\n{}", table::plain(&headings, 1, scored.groups.iter().map(group)));
    }
    let same = scored.same_label.iter().map(|disturbed| format!("{} {}", disturbed.way, percent(disturbed.share)));
    let _ = writeln!(text, "\nsame label when {}", same.collect::<Vec<_>>().join(", "));
    let _ = writeln!(text, "{}", work(&scored.work));
    text
}

fn label(label: &Label, any_other: bool) -> Vec<String> {
    let counts = label.said.len() - usize::from(!any_other);
    let said = label.said.iter().take(counts).map(|(_, count)| count.to_string());
    let scores = [label.precision, label.recall, label.f1].map(known);
    [label.name.clone(), label.prompts.to_string()].into_iter().chain(scores).chain(said).collect()
}

fn seen(seen: &Seen) -> Vec<String> {
    let scores = [seen.precision, seen.recall, seen.f1].map(known);
    [seen.name.clone(), seen.prompts.to_string()].into_iter().chain(scores).collect()
}

fn bin(bin: &Bin) -> Vec<String> {
    vec![format!("{:.1} to {:.1}", bin.from, bin.to), bin.prompts.to_string(), share(bin.confidence), share(bin.right)]
}

fn group(group: &Group) -> Vec<String> {
    let name = match group.name.as_deref() {
        None => "all others",
        Some("") => "(empty)",
        Some(name) => name,
    };
    vec![name.to_owned(), group.prompts.to_string(), share(group.macro_f1), share(group.accuracy)]
}

fn work(work: &Work) -> String {
    format!(
        "fuel {:.0} in the mean, {} at most (line {}), of {}\na call takes {} us, one in twenty {} us or more; {} us with one \
         letter to read",
        work.mean_fuel,
        work.most_fuel,
        work.most_fuel_line,
        work.fuel_limit,
        work.p50_us,
        work.p95_us,
        work.one_letter_p50_us
    )
}

fn known(value: Option<f64>) -> String {
    value.map_or("?".to_owned(), share)
}

fn share(value: f64) -> String {
    format!("{value:.3}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
