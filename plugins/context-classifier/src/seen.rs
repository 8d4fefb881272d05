//! What was seen in a prompt, and the numbers the weights are for.

use crate::model::OUTPUTS;

/// How many numbers describe a prompt besides its cues.
pub(crate) const MEASURES: usize = 23;

/// What a prompt's words say.
#[derive(Clone, Copy, Default)]
pub(crate) struct Seen {
    /// Sums of the weights of its cues, in steps.
    pub(crate) sums: [i32; OUTPUTS],
    /// For people, transparency, photo, style and layout: how many different cues speak for it.
    pub(crate) trait_cues: [u8; 5],
    /// Things and relations asked for.
    pub(crate) propositions: u32,
    /// Which rows of cues were met.
    pub(crate) rows: [u64; 1],
    /// Words that are surely English, and such of other languages.
    pub(crate) english: u32,
    pub(crate) foreign: u32,
    /// Sums of what only counts in an English prompt.
    pub(crate) english_sums: [i32; OUTPUTS],
    /// In tenths, without politeness.
    pub(crate) tenths_of_words: u32,
    pub(crate) sentences: u32,
    pub(crate) commas: u32,
    pub(crate) quotations: u32,
    pub(crate) quoted_characters: usize,
    pub(crate) told: Told,
}

/// How often it counts and negates, quotations aside.
#[derive(Clone, Copy, Default)]
pub(crate) struct Told {
    pub(crate) counts: u32,
    pub(crate) first_count: Option<u32>,
    pub(crate) counted_parts: u32,
    /// Counts of things that are said to be alike: how many there are is by the way.
    pub(crate) compared: u32,
    pub(crate) negations: u32,
    /// Those whose word means something else in other languages.
    pub(crate) english_negations: u32,
    pub(crate) contrasts: u32,
    /// Negations with what is to be seen instead: `not of wood but of glass`.
    pub(crate) corrections: u32,
}

impl Seen {
    /// Whether words that mean something else in other languages count.
    pub(crate) fn is_english(&self) -> bool {
        self.foreign <= self.english
    }

    /// Whether it says what is not to be seen.
    pub(crate) fn has_negations(&self) -> bool {
        self.told.negations > 0
    }

    /// Whether it says how many of something are to be seen.
    pub(crate) fn has_counts(&self) -> bool {
        self.told.counts > self.told.compared
    }

    pub(crate) fn words(&self) -> f32 {
        self.tenths_of_words as f32 / 10.0
    }

    pub(crate) fn measures(&self) -> [f32; MEASURES] {
        let bit = |yes: bool| f32::from(u8::from(yes));
        let length = (self.words() + 1.0).log2() / 4.0;
        let first = self.told.first_count.unwrap_or(u32::MAX);
        let (quoted, counted, negated) = (self.quotations > 0, self.told.counts > 0, self.told.negations > 0);
        [
            length,
            length * length,
            bit(self.words() <= 3.0),
            bit(quoted),
            (self.quoted_characters as f32 / 50.0).min(1.0),
            self.quotations.min(4) as f32 / 2.0,
            bit(quoted) * length,
            bit(counted),
            self.told.counts.min(3) as f32 / 2.0,
            bit(first <= 1),
            bit(first <= 8),
            bit(first <= 25),
            bit(counted) * length,
            bit(self.told.counted_parts > 0),
            bit(self.told.counts == 1),
            bit(self.told.compared > 0),
            bit(negated),
            self.told.negations.min(3) as f32 / 2.0,
            bit(negated) * length,
            bit(self.told.contrasts > 0 && negated),
            bit(self.told.negations > self.told.corrections),
            ((self.sentences + 1) as f32).log2() / 2.0,
            (self.commas as f32 / (self.words() + 1.0)).min(0.5) * 2.0,
        ]
    }
}
