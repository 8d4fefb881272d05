//! `[routes.NAME]`: named ways of deciding.
//!
//! Plugins are not looked up here: they come and go while the gateway serves, and a route may name one that will be
//! dropped in later. The roster says which ones are missing.

use std::collections::BTreeMap;

use domain::{
    candidate::{Candidate, Pattern},
    split::{Arm, MAX_ARMS, Split},
    weights::{WeightError, Weights},
};

use super::{Checker, Offered, WORD_HINT, is_word, models::milliseconds, nearest_hint};
use crate::config::{
    checked::{DEFAULT_ROUTE, Filter, Route},
    source::{Path, at},
    written,
};

/// Most shadows of one route: each is one more call for every request.
const MAX_SHADOWS: usize = 8;

pub(super) fn check(checker: &mut Checker<'_>, offered: &Offered<'_>) -> BTreeMap<String, Route> {
    let mut routes = BTreeMap::from([(DEFAULT_ROUTE.to_owned(), Route::named(DEFAULT_ROUTE))]);
    let candidates = offered.candidates();
    for (name, written) in &checker.written().routes {
        if !is_word(name) {
            checker.error(&at!["routes", name.as_str()], format!("`{name}` is not a name for a route"), WORD_HINT);
        }
        let mut route = route(checker, name, written);
        if let Some(filter) = &written.candidates {
            route.candidates = Filter {
                tags: filter.tags.clone().unwrap_or_default(),
                only: patterns(filter.only.as_deref()),
                never: patterns(filter.never.as_deref()),
            };
            if offered.whole {
                check_filter(checker, name, &route.candidates, &candidates);
            }
        }
        if let Some(baseline) = &written.baseline {
            let known = candidates.iter().find(|candidate| candidate.id.as_str() == baseline);
            route.baseline = known.map(|candidate| candidate.id.clone());
            if known.is_none() && offered.whole {
                unknown_baseline(checker, name, baseline, &candidates);
            }
        }
        routes.insert(name.clone(), route);
    }
    routes
}

fn route(checker: &mut Checker<'_>, name: &str, written: &written::Route) -> Route {
    let mut route = Route::named(name);
    let at = |key: &str| at!["routes", name, key];
    if let Some(classifier) = &written.classifier {
        plugin(checker, &at("classifier"), classifier);
        route.classifier.clone_from(classifier);
    }
    if let Some(cost_models) = &written.cost_models {
        plugins(checker, &at("cost-models"), cost_models);
        route.cost_models.clone_from(cost_models);
    }
    if let Some(strategies) = &written.strategies {
        plugins(checker, &at("strategies"), strategies);
        if strategies.is_empty() {
            let hint = "name one, like `strategies = [\"hybrid\"]`, or leave it out";
            checker.error(&at("strategies"), "a route needs a strategy", hint);
        }
        route.strategies.clone_from(strategies);
    }
    if let Some(arms) = &written.split {
        route.split = split(checker, &at("split"), arms);
    }
    if let Some(shadow) = &written.shadow {
        plugins(checker, &at("shadow"), shadow);
        if shadow.len() > MAX_SHADOWS {
            let message = format!("{} shadows are too many", shadow.len());
            checker.error(&at("shadow"), message, format!("name at most {MAX_SHADOWS}"));
        }
        route.shadow.clone_from(shadow);
    }
    if let Some(written) = &written.weights {
        route.weights = weights(checker, &at("weights"), written);
    }
    route.caps.max_cost = written.max_cost;
    route.caps.max_latency_ms = written
        .max_latency
        .map(|most| milliseconds(checker.period(&at("max-latency"), Some(most), most.duration(), ("1ms", "1d"))));
    let min_quality = checker.share(&at("min-quality"), written.min_quality);
    route.caps.min_quality = min_quality.map(|least| least as f32);
    route.deadline = checker.period(&at("deadline"), written.deadline, route.deadline, ("1ms", "1d"));
    route.attempt_timeout = written
        .attempt_timeout
        .map(|timeout| checker.period(&at("attempt-timeout"), Some(timeout), timeout.duration(), ("1ms", "1d")));
    route.on_fault = written.on_fault.unwrap_or_default();
    route.fall_over_after_charge = written.fall_over_after_charge.unwrap_or(route.fall_over_after_charge);
    route.unpriced = written.unpriced.unwrap_or_default();
    route.observe = written.observe.unwrap_or(false);
    route.learn_per = written.learn_per.unwrap_or_default();
    route
}

fn split(checker: &mut Checker<'_>, at: &Path, written: &[written::Arm]) -> Option<Split> {
    let example =
        "write it like `split = [{ strategy = \"hybrid\", weight = 95 }, { strategy = \"mine\", weight = 5 }]`";
    for (index, arm) in written.iter().enumerate() {
        let of = |key: &str| at.then([index.into(), key.into()]);
        plugin(checker, &of("strategy"), &arm.strategy);
        if written[..index].iter().any(|other| other.strategy == arm.strategy) {
            let shown: String = arm.strategy.chars().take(60).collect();
            checker.error(&of("strategy"), format!("`{shown}` is named twice"), "add their weights up in one arm");
        }
        if !arm.weight.is_finite() || arm.weight < 0.0 {
            let hint = "write a number from 0 up, like 95: shares are parts of the sum of all weights";
            checker.error(&of("weight"), format!("`{}` is not a weight", arm.weight), hint);
        }
    }
    if written.is_empty() {
        checker.error(at, "a split needs arms", example);
    } else if written.len() > MAX_ARMS {
        checker.error(at, format!("{} arms are too many", written.len()), format!("name at most {MAX_ARMS}"));
    } else if written.iter().all(|arm| arm.weight == 0.0) {
        checker.error(at, "every weight of this split is 0", "give one of them some weight");
    }
    let arm = |arm: &written::Arm| Arm { strategy: arm.strategy.as_str().into(), weight: arm.weight };
    // What cannot be a split was reported above.
    Split::new(written.iter().map(arm).collect()).ok()
}

fn weights(checker: &mut Checker<'_>, at: &Path, written: &BTreeMap<String, f64>) -> Weights {
    let mut report = |at: &Path, error: WeightError| checker.error(at, error.to_string(), error.hint());
    let mut sound = true;
    for (name, value) in written {
        if let Err(error) = Weights::check(name, *value) {
            report(&at.then([name.as_str().into()]), error);
            sound = false;
        }
    }
    let weights = Weights::of(written.iter().map(|(name, value)| (name.clone(), *value)));
    weights.unwrap_or_else(|error| {
        // What is wrong with one of them was reported above.
        if sound {
            report(at, error);
        }
        Weights::default()
    })
}

fn plugins(checker: &mut Checker<'_>, at: &Path, names: &[String]) {
    for (index, name) in names.iter().enumerate() {
        let at = at.then([index.into()]);
        plugin(checker, &at, name);
        if names[..index].contains(name) {
            checker.error(&at, format!("`{name}` is named twice"), "it would give the same answer again: keep one");
        }
    }
}

/// A plugin is called as its file is, without `.wasm`.
fn plugin(checker: &mut Checker<'_>, at: &Path, name: &str) {
    let of_file = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let shown: String = name.chars().take(60).collect();
    if let Some(stem) = name.strip_suffix(".wasm") {
        checker.error(at, format!("`{shown}` is a file, not a plugin's name"), format!("write `{stem}`"));
    } else if name.is_empty() || name.len() > 60 || name.starts_with('.') || !name.bytes().all(of_file) {
        checker.error(at, format!("`{shown}` cannot be a plugin's name"), "name its file without folder and `.wasm`");
    }
}

/// A baseline is one candidate, so that it has one price.
fn unknown_baseline(checker: &mut Checker<'_>, route: &str, baseline: &str, candidates: &[Candidate]) {
    let at = at!["routes", route, "baseline"];
    let shown: String = baseline.chars().take(80).collect();
    let ids = || candidates.iter().map(|candidate| candidate.id.as_str());
    let tiers: Vec<&str> = candidates
        .iter()
        .filter(|candidate| candidate.id.untiered() == baseline)
        .map(|candidate| candidate.id.as_str())
        .collect();
    if tiers.is_empty() {
        let near: Vec<String> =
            domain::nearest::nearest(baseline, ids(), 3).iter().map(|id| format!("`{id}`")).collect();
        let hint = match &near[..] {
            [] => "write `provider/model@tier`; `muxel models` lists them".to_owned(),
            near => format!("did you mean {}? `muxel models` lists them", near.join(", ")),
        };
        checker.error(&at, format!("there is no candidate `{shown}` to compare with"), hint);
    } else {
        let message = format!("`{shown}` has several tiers: which one do you use now?");
        checker.error(&at, message, format!("write one of {}", tiers.join(", ")));
    }
}

fn patterns(written: Option<&[String]>) -> Vec<Pattern> {
    written.unwrap_or_default().iter().cloned().map(Pattern).collect()
}

fn check_filter(checker: &mut Checker<'_>, route: &str, filter: &Filter, candidates: &[Candidate]) {
    let names = || candidates.iter().map(|candidate| candidate.id.untiered());
    for (key, patterns) in [("only", &filter.only), ("never", &filter.never)] {
        for (index, pattern) in patterns.iter().enumerate() {
            if !candidates.iter().any(|candidate| pattern.matches(&candidate.id)) {
                let shown: String = pattern.0.chars().take(80).collect();
                let hint =
                    nearest_hint(&pattern.0, names(), "`muxel models` lists them; `*` stands for any characters");
                let at = at!["routes", route, "candidates", key, index];
                checker.warn(&at, format!("`{shown}` names no candidate"), hint);
            }
        }
    }
    let tags = || candidates.iter().flat_map(|candidate| candidate.provider.tags.iter().map(String::as_str));
    for (index, tag) in filter.tags.iter().enumerate() {
        if !tags().any(|known| known == tag) {
            let shown: String = tag.chars().take(60).collect();
            let hint = nearest_hint(tag, tags(), "give it to a provider: `tags = [..]`");
            let at = at!["routes", route, "candidates", "tags", index];
            checker.warn(&at, format!("no provider has the tag `{shown}`"), hint);
        }
    }
    if !candidates.iter().any(|candidate| filter.admits(candidate)) {
        let hint = "every request to it would be refused: loosen `tags`, `only` or `never`";
        checker.error(&at!["routes", route, "candidates"], format!("route `{route}` has no candidates"), hint);
    }
}
