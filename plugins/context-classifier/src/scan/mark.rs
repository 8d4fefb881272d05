//! Stops, commas, colons and quotation marks.

use super::{Scan, clause::MOST_CLAUSES};
use crate::{
    fold::{Folded, Quote, is_digit, is_letter},
    hash::EMPTY,
    seen::Told,
};

/// An apostrophe and a quotation mark look alike: longer than this between two is no quotation.
const LONGEST_QUOTATION: usize = 200;

/// Where a quotation opened, and what had been seen till then.
#[derive(Clone, Copy)]
pub(super) struct Opened {
    pub(super) at: usize,
    pub(super) position: u32,
    pub(super) told: Told,
}

impl Scan<'_> {
    pub(super) fn mark(&mut self, mark: Folded, characters: &[Folded], at: usize) {
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

    pub(super) fn quote(&mut self, characters: &[Folded], at: usize, opens: bool) {
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
