//! One pass over a prompt: its words, its cues, its quotations and counts.

use crate::{
    capitals::{self, Capitals},
    fold::{Folded, Quote, fold, is_digit, is_letter},
    hash::{EMPTY, LONGEST_UNSPACED, Tail, hash_on, is_seen, pair},
    model::{
        AFFIRMS, ALIKE, BEARS, CONTRAST, Cue, ENGLISH, FRAME, Flags, LAYOUT, Model, NAME, NEGATION, NUMBER,
        ONLY_ENGLISH, ORDER, OUTPUTS, PART, PHOTO, PURPOSE, RELATION, SAYS, STREET, STYLE, SUBJECT, THING, UNIT,
        UNSAYS, WRITTEN,
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
/// Words after a negation in which a kind of picture is denied: `not a photo`.
const DENIED: u32 = 2;
/// Clauses that may be taken back; with more of them a prompt is no prompt.
const MOST_CLAUSES: u32 = 40;
/// The word by which a prompt's subject is named: `a pair of shoes`, not a man with a pair of glasses.
const SUBJECT_BY: u32 = 3;
/// Words after a thing in which a text on it may begin: `a mug with BEST DAD`.
const BORNE: u32 = 3;
/// Words after a number in which its things may be compared: `two rabbits wearing the same hat`.
const COMPARED: u32 = 8;

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
    /// In a sentence that gives orders to the reader.
    muted: bool,
    position: u32,
    lookups: u32,
    number_at: Option<u32>,
    /// Whether the word before names what a number follows.
    named: bool,
    negation_at: Option<u32>,
    /// Cues that only count in another language, and where they stood.
    ambiguous: Vec<(u32, Cue)>,
}

/// What had been seen up to some place.
#[derive(Clone, Copy, Default)]
struct Mark {
    seen: Seen,
    met: usize,
    learned: usize,
    ambiguous: usize,
}

/// What stands between two commas, colons or stops.
#[derive(Default)]
struct Clause {
    begun: Mark,
    /// Words of politeness.
    frames: u32,
    /// Words that are neither that nor there for grammar.
    content: u32,
    /// Whether it asks for a thing or for a kind of picture.
    asks: bool,
}

impl Clause {
    fn announces(&self) -> bool {
        !self.asks && self.content <= self.frames
    }
}

/// Words in capitals, one after the other.
#[derive(Clone, Copy)]
struct Run {
    from: usize,
    to: usize,
    before: Mark,
    words: u32,
    /// Whether one of them is all capitals.
    shouted: bool,
    /// Whether a word says that they are a text.
    announced: bool,
    /// Whether they stand on something that often bears a text: `a mug with BEST DAD`.
    borne: bool,
    /// How many words have followed.
    after: u32,
}

impl Run {
    fn is_text(&self, titles: bool) -> bool {
        self.shouted || self.words >= 2 && !titles
    }
}

/// Where a quotation opened, and what had been seen till then.
#[derive(Clone, Copy)]
struct Opened {
    at: usize,
    position: u32,
    told: Told,
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
            muted: false,
            position: 0,
            lookups: 0,
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
        let hash = hash.max(1);
        let phrase = pair(self.before, hash);
        self.before = hash;
        let (mut alone, together) = (self.model.find(hash), self.model.find(phrase));
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
        if !self.polite {
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

    fn here(&self) -> Mark {
        Mark {
            seen: self.seen,
            met: self.order.len(),
            learned: self.learned.as_ref().map_or(0, |learned| learned.len()),
            ambiguous: self.ambiguous.len(),
        }
    }

    /// Forgets what was read since.
    fn take_back(&mut self, mark: &Mark) {
        for index in self.order.drain(mark.met.min(self.order.len())..) {
            self.met[index / 64] &= !(1 << (index % 64));
        }
        self.seen = mark.seen;
        self.ambiguous.truncate(mark.ambiguous);
        if let Some(learned) = &mut self.learned {
            learned.truncate(mark.learned);
        }
        (self.number_at, self.negation_at, self.denied_at) = (None, None, None);
    }

    /// Follows words in capitals: `neon sign spelling MOTEL`, `with Happy 50th Birthday written on it`.
    fn follow_run(&mut self, from: usize, to: usize, letters: usize, flags: Flags) {
        let (count, shouted) = self.capitals.of(from, to, letters);
        self.capital = count > 0;
        if self.quote_opened.is_some() {
            return;
        }
        // A noun that announces a text has a capital in German and is not part of it: `mit der Aufschrift OFFEN`.
        if count > 0 && flags & SAYS != 0 {
            self.run = None;
            return;
        }
        if count > 0
            || (letters == 0 || count == 0 && to - from > letters) && self.run.is_some_and(|run| run.after == 0)
        {
            if let Some(run) = &mut self.run
                && run.after == 0
            {
                run.words += 1;
                run.shouted |= shouted;
                run.to = to;
            } else if shouted || self.sentence_begun || self.clause.frames > 0 {
                let here = Some(self.position);
                let borne = self.bears_at.is_some_and(|at| self.position - at <= BORNE) && self.related_at == here;
                self.run = Some(Run {
                    from,
                    to,
                    before: self.here(),
                    words: 1,
                    shouted,
                    announced: self.says_at == here,
                    borne,
                    after: 0,
                });
            }
        } else if let Some(run) = &mut self.run {
            run.after += 1;
            if flags & WRITTEN != 0 && run.is_text(self.capitals.are_titles) {
                run.announced = true;
            }
            if run.announced || run.borne || run.after >= 2 {
                self.end_run();
            }
        }
    }

    /// Takes words in capitals for a quotation when something says that they are one.
    fn end_run(&mut self) {
        let Some(run) = self.run.take() else { return };
        if !self.muted && (run.announced && run.is_text(self.capitals.are_titles) || run.borne && run.shouted) {
            self.take_back(&run.before);
            self.seen.tenths_of_words += 10 * run.words;
            self.seen.quotations += 1;
            self.seen.quoted_characters += run.to - run.from;
            self.sentence_begun = true;
            self.clause.content += 1;
        }
    }

    /// What is all politeness was not said, nor what announces a prompt: `here is my idea: _`.
    fn end_clause(&mut self, announces: bool) -> bool {
        (self.denied_at, self.passed) = (None, 0);
        self.clauses += 1;
        if self.clauses > MOST_CLAUSES {
            return false;
        }
        let clause = &self.clause;
        // Once something is asked for, what speaks to the reader says thanks, and a lone word behind it is a name.
        let asked = clause.begun.seen.tenths_of_words > 0;
        let empty = !self.muted
            && (clause.frames > 0 && (clause.content == 0 || (announces || asked) && clause.announces())
                || asked && self.signs && clause.content <= 1 && !clause.asks);
        if empty {
            let begun = clause.begun;
            self.take_back(&begun);
        }
        self.begin_clause();
        self.signs = empty;
        empty
    }

    fn begin_clause(&mut self) {
        self.clause.begun = self.here();
        (self.clause.frames, self.clause.content, self.clause.asks) = (0, 0, false);
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
        if flags & ORDER != 0 && !self.muted {
            // The whole sentence is for the reader, also what came before the cue.
            self.before_order.get_or_insert(self.seen);
            let sentence = self.sentence;
            self.take_back(&sentence);
            self.muted = true;
        }
        if self.muted {
            return;
        }
        self.seen.english += u32::from(flags & ENGLISH != 0);
        self.seen.foreign += u32::from(cue.foreign);
        if flags != 0 {
            self.tell(flags, counts);
        }
        // `not a photo`
        if flags & (PHOTO | STYLE) != 0 && self.denied_at.is_some_and(|at| self.position.saturating_sub(at) <= DENIED) {
            return;
        }
        let only_english = flags & ONLY_ENGLISH != 0;
        if first_time(&mut self.met, cue.slot) {
            self.order.push(cue.slot);
            let sums =
                if cue.row.is_none() || only_english { &mut self.seen.english_sums } else { &mut self.seen.sums };
            for (sum, weight) in sums.iter_mut().zip(cue.weights) {
                *sum += i32::from(weight);
            }
            self.mark_traits(flags);
            if let Some(row) = cue.row
                && first_time(&mut self.seen.rows, usize::from(row))
            {
                let sums = if only_english { &mut self.seen.english_sums } else { &mut self.seen.sums };
                for (sum, weight) in sums.iter_mut().zip(self.model.row(row)) {
                    *sum += i32::from(weight);
                }
            }
        }
    }

    /// What a cue says of how many things there are, and of what there is not.
    fn tell(&mut self, flags: Flags, counts: bool) {
        self.seen.propositions += u32::from(flags & (THING | RELATION | NEGATION) != 0);
        let here = Some(self.position);
        if flags & (SAYS | BEARS | RELATION | NEGATION) != 0 {
            for (at, flag) in [
                (&mut self.says_at, SAYS),
                (&mut self.bears_at, BEARS),
                (&mut self.related_at, RELATION),
                (&mut self.denied_at, NEGATION),
            ] {
                if flags & flag != 0 {
                    *at = here;
                }
            }
        }
        self.clause.asks |= flags & (THING | PHOTO | STYLE | LAYOUT) != 0;
        if flags & STREET != 0 && self.capital && self.counted_within(2) {
            self.uncount();
        }
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
        if flags & NUMBER != 0 && counts || flags & SUBJECT != 0 && self.position <= SUBJECT_BY {
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
        if matches!(
            mark,
            Folded::Stop | Folded::Comma | Folded::Colon | Folded::Quote(Quote::Opens | Quote::Closes | Quote::Either)
        ) {
            self.end_run();
        }
        match mark {
            // Not the one in `1.5`.
            Folded::Stop if !(is_digit(before) && is_digit(after)) => {
                self.sentence_begun &= !self.end_clause(false);
                self.seen.sentences += u32::from(self.sentence_begun && !self.muted);
                self.sentence_begun = false;
                self.muted = false;
                self.before = EMPTY;
                if self.clauses <= MOST_CLAUSES {
                    self.begin_clause();
                    self.sentence = self.clause.begun;
                }
                if !is_digit(characters.get(at + 2)) {
                    self.negation_at = None;
                }
            }
            Folded::Comma if self.sentence_begun && !self.muted => {
                self.before = EMPTY;
                if !self.end_clause(false) {
                    self.seen.commas += 1;
                    self.seen.propositions += 1;
                }
            }
            // Not the one in `16:9`.
            Folded::Colon if !self.muted && !is_digit(after) => {
                self.end_clause(true);
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
