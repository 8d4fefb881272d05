//! Counting right and wrong answers.

use dispatch::SplitMix;

const SEED: u64 = 1;
/// Draws of one prompt, and how often all are drawn, at least and at most.
const MOST_DRAWS: usize = 40_000_000;
const FEWEST: usize = 200;
const MOST: usize = 2_000;

/// True and false answers of yes and no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) true_yes: u64,
    pub(super) false_yes: u64,
    pub(super) false_no: u64,
}

impl Counts {
    pub(super) fn add(&mut self, is_true: bool, is_said: bool) {
        match (is_true, is_said) {
            (true, true) => self.true_yes += 1,
            (false, true) => self.false_yes += 1,
            (true, false) => self.false_no += 1,
            (false, false) => {}
        }
    }

    /// Of those that were said, the share that is true. `None` when none was said.
    pub(super) fn precision(self) -> Option<f64> {
        share(self.true_yes, self.true_yes + self.false_yes)
    }

    /// Of those that are true, the share that was said. `None` when none is true.
    pub(super) fn recall(self) -> Option<f64> {
        share(self.true_yes, self.true_yes + self.false_no)
    }

    /// The harmonic mean of both. `None` when none is true.
    pub(super) fn f1(self) -> Option<f64> {
        (self.true_yes + self.false_no > 0)
            .then(|| share(2 * self.true_yes, 2 * self.true_yes + self.false_yes + self.false_no))
            .flatten()
    }
}

pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Prompts by true label and by answer. An answer outside the file's labels stands behind the last of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Confusion {
    cells: Vec<Vec<u64>>,
}

impl Confusion {
    pub(super) fn new(labels: usize) -> Self {
        Self { cells: vec![vec![0; labels + 1]; labels] }
    }

    pub(super) fn add(&mut self, is: usize, said: usize) {
        self.cells[is][said] += 1;
    }

    pub(super) fn row(&self, is: usize) -> &[u64] {
        &self.cells[is]
    }

    pub(super) fn of_label(&self, label: usize) -> Counts {
        let true_yes = self.cells[label][label];
        let said: u64 = self.cells.iter().map(|row| row[label]).sum();
        let is: u64 = self.cells[label].iter().sum();
        Counts { true_yes, false_yes: said - true_yes, false_no: is - true_yes }
    }

    /// Mean F1 of the labels that some prompt has. 0 without prompts.
    pub(super) fn macro_f1(&self) -> f64 {
        let each: Vec<f64> = (0..self.cells.len()).filter_map(|label| self.of_label(label).f1()).collect();
        each.iter().sum::<f64>() / each.len().max(1) as f64
    }

    pub(super) fn accuracy(&self) -> f64 {
        let right: u64 = self.cells.iter().enumerate().map(|(label, row)| row[label]).sum();
        share(right, self.cells.iter().flatten().sum()).unwrap_or(0.0)
    }

    /// The label that most prompts have.
    pub(super) fn most_frequent(&self) -> usize {
        let prompts = |label: &usize| self.cells[*label].iter().sum::<u64>();
        (0..self.cells.len()).rev().max_by_key(prompts).unwrap_or(0)
    }

    /// Whoever gives every prompt this label.
    pub(super) fn of_always(&self, label: usize) -> Self {
        let mut other = Self::new(self.cells.len());
        for (row, prompts) in other.cells.iter_mut().zip(&self.cells) {
            row[label] = prompts.iter().sum();
        }
        other
    }
}

/// The middle 95 % of macro-F1 when prompts are drawn again with replacement. `None` of fewer than two prompts. The lots are
/// always the same ones. `answers`: true label and answer of each prompt.
pub(super) fn interval(answers: &[(u8, u8)], labels: usize) -> Option<[f64; 2]> {
    if answers.len() < 2 {
        return None;
    }
    let rounds = (MOST_DRAWS / answers.len()).clamp(FEWEST, MOST);
    let mut random = SplitMix::of(SEED, "bootstrap");
    let one = |_| {
        let mut drawn = Confusion::new(labels);
        for _ in 0..answers.len() {
            let (is, said) = answers[(random.bits() % answers.len() as u64) as usize];
            drawn.add(is.into(), said.into());
        }
        drawn.macro_f1()
    };
    let mut found: Vec<f64> = (0..rounds).map(one).collect();
    found.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| found[((rounds - 1) as f64 * share).round() as usize];
    Some([at(0.025), at(0.975)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two labels, eight prompts: 3 of 4 and 2 of 4 right, one answer outside.
    const ANSWERS: [(u8, u8); 8] = [(0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 0), (1, 2)];

    #[test]
    fn scores_are_what_the_books_say() {
        let mut confusion = Confusion::new(2);
        for (is, said) in ANSWERS {
            confusion.add(is.into(), said.into());
        }
        let [first, second] = [confusion.of_label(0), confusion.of_label(1)];
        assert_eq!((first.precision(), first.recall(), first.f1()), (Some(0.75), Some(0.75), Some(0.75)));
        assert_eq!((second.precision(), second.recall()), (Some(2.0 / 3.0), Some(0.5)));
        assert_eq!(confusion.accuracy(), 5.0 / 8.0);
        assert!((confusion.macro_f1() - (0.75 + 4.0 / 7.0) / 2.0).abs() < 1e-12);
        let lazy = confusion.of_always(confusion.most_frequent());
        assert_eq!((lazy.accuracy(), lazy.macro_f1()), (0.5, (2.0 / 3.0) / 2.0));
    }

    #[test]
    fn what_never_happened_is_unknown() {
        let none = Counts::default();
        assert_eq!((none.precision(), none.recall(), none.f1()), (None, None, None));
        let missed = Counts { false_no: 2, ..none };
        assert_eq!((missed.precision(), missed.recall(), missed.f1()), (None, Some(0.0), Some(0.0)));
        assert_eq!(interval(&ANSWERS[..1], 2), None);
    }

    #[test]
    fn an_interval_holds_the_score_and_narrows_with_more_prompts() {
        let many: Vec<(u8, u8)> = ANSWERS.iter().copied().cycle().take(800).collect();
        let [low, high] = interval(&many, 2).expect("an interval");
        assert!(low < 0.66 && 0.66 < high && high - low < 0.1, "{low} {high}");
        let [few_low, few_high] = interval(&ANSWERS, 2).expect("an interval");
        assert!(few_high - few_low > high - low);
        assert_eq!(interval(&[(0, 0); 50], 1), Some([1.0, 1.0]));
    }
}
