//! One evaluation from ratings to report.

use std::{collections::BTreeMap, sync::Arc};

use domain::{digest::Digest, expectation::Expectations, money::MicroUsd};

use super::{
    bootstrap::intervals,
    choices::Choices,
    contestant::Contestant,
    expected::{Expected, OPERATION},
    field::Field,
    judges::Judges,
    notes::Warning,
    oracle::{self, Known},
    read::RatingsError,
    report::{
        About, AtSaving, InSample, METHOD_FILE, METHOD_FOLDS, Oracle, Outcome, Point, RandomMix, Report, Single,
        Strategy, TARGETS,
    },
    score::{Reading, Series, read_at},
    table::Ratings,
};

/// Micro-dollars that the dearest picture of a file surely costs.
const TINY_PRICE: u64 = 100;
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
/// are decided.
///
/// # Errors
///
/// What makes the ratings unusable for that.
pub fn run(
    ratings: &Ratings,
    judges: &Judges,
    contestants: &[Contestant],
    quality: &Quality,
    seed: u64,
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
    let scale = Scale::new(ratings, &field);
    let oracle = scale.oracle();
    let mut warnings = warnings(ratings, &field, judges, quality);
    if scale.regret(&scale.best).is_some_and(|regret| regret < 0.0) {
        let text = "the oracle is below the best single model: these ratings are too few or too noisy to tell which \
                    model is best for which prompt, and a negative regret means nothing";
        warnings.push(Warning::of("oracle-below-best", 1, text.to_owned()));
    }
    if oracle.prompts > 0 && oracle.prompts < all {
        let (known, unknown) = (oracle.prompts, all - oracle.prompts);
        let text = format!(
            "the oracle and every regret are means over {known} prompts: of the other {unknown} no picture has two ratings"
        );
        warnings.push(Warning::of("oracle-of-fewer-prompts", unknown, text));
    }
    let mut settings = 0;
    let mut strategies = Vec::with_capacity(contestants.len());
    for (contestant, unanswered) in contestants.iter().zip(&choices.unanswered) {
        strategies.push(scale.strategy(contestant, &choices, settings, *unanswered));
        settings += contestant.settings.len();
        if *unanswered > 0 {
            let text = format!("{unanswered} decisions without an answer of `{}`", contestant.name);
            warnings.push(Warning::of("unanswered", *unanswered, text));
        }
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
        singles,
        oracle,
        strategies,
        warnings,
    })
}

fn warnings(ratings: &Ratings, field: &Field, judges: &Judges, quality: &Quality) -> Vec<Warning> {
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
    add("prompts-with-holes", holes, format!("{holes} scored prompts lack a model; it is not offered there"));
    let dearest = ratings.marks.iter().map(|mark| mark.price.0).max().unwrap_or(0);
    add(
        "prices-tiny",
        u64::from((1..TINY_PRICE).contains(&dearest)),
        format!("the dearest picture costs {}: are these prices in dollars, not micro-dollars?", MicroUsd(dearest)),
    );
    let faults = judges.faults();
    add("no-answer", faults, format!("{faults} calls without an answer of the classifier or the cost model"));
    if let Quality::File { name, expectations, fitted_on } = quality {
        let known: BTreeMap<_, _> = expectations
            .entries()
            .filter(|(operation, ..)| *operation == OPERATION)
            .map(|(_, model, _)| (&**model, ()))
            .collect();
        let strange: Vec<&str> = ratings
            .models
            .iter()
            .filter(|model| !known.contains_key(model.own_name()))
            .map(|model| model.name.as_str())
            .collect();
        let shown = strange.iter().take(5).copied().collect::<Vec<_>>().join("`, `");
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

/// What contestants are held against.
struct Scale<'a> {
    ratings: &'a Ratings,
    field: &'a Field,
    best: Series,
    /// Of each scored prompt, where it is known.
    oracle: Vec<Option<Known>>,
    /// The group of each scored prompt, and how many there are.
    groups: (Vec<usize>, usize),
}

impl<'a> Scale<'a> {
    fn new(ratings: &'a Ratings, field: &'a Field) -> Self {
        let mut numbers = std::collections::HashMap::new();
        let group = |prompt: &u32| {
            let next = numbers.len();
            *numbers.entry(ratings.prompts[*prompt as usize].group).or_insert(next)
        };
        let groups: Vec<usize> = field.prompts.iter().map(group).collect();
        Self {
            ratings,
            field,
            best: Series::of_best(ratings, field),
            oracle: field.prompts.iter().map(|prompt| oracle::honest(ratings, *prompt)).collect(),
            groups: (groups, numbers.len()),
        }
    }

    fn single(&self, model: usize) -> Single {
        let single = self.field.singles[model];
        Single {
            model: self.ratings.models[model].name.clone(),
            prompts: single.prompts,
            quality: single.quality,
            cost_usd_micros: single.cost,
        }
    }

    fn oracle(&self) -> Oracle {
        let mean = |known: &[Known]| {
            let count = known.len() as f64;
            let sum = |of: fn(&Known) -> f64| known.iter().map(of).sum::<f64>() / count;
            (!known.is_empty()).then(|| (sum(|known| known.quality), sum(|known| known.cost)))
        };
        let honest: Vec<Known> = self.oracle.iter().flatten().copied().collect();
        let naive: Vec<Known> =
            self.field.prompts.iter().filter_map(|prompt| oracle::naive(self.ratings, *prompt)).collect();
        let (quality, cost) = mean(&honest).unzip();
        let (in_sample, in_sample_cost) = mean(&naive).unwrap_or_default();
        let why_unknown = quality.is_none().then_some(match self.ratings.raters {
            1 => "there is one rater: the oracle would choose and be scored with the same ratings",
            _ => "no picture has two ratings: the oracle would choose and be scored with the same ones",
        });
        let prompts = honest.len() as u64;
        let in_sample = InSample { quality: in_sample, cost_usd_micros: in_sample_cost };
        Oracle { prompts, quality, cost_usd_micros: cost, why_unknown, in_sample }
    }

    fn strategy(&self, contestant: &Contestant, choices: &Choices, from: usize, unanswered: u64) -> Strategy {
        let all = |setting: usize| Series::of(self.ratings, self.field, choices, from + setting, None);
        let own = all(0);
        let points = self.points(contestant, &all);
        let mut readings: Vec<(AtSaving, Option<Series>)> =
            TARGETS.into_iter().map(|target| self.read(contestant, &points, target, &all)).collect();
        for deal in (0..choices.deals).filter(|_| choices.deals > 1) {
            let alone = |setting: usize| Series::of(self.ratings, self.field, choices, from + setting, Some(deal));
            let points = self.points(contestant, &alone);
            for (at, _) in &mut readings {
                let (_, read) = self.read(contestant, &points, at.target, &alone);
                at.each_deal.extend(read.map(|series| series.mean_quality() / self.best.mean_quality()));
            }
        }
        let measured: Vec<&Series> =
            std::iter::once(&own).chain(readings.iter().filter_map(|(_, read)| read.as_ref())).collect();
        let mut intervals = self.intervals(&measured).into_iter();
        let own_outcome = self.outcome(&own, intervals.next().flatten());
        let at_savings = readings
            .into_iter()
            .map(|(at, read)| AtSaving {
                outcome: read.map(|series| self.outcome(&series, intervals.next().flatten())),
                ..at
            })
            .collect();
        let frontier = if points.is_empty() { vec![self.point(&own, None)] } else { points };
        Strategy { name: contestant.name.clone(), own: own_outcome, frontier, at_savings, unanswered }
    }

    /// A frontier: a point for each of its weights.
    fn points(&self, contestant: &Contestant, series: &impl Fn(usize) -> Series) -> Vec<Point> {
        let weights = contestant.weights.iter().enumerate();
        weights.map(|(at, weight)| self.point(&series(at + 1), Some(*weight))).collect()
    }

    /// A frontier at one saving: what is said of it, and the choices behind it.
    fn read(
        &self,
        contestant: &Contestant,
        points: &[Point],
        target: f64,
        series: &impl Fn(usize) -> Series,
    ) -> (AtSaving, Option<Series>) {
        let at = |weights: Vec<f64>, note: Option<&str>| AtSaving {
            target,
            outcome: None,
            weights,
            each_deal: Vec::new(),
            note: note.map(str::to_owned),
        };
        let nothing = |note: &str| at(Vec::new(), Some(note));
        let savings: Option<Vec<f64>> = points.iter().map(|point| point.savings).collect();
        let Some(savings) = savings else { return (nothing("the best single model costs nothing"), None) };
        if points.is_empty() {
            return (nothing("it has no weights of quality and cost to move"), None);
        }
        let weight = |at: usize| contestant.weights[at];
        match read_at(&savings, target) {
            Reading::Between(before, after, share) => {
                let read = series(before + 1).mixed(&series(after + 1), share);
                (at(vec![weight(before), weight(after)], None), Some(read))
            }
            Reading::Beyond(place) => {
                let note = "all weight on quality saves more than that already";
                (at(vec![weight(place)], Some(note)), Some(series(place + 1)))
            }
            Reading::Never => (nothing("none of its settings saves as much"), None),
        }
    }

    fn point(&self, series: &Series, weight: Option<f64>) -> Point {
        let (quality, cost) = (series.mean_quality(), series.mean_cost());
        Point {
            weight,
            quality,
            cost_usd_micros: cost,
            savings: self.savings(cost),
            quality_ratio: quality / self.best.mean_quality(),
        }
    }

    fn outcome(&self, series: &Series, interval: Option<[f64; 2]>) -> Outcome {
        let (quality, cost, best) = (series.mean_quality(), series.mean_cost(), self.best.mean_quality());
        let random_mix = self.field.random_mix(cost);
        Outcome {
            quality,
            cost_usd_micros: cost,
            savings: self.savings(cost),
            quality_ratio: quality / best,
            interval,
            regret: self.regret(series),
            random_mix: random_mix.map(|quality| RandomMix { quality, quality_ratio: quality / best }),
        }
    }

    fn savings(&self, cost: f64) -> Option<f64> {
        let best = self.best.mean_cost();
        (best > 0.0).then(|| 1.0 - cost / best)
    }

    /// Over the prompts of which the oracle knows something.
    fn regret(&self, series: &Series) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for (oracle, quality) in self.oracle.iter().zip(&series.quality) {
            if let Some(oracle) = oracle {
                sum += oracle.quality - quality;
                count += 1.0;
            }
        }
        (count > 0.0).then(|| sum / count)
    }

    fn intervals(&self, series: &[&Series]) -> Vec<Option<[f64; 2]>> {
        let (group_of, groups) = (&self.groups.0, self.groups.1);
        let by_group = |values: &[f64]| {
            let mut sums = vec![0.0; groups];
            for (group, value) in group_of.iter().zip(values) {
                sums[*group] += value;
            }
            sums
        };
        let sums: Vec<Vec<f64>> = series.iter().map(|series| by_group(&series.quality)).collect();
        match intervals(&sums, &by_group(&self.best.quality)) {
            Some(intervals) => intervals.into_iter().map(Some).collect(),
            None => vec![None; series.len()],
        }
    }
}
