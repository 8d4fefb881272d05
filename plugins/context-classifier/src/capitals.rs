//! Which words of a prompt stand in capitals: what folding takes from the letters.

/// From here on no script that is read here has capitals.
const CASELESS: char = '\u{530}';

/// Where capitals stand.
pub(crate) struct Capitals {
    at: Vec<usize>,
    next: usize,
    /// Whether most words have one: then they tell little.
    pub(crate) are_titles: bool,
}

impl Capitals {
    pub(crate) fn new(at: Vec<usize>, characters: usize) -> Self {
        // A prompt that is all in capitals is not a text to be drawn.
        let at = if at.len() * 2 > characters { Vec::new() } else { at };
        Self { are_titles: at.len() * 8 > characters, at, next: 0 }
    }

    /// Whether one stands before this place that was not asked for yet.
    pub(crate) fn reach(&self, to: usize) -> bool {
        self.at.get(self.next).is_some_and(|at| *at < to)
    }

    /// How many are in a word, and whether all its letters are.
    pub(crate) fn of(&mut self, from: usize, to: usize, letters: usize) -> (usize, bool) {
        let mut count = 0;
        while let Some(at) = self.at.get(self.next)
            && *at < to
        {
            count += usize::from(*at >= from);
            self.next += 1;
        }
        (count, count >= 2 && count == letters)
    }
}

pub(crate) fn is_capital(character: char) -> bool {
    character.is_ascii_uppercase() || character > '\u{7f}' && character < CASELESS && character.is_uppercase()
}
