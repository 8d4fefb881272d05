//! What contestants are held against, and what each comes to beside it.

use super::{
    bootstrap::intervals,
    choices::Choices,
    contestant::Contestant,
    field::Field,
    mixes,
    notes::percent,
    oracle::{self, Known},
    report::{
        AtSaving, BestMix, InSample, Oracle, Outcome, Point, RandomMix, Setting, Share, Single, Strategy, TARGETS,
    },
    score::{Reading, Series, read_at},
    table::Ratings,
};

/// What contestants are held against.
pub(super) struct Scale<'a> {
    ratings: &'a Ratings,
    field: &'a Field,
    best: Series,
    /// Of each scored prompt, where it is known.
    oracle: Vec<Option<Known>>,
    /// The group of each scored prompt, and how many there are.
    groups: (Vec<usize>, usize),
}

impl<'a> Scale<'a> {
    pub(super) fn new(ratings: &'a Ratings, field: &'a Field) -> Self {
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

    /// Scored ones of different text.
    pub(super) fn different_prompts(&self) -> u64 {
        self.groups.1 as u64
    }

    /// Whoever knows each prompt's best model should never be worse than one model for all.
    pub(super) fn is_oracle_below_best(&self) -> bool {
        self.regret(&self.best).is_some_and(|regret| regret < 0.0)
    }

    pub(super) fn single(&self, model: usize) -> Single {
        let single = self.field.singles[model];
        Single {
            model: self.ratings.models[model].name.clone(),
            prompts: single.prompts,
            is_compared: self.field.enough.contains(&model),
            quality: single.quality,
            cost_usd_micros: single.cost,
        }
    }

    pub(super) fn oracle(&self) -> Oracle {
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

    pub(super) fn strategy(
        &self,
        contestant: &Contestant,
        choices: &Choices,
        from: usize,
        unanswered: u64,
    ) -> Strategy {
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
        Strategy {
            name: contestant.name.clone(),
            weights: contestant.weights_at(0),
            own: own_outcome,
            frontier,
            at_savings,
            unanswered,
        }
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
        let at = |settings: Vec<Setting>, note: Option<String>| AtSaving {
            target,
            outcome: None,
            settings,
            each_deal: Vec::new(),
            note,
        };
        let nothing = |note: &str| at(Vec::new(), Some(note.to_owned()));
        let savings: Option<Vec<f64>> = points.iter().map(|point| point.savings).collect();
        let Some(savings) = savings else { return (nothing("the best single model costs nothing"), None) };
        if points.is_empty() {
            return (nothing("it has no weights of quality and cost to move"), None);
        }
        let setting = |place: usize, share: f64| Setting {
            weights: contestant.weights_at(place + 1),
            share,
            savings: points[place].savings,
        };
        match read_at(&savings, target) {
            Reading::Between(before, after, share) => {
                let read = series(before + 1).mixed(&series(after + 1), share);
                let settings = [setting(before, share), setting(after, 1.0 - share)];
                let settings = settings.into_iter().filter(|setting| setting.share > 0.0).collect();
                (at(settings, None), Some(read))
            }
            Reading::Beyond(place) => {
                let note = "all weight on quality saves more than that already".to_owned();
                (at(vec![setting(place, 1.0)], Some(note)), Some(series(place + 1)))
            }
            Reading::Never => (nothing(&self.never(&savings, target)), None),
        }
    }

    /// Why a frontier has no such saving, when one model for all may well have it.
    fn never(&self, savings: &[f64], target: f64) -> String {
        let most = percent(savings.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        let singles = self.field.enough.iter().map(|model| self.single(*model));
        let saved = |single: &Single| self.savings(single.cost_usd_micros).filter(|saved| *saved >= target);
        let saving = singles.filter_map(|single| Some((saved(&single)?, single)));
        let best = saving.max_by(|(_, a), (_, b)| a.quality.total_cmp(&b.quality));
        let why = best.map_or(String::new(), |(saved, single)| {
            format!(
                "; `{}` for every prompt saves {}: even with all weight on cost it takes dearer ones, as a strategy does \
                 to which such prices look alike (the bundled ones tell prices apart within a range only)",
                single.model,
                percent(saved),
            )
        });
        format!("none of its settings saves more than {most}{why}")
    }

    fn point(&self, series: &Series, weight: Option<f64>) -> Point {
        let (quality, cost) = (series.mean_quality(), series.mean_cost());
        Point {
            weight,
            quality,
            cost_usd_micros: cost,
            savings: self.savings(cost),
            quality_ratio: self.ratio(quality),
        }
    }

    fn outcome(&self, series: &Series, interval: Option<[f64; 2]>) -> Outcome {
        let (quality, cost) = (series.mean_quality(), series.mean_cost());
        let random_mix = self.field.random_mix(cost);
        Outcome {
            quality,
            cost_usd_micros: cost,
            savings: self.savings(cost),
            quality_ratio: self.ratio(quality),
            interval,
            regret: self.regret(series),
            random_mix: random_mix.map(|quality| RandomMix { quality, quality_ratio: self.ratio(quality) }),
            best_mix: self.best_mix(cost),
        }
    }

    fn best_mix(&self, cost: f64) -> Option<BestMix> {
        let (quality, shares) = self.field.corners.at(cost)?;
        let share = |(model, share): mixes::Share| Share { model: self.ratings.models[model].name.clone(), share };
        let models = shares.into_iter().map(share).collect();
        Some(BestMix { quality, quality_ratio: self.ratio(quality), models })
    }

    /// The best of the single models that are better than this and no dearer.
    pub(super) fn better_single(&self, outcome: &Outcome) -> Option<Single> {
        let singles = self.field.enough.iter().map(|model| self.single(*model));
        let least = outcome.quality + 1e-9;
        let better = |single: &Single| {
            single.quality > least && single.cost_usd_micros <= outcome.cost_usd_micros * (1.0 + 1e-9)
        };
        singles.filter(better).max_by(|a, b| a.quality.total_cmp(&b.quality))
    }

    /// Of the best single model's quality.
    pub(super) fn ratio(&self, quality: f64) -> f64 {
        quality / self.best.mean_quality()
    }

    pub(super) fn savings(&self, cost: f64) -> Option<f64> {
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
