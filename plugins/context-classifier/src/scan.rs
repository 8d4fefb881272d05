//! One pass over a prompt: its words, its cues, its quotations and counts.

mod clause;
mod cue;
mod mark;
mod mend;
mod run;

use clause::{Clause, Mark};
use mark::Opened;
use run::Run;

use crate::{
    capitals::{self, Capitals},
    fold::{Folded, Quote, fold, is_letter},
    hash::{EMPTY, LONGEST_UNSPACED, Tail, hash_on, is_seen, pair},
    model::{
        Cue, ENGLISH, FRAME, Flags, Model, NUMBER, ORDER, OUTPUTS, PHOTO, PURPOSE, RELATION, STYLE, THING, UNSAYS,
    },
    seen::Seen,
};

/// Characters looked at. What kind of picture is wanted is said early, and fuel is finite.
const MOST_CHARACTERS: usize = 1536;
/// How often the table is asked, twice for a word and up to four times for a character of a script without spaces: as
/// often as costs most of the fuel limit when each is strange.
const MOST_LOOKUPS: u32 = 680;

/// `learned` is given every word and pair of words: the trainer finds new ones by it.
pub(crate) fn scan(prompt: &str, model: &Model<'_>, learned: Option<&mut Vec<u32>>) -> Seen {
    let mut characters = Vec::with_capacity(prompt.len().min(MOST_CHARACTERS));
    let mut capitals = Vec::new();
    for character in prompt.chars().take(MOST_CHARACTERS) {
        let folded = fold(character);
        if is_seen(&folded) {
            if capitals::is_capital(character) {
                capitals.push(characters.len());
            }
            characters.push(folded);
        }
    }
    let mut scan = Scan::new(model, learned, Capitals::new(capitals, characters.len()));
    let mut at = 0;
    while let Some(character) = characters.get(at)
        && scan.lookups < MOST_LOOKUPS
    {
        at = match character {
            Folded::Letter(_) | Folded::Digit(_) => scan.read_word(&characters, at),
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
    learned: Option<&'a mut Vec<u32>>,
    seen: Seen,
    met: Vec<u64>,
    /// The places in `met` in the order in which they were met, so that they can be taken back.
    order: Vec<usize>,
    capitals: Capitals,
    /// Words in capitals that may be a text to be drawn.
    run: Option<Run>,
    /// The word up to which something announces a text, may bear one, or relates.
    says_at: Option<u32>,
    bears_at: Option<u32>,
    related_at: Option<u32>,
    /// The word that denied something, in this clause.
    denied_at: Option<u32>,
    /// Whether the word begins with a capital.
    capital: bool,
    /// Words to pass over: what the picture is for.
    passed: u32,
    clause: Clause,
    clauses: u32,
    /// Whether the clause before was politeness.
    signs: bool,
    /// Where the sentence began, or what follows a colon.
    sentence: Mark,
    /// What had been seen before the first order.
    before_order: Option<Seen>,
    /// Before the last word, if it named a kind of picture.
    medium: Option<(u32, Mark)>,
    before: u32,
    /// Whether the word before was politeness.
    polite: bool,
    sentence_begun: bool,
    quote_opened: Option<Opened>,
    /// Between braces, and there behind a key.
    in_braces: bool,
    keyed: bool,
    /// In a sentence that gives orders to the reader.
    muted: bool,
    position: u32,
    lookups: u32,
    /// How often letters of strange words were exchanged.
    tried: usize,
    number_at: Option<u32>,
    /// Whether the word before names what a number follows.
    named: bool,
    negation_at: Option<u32>,
    /// Cues that only count in another language, and where they stood.
    ambiguous: Vec<(u32, Cue)>,
}

impl<'a> Scan<'a> {
    fn new(model: &'a Model<'a>, learned: Option<&'a mut Vec<u32>>, capitals: Capitals) -> Self {
        Self {
            model,
            learned,
            seen: Seen::default(),
            met: vec![0; model.slots().div_ceil(64)],
            order: Vec::with_capacity(128),
            capitals,
            run: None,
            says_at: None,
            bears_at: None,
            related_at: None,
            denied_at: None,
            capital: false,
            passed: 0,
            clause: Clause::default(),
            clauses: 0,
            signs: false,
            sentence: Mark::default(),
            before_order: None,
            medium: None,
            before: EMPTY,
            polite: false,
            sentence_begun: false,
            quote_opened: None,
            in_braces: false,
            keyed: false,
            muted: false,
            position: 0,
            lookups: 0,
            tried: 0,
            number_at: None,
            named: false,
            negation_at: None,
            ambiguous: Vec::new(),
        }
    }

    fn end(mut self) -> Seen {
        self.end_run();
        self.end_clause(false);
        if let Some(seen) = self.before_order
            && self.seen.tenths_of_words == 0
        {
            self.seen = seen;
        }
        if self.seen.is_english() {
            for (sum, english) in self.seen.sums.iter_mut().zip(self.seen.english_sums) {
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
    fn read_word(&mut self, characters: &[Folded], from: usize) -> usize {
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
        let mut hash = hash.max(1);
        let mut alone = self.model.find(hash);
        if alone.is_none()
            && letters == at - from
            && mend::LETTERS.contains(&letters)
            && let Some((mended, cue)) = self.mend(&characters[from..at])
        {
            (hash, alone) = (mended, Some(cue));
        }
        let phrase = pair(self.before, hash);
        self.before = hash;
        let together = self.model.find(phrase);
        if alone.is_none() && letters >= Tail::LEAST_OF_WORD && self.seen.english <= self.seen.foreign {
            alone = self.tail(&characters[from..at]);
        }
        let (of_word, of_pair) = (self.flags(alone), self.flags(together));
        self.capital = false;
        if self.run.is_some() || self.capitals.reach(at) {
            self.follow_run(from, at, letters, of_word | of_pair);
        }
        if (of_word | of_pair) & FRAME != 0 {
            self.polite = true;
            self.clause.frames += 1;
            if of_pair & PURPOSE != 0 {
                self.passed = 2;
            }
            return at;
        }
        if self.passed > 0 {
            self.passed -= 1;
            return at;
        }
        if of_pair & UNSAYS != 0
            && let Some((position, before)) = self.medium.take()
            && position == self.position
        {
            self.take_back(&before);
        }
        let before = (of_word & (PHOTO | STYLE) != 0).then(|| self.here());
        self.begin(10);
        if let Some(before) = before {
            self.medium = Some((self.position, before));
        }
        if of_word & (RELATION | ENGLISH) == 0 && (of_word & THING == 0 || of_word & NUMBER != 0) {
            self.clause.content += 1;
        }
        self.learn(hash);
        let named = std::mem::take(&mut self.named);
        let compound = joined(characters.get(at), characters.get(at + 1));
        self.note(alone, !named && !compound);
        if !self.polite || of_pair & ORDER != 0 {
            self.learn(phrase);
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
        if self.flags(cue) & FRAME != 0 {
            self.clause.frames += 1;
        } else {
            self.clause.content += 1;
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

    /// Of a cue that means the same in every language.
    fn flags(&self, cue: Option<Cue>) -> Flags {
        cue.filter(|cue| !cue.ambiguous).and_then(|cue| cue.row).map_or(0, |row| self.model.flags(row))
    }

    fn learn(&mut self, hash: u32) {
        if let Some(learned) = &mut self.learned {
            learned.push(hash);
        }
    }

    /// What the end of a long strange word means: `Bleistiftskizze` is a `-skizze`.
    fn tail(&mut self, word: &[Folded]) -> Option<Cue> {
        self.lookups += 1;
        let mut tail = Tail::default();
        let hashes = word.iter().rev().take(Tail::LONGEST).filter_map(|folded| match folded {
            Folded::Letter(letter) => tail.longer(*letter),
            _ => None,
        });
        hashes.filter_map(|hash| self.model.find(hash)).last()
    }
}

/// Whether a hyphen makes one word of this and the next: `three-quarters`.
fn joined(next: Option<&Folded>, after: Option<&Folded>) -> bool {
    next == Some(&Folded::Hyphen) && matches!(after, Some(Folded::Letter(_)))
}

/// Whether a number is a count such as the one in `7 dogs`: not `F-150`, `16:9` or a year.
fn counts(value: u32, characters: &[Folded], from: usize, to: usize) -> bool {
    let free =
        |folded: Option<&Folded>| matches!(folded, None | Some(Folded::Space | Folded::Unspaced(_) | Folded::Stop));
    let before = from.checked_sub(1).and_then(|before| characters.get(before));
    (2..=300).contains(&value) && free(before) && free(characters.get(to))
}
