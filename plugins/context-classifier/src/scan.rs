//! One pass over a prompt: its words, its cues, its quotations and counts.

use crate::{
    fold::{Folded, Quote, fold},
    model::{
        CONTRAST, Cue, ENGLISH, FOREIGN, FRAME, Flags, Model, NEGATION, NUMBER, ONLY_ENGLISH, ORDER, OUTPUTS, PART,
        RELATION, THING,
    },
    seen::Seen,
};

/// Characters looked at. What kind of picture is wanted is said early, and fuel is finite.
const MOST_CHARACTERS: usize = 1536;
/// How often the table is asked, twice for a word and up to four times for a character of a script without spaces: as
/// often as costs most of the fuel limit when each is strange.
const MOST_LOOKUPS: u32 = 680;
/// An apostrophe and a quotation mark look alike: longer than this between two is no quotation.
const LONGEST_QUOTATION: usize = 200;
/// The longest cue of a script without spaces.
const LONGEST_UNSPACED: usize = 4;
/// Words after a number in which a part of a body may stand: `two long hairy legs`.
const NEAR: u32 = 4;
/// `learned` is told of every word and pair of words: the trainer finds new ones by it.
pub(crate) fn scan(prompt: &str, model: &Model<'_>, learned: &mut dyn FnMut(u32)) -> Seen {
    let characters: Vec<Folded> = prompt.chars().take(MOST_CHARACTERS).map(fold).filter(is_seen).collect();
    let mut scan = Scan::new(model, learned);
    let mut at = 0;
    while let Some(character) = characters.get(at)
        && scan.lookups < MOST_LOOKUPS
    {
        at = match character {
            Folded::Letter(_) | Folded::Digit(_) => scan.word(&characters, at),
            Folded::Unspaced(_) => scan.unspaced(&characters, at),
            other => {
                scan.mark(*other, &characters, at);
                at + 1
            }
        };
    }
    scan.end()
}

fn is_seen(folded: &Folded) -> bool {
    *folded != Folded::Nothing
}

const EMPTY: u32 = 0x811c_9dc5;

/// Continues a hash with one letter (FNV-1a).
fn hash_on(hash: u32, letter: u32) -> u32 {
    (hash ^ letter).wrapping_mul(0x0100_0193)
}

/// Of two words that follow each other.
fn pair(first: u32, second: u32) -> u32 {
    hash_on(first.rotate_left(7), second).max(1)
}

struct Scan<'a> {
    model: &'a Model<'a>,
    learned: &'a mut dyn FnMut(u32),
    seen: Seen,
    met: Vec<u64>,
    before: u32,
    /// Whether the word before was politeness.
    polite: bool,
    sentence_begun: bool,
    quote_opened: Option<usize>,
    /// In a sentence that gives orders to the reader.
    muted: bool,
    position: u32,
    lookups: u32,
    number_at: Option<u32>,
    english: u32,
    foreign: u32,
    /// What only counts in an English prompt.
    english_sums: [i32; OUTPUTS],
    english_negations: u32,
}

impl<'a> Scan<'a> {
    fn new(model: &'a Model<'a>, learned: &'a mut dyn FnMut(u32)) -> Self {
        Self {
            model,
            learned,
            seen: Seen::default(),
            met: vec![0; model.slots().div_ceil(64)],
            before: EMPTY,
            polite: false,
            sentence_begun: false,
            quote_opened: None,
            muted: false,
            position: 0,
            lookups: 0,
            number_at: None,
            english: 0,
            foreign: 0,
            english_sums: [0; OUTPUTS],
            english_negations: 0,
        }
    }

    fn end(mut self) -> Seen {
        self.seen.english = self.foreign <= self.english;
        if self.seen.english {
            for (sum, english) in self.seen.sums.iter_mut().zip(self.english_sums) {
                *sum += english;
            }
            self.seen.negations += self.english_negations;
        }
        self.seen
    }

    /// Reads the word that begins at `from` and returns where it ends.
    fn word(&mut self, characters: &[Folded], from: usize) -> usize {
        let (mut hash, mut last, mut at, mut letters) = (EMPTY, 0, from, 0);
        let mut value = Some(0_u32);
        loop {
            match characters.get(at) {
                // A letter twice is a letter: `skettch` is a sketch.
                Some(Folded::Letter(letter)) => {
                    if *letter != last {
                        hash = hash_on(hash, *letter);
                    }
                    (last, value) = (*letter, None);
                    letters += 1;
                }
                Some(Folded::Digit(digit)) => {
                    hash = hash_on(hash, u32::from(*digit) + 0x30);
                    value = value.map(|value| value.saturating_mul(10).saturating_add(u32::from(*digit)));
                    last = 0;
                }
                Some(Folded::Quote(Quote::Apostrophe)) if is_letter(characters.get(at + 1)) && letters > 0 => {
                    // `l'huile` is two words, `cat's` is a cat, `doesn't` is read as `doesnt`.
                    let end = characters.get(at + 2);
                    if letters <= 2 {
                        at += 1;
                        break;
                    } else if characters[at + 1] == Folded::Letter(u32::from(b's')) && !is_letter(end) {
                        at += 2;
                        break;
                    }
                }
                _ => break,
            }
            at += 1;
        }
        self.lookups += 2;
        let hash = hash.max(1);
        let phrase = pair(self.before, hash);
        self.before = hash;
        let (alone, together) = (self.model.find(hash), self.model.find(phrase));
        if self.is_polite(alone) || self.is_polite(together) {
            self.polite = true;
            return at;
        }
        self.begin(10);
        (self.learned)(hash);
        self.note(alone);
        if !self.polite {
            (self.learned)(phrase);
            self.note(together);
        }
        self.polite = false;
        if let Some(value) = value
            && counts(value, characters, from, at)
        {
            self.count();
        }
        at
    }

    /// Reads one cue, the longest that stands here, or passes one character.
    fn unspaced(&mut self, characters: &[Folded], from: usize) -> usize {
        let mut hashes = [0; LONGEST_UNSPACED];
        let (mut hash, mut length, mut at) = (EMPTY, 0, from);
        let mut ends = [from; LONGEST_UNSPACED];
        while length < LONGEST_UNSPACED {
            match characters.get(at) {
                Some(Folded::Unspaced(letter)) => {
                    hash = hash_on(hash, *letter);
                    hashes[length] = hash.max(1);
                    ends[length] = at + 1;
                    length += 1;
                }
                // Korean counts `three` `head` with a space between.
                Some(Folded::Space) if length > 0 => {}
                _ => break,
            }
            at += 1;
        }
        self.lookups += length as u32;
        let found = (0..length).rev().find_map(|last| Some((last, self.model.find(hashes[last])?)));
        let (last, cue) = found.map_or((0, None), |(last, cue)| (last, Some(cue)));
        // A word of Chinese is a character and a half, of Thai more than three.
        let thai = matches!(characters[from], Folded::Unspaced(0xe00..=0xe7f));
        if !self.is_polite(cue) {
            self.begin((last as u32 + 1) * if thai { 3 } else { 6 });
            self.note(cue);
        }
        self.before = EMPTY;
        ends[last]
    }

    /// A word of this many tenths that asks for something.
    fn begin(&mut self, tenths: u32) {
        self.position += 1;
        self.seen.tenths_of_words += tenths;
        self.sentence_begun = true;
    }

    fn is_polite(&self, cue: Option<Cue>) -> bool {
        cue.and_then(|cue| cue.row).is_some_and(|row| self.model.flags(row) & FRAME != 0)
    }

    fn note(&mut self, cue: Option<Cue>) {
        let Some(cue) = cue else { return };
        let flags = cue.row.map_or(0, |row| self.model.flags(row));
        if flags & ORDER != 0 {
            self.muted = true;
        }
        self.english += u32::from(flags & ENGLISH != 0);
        self.foreign += u32::from(flags & FOREIGN != 0);
        if self.muted {
            return;
        }
        self.seen.propositions += u32::from(flags & (THING | RELATION | NEGATION) != 0);
        let only_english = flags & ONLY_ENGLISH != 0;
        if flags & NEGATION != 0 {
            *(if only_english { &mut self.english_negations } else { &mut self.seen.negations }) += 1;
        }
        self.seen.contrasts += u32::from(flags & CONTRAST != 0);
        if flags & NUMBER != 0 {
            self.count();
        }
        if flags & PART != 0 && self.number_at.is_some_and(|number| self.position.saturating_sub(number) <= NEAR) {
            self.seen.counted_parts += 1;
            self.number_at = None;
        }
        if first_time(&mut self.met, cue.slot) {
            let sums = if cue.row.is_none() || only_english { &mut self.english_sums } else { &mut self.seen.sums };
            for (sum, weight) in sums.iter_mut().zip(cue.weights) {
                *sum += i32::from(weight);
            }
            self.mark_traits(flags);
            if let Some(row) = cue.row
                && first_time(&mut self.seen.rows, usize::from(row))
            {
                let sums = if only_english { &mut self.english_sums } else { &mut self.seen.sums };
                for (sum, weight) in sums.iter_mut().zip(self.model.row(row)) {
                    *sum += i32::from(weight);
                }
            }
        }
    }

    fn mark_traits(&mut self, flags: Flags) {
        for (index, count) in self.seen.trait_cues.iter_mut().enumerate() {
            *count = count.saturating_add((flags >> index & 1) as u8);
        }
    }

    fn count(&mut self) {
        if self.muted {
            return;
        }
        self.seen.counts += 1;
        self.seen.propositions += 1;
        self.number_at = Some(self.position);
        self.seen.first_count.get_or_insert(self.position.saturating_sub(1));
    }

    fn mark(&mut self, mark: Folded, characters: &[Folded], at: usize) {
        let before = at.checked_sub(1).and_then(|before| characters.get(before));
        let after = characters.get(at + 1);
        match mark {
            // Not the one in `1.5`.
            Folded::Stop if !(is_digit(before) && is_digit(after)) => {
                self.seen.sentences += u32::from(self.sentence_begun);
                self.sentence_begun = false;
                self.muted = false;
                self.before = EMPTY;
            }
            Folded::Comma if self.sentence_begun => {
                self.seen.commas += 1;
                self.seen.propositions += 1;
                self.before = EMPTY;
            }
            // Not the one of `a 24" screen`.
            Folded::Quote(Quote::Either) if self.quote_opened.is_none() && is_digit(before) => {}
            Folded::Quote(Quote::Either | Quote::Closes) => self.quote(at, self.quote_opened.is_none()),
            Folded::Quote(Quote::Opens) => self.quote(at, true),
            Folded::Quote(Quote::Apostrophe) => {
                let opens = is_letter(after) && !is_letter(before);
                if opens || self.quote_opened.is_some() {
                    self.quote(at, opens);
                }
            }
            _ => {}
        }
    }

    fn quote(&mut self, at: usize, opens: bool) {
        if opens {
            self.quote_opened = Some(at);
        } else if let Some(opened) = self.quote_opened.take()
            && (2..LONGEST_QUOTATION).contains(&(at - opened))
            && !self.muted
        {
            self.seen.quotations += 1;
            self.seen.quoted_characters += at - opened - 1;
        }
    }
}

fn is_letter(folded: Option<&Folded>) -> bool {
    matches!(folded, Some(Folded::Letter(_) | Folded::Digit(_) | Folded::Unspaced(_)))
}

fn is_digit(folded: Option<&Folded>) -> bool {
    matches!(folded, Some(Folded::Digit(_)))
}

fn first_time(met: &mut [u64], index: usize) -> bool {
    let bit = 1 << (index % 64);
    let first = met[index / 64] & bit == 0;
    met[index / 64] |= bit;
    first
}

/// Whether a number is a count such as the one in `7 dogs`: not `F-150`, `16:9` or a year.
fn counts(value: u32, characters: &[Folded], from: usize, to: usize) -> bool {
    let free =
        |folded: Option<&Folded>| matches!(folded, None | Some(Folded::Space | Folded::Unspaced(_) | Folded::Stop));
    let before = from.checked_sub(1).and_then(|before| characters.get(before));
    (2..=300).contains(&value) && free(before) && free(characters.get(to))
}

/// The hash of a cue as it stands in the table, and how many words or characters it is.
pub(crate) fn cue(text: &str) -> (u32, usize) {
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
