//! What stands between two commas, colons or stops, and taking back what was read since some place.

use super::Scan;
use crate::seen::Seen;

/// Clauses that may be taken back; with more of them a prompt is no prompt.
const MOST_CLAUSES: u32 = 40;

/// What had been seen up to some place.
#[derive(Clone, Copy, Default)]
pub(super) struct Mark {
    pub(super) seen: Seen,
    pub(super) met: usize,
    pub(super) learned: usize,
    pub(super) ambiguous: usize,
}

/// What stands between two commas, colons or stops.
#[derive(Default)]
pub(super) struct Clause {
    pub(super) begun: Mark,
    /// Words of politeness.
    pub(super) frames: u32,
    /// Words that are neither that nor there for grammar.
    pub(super) content: u32,
    /// Whether it asks for a thing or for a kind of picture.
    pub(super) asks: bool,
}

impl Clause {
    fn announces(&self) -> bool {
        !self.asks && self.content <= self.frames
    }
}

impl Scan<'_> {
    pub(super) fn here(&self) -> Mark {
        Mark {
            seen: self.seen,
            met: self.order.len(),
            learned: self.learned.as_ref().map_or(0, |learned| learned.len()),
            ambiguous: self.ambiguous.len(),
        }
    }

    /// Forgets what was read since.
    pub(super) fn take_back(&mut self, mark: &Mark) {
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

    /// What is all politeness was not said, nor what announces a prompt: `here is my idea: _`.
    pub(super) fn end_clause(&mut self, announces: bool) -> bool {
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

    pub(super) fn begin_clause(&mut self) {
        self.clause.begun = self.here();
        (self.clause.frames, self.clause.content, self.clause.asks) = (0, 0, false);
    }

    pub(super) fn begin_sentence(&mut self) {
        if self.clauses <= MOST_CLAUSES {
            self.begin_clause();
            self.sentence = self.clause.begun;
        }
    }
}
