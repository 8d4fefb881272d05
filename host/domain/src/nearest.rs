//! The names nearest to one that was not found: what a "did you mean" needs.

/// Up to `count` of `names`, nearest first.
///
/// A name that contains what was asked counts as near, so `gpt-image` finds `openai/gpt-image-2`. Only as much of
/// `asked` is compared as the longest sensible name has, so a caller cannot buy work with a long one.
#[must_use]
pub fn nearest<'a>(asked: &str, names: impl IntoIterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let asked: String = asked.chars().take(80).flat_map(char::to_lowercase).collect();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| {
            let contained = !asked.is_empty() && name.contains(&asked);
            (strsim::jaro_winkler(&asked, name) + f64::from(u8::from(contained)), name)
        })
        .filter(|(score, _)| *score > 0.5)
        .collect();
    scored.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    scored.dedup_by(|(_, left), (_, right)| left == right);
    scored.into_iter().take(count).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_typos_and_parts() {
        let names = ["gpt-image-2", "flux-2-pro", "imagen-4"];
        assert_eq!(nearest("gpt-imgae-2", names, 1), ["gpt-image-2"]);
        assert_eq!(nearest("flux", names, 1), ["flux-2-pro"]);
        assert!(nearest("zzz", names, 3).is_empty());
    }
}
