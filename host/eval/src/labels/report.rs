//! How right classifiers are, as programs read it. Shares are 0 to 1; what is not known is `null`.

use serde::Serialize;

use super::{
    classifier::Classifier,
    disturbed::WAYS,
    read::{MOST_GROUPS, Rows, Words},
    score::{Confusion, Counts, interval, share},
    tally::{BINS, Tally},
};
use crate::faults::Problem;

const BASIS: &str = "the file says what is true; prompts that a classifier was trained on it remembers in part";

/// All classifiers on one file.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub file: String,
    /// Behind the headings.
    pub rows: u64,
    /// Those that are scored.
    pub prompts: u64,
    /// What the numbers rest on.
    pub basis: &'static str,
    /// Bad rows, and what else was noticed.
    pub problems: Vec<Problem>,
    /// The label that most prompts have, answered always.
    pub most_frequent: MostFrequent,
    pub classifiers: Vec<Scored>,
}

/// What whoever does not read the prompts can reach.
#[derive(Clone, Debug, Serialize)]
pub struct MostFrequent {
    pub label: String,
    pub macro_f1: f64,
    pub accuracy: f64,
}

/// One classifier.
#[derive(Clone, Debug, Serialize)]
pub struct Scored {
    pub name: String,
    /// Mean F1 of the labels.
    pub macro_f1: f64,
    /// The middle 95 % when prompts are drawn again.
    pub interval: Option<[f64; 2]>,
    pub accuracy: f64,
    /// Mean distance between confidence and share of right answers, over bins of a tenth, weighted by prompts.
    pub calibration_error: f64,
    /// Calls without an answer, which count as `general`.
    pub unanswered: u64,
    pub labels: Vec<Label>,
    pub calibration: Vec<Bin>,
    pub traits: Vec<Seen>,
    pub same_label: Vec<Disturbed>,
    pub groups: Vec<Group>,
    pub work: Work,
}

/// One label of the file.
#[derive(Clone, Debug, Serialize)]
pub struct Label {
    pub name: String,
    pub prompts: u64,
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub f1: Option<f64>,
    /// How often its prompts were given each label of the file, in order; `null` stands for any other.
    pub said: Vec<(Option<String>, u64)>,
}

/// Answers whose confidence is from `from` to under `to`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    pub prompts: u64,
    /// Mean.
    pub confidence: f64,
    /// Share of right answers.
    pub right: f64,
}

/// One trait of the file. It is seen when it is named with a confidence of a half or more.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    pub name: String,
    pub prompts: u64,
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub f1: Option<f64>,
}

/// Share of prompts that are given the same label in other words.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Disturbed {
    pub way: &'static str,
    pub share: f64,
}

/// The prompts of one group.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// `null` stands for the groups after the first fifty.
    pub name: Option<String>,
    pub prompts: u64,
    pub macro_f1: f64,
    pub accuracy: f64,
}

/// What the calls took, beside a call with one letter to read.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Work {
    pub mean_fuel: f64,
    pub most_fuel: u64,
    pub most_fuel_line: u64,
    pub fuel_limit: u64,
    pub p50_us: u32,
    pub p95_us: u32,
    pub one_letter_p50_us: u32,
}

impl Report {
    /// `tallies` are those of the classifiers, in order, of one prompt each at least.
    pub(super) fn new(rows: &Rows, problems: Vec<Problem>, classifiers: &[Classifier], tallies: &[Tally]) -> Self {
        let scored = classifiers.iter().zip(tallies).map(|(classifier, tally)| scored(classifier, tally, &rows.words));
        let truth = confusion(tallies.first(), &rows.words.labels);
        let most = truth.most_frequent();
        let always = truth.of_always(most);
        Self {
            file: rows.file().to_owned(),
            rows: rows.seen(),
            prompts: tallies.first().map_or(0, |tally| tally.prompts.len() as u64),
            basis: BASIS,
            problems,
            most_frequent: MostFrequent {
                label: rows.words.labels.get(most).cloned().unwrap_or_default(),
                macro_f1: always.macro_f1(),
                accuracy: always.accuracy(),
            },
            classifiers: scored.collect(),
        }
    }
}

fn confusion(tally: Option<&Tally>, labels: &[String]) -> Confusion {
    let mut confusion = Confusion::new(labels.len());
    for (is, said) in tally.into_iter().flat_map(|tally| tally.answers(labels, None)) {
        confusion.add(is, said);
    }
    confusion
}

fn scored(classifier: &Classifier, tally: &Tally, words: &Words) -> Scored {
    let labels = &words.labels;
    let confusion = confusion(Some(tally), labels);
    let answers: Vec<(u8, u8)> = tally.answers(labels, None).map(|(is, said)| (is as u8, said as u8)).collect();
    let prompts = tally.prompts.len() as u64;
    let bins: Vec<Bin> = bins(tally).collect();
    let gap = |bin: &Bin| (bin.confidence - bin.right).abs() * bin.prompts as f64;
    let same = |(way, same)| Disturbed { way, share: share(same, prompts).unwrap_or(0.0) };
    Scored {
        name: classifier.name.clone(),
        macro_f1: confusion.macro_f1(),
        interval: interval(&answers, labels.len()),
        accuracy: confusion.accuracy(),
        calibration_error: bins.iter().map(gap).sum::<f64>() / prompts.max(1) as f64,
        unanswered: tally.unanswered,
        labels: (0..labels.len()).map(|place| label(&confusion, labels, place)).collect(),
        calibration: bins,
        traits: words.traits.iter().enumerate().map(|(place, name)| seen(tally, place, name)).collect(),
        same_label: WAYS.into_iter().zip(tally.same).map(same).collect(),
        groups: groups(tally, words),
        work: work(tally, classifier.fuel_limit()),
    }
}

fn label(confusion: &Confusion, labels: &[String], place: usize) -> Label {
    let counts = confusion.of_label(place);
    let names = labels.iter().cloned().map(Some).chain([None]);
    Label {
        name: labels[place].clone(),
        prompts: counts.true_yes + counts.false_no,
        precision: counts.precision(),
        recall: counts.recall(),
        f1: counts.f1(),
        said: names.zip(confusion.row(place).iter().copied()).collect(),
    }
}

fn bins(tally: &Tally) -> impl Iterator<Item = Bin> {
    let edge = |place: usize| place as f64 / BINS as f64;
    tally.bins.iter().enumerate().filter(|(_, filled)| filled.prompts > 0).map(move |(place, filled)| Bin {
        from: edge(place),
        to: edge(place + 1),
        prompts: filled.prompts,
        confidence: filled.confidence / filled.prompts as f64,
        right: filled.right as f64 / filled.prompts as f64,
    })
}

fn seen(tally: &Tally, place: usize, name: &str) -> Seen {
    let mut counts = Counts::default();
    for (has, is_seen) in tally.has_and_seen(place, name) {
        counts.add(has, is_seen);
    }
    Seen {
        name: name.to_owned(),
        prompts: counts.true_yes + counts.false_no,
        precision: counts.precision(),
        recall: counts.recall(),
        f1: counts.f1(),
    }
}

fn groups(tally: &Tally, words: &Words) -> Vec<Group> {
    let one = |place: usize| {
        let mut confusion = Confusion::new(words.labels.len());
        let mut prompts = 0;
        for (is, said) in tally.answers(&words.labels, Some(place as u8)) {
            confusion.add(is, said);
            prompts += 1;
        }
        Group {
            name: words.groups.get(place).cloned(),
            prompts,
            macro_f1: confusion.macro_f1(),
            accuracy: confusion.accuracy(),
        }
    };
    (0..words.groups.len()).chain([MOST_GROUPS]).map(one).filter(|group| group.prompts > 0).collect()
}

fn work(tally: &Tally, fuel_limit: u64) -> Work {
    let sorted = |all: &[u32]| {
        let mut all = all.to_vec();
        all.sort_unstable();
        all
    };
    let (us, empty) = (sorted(&tally.us), sorted(&tally.empty_us));
    let at = |all: &[u32], share: f64| {
        all.get((all.len().saturating_sub(1) as f64 * share).round() as usize).copied().unwrap_or(0)
    };
    Work {
        mean_fuel: tally.fuel as f64 / tally.prompts.len().max(1) as f64,
        most_fuel: tally.most_fuel,
        most_fuel_line: tally.most_fuel_line,
        fuel_limit,
        p50_us: at(&us, 0.5),
        p95_us: at(&us, 0.95),
        one_letter_p50_us: at(&empty, 0.5),
    }
}
