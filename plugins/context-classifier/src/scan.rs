//! One pass over a prompt: its words, its cues, its quotations and counts.

use crate::{
    fold::{Folded, Quote, fold, is_digit, is_letter},
    hash::{EMPTY, LONGEST_UNSPACED, hash_on, is_seen, pair},
    model::{
        AFFIRMS, ALIKE, CONTRAST, Cue, ENGLISH, FRAME, Flags, Model, NAME, NEGATION, NUMBER, ONLY_ENGLISH, ORDER,
        OUTPUTS, PART, RELATION, THING, UNIT,
    },
    seen::{Seen, Told},
};

/// Characters looked at. What kind of picture is wanted is said early, and fuel is finite.
const MOST_CHARACTERS: usize = 1536;
/// How often the table is asked, twice for a word and up to four times for a character of a script without spaces: as
/// often as costs most of the fuel limit when each is strange.
const MOST_LOOKUPS: u32 = 680;
/// An apostrophe and a quotation mark look alike: longer than this between two is no quotation.
const LONGEST_QUOTATION: usize = 200;
/// Words after a number in which a part of a body may stand: `two long hairy legs`.
const NEAR: u32 = 4;
/// Words after a number in which its things may be compared: `two rabbits wearing the same hat`.
const COMPARED: u32 = 8;

/// `learned` is told of every word and pair of words: the trainer finds new ones by it.
pub(crate) fn scan(prompt: &str, model: &Model<'_>, learned: &mut dyn FnMut(u32)) -> Seen {
    let mut characters = Vec::with_capacity(prompt.len().min(MOST_CHARACTERS));
    characters.extend(prompt.chars().take(MOST_CHARACTERS).map(fold).filter(is_seen));
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

struct Scan<'a> {
    model: &'a Model<'a>,
    learned: &'a mut dyn FnMut(u32),
    seen: Seen,
    met: Vec<u64>,
    before: u32,
    /// Whether the word before was politeness.
    polite: bool,
    sentence_begun: bool,
    quote_opened: Option<Opened>,
    /// In a sentence that gives orders to the reader.
    muted: bool,
    position: u32,
    lookups: u32,
    number_at: Option<u32>,
    /// Whether the word before names what a number follows.
    named: bool,
    negation_at: Option<u32>,
    english: u32,
    foreign: u32,
    /// What only counts in an English prompt.
    english_sums: [i32; OUTPUTS],
    /// Cues that only count in another language, and where they stood.
    ambiguous: Vec<(u32, Cue)>,
}

/// Where a quotation opened, and what had been seen till then.
#[derive(Clone, Copy)]
struct Opened {
    at: usize,
    position: u32,
    told: Told,
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
            named: false,
            negation_at: None,
            english: 0,
            foreign: 0,
            english_sums: [0; OUTPUTS],
            ambiguous: Vec::new(),
        }
    }

    fn end(mut self) -> Seen {
        self.seen.english = self.foreign <= self.english;
        if self.seen.english {
            for (sum, english) in self.seen.sums.iter_mut().zip(self.english_sums) {
                *sum += english;
            }
            self.seen.told.negations += self.seen.told.english_negations;
        } else {
            for (position, cue) in std::mem::take(&mut self.ambiguous) {
                self.position = position;
                self.met[cue.slot / 64] &= !(1 << (cue.slot % 64));
                self.note(Some(Cue { weights: [0; OUTPUTS], ambiguous: false, ..cue }), true);
            }
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
        let named = std::mem::take(&mut self.named);
        let compound = joined(characters.get(at), characters.get(at + 1));
        self.note(alone, !named && !compound);
        if !self.polite {
            (self.learned)(phrase);
            self.note(together, !compound);
        }
        self.polite = false;
        if let Some(value) = value {
            // `no. 5` negates nothing and is no number of things.
            if self.seen.told.english_negations > 0 && self.negation_at == Some(self.position - 1) {
                self.affirm();
            } else if !named && counts(value, characters, from, at) {
                self.count();
            }
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
            self.note(cue, true);
        }
        self.before = EMPTY;
        ends[last]
    }

    /// A word of this many tenths that asks for something.
    fn begin(&mut self, tenths: u32) {
        self.position += 1;
        if !self.muted {
            self.seen.tenths_of_words += tenths;
            self.sentence_begun = true;
        }
    }

    fn is_polite(&self, cue: Option<Cue>) -> bool {
        cue.filter(|cue| !cue.ambiguous).and_then(|cue| cue.row).is_some_and(|row| self.model.flags(row) & FRAME != 0)
    }

    /// `counts` is whether a number word is a number here.
    fn note(&mut self, cue: Option<Cue>, counts: bool) {
        let Some(mut cue) = cue else { return };
        if cue.ambiguous {
            if !self.muted {
                self.ambiguous.push((self.position, cue));
            }
            // In English it is a word like others.
            cue.row = None;
        }
        let flags = cue.row.map_or(0, |row| self.model.flags(row));
        if flags & ORDER != 0 {
            self.muted = true;
        }
        self.english += u32::from(flags & ENGLISH != 0);
        self.foreign += u32::from(cue.foreign);
        if self.muted {
            return;
        }
        self.tell(flags, counts);
        let only_english = flags & ONLY_ENGLISH != 0;
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

    /// What a cue says of how many things there are, and of what there is not.
    fn tell(&mut self, flags: Flags, counts: bool) {
        self.seen.propositions += u32::from(flags & (THING | RELATION | NEGATION) != 0);
        // `do not` and `not` are one.
        if flags & NEGATION != 0 && self.negation_at.replace(self.position) != Some(self.position) {
            *(if flags & ONLY_ENGLISH != 0 {
                &mut self.seen.told.english_negations
            } else {
                &mut self.seen.told.negations
            }) += 1;
        }
        if flags & AFFIRMS != 0 && self.negation_at.take().is_some() {
            self.affirm();
        }
        if flags & CONTRAST != 0 {
            self.seen.told.contrasts += 1;
            self.seen.told.corrections += u32::from(self.negation_at.is_some());
        }
        if flags & NUMBER != 0 && counts {
            self.count();
        }
        if flags & UNIT != 0 && self.counted_within(1) {
            self.uncount();
        }
        self.named |= flags & NAME != 0;
        if flags & ALIKE != 0 && self.counted_within(COMPARED) {
            self.seen.told.compared += 1;
        }
        if flags & PART != 0 && self.counted_within(NEAR) {
            self.seen.told.counted_parts += 1;
            self.number_at = None;
        }
    }

    /// Whether a number stands at most this many words before.
    fn counted_within(&self, words: u32) -> bool {
        self.number_at.is_some_and(|number| self.position.saturating_sub(number) <= words)
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
        self.seen.told.counts += 1;
        self.seen.propositions += 1;
        self.number_at = Some(self.position);
        self.seen.told.first_count.get_or_insert(self.position.saturating_sub(1));
    }

    /// What stood before was no negation.
    fn affirm(&mut self) {
        if self.seen.told.negations > 0 {
            self.seen.told.negations -= 1;
        } else {
            self.seen.told.english_negations = self.seen.told.english_negations.saturating_sub(1);
        }
    }

    /// What stood before was no count.
    fn uncount(&mut self) {
        self.seen.told.counts = self.seen.told.counts.saturating_sub(1);
        self.seen.propositions = self.seen.propositions.saturating_sub(1);
        self.number_at = None;
        if self.seen.told.counts == 0 {
            self.seen.told.first_count = None;
        }
    }

    fn mark(&mut self, mark: Folded, characters: &[Folded], at: usize) {
        let before = at.checked_sub(1).and_then(|before| characters.get(before));
        let after = characters.get(at + 1);
        match mark {
            // Not the one in `1.5`.
            Folded::Stop if !(is_digit(before) && is_digit(after)) => {
                self.seen.sentences += u32::from(self.sentence_begun && !self.muted);
                self.sentence_begun = false;
                self.muted = false;
                self.before = EMPTY;
                if !is_digit(characters.get(at + 2)) {
                    self.negation_at = None;
                }
            }
            Folded::Comma if self.sentence_begun && !self.muted => {
                self.seen.commas += 1;
                self.seen.propositions += 1;
                self.before = EMPTY;
            }
            // Not the one of `a 24" screen`.
            Folded::Quote(Quote::Either) if self.quote_opened.is_none() && is_digit(before) => {}
            Folded::Quote(Quote::Either | Quote::Closes) => self.quote(characters, at, self.quote_opened.is_none()),
            Folded::Quote(Quote::Opens) => self.quote(characters, at, true),
            Folded::Quote(Quote::Apostrophe) => {
                let opens = is_letter(after) && !is_letter(before);
                if opens || self.quote_opened.is_some() {
                    self.quote(characters, at, opens);
                }
            }
            _ => {}
        }
    }

    fn quote(&mut self, characters: &[Folded], at: usize, opens: bool) {
        if opens {
            self.quote_opened = Some(Opened { at, position: self.position, told: self.seen.told });
        } else if let Some(opened) = self.quote_opened.take()
            && (2..LONGEST_QUOTATION).contains(&(at - opened.at))
            && !self.muted
            // A prompt that is wholly in quotation marks asks for no text.
            && !(opened.position == 0 && characters.len() - at <= 2)
        {
            self.seen.quotations += 1;
            self.seen.quoted_characters += at - opened.at - 1;
            // What a text says that is to be drawn, the picture does not count or lack.
            self.seen.told = opened.told;
            (self.number_at, self.negation_at) = (None, None);
        }
    }
}

/// Whether a hyphen makes one word of this and the next: `three-quarters`.
fn joined(next: Option<&Folded>, after: Option<&Folded>) -> bool {
    next == Some(&Folded::Hyphen) && matches!(after, Some(Folded::Letter(_)))
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
