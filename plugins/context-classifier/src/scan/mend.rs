//! Strange words in which two letters stand the other way round: `piant` is `paint`.

use std::ops::RangeInclusive;

use super::Scan;
use crate::{
    fold::Folded,
    hash::{EMPTY, hash_on},
    model::{Cue, ITSELF},
};

/// Letters of a word that is mended. Shorter ones are words of their own: `form` is not `from`.
pub(super) const LETTERS: RangeInclusive<usize> = 5..=18;
/// Exchanges that are tried in a prompt: about forty words' worth.
const MOST_TRIED: usize = 240;

impl Scan<'_> {
    /// The hash and the cue of the word that this one becomes when two letters after the first change places, if that is
    /// a cue or a word that was learned, and of no other language.
    pub(super) fn mend(&mut self, word: &[Folded]) -> Option<(u32, Cue)> {
        if self.tried >= MOST_TRIED || self.seen.foreign > self.seen.english {
            return None;
        }
        self.tried += word.len() - 2;
        let mut front = Spelling::default().with(word[0]);
        for at in 1..word.len() - 1 {
            let (first, second) = (word[at], word[at + 1]);
            // What brings a letter beside its like makes another word: `there` is not `three`.
            if first != second && second != word[at - 1] && Some(&first) != word.get(at + 2) {
                let swapped = front.with(second).with(first);
                let hash = word[at + 2..].iter().fold(swapped, |so_far, letter| so_far.with(*letter)).hash.max(1);
                let found = self.model.find(hash).filter(|cue| !cue.foreign && self.flags(Some(*cue)) & ITSELF == 0);
                if let Some(cue) = found {
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
