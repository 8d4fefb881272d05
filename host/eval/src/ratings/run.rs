//! One evaluation from ratings to report.

use std::{io::Write, sync::Arc};

use domain::{digest::Digest, expectation::Expectations};

use super::{
    cautions,
    choices::Choices,
    choices_file,
    contestant::Contestant,
    expected::Expected,
    field::Field,
    judges::Judges,
    read::RatingsError,
    report::{About, METHOD_FILE, METHOD_FOLDS, Report, Single},
    scale::Scale,
    table::Ratings,
};

/// How often prompts are dealt into folds; once where there are so many that it matters little.
const DEALS: u32 = 5;
const MANY_PROMPTS: usize = 5_000;

/// Where expectations of quality come from.
pub enum Quality {
    /// The other folds of the ratings themselves, which are dealt several times; `None` for as often as their number wants.
    Folds { folds: u32, deals: Option<u32> },
    File {
        name: String,
        expectations: Arc<Expectations>,
        /// What the file says that it was fitted on.
        fitted_on: Option<Digest>,
    },
}

/// Lets `contestants` choose on rated prompts and scores what they chose. `progress` hears how many prompts of how many
/// are decided. `choices_out` takes every choice as a row of CSV.
///
/// # Errors
///
/// What makes the ratings unusable for that, or `choices_out` takes no more.
pub fn run(
    ratings: &Ratings,
    judges: &Judges,
    contestants: &[Contestant],
    quality: &Quality,
    seed: u64,
    choices_out: Option<&mut dyn Write>,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Report, RatingsError> {
    let field = Field::of(ratings)?;
    let expected = match quality {
        Quality::Folds { folds, deals } => {
            let deals = deals.unwrap_or(if field.prompts.len() > MANY_PROMPTS { 1 } else { DEALS });
            Expected::cross_validated(ratings, *folds, deals, seed)?
        }
        Quality::File { expectations, .. } => Expected::given(Arc::clone(expectations)),
    };
    let mut counts = vec![false; ratings.prompts()];
    for prompt in &field.prompts {
        counts[*prompt as usize] = true;
    }
    let all = field.prompts.len() as u64;
    let mut heard = |done| progress(done, all);
    let choices = Choices::make(ratings, &counts, &expected, judges, contestants, seed, &mut heard)?;
    if let Some(out) = choices_out {
        choices_file::write(ratings, &field, &expected, contestants, &choices, out)?;
    }
    let scale = Scale::new(ratings, &field);
    let oracle = scale.oracle();
    let mut warnings = cautions::of_ratings(ratings, &field, judges, quality);
    warnings.extend(cautions::of_scale(&scale, &oracle, all));
    let mut settings = 0;
    let mut strategies = Vec::with_capacity(contestants.len());
    for (contestant, unanswered) in contestants.iter().zip(&choices.unanswered) {
        let strategy = scale.strategy(contestant, &choices, settings, *unanswered);
        settings += contestant.settings.len();
        warnings.extend(cautions::of_strategy(&scale, &strategy));
        strategies.push(strategy);
    }
    let (folds, quality, method) = match quality {
        Quality::Folds { folds, .. } => (Some(*folds), "cross-validated".to_owned(), METHOD_FOLDS),
        Quality::File { name, .. } => (None, name.clone(), METHOD_FILE),
    };
    let about = About {
        file: ratings.path.display().to_string(),
        digest: ratings.digest.to_string(),
        rows: ratings.rows,
        rows_used: ratings.used() as u64,
        prompts: ratings.prompts() as u64,
        prompts_scored: all,
        models: ratings.models.len() as u64,
        raters: ratings.raters as u64,
        quality,
        folds,
        deals: folds.map(|_| choices.deals as u64),
        seed,
        method,
    };
    let mut singles: Vec<Single> = (0..ratings.models.len()).map(|model| scale.single(model)).collect();
    singles.retain(|single| single.prompts > 0);
    singles.sort_by(|a, b| b.quality.total_cmp(&a.quality).then_with(|| a.model.cmp(&b.model)));
    Ok(Report {
        ratings: about,
        best_single: scale.single(field.best),
        cheapest_single: scale.single(field.cheapest),
        mixed_singles: field.corners.models().map(|model| scale.single(model)).collect(),
        singles,
        oracle,
        strategies,
        warnings,
    })
}
