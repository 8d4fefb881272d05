//! What is remembered: for each model the ratings it got, in all and for each label.
//!
//! Entries are of one size and in the order of the models' hashes, so that a ranking finds one without reading the rest.
//! Every rating makes all older ones count a little less. That is not done to each entry each time: an entry says as of
//! which rating it stands, and is brought up to date when it is looked at.
//!
//! Fading follows what changes slowly. What changes at once is found by adding up how far a model's ratings are off what it
//! was known for, less what chance explains (Page's test): when the sum is too high, its entry begins anew, with no more than
//! what gave it away.

use std::cmp::Ordering;

use muxel_sdk::Quality;

const LABELS: [&str; 4] = ["artistic", "realistic", "technical", "general"];
/// In all, and for each label.
const CELLS: usize = 1 + LABELS.len();
/// Hash, as of which rating, how far better and worse it was lately, and for each cell how much was rated and the sum of it.
const ENTRY: usize = 4 * 4 + CELLS * 8;
/// Mark, ratings so far, and after how many of them a model was last seen to have changed.
const HEAD: usize = 12;
/// The first bytes of a memory of this form, so that another is not taken for it.
const MARK: u32 = 0x6d75_7802;
/// As many as fit into 16 KiB.
const MOST: usize = (16_384 - HEAD) / ENTRY;

/// Standard deviation of one rating around what a model is worth, between people and between prompts: 0.3 for every model
/// where it was measured.
const NOISE: f32 = 0.3;
/// However sure the host is: it may know the same ratings, and must not count them twice.
const LEAST_DEVIATION: f32 = 0.06;
/// Ratings for a label that weigh as much as what is known of the model in all.
const FOR_LABEL: f32 = 16.0;
/// Ratings after which a model is known for something that it can depart from.
const KNOWN: f32 = 12.0;
/// What a rating may be off on one side before that adds up, and the sum that is too much. Where ratings are off by 0.3 at
/// random, as people's are, that happens once in some thousand; a model that became worse by 0.35 is found out by ten.
const SLACK: f32 = 0.15;
const CHANGED: f32 = 2.1;
/// Ratings that gave such a change away. They are not remembered one by one: what the test is made to find is off by twice
/// the slack, so that is what they count as.
const SHOWN: f32 = 10.0;
/// Ratings, of all models, after which half of the search for the next best is over.
const SEARCH: f32 = 120.0;

/// Where a label's ratings are; those of another label only count in all.
pub(crate) fn label(label: &str) -> Option<usize> {
    LABELS.iter().position(|known| *known == label)
}

/// What is to be expected of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Belief {
    pub(crate) mean: f32,
    pub(crate) deviation: f32,
    /// What it counts as where nothing is left to luck: better than believed by some grace, up to what the host expects.
    pub(crate) usual: f32,
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
    /// As of which of them a model was last seen to have changed; 0 for never.
    changed: u32,
    /// What a rating still counts after one more, as a power of two.
    fades: f32,
}

impl Memory {
    /// What is no memory of this form is none at all.
    pub(crate) fn read(bytes: Vec<u8>, half_life: f32) -> Self {
        let fades = 1.0 / half_life;
        let entries = bytes.len().wrapping_sub(HEAD);
        if bytes.len() >= HEAD && word(&bytes, 0) == MARK && entries.is_multiple_of(ENTRY) && entries / ENTRY <= MOST {
            let (rated, changed) = (word(&bytes, 1), word(&bytes, 2));
            return Self { bytes, rated, changed, fades };
        }
        let mut bytes = vec![0; HEAD];
        bytes[..4].copy_from_slice(&MARK.to_le_bytes());
        Self { bytes, rated: 0, changed: 0, fades }
    }

    pub(crate) fn write(mut self) -> Vec<u8> {
        self.bytes[4..8].copy_from_slice(&self.rated.to_le_bytes());
        self.bytes[8..HEAD].copy_from_slice(&self.changed.to_le_bytes());
        self.bytes
    }

    /// Whether nobody has rated anything yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.rated == 0
    }

    /// How much of what was known is in doubt, 0 to 1: all of it when a model has just changed, and soon nothing.
    pub(crate) fn doubt(&self) -> f32 {
        if self.changed == 0 {
            return 0.0;
        }
        halved(self.rated.saturating_sub(self.changed) as f32 * (1.0 / SEARCH))
    }

    fn entries(&self) -> &[[u8; ENTRY]] {
        self.bytes[HEAD..].as_chunks().0
    }

    /// The number of a model's entry, or where it belongs. Hashes lie evenly, so it is looked for where it should be first.
    fn find(&self, model: u32) -> Result<usize, usize> {
        let entries = self.entries();
        let mut at = ((u64::from(model) * entries.len() as u64) >> 32) as usize;
        while at > 0 && entries.get(at - 1).is_some_and(|entry| word(entry, 0) >= model) {
            at -= 1;
        }
        while let Some(entry) = entries.get(at) {
            match word(entry, 0).cmp(&model) {
                Ordering::Less => at += 1,
                Ordering::Equal => return Ok(at),
                Ordering::Greater => break,
            }
        }
        Err(at)
    }

    /// Takes in one rating that counts as much as `counts`.
    pub(crate) fn add(&mut self, model: &str, label: Option<usize>, rating: f32, counts: f32) {
        self.rated = self.rated.saturating_add(1);
        let model = hash(model);
        if self.find(model).is_err() && self.entries().len() >= MOST {
            self.make_room();
        }
        let at = self.find(model).unwrap_or_else(|at| {
            let mut entry = [0; ENTRY];
            entry[..4].copy_from_slice(&model.to_le_bytes());
            entry[4..8].copy_from_slice(&self.rated.to_le_bytes());
            let from = HEAD + at * ENTRY;
            self.bytes.splice(from..from, entry);
            at
        });
        let entry = &self.entries()[at];
        let left = self.left(entry);
        let mut cells: [Cell; CELLS] = std::array::from_fn(|index| cell(entry, index).sound().times(left));
        let mut off = [2, 3].map(|index| sound(f32::from_bits(word(entry, index))));
        if cells[0].ratings >= KNOWN {
            let own = label.map_or(Cell::default(), |label| cells[label + 1]);
            let known = (cells[0].sum / cells[0].ratings * FOR_LABEL + own.sum) / (FOR_LABEL + own.ratings);
            for (off, more) in off.iter_mut().zip([rating - known, known - rating]) {
                *off = (*off + counts * (more - SLACK)).max(0.0);
            }
            if off.iter().any(|off| *off > CHANGED) {
                let by = if off[0] > CHANGED { 2.0 * SLACK } else { -2.0 * SLACK };
                (cells, off) = Default::default();
                cells[0] = Cell { ratings: SHOWN, sum: SHOWN * (known + by).clamp(0.0, 1.0) };
                self.changed = self.rated;
            }
        }
        for (index, cell) in cells.iter_mut().enumerate() {
            if index == 0 || label.is_some_and(|label| label + 1 == index) {
                cell.ratings += counts;
                cell.sum += counts * rating;
            }
        }
        let cells = cells.iter().flat_map(|cell| [cell.ratings.to_bits(), cell.sum.to_bits()]);
        let words = [model, self.rated, off[0].to_bits(), off[1].to_bits()].into_iter().chain(cells);
        let from = HEAD + at * ENTRY;
        for (place, word) in self.bytes[from..from + ENTRY].as_chunks_mut().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
    }

    /// Forgets the quarter of which least is known. One at a time would cost as much for each.
    fn make_room(&mut self) {
        let known = |entry: &[u8; ENTRY]| cell(entry, 0).sound().ratings * self.left(entry);
        let mut all: Vec<f32> = self.entries().iter().map(known).collect();
        let (_, least, _) = all.select_nth_unstable_by(MOST / 4, f32::total_cmp);
        let least = *least;
        let mut kept = self.bytes[..HEAD].to_vec();
        let mut room = MOST / 4;
        for entry in self.entries() {
            if room > 0 && known(entry) <= least {
                room -= 1;
            } else {
                kept.extend(entry);
            }
        }
        self.bytes = kept;
    }

    /// What is to be expected of a model for pictures of this kind. `expected` is what the host says, and `grace` by how many
    /// deviations what disappoints still counts as better than believed.
    pub(crate) fn belief(&self, model: &str, label: Option<usize>, expected: Quality, grace: f32) -> Belief {
        let deviation = expected.deviation.clamp(LEAST_DEVIATION, 1.0);
        let unrated =
            Belief { mean: expected.mean, deviation, usual: expected.mean, expected: expected.mean, ratings: 0.0 };
        if self.is_empty() {
            return unrated;
        }
        let Ok(at) = self.find(hash(model)) else { return unrated };
        let entry = &self.entries()[at];
        let left = self.left(entry);
        let all = cell(entry, 0).times(left);
        // One division each: they are what a sandbox pays for most.
        let prior = NOISE * NOISE / (deviation * deviation);
        let of_all = 1.0 / (prior + all.ratings);
        let in_all = (expected.mean * prior + all.sum) * of_all;
        let own = label.map_or(Cell::default(), |label| cell(entry, label + 1).times(left));
        // What is known in all counts like `FOR_LABEL` ratings for the label.
        let of_label = 1.0 / (FOR_LABEL + own.ratings);
        let mean = (in_all * FOR_LABEL + own.sum) * of_label;
        let share = FOR_LABEL * of_label;
        let deviation = NOISE * (share * share * of_all + own.ratings * of_label * of_label).sqrt();
        // Whatever the bytes are: one look at what comes out is cheaper than one at each number that goes in.
        if !((-0.01..=1.01).contains(&mean) && (0.0..=1.0).contains(&deviation)) {
            return unrated;
        }
        let usual = (mean + grace * deviation).min(expected.mean).max(mean);
        Belief { mean: mean.clamp(0.0, 1.0), deviation, usual, expected: expected.mean, ratings: all.ratings }
    }

    /// What ratings of this entry still count.
    fn left(&self, entry: &[u8; ENTRY]) -> f32 {
        halved(self.rated.saturating_sub(word(entry, 1)) as f32 * self.fades)
    }
}

impl Cell {
    /// Itself, or nothing when no ratings add up to it.
    fn sound(self) -> Self {
        let is_sound = (0.0..1e9).contains(&self.ratings) && (0.0..=self.ratings * 1.001).contains(&self.sum);
        if is_sound { self } else { Self::default() }
    }

    fn times(self, factor: f32) -> Self {
        Self { ratings: self.ratings * factor, sum: self.sum * factor }
    }
}

/// A sum as it may stand in a memory, and nothing where something else does.
fn sound(off: f32) -> f32 {
    if (0.0..=CHANGED).contains(&off) { off } else { 0.0 }
}

/// What an entry has in its cell of this number.
fn cell(entry: &[u8; ENTRY], index: usize) -> Cell {
    let [ratings, sum] = [4 + 2 * index, 5 + 2 * index].map(|at| f32::from_bits(word(entry, at)));
    Cell { ratings, sum }
}

/// The word of this number.
fn word(bytes: &[u8], index: usize) -> u32 {
    bytes.as_chunks().0.get(index).map_or(0, |word| u32::from_le_bytes(*word))
}

/// FNV-1a over eight bytes at a time, of which the last overlap the ones before: a tenth of the steps.
fn hash(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let step = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let hash = bytes.as_chunks().0.iter().fold(bytes.len() as u64, |hash, word| step(hash, u64::from_le_bytes(*word)));
    let hash = match bytes.last_chunk() {
        Some(last) => step(hash, u64::from_le_bytes(*last)),
        None => bytes.iter().fold(hash, |hash, byte| step(hash, u64::from(*byte))),
    };
    (hash >> 32) as u32
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
