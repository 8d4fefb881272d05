//! What is remembered: for each model the ratings it got, in all and for each label.
//!
//! Entries are of one size and in the order of the models' hashes, so that a ranking finds one without reading the rest.
//! Every rating makes all older ones count a little less. That is not done to each entry each time: an entry says as of
//! which rating it stands, and is brought up to date when it is looked at.

use std::cmp::Ordering;

use muxel_sdk::Quality;

const LABELS: [&str; 4] = ["artistic", "realistic", "technical", "general"];
/// In all, and for each label.
const CELLS: usize = 1 + LABELS.len();
/// Hash, as of which rating, and for each cell how much was rated and the sum of it.
const ENTRY: usize = 4 + 4 + CELLS * 8;
const HEAD: usize = 8;
/// The first byte of a memory of this form, so that another is not taken for it.
const MARK: u32 = 0x6d75_7801;
/// As many as fit into 16 KiB.
const MOST: usize = (16_384 - HEAD) / ENTRY;

/// Standard deviation of one rating around what a model is worth.
const NOISE: f32 = 0.25;
/// However sure the host is: it may know the same ratings, and must not count them twice.
const LEAST_DEVIATION: f32 = 0.06;
/// Ratings for a label that weigh as much as what is known of the model in all.
const FOR_LABEL: f32 = 8.0;

/// Where a label's ratings are; those of another label only count in all.
pub(crate) fn label(label: &str) -> Option<usize> {
    LABELS.iter().position(|known| *known == label)
}

/// What is to be expected of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Belief {
    pub(crate) mean: f32,
    pub(crate) deviation: f32,
    /// What the host expects.
    pub(crate) expected: f32,
    /// As much as they still count.
    pub(crate) ratings: f32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cell {
    ratings: f32,
    sum: f32,
}

/// The bytes themselves: what is not looked at is not read either.
pub(crate) struct Memory {
    bytes: Vec<u8>,
    /// Ratings so far, of all models.
    rated: u32,
    /// What a rating still counts after one more, as a power of two.
    fades: f32,
}

impl Memory {
    /// What is no memory of this form is none at all.
    pub(crate) fn read(bytes: Vec<u8>, half_life: f32) -> Self {
        let fades = 1.0 / half_life;
        let entries = bytes.len().wrapping_sub(HEAD);
        if bytes.len() >= HEAD && word(&bytes, 0) == MARK && entries.is_multiple_of(ENTRY) && entries / ENTRY <= MOST {
            let rated = word(&bytes, 4);
            return Self { bytes, rated, fades };
        }
        let mut bytes = MARK.to_le_bytes().to_vec();
        bytes.extend([0; 4]);
        Self { bytes, rated: 0, fades }
    }

    pub(crate) fn write(mut self) -> Vec<u8> {
        self.bytes[4..HEAD].copy_from_slice(&self.rated.to_le_bytes());
        self.bytes
    }

    fn entries(&self) -> usize {
        (self.bytes.len() - HEAD) / ENTRY
    }

    /// Where the entry of a model begins, or belongs.
    fn find(&self, model: u32) -> Result<usize, usize> {
        let (mut from, mut to) = (0, self.entries());
        while from < to {
            let middle = (from + to) / 2;
            let at = HEAD + middle * ENTRY;
            match word(&self.bytes, at).cmp(&model) {
                Ordering::Equal => return Ok(at),
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
            }
        }
        Err(HEAD + from * ENTRY)
    }

    /// Takes in one rating that counts as much as `counts`.
    pub(crate) fn add(&mut self, model: &str, label: Option<usize>, rating: f32, counts: f32) {
        self.rated = self.rated.saturating_add(1);
        let model = hash(model);
        if self.find(model).is_err() && self.entries() >= MOST {
            self.make_room();
        }
        let at = match self.find(model) {
            Ok(at) => at,
            Err(at) => {
                let mut entry = [0; ENTRY];
                entry[..4].copy_from_slice(&model.to_le_bytes());
                entry[4..8].copy_from_slice(&self.rated.to_le_bytes());
                self.bytes.splice(at..at, entry);
                at
            }
        };
        let left = self.left(at);
        self.bytes[at + 4..at + 8].copy_from_slice(&self.rated.to_le_bytes());
        for index in 0..CELLS {
            let mut cell = self.cell(at, index).times(left);
            if index == 0 || label.is_some_and(|label| label + 1 == index) {
                cell.ratings += counts;
                cell.sum += counts * rating;
            }
            let from = at + 8 + index * 8;
            self.bytes[from..from + 4].copy_from_slice(&cell.ratings.to_le_bytes());
            self.bytes[from + 4..from + 8].copy_from_slice(&cell.sum.to_le_bytes());
        }
    }

    /// Forgets the quarter of which least is known. One at a time would cost as much for each.
    fn make_room(&mut self) {
        let known = |entry: usize| self.cell(entry, 0).ratings * self.left(entry);
        let mut all: Vec<f32> = (0..self.entries()).map(|index| known(HEAD + index * ENTRY)).collect();
        let (_, least, _) = all.select_nth_unstable_by(MOST / 4, f32::total_cmp);
        let least = *least;
        let mut kept = self.bytes[..HEAD].to_vec();
        let mut room = MOST / 4;
        for index in 0..self.entries() {
            let at = HEAD + index * ENTRY;
            if room > 0 && known(at) <= least {
                room -= 1;
            } else {
                kept.extend(&self.bytes[at..at + ENTRY]);
            }
        }
        self.bytes = kept;
    }

    fn cell(&self, entry: usize, index: usize) -> Cell {
        let at = entry + 8 + index * 8;
        let cell =
            Cell { ratings: f32::from_bits(word(&self.bytes, at)), sum: f32::from_bits(word(&self.bytes, at + 4)) };
        if cell.is_sound() { cell } else { Cell::default() }
    }

    /// What is to be expected of a model for pictures of this kind. `expected` is what the host says.
    pub(crate) fn belief(&self, model: &str, label: Option<usize>, expected: Quality) -> Belief {
        let deviation = expected.deviation.clamp(LEAST_DEVIATION, 1.0);
        let prior = NOISE * NOISE / (deviation * deviation);
        let found = if self.entries() == 0 { None } else { self.find(hash(model)).ok() };
        let Some(entry) = found else {
            return Belief { mean: expected.mean, deviation, expected: expected.mean, ratings: 0.0 };
        };
        let left = self.left(entry);
        let all = self.cell(entry, 0).times(left);
        // One division each: they are what a sandbox pays for most.
        let of_all = 1.0 / (prior + all.ratings);
        let in_all = (expected.mean * prior + all.sum) * of_all;
        let own = label.map_or(Cell::default(), |label| self.cell(entry, label + 1).times(left));
        // What is known in all counts like `FOR_LABEL` ratings for the label.
        let of_label = 1.0 / (FOR_LABEL + own.ratings);
        let mean = (in_all * FOR_LABEL + own.sum) * of_label;
        let share = FOR_LABEL * of_label;
        let variance = share * share * of_all + own.ratings * of_label * of_label;
        Belief {
            mean: mean.clamp(0.0, 1.0),
            deviation: NOISE * variance.sqrt(),
            expected: expected.mean,
            ratings: all.ratings,
        }
    }

    /// What ratings of this entry still count.
    fn left(&self, entry: usize) -> f32 {
        halved(self.rated.saturating_sub(word(&self.bytes, entry + 4)) as f32 * self.fades)
    }
}

impl Cell {
    fn is_sound(self) -> bool {
        (0.0..1e9).contains(&self.ratings) && (0.0..=self.ratings * 1.001).contains(&self.sum)
    }

    fn times(self, factor: f32) -> Self {
        Self { ratings: self.ratings * factor, sum: self.sum * factor }
    }
}

/// The word at `at`, a multiple of four.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.as_chunks().0.get(at / 4).map_or(0, |word| u32::from_le_bytes(*word))
}

/// FNV-1a over words rather than bytes: a quarter of the steps.
fn hash(text: &str) -> u32 {
    let (words, rest) = text.as_bytes().as_chunks();
    let step = |hash: u32, word: u32| (hash ^ word).wrapping_mul(0x0100_0193).rotate_left(5);
    let hash = words.iter().fold(0x811c_9dc5, |hash, word| step(hash, u32::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| step(hash, u32::from(*byte)))
}

/// A half to the power of `times`, which is not negative, to a few thousandths: the same on every machine, and cheap.
fn halved(times: f32) -> f32 {
    if times >= 120.0 {
        return 0.0;
    }
    let whole = times as u32;
    let rest = times - whole as f32;
    // A parabola through the two ends and the middle.
    let part = 1.0 - rest * (0.671_573 - 0.171_573 * rest);
    f32::from_bits((127 - whole) << 23) * part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_is_close_enough() {
        for step in 0..2_000_u16 {
            let times = f32::from(step) / 20.0;
            let exact = (-times).exp2();
            assert!((halved(times) - exact).abs() <= exact * 0.005, "{times}");
        }
        assert_eq!((halved(0.0), halved(1.0), halved(f32::MAX)), (1.0, 0.5, 0.0));
    }
}
