//! What whoever reads a run's results should know of it.

use std::collections::BTreeSet;

use domain::money::MicroUsd;

use super::{
    expected::OPERATION,
    field::Field,
    judges::Judges,
    notes::{Warning, percent},
    report::{Oracle, Strategy},
    run::Quality,
    scale::Scale,
    table::Ratings,
};

/// Micro-dollars that the dearest picture of a file surely costs.
const TINY_PRICE: u64 = 100;
/// Fewer different prompts than these say little: their bootstrap only knows the few that there are.
const FEW_PROMPTS: u64 = 30;
/// Most models that a warning names.
const NAMED: usize = 5;

/// Of what was rated, and of where expectations come from.
pub(super) fn of_ratings(ratings: &Ratings, field: &Field, judges: &Judges, quality: &Quality) -> Vec<Warning> {
    let mut warnings = ratings.warnings();
    let mut add = |code, count: u64, text: String| {
        if count > 0 {
            warnings.push(Warning::of(code, count, text));
        }
    };
    let unscored = (ratings.prompts() - field.prompts.len()) as u64;
    let best = &ratings.models[field.best].name;
    add(
        "prompts-not-scored",
        unscored,
        format!("{unscored} prompts not scored: not drawn by `{best}` and another model"),
    );
    let models = ratings.models.len();
    let holes = field.prompts.iter().filter(|prompt| ratings.marks_of(**prompt).count() < models).count() as u64;
    let text = format!(
        "{holes} scored prompts lack a model: it is not offered there, and each model's figures are what they would be had \
         all drawn all of them (a rating taken for the sum of its prompt's and its model's share)"
    );
    add("prompts-with-holes", holes, text);
    let models = 0..ratings.models.len();
    let apart: Vec<&str> = models
        .filter(|model| field.singles[*model].prompts == 0)
        .map(|model| ratings.models[model].name.as_str())
        .collect();
    let text = format!("models not compared with `{best}`, with which they share no prompt: `{}`", some(&apart));
    add("models-apart", apart.len() as u64, text);
    let dearest = ratings.marks.iter().map(|mark| mark.price.0).max().unwrap_or(0);
    add(
        "prices-tiny",
        u64::from((1..TINY_PRICE).contains(&dearest)),
        format!("the dearest picture costs {}: are these prices in dollars, not micro-dollars?", MicroUsd(dearest)),
    );
    let faults = judges.faults();
    add("no-answer", faults, format!("{faults} calls without an answer of the classifier or the cost model"));
    if let Quality::File { name, expectations, fitted_on } = quality {
        let known: BTreeSet<&str> = expectations
            .entries()
            .filter(|(operation, ..)| *operation == OPERATION)
            .map(|(_, model, _)| &**model)
            .collect();
        let strange: Vec<&str> = ratings
            .models
            .iter()
            .filter(|model| !known.contains(model.own_name()))
            .map(|model| model.name.as_str())
            .collect();
        let shown = some(&strange);
        let count = strange.len() as u64;
        add(
            "models-not-in-quality-file",
            count,
            format!("{count} models are not in `{name}` and keep their prior: `{shown}`"),
        );
        if *fitted_on == Some(ratings.digest) {
            let text = format!("`{name}` was fitted on these very ratings: its numbers are too good");
            add("fitted-on-these-ratings", 1, text);
        }
    }
    warnings
}

/// Of what the oracle and the intervals are worth. `scored` prompts there are.
pub(super) fn of_scale(scale: &Scale<'_>, oracle: &Oracle, scored: u64) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if scale.is_oracle_below_best() {
        let text = "the oracle is below the best single model: these ratings are too few or too noisy to tell which \
                    model is best for which prompt, and what it is ahead of anybody, the regret, means nothing; a negative \
                    one is shown as `-`";
        warnings.push(Warning::of("oracle-below-best", 1, text.to_owned()));
    }
    let different = scale.different_prompts();
    if different < FEW_PROMPTS {
        let text =
            format!("only {different} different prompts are scored: the intervals mean little, whatever their width");
        warnings.push(Warning::of("few-prompts", different, text));
    }
    if oracle.prompts > 0 && oracle.prompts < scored {
        let (known, unknown) = (oracle.prompts, scored - oracle.prompts);
        let text = format!(
            "the oracle and every regret are means over {known} prompts: of the other {unknown} no picture has two ratings"
        );
        warnings.push(Warning::of("oracle-of-fewer-prompts", unknown, text));
    }
    warnings
}

/// Of one strategy.
pub(super) fn of_strategy(scale: &Scale<'_>, strategy: &Strategy) -> Vec<Warning> {
    let Strategy { name, unanswered, .. } = strategy;
    let mut warnings = Vec::new();
    if *unanswered > 0 {
        let text = format!("{unanswered} decisions without an answer of `{name}`");
        warnings.push(Warning::of("unanswered", *unanswered, text));
    }
    let read = strategy.at_savings.iter().filter_map(|read| Some((Some(read.target), read.outcome.as_ref()?)));
    for (target, outcome) in std::iter::once((None, &strategy.own)).chain(read) {
        let Some(single) = scale.better_single(outcome) else { continue };
        let at = target.map_or(String::new(), |target| format!(" at {:.0} % saving", target * 100.0));
        let saved =
            scale.savings(single.cost_usd_micros).map_or(String::new(), |saved| format!(", {} saved", percent(saved)));
        let ratio = percent(scale.ratio(single.quality));
        let text = format!(
            "`{name}`{at} keeps {} of the best: `{}` for every prompt keeps {ratio} and is no dearer{saved}",
            percent(outcome.quality_ratio),
            single.model,
        );
        warnings.push(Warning::of("below-a-single-model", 1, text));
    }
    warnings
}

/// The first of them.
fn some(names: &[&str]) -> String {
    names.iter().take(NAMED).copied().collect::<Vec<_>>().join("`, `")
}
