//! `[aliases]`: what else may be sent as `model`, followed to what it means in the end.

use std::collections::BTreeMap;

use super::{Checker, Offered, nearest_hint};
use crate::config::source::at;

pub(super) fn check(checker: &mut Checker<'_>, offered: &Offered<'_>) -> BTreeMap<String, String> {
    let written = &checker.written().aliases;
    let known = Known::of(offered);
    let mut aliases = BTreeMap::new();
    for (alias, target) in written {
        let at = at!["aliases", alias.as_str()];
        let shown: String = alias.chars().take(60).collect();
        if alias == "auto" || alias.starts_with("auto/") {
            let hint = "it means that Muxel chooses: give the alias another name";
            checker.error(&at, format!("`{shown}` cannot be an alias"), hint);
            continue;
        }
        if alias.is_empty() || alias.len() > 200 || alias.chars().any(|c| c.is_whitespace() || c.is_control()) {
            let hint = "use 1 to 200 characters without spaces: it is sent as `model`";
            checker.error(&at, format!("`{shown}` cannot be an alias"), hint);
            continue;
        }
        let Some(meant) = follow(written, target) else {
            checker.error(
                &at,
                format!("alias `{shown}` leads back to itself"),
                "let one of them name a model or `auto`",
            );
            continue;
        };
        // An alias of an alias is as good as that one.
        if offered.whole && meant == target && !known.has(meant) {
            let names = known.names.iter().map(String::as_str).chain(["auto"]);
            let hint = nearest_hint(meant, names, "name `auto`, `auto/ROUTE` or a model: `muxel models` lists them");
            let target: String = meant.chars().take(60).collect();
            checker.error(&at, format!("no provider has the model `{target}`"), hint);
        }
        aliases.insert(alias.clone(), meant.to_owned());
    }
    aliases
}

/// Where `target` leads; `None` when it never ends.
fn follow<'w>(written: &'w BTreeMap<String, String>, target: &'w str) -> Option<&'w str> {
    let mut meant = target;
    // More steps than there are aliases go in a circle.
    for _ in 0..=written.len() {
        match written.get(meant) {
            Some(next) => meant = next,
            None => return Some(meant),
        }
    }
    None
}

/// What may be asked for: models with and without provider and tier.
struct Known {
    names: Vec<String>,
}

impl Known {
    fn of(offered: &Offered<'_>) -> Self {
        let mut names = Vec::new();
        for candidate in offered.candidates() {
            let bare = candidate.id.untiered().split_once('/').map_or("", |(_, model)| model).to_owned();
            names.extend([candidate.id.as_str().to_owned(), candidate.id.untiered().to_owned(), bare]);
        }
        names.sort_unstable();
        names.dedup();
        Self { names }
    }

    fn has(&self, model: &str) -> bool {
        // What follows `auto/` may be a strategy that is dropped in later.
        let by_muxel = model == "auto" || model.strip_prefix("auto/").is_some_and(|name| !name.is_empty());
        by_muxel || self.names.binary_search_by(|name| name.as_str().cmp(model)).is_ok()
    }
}
