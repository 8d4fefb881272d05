//! What of a prompt quality may depend on.

use crate::plugin::Classification;

/// How many there are.
pub const TERMS: usize = 14;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Every request.
    Base,
    Artistic,
    Realistic,
    Technical,
    General,
    Text,
    Negation,
    Quantity,
    People,
    Transparency,
    Photo,
    Style,
    Layout,
    Complexity,
}

impl Term {
    /// In the order of their numbers.
    pub const ALL: [Self; TERMS] = [
        Self::Base,
        Self::Artistic,
        Self::Realistic,
        Self::Technical,
        Self::General,
        Self::Text,
        Self::Negation,
        Self::Quantity,
        Self::People,
        Self::Transparency,
        Self::Photo,
        Self::Style,
        Self::Layout,
        Self::Complexity,
    ];

    /// As classifiers say it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Artistic => "artistic",
            Self::Realistic => "realistic",
            Self::Technical => "technical",
            Self::General => "general",
            Self::Text => "text",
            Self::Negation => "negation",
            Self::Quantity => "quantity",
            Self::People => "people",
            Self::Transparency => "transparency",
            Self::Photo => "photo",
            Self::Style => "style",
            Self::Layout => "layout",
            Self::Complexity => "complexity",
        }
    }

    /// The term of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|term| term.word() == word)
    }
}

/// What a classifier saw, as numbers: the value of each term. A label or trait of another name has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen([f32; TERMS]);

impl Seen {
    #[must_use]
    pub fn of(classification: &Classification) -> Self {
        let mut values = [0.0; TERMS];
        values[Term::Base as usize] = 1.0;
        // A middling complexity changes nothing: what is said of the base is said of a usual prompt.
        values[Term::Complexity as usize] = share(classification.complexity) - 0.5;
        let labels = Term::Artistic as usize..=Term::General as usize;
        if let Some(label) = Term::of(&classification.label).filter(|term| labels.contains(&(*term as usize))) {
            values[label as usize] = share(classification.confidence);
        }
        let traits = Term::Text as usize..=Term::Layout as usize;
        for seen in &classification.traits {
            if let Some(term) = Term::of(&seen.name).filter(|term| traits.contains(&(*term as usize))) {
                values[term as usize] = share(seen.confidence);
            }
        }
        Self(values)
    }

    #[must_use]
    pub fn value(&self, term: Term) -> f32 {
        self.0[term as usize]
    }

    pub(super) fn values(&self) -> &[f32; TERMS] {
        &self.0
    }
}

/// Plugins' answers are checked before, records are not.
fn share(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}
