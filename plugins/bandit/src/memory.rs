//! What is remembered: for each model the ratings it got, in all and for each label.
//!
//! Entries are of one size and in the order of the models' hashes, so that a ranking finds one without reading the rest.
//! Every rating makes all older ones count a little less. That is not done to each entry each time: an entry says as of
//! which rating it stands, and is brought up to date when it is looked at.

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

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    model: u32,
    /// How many ratings there had been.
    as_of: u32,
    cells: [Cell; CELLS],
}

pub(crate) struct Memory {
    entries: Vec<Entry>,
    /// Ratings so far, of all models.
    rated: u32,
    /// What a rating still counts after one more, as a power of two.
    fades: f32,
}

impl Memory {
    /// What is no memory of this form is none at all.
    pub(crate) fn read(bytes: &[u8], half_life: f32) -> Self {
        let empty = Self { entries: Vec::new(), rated: 0, fades: 1.0 / half_life };
        let Some((head, rest)) = bytes.split_at_checked(HEAD) else { return empty };
        if word(head, 0) != MARK || rest.len() % ENTRY != 0 || rest.len() / ENTRY > MOST {
            return empty;
        }
        let entries: Vec<Entry> = rest.chunks_exact(ENTRY).map(Entry::read).collect();
        let sound = |entry: &Entry| entry.cells.iter().all(|cell| cell.is_sound());
        let sorted = entries.windows(2).all(|pair| pair[0].model < pair[1].model);
        if !(sorted && entries.iter().all(sound)) {
            return empty;
        }
        Self { entries, rated: word(head, 4), ..empty }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + self.entries.len() * ENTRY);
        bytes.extend(MARK.to_le_bytes());
        bytes.extend(self.rated.to_le_bytes());
        for entry in &self.entries {
            bytes.extend(entry.model.to_le_bytes());
            bytes.extend(entry.as_of.to_le_bytes());
            for cell in &entry.cells {
                bytes.extend(cell.ratings.to_le_bytes());
                bytes.extend(cell.sum.to_le_bytes());
            }
        }
        bytes
    }

    /// Takes in one rating that counts as much as `counts`.
    pub(crate) fn add(&mut self, model: &str, label: Option<usize>, rating: f32, counts: f32) {
        self.rated = self.rated.saturating_add(1);
        let model = hash(model);
        let at = match self.entries.binary_search_by_key(&model, |entry| entry.model) {
            Ok(at) => at,
            Err(at) => {
                let at = if self.entries.len() < MOST { at } else { self.make_room(model) };
                self.entries.insert(at, Entry { model, as_of: self.rated, cells: [Cell::default(); CELLS] });
                at
            }
        };
        let left = self.left(&self.entries[at]);
        let entry = &mut self.entries[at];
        entry.as_of = self.rated;
        for cell in &mut entry.cells {
            cell.ratings *= left;
            cell.sum *= left;
        }
        for cell in [Some(0), label.map(|label| label + 1)].into_iter().flatten() {
            entry.cells[cell].ratings += counts;
            entry.cells[cell].sum += counts * rating;
        }
    }

    /// Forgets the model of which least is known, and says where `model` belongs now.
    fn make_room(&mut self, model: u32) -> usize {
        let known = |entry: &Entry| entry.cells[0].ratings * self.left(entry);
        let least =
            (0..self.entries.len()).min_by(|a, b| known(&self.entries[*a]).total_cmp(&known(&self.entries[*b])));
        self.entries.remove(least.unwrap_or(0));
        self.entries.partition_point(|entry| entry.model < model)
    }

    /// What is to be expected of a model for pictures of this kind. `expected` is what the host says.
    pub(crate) fn belief(&self, model: &str, label: Option<usize>, expected: Quality) -> Belief {
        let deviation = expected.deviation.clamp(LEAST_DEVIATION, 1.0);
        let prior = NOISE * NOISE / (deviation * deviation);
        let found = if self.entries.is_empty() {
            None
        } else {
            let hash = hash(model);
            self.entries.binary_search_by_key(&hash, |entry| entry.model).ok().map(|at| &self.entries[at])
        };
        let Some(entry) = found else {
            return Belief { mean: expected.mean, deviation, expected: expected.mean, ratings: 0.0 };
        };
        let left = self.left(entry);
        let all = entry.cells[0].times(left);
        let in_all = (expected.mean * prior + all.sum) / (prior + all.ratings);
        let own = label.map_or(Cell::default(), |label| entry.cells[label + 1].times(left));
        // What is known in all counts like `FOR_LABEL` ratings for the label.
        let mean = (in_all * FOR_LABEL + own.sum) / (FOR_LABEL + own.ratings);
        let share = FOR_LABEL / (FOR_LABEL + own.ratings);
        let variance = share * share / (prior + all.ratings) + own.ratings / (FOR_LABEL + own.ratings).powi(2);
        Belief {
            mean: mean.clamp(0.0, 1.0),
            deviation: NOISE * variance.sqrt(),
            expected: expected.mean,
            ratings: all.ratings,
        }
    }

    /// What ratings of this entry still count.
    fn left(&self, entry: &Entry) -> f32 {
        (-(self.rated.saturating_sub(entry.as_of) as f32) * self.fades).exp2()
    }
}

impl Entry {
    fn read(bytes: &[u8]) -> Self {
        let mut cells = [Cell::default(); CELLS];
        for (index, cell) in cells.iter_mut().enumerate() {
            let at = 8 + index * 8;
            *cell = Cell { ratings: f32::from_bits(word(bytes, at)), sum: f32::from_bits(word(bytes, at + 4)) };
        }
        Self { model: word(bytes, 0), as_of: word(bytes, 4), cells }
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

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// FNV-1a.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
