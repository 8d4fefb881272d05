//! Words in capitals that are a text to be drawn: `neon sign spelling MOTEL`.

use super::{Scan, clause::Mark};
use crate::model::{Flags, SAYS, WRITTEN};

/// Words after a thing in which a text on it may begin: `a mug with BEST DAD`.
const BORNE: u32 = 3;

/// Words in capitals, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) before: Mark,
    pub(super) words: u32,
    /// Whether one of them is all capitals.
    pub(super) shouted: bool,
    /// Whether a word says that they are a text.
    pub(super) announced: bool,
    /// Whether they stand on something that often bears a text: `a mug with BEST DAD`.
    pub(super) borne: bool,
    /// How many words have followed.
    pub(super) after: u32,
}

impl Run {
    fn is_text(&self, titles: bool) -> bool {
        self.shouted || self.words >= 2 && !titles
    }
}

impl Scan<'_> {
    /// Follows words in capitals: `neon sign spelling MOTEL`, `with Happy 50th Birthday written on it`.
    pub(super) fn follow_run(&mut self, from: usize, to: usize, letters: usize, flags: Flags) {
        let (count, shouted) = self.capitals.of(from, to, letters);
        self.capital = count > 0;
        if self.quote_opened.is_some_and(|opened| !opened.keyed) {
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
    pub(super) fn end_run(&mut self) {
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
}
