//! Adding up the answers of one classifier. What is kept of a prompt is a few bytes.

use super::{classifier::Asked, disturbed::WAYS, read::Row};

/// Bins of confidence, each a tenth wide.
pub(super) const BINS: usize = 10;
/// From here on a classifier holds that a trait is present.
pub(super) const PRESENT: f32 = 0.5;
/// Different labels and traits of answers that are told apart: the first ones.
const MOST_LABELS: usize = 64;
const MOST_TRAITS: usize = 64;

/// All answers of one classifier.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) prompts: Vec<Prompt>,
    /// Labels and traits of its answers, in the order in which it said them first. The file may have them later.
    labels: Vec<String>,
    traits: Vec<String>,
    pub(super) bins: [Filled; BINS],
    /// Prompts that were given the same label, for each of [`WAYS`].
    pub(super) same: [u64; WAYS.len()],
    pub(super) unanswered: u64,
    pub(super) fuel: u64,
    pub(super) most_fuel: u64,
    /// Line of the prompt that took most.
    pub(super) most_fuel_line: u64,
    pub(super) us: Vec<u32>,
    pub(super) empty_us: Vec<u32>,
}

/// What is true of a prompt by the file's numbers, and what was said of it by this tally's.
pub(super) struct Prompt {
    is: u8,
    said: u8,
    group: Option<u8>,
    has: u32,
    seen: u64,
}

/// Answers whose confidence is in one bin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filled {
    pub(super) prompts: u64,
    pub(super) right: u64,
    /// Sum.
    pub(super) confidence: f64,
}

impl Tally {
    pub(super) fn is_empty(&self) -> bool {
        self.prompts.is_empty()
    }

    /// `label`: the true one.
    pub(super) fn add(&mut self, row: &Row, label: &str, asked: &Asked) {
        let said = &asked.plain.said;
        let filled = &mut self.bins[((said.confidence * BINS as f32) as usize).min(BINS - 1)];
        filled.prompts += 1;
        filled.right += u64::from(said.label == label);
        filled.confidence += f64::from(said.confidence);
        for (same, other) in self.same.iter_mut().zip(&asked.disturbed) {
            *same += u64::from(*other == said.label);
        }
        self.unanswered += u64::from(!asked.plain.is_answered);
        self.fuel = self.fuel.saturating_add(asked.plain.fuel);
        if asked.plain.fuel > self.most_fuel {
            (self.most_fuel, self.most_fuel_line) = (asked.plain.fuel, row.line);
        }
        self.us.push(asked.plain.us);
        self.empty_us.push(asked.empty_us);
        let mut seen = 0;
        for found in said.traits.iter().filter(|found| found.confidence >= PRESENT) {
            seen |= number(&mut self.traits, &found.name, MOST_TRAITS).map_or(0, |place| 1 << place);
        }
        let said = number(&mut self.labels, &said.label, MOST_LABELS).unwrap_or(MOST_LABELS);
        let group = row.group.map(|group| group as u8);
        self.prompts.push(Prompt { is: row.label as u8, said: said as u8, group, has: row.traits, seen });
    }

    /// True label and answer of the prompts of a group, or of all, by the file's numbers; an answer outside its `labels` is
    /// their count.
    pub(super) fn answers<'t>(
        &'t self,
        labels: &'t [String],
        group: Option<u8>,
    ) -> impl Iterator<Item = (usize, usize)> + 't {
        let place = |said: &String| labels.iter().position(|label| label == said);
        let places: Vec<Option<usize>> = self.labels.iter().map(place).collect();
        let among = move |prompt: &&Prompt| group.is_none() || prompt.group == group;
        self.prompts.iter().filter(among).map(move |prompt| {
            let said = places.get(usize::from(prompt.said)).copied().flatten();
            (usize::from(prompt.is), said.unwrap_or(labels.len()))
        })
    }

    /// Whether each prompt has a trait of the file, and whether it was seen.
    pub(super) fn has_and_seen(&self, place: usize, name: &str) -> impl Iterator<Item = (bool, bool)> {
        let said = self.traits.iter().position(|known| known == name);
        self.prompts
            .iter()
            .map(move |prompt| (prompt.has >> place & 1 == 1, said.is_some_and(|said| prompt.seen >> said & 1 == 1)))
    }
}

/// The place of a word, which is given one if there is room.
pub(super) fn number(words: &mut Vec<String>, word: &str, most: usize) -> Option<usize> {
    if let Some(place) = words.iter().position(|known| known == word) {
        return Some(place);
    }
    (words.len() < most).then(|| {
        words.push(word.to_owned());
        words.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use domain::plugin::{Classification, Trait};

    use super::*;
    use crate::labels::classifier::Answer;

    fn told(tally: &mut Tally, is: (usize, &str), has: u32, said: &str, confidence: f32, seen: &[(&str, f32)]) {
        let traits = seen.iter().map(|(name, confidence)| Trait { name: (*name).to_owned(), confidence: *confidence });
        let said = Classification {
            label: said.to_owned(),
            confidence,
            traits: traits.collect(),
            ..Classification::default()
        };
        let disturbed = WAYS.map(|way| if way == "shouted" { "other".to_owned() } else { said.label.clone() });
        let plain = Answer { said, is_answered: true, fuel: 10, us: 3 };
        let row = Row { line: 2, prompt: "a fox".into(), label: is.0, traits: has, group: None };
        tally.add(&row, is.1, &Asked { plain, disturbed, empty_us: 1 });
    }

    #[test]
    fn a_label_that_the_file_has_only_later_is_told_apart() {
        let mut tally = Tally::default();
        told(&mut tally, (0, "general"), 0b1, "technical", 0.95, &[("text", 0.9), ("odd", 0.9)]);
        told(&mut tally, (1, "technical"), 0b1, "technical", 1.0, &[("text", 0.4)]);
        told(&mut tally, (0, "general"), 0b0, "strange", 0.15, &[]);
        let labels = ["general".to_owned(), "technical".to_owned()];
        assert_eq!(tally.answers(&labels, None).collect::<Vec<_>>(), [(0, 1), (1, 1), (0, 2)]);
        assert_eq!(tally.has_and_seen(0, "text").collect::<Vec<_>>(), [(true, true), (true, false), (false, false)]);
        assert_eq!((tally.bins[9].prompts, tally.bins[9].right, tally.bins[1].prompts), (2, 1, 1));
        assert_eq!(tally.same, [0, 3, 3, 3]);
    }
}
