//! Patterns of candidates' names: `openai/gpt-image-2`, `gpt-image-*`, `bfl/*`, `*@low`.

use muxel_sdk::Candidate;

/// Patterns separated by commas. `*` stands for any characters, none included. What has a `/` is held against the whole
/// name, anything else against the model's own, which follows the last `/`; what has no `@` names every tier.
pub(crate) struct Patterns<'a> {
    patterns: Vec<Pattern<'a>>,
}

struct Pattern<'a> {
    /// What stands between its stars: the first begins the name, the last ends it.
    pieces: Vec<&'a [u8]>,
    whole: bool,
    tiered: bool,
}

/// A candidate's name, and where its parts are.
struct Name<'a> {
    bytes: &'a [u8],
    /// Where the model's own name begins.
    own: usize,
    /// Where its tier begins, or its end.
    tier: usize,
}

impl<'a> Patterns<'a> {
    pub(crate) fn parse(listed: &'a str) -> Self {
        let patterns = listed.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        let pattern = |pattern: &'a str| Pattern {
            pieces: pattern.split('*').map(str::as_bytes).collect(),
            whole: pattern.contains('/'),
            tiered: pattern.contains('@'),
        };
        Self { patterns: patterns.map(pattern).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether one of them names this candidate.
    pub(crate) fn name(&self, candidate: &Candidate) -> bool {
        let name = Name::of(&candidate.model);
        self.patterns.iter().any(|pattern| pattern.matches(name.part(pattern.whole, pattern.tiered)))
    }
}

impl<'a> Name<'a> {
    /// One look from the end: a sandbox has no quicker way, and there may be a hundred of them.
    fn of(model: &'a str) -> Self {
        let bytes = model.as_bytes();
        let (mut own, mut tier) = (0, bytes.len());
        for (at, byte) in bytes.iter().enumerate().rev() {
            if *byte == b'@' {
                tier = at;
            } else if *byte == b'/' {
                own = at + 1;
                break;
            }
        }
        Self { bytes, own, tier }
    }

    fn part(&self, whole: bool, tiered: bool) -> &'a [u8] {
        &self.bytes[if whole { 0 } else { self.own }..if tiered { self.bytes.len() } else { self.tier }]
    }
}

impl Pattern<'_> {
    fn matches(&self, name: &[u8]) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some(mut left) = name.strip_prefix(*first) else { return false };
        let Some((last, middle)) = rest.split_last() else { return left.is_empty() };
        // Each piece as early as possible: that leaves the most for those after it.
        for piece in middle {
            let Some(at) = find(left, piece) else { return false };
            left = &left[at + piece.len()..];
        }
        left.ends_with(last)
    }
}

/// Where `piece` first stands in `text`. The standard search prepares more than so short a text is worth.
fn find(text: &[u8], piece: &[u8]) -> Option<usize> {
    let Some(first) = piece.first() else { return Some(0) };
    let last = text.len().checked_sub(piece.len())?;
    (0..=last).find(|at| text[*at] == *first && text[*at..].starts_with(piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (listed, model, found) in [
            ("openai/gpt-image-2", "openai/gpt-image-2@low", true),
            ("openai/gpt-image-2", "openai/gpt-image-2.5-flare@low", false),
            (" nothing* , flux-2-* ", "bfl/flux-2-pro", true),
            ("nano-banana*", "fal/fal-ai/nano-banana-2", true),
            ("gpt-image-2", "fal/openai/gpt-image-2@low", true),
            ("fal-ai/*", "fal/fal-ai/nano-banana-2", false),
            ("fal/*", "fal/fal-ai/nano-banana-2", true),
            ("*/nano-banana*", "fal/fal-ai/nano-banana-2", true),
            ("*@low", "openai/gpt-image-2@low", true),
            ("*@low", "openai/gpt-image-2@high", false),
            ("openai/*@low", "openai/gpt-image-2@low", true),
            ("a*b*c", "p/a-b-b-c", true),
            ("a*b*c", "p/a-c-b", false),
            ("ab*ba", "p/aba", false),
            ("*", "a/b", true),
            ("**b", "a/b", true),
            ("", "a/b", false),
            (",,", "a/b", false),
        ] {
            assert_eq!(Patterns::parse(listed).name(&Candidate::new(model)), found, "{listed} {model}");
        }
    }
}
