//! What a cue changes: the labels' sums, the traits, and how many things there are and are not.

use super::Scan;
use crate::model::{
    AFFIRMS, ALIKE, BEARS, CONTRAST, Cue, ENGLISH, Flags, LAYOUT, NAME, NEGATION, NUMBER, ONLY_ENGLISH, ORDER, PART,
    PEOPLE, PHOTO, RELATION, SAYS, STREET, STYLE, SUBJECT, THING, UNIT,
};

/// Words after a number in which a part of a body may stand: `two long hairy legs`.
const NEAR: u32 = 4;
/// Words after a negation in which a kind of picture, or that there are people, is denied: `not a photo`.
const DENIED: u32 = 2;
/// The word by which a prompt's subject is named: `a pair of shoes`, not a man with a pair of glasses.
const SUBJECT_BY: u32 = 3;
/// Words after a number in which its things may be compared: `two rabbits wearing the same hat`.
const COMPARED: u32 = 8;

impl Scan<'_> {
    /// `counts` is whether a number word is a number here.
    pub(super) fn note(&mut self, cue: Option<Cue>, counts: bool) {
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
        let denied = self.denied_at.is_some_and(|at| self.position.saturating_sub(at) <= DENIED);
        if denied && flags & (PHOTO | STYLE) != 0 {
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
            self.mark_traits(if denied { flags & !PEOPLE } else { flags });
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
    pub(super) fn tell(&mut self, flags: Flags, counts: bool) {
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
    pub(super) fn counted_within(&self, words: u32) -> bool {
        self.number_at.is_some_and(|number| self.position.saturating_sub(number) <= words)
    }

    pub(super) fn mark_traits(&mut self, flags: Flags) {
        for (index, count) in self.seen.trait_cues.iter_mut().enumerate() {
            *count = count.saturating_add((flags >> index & 1) as u8);
        }
    }

    pub(super) fn count(&mut self) {
        if self.muted {
            return;
        }
        self.seen.told.counts += 1;
        self.seen.propositions += 1;
        self.number_at = Some(self.position);
        self.seen.told.first_count.get_or_insert(self.position.saturating_sub(1));
    }

    /// What stood before was no negation.
    pub(super) fn affirm(&mut self) {
        if self.seen.told.negations > 0 {
            self.seen.told.negations -= 1;
        } else {
            self.seen.told.english_negations = self.seen.told.english_negations.saturating_sub(1);
        }
    }

    /// What stood before was no count.
    pub(super) fn uncount(&mut self) {
        self.seen.told.counts = self.seen.told.counts.saturating_sub(1);
        self.seen.propositions = self.seen.propositions.saturating_sub(1);
        self.number_at = None;
        if self.seen.told.counts == 0 {
            self.seen.told.first_count = None;
        }
    }
}

fn first_time(met: &mut [u64], index: usize) -> bool {
    let bit = 1 << (index % 64);
    let first = met[index / 64] & bit == 0;
    met[index / 64] |= bit;
    first
}
