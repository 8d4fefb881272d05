//! Every choice as a row of CSV, so that whoever doubts a number can add it up again.

use std::io::Write;

use super::{
    choices::Choices,
    contestant::Contestant,
    expected::{Expected, OPERATION},
    field::Field,
    notes::Notes,
    read::{RatingsError, Rows},
    table::Ratings,
};

/// Behind the strategy's choice the best single model's, which all are held against. `quality_weight` is empty for a
/// strategy's own settings.
const HEADINGS: [&str; 10] = [
    "prompt_id",
    "strategy",
    "quality_weight",
    "deal",
    "model",
    "cost_usd_micros",
    "expected_quality",
    "scored_quality",
    "best_cost_usd_micros",
    "best_scored_quality",
];

/// Writes a row for each scored prompt, strategy, setting and deal. Reads the file of ratings once more, because ids are
/// not kept.
///
/// # Errors
///
/// When the ratings cannot be read again, or `out` takes no more.
pub(super) fn write(
    ratings: &Ratings,
    field: &Field,
    expected: &Expected,
    contestants: &[Contestant],
    choices: &Choices,
    out: &mut dyn Write,
) -> Result<(), RatingsError> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(HEADINGS).map_err(RatingsError::Choices)?;
    let mut open = vec![false; ratings.prompts()];
    for prompt in &field.prompts {
        open[*prompt as usize] = true;
    }
    let mut rows = Rows::open(&ratings.path)?;
    while let Some(row) = rows.next(&mut Notes::default())? {
        let Some(prompt) = ratings.prompt_of(&row) else { continue };
        if !std::mem::take(&mut open[prompt as usize]) {
            continue;
        }
        let mark_of = |model: u16| ratings.marks_of(prompt).map(|(_, mark)| mark).find(|mark| mark.model == model);
        let Some(best) = mark_of(field.best as u16) else { continue };
        let ways = contestants.iter().flat_map(|contestant| {
            let weights = contestant.weights.iter().map(|weight| weight.to_string());
            std::iter::once(String::new()).chain(weights).map(|weight| (contestant.name.as_str(), weight))
        });
        for (setting, (strategy, weight)) in ways.enumerate() {
            for (deal, chosen) in choices.of(prompt, setting).iter().enumerate() {
                let Some(mark) = mark_of(*chosen) else { continue };
                let model = &ratings.models[usize::from(mark.model)];
                let seen = &ratings.prompts[prompt as usize].seen;
                let candidate = model.candidate.as_str();
                let quality = expected.of(prompt, deal).of(candidate, OPERATION, seen, model.prior);
                let record = [
                    row.id,
                    strategy,
                    &weight,
                    &(deal + 1).to_string(),
                    &model.name,
                    &mark.price.0.to_string(),
                    &quality.map_or(String::new(), |quality| quality.mean.to_string()),
                    &mark.mean.to_string(),
                    &best.price.0.to_string(),
                    &best.mean.to_string(),
                ];
                out.write_record(record).map_err(RatingsError::Choices)?;
            }
        }
    }
    out.flush().map_err(|error| RatingsError::Choices(error.into()))
}
