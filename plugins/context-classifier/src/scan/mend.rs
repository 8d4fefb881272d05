//! Strange words in which two letters stand the other way round: `piant` is `paint`.

use std::ops::RangeInclusive;

use super::Scan;
use crate::{
    fold::Folded,
    hash::{EMPTY, hash_on},
    model::Cue,
};

/// Letters of a word that is mended. Shorter ones are words of their own: `form` is not `from`.
pub(super) const LETTERS: RangeInclusive<usize> = 5..=18;
/// Words of a prompt that are tried, for each costs as many lookups as it has letters.
const MOST_TRIED: u32 = 40;

impl Scan<'_> {
    /// The hash and the cue of the word that this one becomes when two letters after the first change places, if that is
    /// a word of the table that does not look like one of another language.
    pub(super) fn mend(&mut self, word: &[Folded]) -> Option<(u32, Cue)> {
        if self.tried >= MOST_TRIED || self.seen.foreign > self.seen.english {
            return None;
        }
        self.tried += 1;
        let mut front = Spelling::default().with(word[0]);
        for at in 1..word.len() - 1 {
            let (first, second) = (word[at], word[at + 1]);
            // What brings a letter beside its like makes another word: `there` is not `three`.
            if first != second && second != word[at - 1] && Some(&first) != word.get(at + 2) {
                let swapped = front.with(second).with(first);
                let hash = word[at + 2..].iter().fold(swapped, |so_far, letter| so_far.with(*letter)).hash.max(1);
                if let Some(cue) = self.model.find(hash).filter(|cue| !cue.foreign) {
                    return Some((hash, cue));
                }
            }
            front = front.with(first);
        }
        None
    }
}

/// The hash of the letters so far, doubled ones aside.
#[derive(Clone, Copy)]
struct Spelling {
    hash: u32,
    last: u32,
}

impl Default for Spelling {
    fn default() -> Self {
        Self { hash: EMPTY, last: 0 }
    }
}

impl Spelling {
    fn with(self, folded: Folded) -> Self {
        match folded {
            Folded::Letter(letter) if letter != self.last => Self { hash: hash_on(self.hash, letter), last: letter },
            _ => self,
        }
    }
}
