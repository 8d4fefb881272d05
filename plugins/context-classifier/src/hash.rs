//! Words, pairs of words and cues as the numbers that stand in the table.

use crate::fold::{Folded, fold};

/// The longest cue of a script without spaces.
pub(crate) const LONGEST_UNSPACED: usize = 4;

/// Of no letters.
pub(crate) const EMPTY: u32 = 0x811c_9dc5;

/// Continues a hash with one letter (FNV-1a).
pub(crate) fn hash_on(hash: u32, letter: u32) -> u32 {
    (hash ^ letter).wrapping_mul(0x0100_0193)
}

/// Of two words that follow each other.
pub(crate) fn pair(first: u32, second: u32) -> u32 {
    hash_on(first.rotate_left(7), second).max(1)
}

/// The end of a word, read backwards: a compound is what its last part is.
pub(crate) struct Tail {
    hash: u32,
    last: u32,
    length: usize,
}

impl Default for Tail {
    fn default() -> Self {
        // Of no word read forwards.
        Self { hash: hash_on(EMPTY, u32::from(b'-')), last: 0, length: 0 }
    }
}

impl Tail {
    /// In letters. Shorter words are not looked at.
    pub(crate) const LEAST_OF_WORD: usize = 8;
    const SHORTEST: usize = 4;
    pub(crate) const LONGEST: usize = 10;

    /// With one letter more at its front, doubled ones aside; its hash when it is long enough to be a cue.
    pub(crate) fn longer(&mut self, letter: u32) -> Option<u32> {
        self.length += 1;
        if letter != self.last {
            self.hash = hash_on(self.hash, letter);
        }
        self.last = letter;
        (self.length >= Self::SHORTEST).then_some(self.hash.max(1))
    }
}

pub(crate) fn is_seen(folded: &Folded) -> bool {
    *folded != Folded::Nothing
}

/// The hash of a cue as it stands in the table, and how many words or characters it is.
pub(crate) fn cue(text: &str) -> (u32, usize) {
    if let Some(tail) = text.strip_prefix('-') {
        let mut read = Tail::default();
        let hashes = tail.chars().rev().filter_map(|character| match fold(character) {
            Folded::Letter(letter) => read.longer(letter),
            _ => None,
        });
        return hashes.last().map_or((0, 0), |hash| (hash, 1));
    }
    let (mut words, mut last) = (Vec::new(), 0);
    let (mut hash, mut unspaced) = (EMPTY, 0);
    for folded in text.chars().map(fold).filter(is_seen).chain([Folded::Space]) {
        match folded {
            Folded::Letter(letter) => {
                if letter != last {
                    hash = hash_on(hash, letter);
                }
                last = letter;
            }
            Folded::Digit(digit) => {
                hash = hash_on(hash, u32::from(digit) + 0x30);
                last = 0;
            }
            // A longer one is known by how it begins.
            Folded::Unspaced(letter) if unspaced < LONGEST_UNSPACED => {
                hash = hash_on(hash, letter);
                unspaced += 1;
            }
            Folded::Unspaced(_) => {}
            _ if unspaced > 0 => {}
            _ => {
                words.push(hash.max(1));
                (hash, last) = (EMPTY, 0);
            }
        }
    }
    match words[..] {
        _ if unspaced > 0 => (hash.max(1), unspaced),
        [word] => (word, 1),
        [first, second] => (pair(first, second), 2),
        _ => (0, words.len()),
    }
}
