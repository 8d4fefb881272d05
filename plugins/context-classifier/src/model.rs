//! What was learned offline (`train/`): the weights of cues and words, in one file of about 200 KiB.
//!
//! Numbers are little-endian. Head: how many slots, rows and measures there are; then for each output a bias, the size
//! of one step of its small weights, and a weight for each measure; then the rows; then the table.

use crate::seen::MEASURES;

/// Four labels, then the traits text, negation and quantity.
pub(crate) const OUTPUTS: usize = 7;

const HEAD: usize = 12;
const ROW: usize = 12;
const SLOT: usize = 12;
/// No key is farther from where its search begins; the trainer sees to it.
const MOST_STEPS: usize = 24;
/// A row of no cue: the word was learned from prompts.
const NO_ROW: u8 = 255;
/// Where a row has its number; the two bits above are the cue's.
const ROW_NUMBER: u8 = 0x3f;
/// A word of another language than English.
const CUE_FOREIGN: u8 = 0x40;
/// Means something else in English: `tres` is three, and `trees` without its doubled letter.
const CUE_AMBIGUOUS: u8 = 0x80;

/// What a row of cues tells besides its weights.
pub(crate) type Flags = u32;
pub(crate) const PEOPLE: Flags = 1;
pub(crate) const PHOTO: Flags = 1 << 2;
pub(crate) const STYLE: Flags = 1 << 3;
pub(crate) const LAYOUT: Flags = 1 << 4;
pub(crate) const THING: Flags = 1 << 5;
pub(crate) const RELATION: Flags = 1 << 6;
pub(crate) const NUMBER: Flags = 1 << 7;
/// Of a body or a building: `two legs` are no two things.
pub(crate) const PART: Flags = 1 << 8;
/// Politeness and what every prompt could say.
pub(crate) const FRAME: Flags = 1 << 9;
/// Talks to a reader of prompts, not to a painter.
pub(crate) const ORDER: Flags = 1 << 10;
pub(crate) const ENGLISH: Flags = 1 << 11;
/// Means something else in other languages.
pub(crate) const ONLY_ENGLISH: Flags = 1 << 12;
pub(crate) const NEGATION: Flags = 1 << 13;
pub(crate) const CONTRAST: Flags = 1 << 14;
/// Negates nothing although a word of it does: `not only`.
pub(crate) const AFFIRMS: Flags = 1 << 15;
/// How much, not how many, when a number stands before: `5 years`.
pub(crate) const UNIT: Flags = 1 << 16;
/// A number behind it is a name: `route 66`.
pub(crate) const NAME: Flags = 1 << 17;
/// Compares things; how many they are is by the way.
pub(crate) const ALIKE: Flags = 1 << 18;
/// Announces a text: `spelling MOTEL`.
pub(crate) const SAYS: Flags = 1 << 19;
/// Says of what stands before that it is a text: `OPEN painted on it`.
pub(crate) const WRITTEN: Flags = 1 << 20;
/// Often bears a text.
pub(crate) const BEARS: Flags = 1 << 21;
/// Makes something else of the word before: `photo album`.
pub(crate) const UNSAYS: Flags = 1 << 22;
/// What follows is what the picture is for, not what is on it.
pub(crate) const PURPOSE: Flags = 1 << 23;
/// A number before it, with a name between, is a house or a day: `12 Baker Street`.
pub(crate) const STREET: Flags = 1 << 24;
/// A number when it is what the prompt is about.
pub(crate) const SUBJECT: Flags = 1 << 25;
/// A word of its own, that only looks like a mistyped cue: `craving`.
pub(crate) const ITSELF: Flags = 1 << 26;

/// A file of weights.
#[derive(Clone, Copy)]
pub(crate) struct Model<'a> {
    bytes: &'a [u8],
    slots: usize,
    rows_at: usize,
    table_at: usize,
}

/// What the table says of a word.
#[derive(Clone, Copy)]
pub(crate) struct Cue {
    /// Where it stands: each counts once.
    pub(crate) slot: usize,
    pub(crate) weights: [i8; OUTPUTS],
    pub(crate) row: Option<u8>,
    pub(crate) foreign: bool,
    /// Another word in English.
    pub(crate) ambiguous: bool,
}

impl<'a> Model<'a> {
    /// Nothing when the bytes are no model of this plugin.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let count = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
        let (slots, rows, measures) = (count(0)?, count(4)?, count(8)?);
        let rows_at = HEAD + OUTPUTS * (2 + MEASURES) * 4;
        let table_at = rows_at.checked_add(rows.checked_mul(ROW)?)?;
        let whole = measures == MEASURES && slots > 1 && rows < usize::from(ROW_NUMBER);
        (whole && bytes.len() == table_at.checked_add(slots.checked_mul(SLOT)?)?).then_some(Self {
            bytes,
            slots,
            rows_at,
            table_at,
        })
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    pub(crate) fn find(&self, hash: u32) -> Option<Cue> {
        // Each key has a way of its own, so that none is long. The number of places is a prime: every way leads to all of them.
        let scaled = |hash: u32, to: usize| ((u64::from(hash) * to as u64) >> 32) as usize;
        let mut slot = scaled(hash, self.slots);
        let step = 1 + scaled(hash.rotate_left(13), self.slots - 1);
        // On the way to a key there are only greater ones, so a smaller one (an empty place is 0) ends the search.
        for _ in 0..MOST_STEPS {
            let at = self.table_at + slot * SLOT;
            let found = &self.bytes[at..at + SLOT];
            let key = u32::from_le_bytes([found[0], found[1], found[2], found[3]]);
            if key < hash {
                return None;
            }
            if key == hash {
                let of_row = found[11] != NO_ROW;
                return Some(Cue {
                    slot,
                    weights: small(&found[4..11]),
                    row: of_row.then_some(found[11] & ROW_NUMBER),
                    foreign: of_row && found[11] & CUE_FOREIGN != 0,
                    ambiguous: of_row && found[11] & CUE_AMBIGUOUS != 0,
                });
            }
            slot += step;
            if slot >= self.slots {
                slot -= self.slots;
            }
        }
        None
    }

    pub(crate) fn row(&self, row: u8) -> [i8; OUTPUTS] {
        let at = self.rows_at + usize::from(row) * ROW;
        small(&self.bytes[at..at + OUTPUTS])
    }

    pub(crate) fn flags(&self, row: u8) -> Flags {
        let at = self.rows_at + usize::from(row) * ROW + 8;
        let bytes = &self.bytes[at..at + 4];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// One output for these sums of small weights and these measures.
    pub(crate) fn output(&self, output: usize, sum: i32, measures: &[f32; MEASURES]) -> f32 {
        let at = |index: usize| HEAD + (output * (2 + MEASURES) + index) * 4;
        let number = |index: usize| {
            let bytes = &self.bytes[at(index)..at(index) + 4];
            f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
        };
        let measured: f32 = measures.iter().enumerate().map(|(index, measure)| number(2 + index) * measure).sum();
        number(0) + number(1) * sum as f32 + measured
    }
}

fn small(bytes: &[u8]) -> [i8; OUTPUTS] {
    std::array::from_fn(|output| bytes[output] as i8)
}
