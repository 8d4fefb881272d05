//! What was learned from ratings and what strategies made of it, for people.

use std::fmt::Write as _;

use domain::{
    expectation::{Expectations, Term},
    money::MicroUsd,
};
use eval::ratings::{AtSaving, Outcome, Report, Single, Weights};

use crate::table;

/// Terms of a model that are named: those that matter most.
const STRONGEST: usize = 3;

/// The ratings in a line, the models, a row for each strategy, and frontiers at two savings.
pub(super) fn report(report: &Report) -> String {
    let about = &report.ratings;
    let mut text = format!(
        "{} prompts scored, {} models, {} rater{}; expectations: {}, seed {}{}\n{}\n",
        about.prompts_scored,
        about.models,
        about.raters,
        if about.raters == 1 { "" } else { "s" },
        about.quality,
        about.seed,
        about.deals.filter(|deals| *deals > 1).map_or(String::new(), |deals| format!(", {deals} deals")),
        about.method
    );
    let single = |single: &Single| {
        let is_best = single.model == report.best_single.model;
        let note = match single.is_compared {
            true if is_best => " (the best)",
            true => "",
            false => " (too few prompts)",
        };
        let name = format!("{}{note}", single.model);
        vec![name, quality(single.quality), dollars(single.cost_usd_micros), single.prompts.to_string()]
    };
    let headings = ["one model for all", "quality", "cost each", "prompts"];
    let is_uneven = report.singles.iter().any(|single| single.prompts < about.prompts_scored);
    let shown = if is_uneven { headings.len() } else { headings.len() - 1 };
    let rows = report.singles.iter().map(single).map(|row| row.into_iter().take(shown).collect());
    let singles = table::plain(&headings[..shown], 1, rows);
    let _ = write!(text, "\n{singles}\n");
    match report.oracle.quality {
        Some(known) => {
            let _ = write!(text, "\noracle, chosen without the rater who scores: {}", quality(known));
        }
        None => {
            let why = report.oracle.why_unknown.unwrap_or_default();
            let _ = write!(text, "\noracle: unknown, {why}");
        }
    }
    let _ = writeln!(text, "; chosen and scored with the same: {}", quality(report.oracle.in_sample.quality));
    let rows = report.strategies.iter().map(|strategy| row(&strategy.name, &strategy.own));
    let _ = write!(text, "\n{}", table::plain(&HEADINGS, 1, rows));
    for strategy in &report.strategies {
        if !strategy.weights.is_empty() {
            let _ = write!(text, "\n{} as it is\n  {}", strategy.name, weights(&strategy.weights));
        }
        for read in &strategy.at_savings {
            let _ = write!(text, "\n{} at {:.0} % saving: {}", strategy.name, read.target * 100.0, at_saving(read));
        }
    }
    if report.strategies.iter().any(|strategy| !strategy.weights.is_empty()) {
        let _ =
            write!(text, "\nweights are a line of `[routes.NAME]` in the configuration; nobody waits or fails here");
    }
    text
}

/// What there is at a saving, and the settings that give it.
fn at_saving(read: &AtSaving) -> String {
    let mut text = match (&read.outcome, &read.note) {
        // Read elsewhere: the figures are those of the saving that it has.
        (Some(outcome), Some(note)) => {
            let saved = outcome.savings.map_or("?".to_owned(), percent);
            format!("{note}: {saved} saved, {}", told(outcome))
        }
        (Some(outcome), None) => format!("{}{}", told(outcome), range(&read.each_deal)),
        (None, note) => note.clone().unwrap_or_else(|| "unknown".to_owned()),
    };
    for setting in &read.settings {
        let _ = write!(text, "\n  {}", weights(&setting.weights));
        if read.settings.len() > 1 {
            let alone = setting.savings.map_or("?".to_owned(), percent);
            let _ = write!(text, "  for {} of requests (alone it saves {alone})", percent(setting.share));
        }
    }
    text
}

/// As the configuration has them.
fn weights(weights: &Weights) -> String {
    let weights: Vec<String> = weights.iter().map(|(name, weight)| format!("{name} = {weight}")).collect();
    format!("weights = {{ {} }}", weights.join(", "))
}

/// Behind them what looks at no prompt comes to at the same cost.
const HEADINGS: [&str; 9] =
    ["strategy", "quality", "of the best", "95 %", "cost each", "saved", "random mix", "best mix of two", "regret"];

fn row(name: &str, outcome: &Outcome) -> Vec<String> {
    vec![
        name.to_owned(),
        quality(outcome.quality),
        percent(outcome.quality_ratio),
        interval(outcome),
        dollars(outcome.cost_usd_micros),
        outcome.savings.map_or("?".to_owned(), percent),
        outcome.random_mix.map_or("?".to_owned(), |mix| percent(mix.quality_ratio)),
        outcome.best_mix.as_ref().map_or("?".to_owned(), |mix| percent(mix.quality_ratio)),
        outcome.regret.map_or("?".to_owned(), regret),
    ]
}

fn told(outcome: &Outcome) -> String {
    let random = outcome.random_mix.map_or("?".to_owned(), |mix| percent(mix.quality_ratio));
    let best = outcome.best_mix.as_ref().map_or("?".to_owned(), |mix| {
        let names: Vec<&str> = mix.models.iter().map(|share| share.model.as_str()).collect();
        format!("{} ({})", percent(mix.quality_ratio), names.join(" and "))
    });
    format!(
        "{} of the best ({}), a random mix of best and cheapest {random}, the best mix of any two {best}",
        percent(outcome.quality_ratio),
        interval(outcome),
    )
}

/// How far deals are apart.
fn range(each_deal: &[f64]) -> String {
    let least = each_deal.iter().copied().min_by(f64::total_cmp);
    let most = each_deal.iter().copied().max_by(f64::total_cmp);
    least.zip(most).map_or(String::new(), |(least, most)| format!("; deals {} to {}", percent(least), percent(most)))
}

fn interval(outcome: &Outcome) -> String {
    outcome.interval.map_or("?".to_owned(), |[low, high]| format!("{} to {}", percent(low), percent(high)))
}

fn quality(value: f64) -> String {
    format!("{value:.3}")
}

/// Nobody does better than one who knows all: below nothing it is noise.
fn regret(value: f64) -> String {
    if value < 0.0 { "-".to_owned() } else { quality(value) }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn dollars(micros: f64) -> String {
    MicroUsd(micros.max(0.0).round() as u64).to_string()
}

/// A row for each model: what is expected of a usual prompt, and what changes it most.
pub(super) fn expectations(expectations: &Expectations) -> String {
    let rows = expectations.entries().map(|(_, model, entry)| {
        let mut terms: Vec<(Term, f32)> =
            Term::ALL.into_iter().skip(1).map(|term| (term, entry.terms[term as usize].mean)).collect();
        terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let strongest: Vec<String> =
            terms.iter().take(STRONGEST).map(|(term, by)| format!("{} {by:+.3}", term.word())).collect();
        let base = entry.prior.mean + entry.terms[Term::Base as usize].mean;
        vec![model.to_string(), format!("{:.0}", entry.ratings), format!("{base:.3}"), strongest.join(", ")]
    });
    table::plain(&["model", "ratings", "quality", "most changed by"], 1, rows).to_string()
}
