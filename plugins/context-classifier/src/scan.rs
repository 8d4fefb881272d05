//! One pass over a prompt: words, cues, quoted text.

use crate::{
    cues::{COUNT, CUES, EMPTY, Flags, NEGATION, QUANTITY, RELATION, TEXT, THING, find, hash_on},
    labels::TECHNICAL,
};

/// Words and bytes looked at. What kind of picture is wanted is said early, and fuel is finite.
const MOST_WORDS: u32 = 512;
const MOST_BYTES: usize = 8 * 1024;
/// Text to be drawn makes exactness matter.
const QUOTED_WEIGHT: f32 = 1.6;
/// An apostrophe and a quotation mark look alike: longer than this between two is no quotation.
const LONGEST_QUOTATION: usize = 200;

/// For each byte its lower-case letter, or 0 when it is none. Bytes of other alphabets are letters as far as words go.
static LETTERS: [u8; 256] = {
    let mut letters = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let this = byte as u8;
        if this.is_ascii_alphanumeric() || this >= 0x80 {
            letters[byte] = this.to_ascii_lowercase();
        }
        byte += 1;
    }
    // The first byte of curly quotation marks, and of little else in English.
    letters[0xe2] = 0;
    letters
};

/// What a prompt's words say.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) words: u32,
    /// For each label, what its cues add, each cue once.
    pub(crate) cue_scores: [f32; 4],
    /// For each trait, how many different cues speak for it.
    pub(crate) trait_cues: [u8; 8],
    pub(crate) quoted: bool,
    /// Things and relations asked for.
    pub(crate) propositions: u32,
}

pub(crate) fn scan(prompt: &str) -> Seen {
    let bytes = &prompt.as_bytes()[..prompt.len().min(MOST_BYTES)];
    let mut scan = Scan::default();
    let mut at = 0;
    while at < bytes.len() && scan.seen.words < MOST_WORDS {
        if LETTERS[usize::from(bytes[at])] != 0 {
            at = scan.word(bytes, at);
            continue;
        }
        match bytes[at..] {
            [b',', ..] => scan.seen.propositions += 1,
            [b'"', ..] => scan.quote(at, scan.quote_opened.is_none()),
            // Curly and straight single ones: one inside a word is an apostrophe and was read with it.
            [b'\'', next, ..] | [0xe2, 0x80, 0x99, next, ..] => scan.quote(at, LETTERS[usize::from(next)] != 0),
            [b'\''] | [0xe2, 0x80, 0x99 | 0x9d, ..] => scan.quote(at, false),
            [0xe2, 0x80, 0x98 | 0x9c, ..] => scan.quote(at, true),
            _ => {}
        }
        at += if bytes[at] == 0xe2 { 3 } else { 1 };
    }
    scan.seen
}

struct Scan {
    seen: Seen,
    /// The hash of the word before and a space: what a phrase begins with.
    phrase: u32,
    quote_opened: Option<usize>,
    met: [u64; COUNT.div_ceil(64)],
}

impl Default for Scan {
    fn default() -> Self {
        let phrase = hash_on(EMPTY, b' ');
        Self { seen: Seen::default(), phrase, quote_opened: None, met: [0; COUNT.div_ceil(64)] }
    }
}

impl Scan {
    /// Reads the word that begins at `from` and returns where it ends.
    fn word(&mut self, bytes: &[u8], from: usize) -> usize {
        let (mut word, mut phrase, mut at) = (EMPTY, self.phrase, from);
        loop {
            while let Some(byte) = bytes.get(at) {
                let letter = LETTERS[usize::from(*byte)];
                if letter == 0 {
                    break;
                }
                word = hash_on(word, letter);
                phrase = hash_on(phrase, letter);
                at += 1;
            }
            // `doesn't` is read as `doesnt`.
            at += match bytes[at..] {
                [b'\'', next, ..] if LETTERS[usize::from(next)] != 0 => 1,
                [0xe2, 0x80, 0x99, next, ..] if LETTERS[usize::from(next)] != 0 => 3,
                _ => break,
            };
        }
        self.seen.words += 1;
        self.note(find(word));
        self.note(find(phrase));
        self.phrase = hash_on(word, b' ');
        if plain_count(bytes, from, at) {
            self.mark(QUANTITY);
            self.seen.propositions += 1;
        }
        at
    }

    fn note(&mut self, cue: Option<usize>) {
        let Some(index) = cue else { return };
        let cue = CUES[index];
        self.seen.propositions += u32::from(cue.flags & (THING | RELATION | NEGATION) != 0);
        let bit = 1 << (index % 64);
        if self.met[index / 64] & bit == 0 {
            self.met[index / 64] |= bit;
            self.seen.cue_scores[cue.label()] += cue.weight();
            self.mark(cue.flags);
        }
    }

    fn mark(&mut self, flags: Flags) {
        for (index, count) in self.seen.trait_cues.iter_mut().enumerate() {
            *count = count.saturating_add((flags >> index & 1) as u8);
        }
    }

    fn quote(&mut self, at: usize, opens: bool) {
        if opens {
            self.quote_opened = Some(at);
        } else if let Some(opened) = self.quote_opened.take()
            && (2..LONGEST_QUOTATION).contains(&(at - opened))
            && !self.seen.quoted
        {
            self.seen.quoted = true;
            self.seen.cue_scores[TECHNICAL] += QUOTED_WEIGHT;
            self.mark(TEXT);
        }
    }
}

/// Whether a word is a count such as the one in `7 dogs`: not `F-150`, `16:9` or a year.
fn plain_count(bytes: &[u8], from: usize, to: usize) -> bool {
    let space = |at: usize| bytes.get(at).is_none_or(|byte| *byte == b' ');
    to - from <= 2 && bytes[from..to].iter().all(u8::is_ascii_digit) && (from == 0 || space(from - 1)) && space(to)
}
