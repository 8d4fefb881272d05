//! Stops, commas, colons and quotation marks.

use super::Scan;
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
    /// Whether a key stands before: then it is a value.
    pub(super) keyed: bool,
}

impl Scan<'_> {
    pub(super) fn mark(&mut self, mark: Folded, characters: &[Folded], at: usize) {
        let before = at.checked_sub(1).and_then(|before| characters.get(before));
        let after = characters.get(at + 1);
        // A hyphen between spaces is a dash.
        let dash = mark == Folded::Hyphen && before == Some(&Folded::Space) && after == Some(&Folded::Space);
        let mark = match mark {
            Folded::Brace(opens) => {
                self.in_braces = opens;
                Folded::Stop
            }
            _ if dash => Folded::Colon,
            _ => mark,
        };
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
                (self.sentence_begun, self.muted, self.keyed) = (false, false, false);
                self.before = EMPTY;
                self.begin_sentence();
                if !is_digit(characters.get(at + 2)) {
                    self.negation_at = None;
                }
            }
            // What comes behind an order may be the prompt; not that of `16:9`.
            Folded::Colon if self.muted && !is_digit(after) => {
                (self.muted, self.before) = (false, EMPTY);
                self.clauses += 1;
                self.begin_sentence();
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
                self.begin_sentence();
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
            // What a value quotes is a text again.
            let keyed = self.keyed && self.quote_opened.is_none();
            self.quote_opened = Some(Opened { at, position: self.position, told: self.seen.told, keyed });
        } else if let Some(opened) = self.quote_opened.take()
            && !self.is_key(characters, &opened, at)
            && !opened.keyed
            && (2..LONGEST_QUOTATION).contains(&(at - opened.at))
            && !self.muted
            // A prompt that is wholly in quotation marks asks for no text.
            && !(opened.position == 0 && characters.len() - at <= 2)
        {
            self.clause.content += 1;
            self.clause.asks = true;
            self.seen.quotations += 1;
            self.seen.quoted_characters += at - opened.at - 1;
            // What a text says that is to be drawn, the picture does not count or lack.
            self.seen.told = opened.told;
            (self.number_at, self.negation_at) = (None, None);
        }
    }

    /// Whether the quotation is a key such as the one in `{"style": "watercolor"}`. What stands behind it is a value then, and
    /// no text unless the key says so.
    fn is_key(&mut self, characters: &[Folded], opened: &Opened, to: usize) -> bool {
        let before = characters[..opened.at].iter().rfind(|folded| **folded != Folded::Space);
        let after = characters[to + 1..].iter().find(|folded| **folded != Folded::Space);
        let is_key = self.in_braces
            && after == Some(&Folded::Colon)
            && matches!(before, Some(Folded::Stop | Folded::Brace(true) | Folded::Comma));
        if is_key {
            self.keyed = self.says_at.is_none_or(|at| at <= opened.position);
        }
        is_key
    }
}
