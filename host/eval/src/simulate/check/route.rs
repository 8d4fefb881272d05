//! `[route]`: terms, who may serve, and the baseline.

use std::{ops::Range, sync::Arc, time::Duration};

use domain::{
    candidate::{Candidate, Pattern},
    catalogue::Date,
    request::Caps,
};
use toml::Spanned;

use super::{
    super::{problem::Findings, workload::Terms, written::Route},
    Offering, near, share,
};

/// The deadline when none is written: as in `muxel.toml`.
const DEADLINE: Duration = Duration::from_secs(300);

/// What the route demands.
pub(super) fn terms(findings: &mut Findings<'_>, written: &Route) -> Terms {
    let deadline = written.deadline.as_ref().map_or(DEADLINE, |deadline| {
        let given = deadline.get_ref().0;
        if given.is_zero() || given > Duration::from_secs(86_400) {
            findings.at(&deadline.span(), "a deadline is between 1ms and 1d", "write it like `deadline = \"300s\"`");
        }
        given
    });
    let min_quality = share(findings, "min-quality", written.min_quality.as_ref()).map(|least| least as f32);
    let names = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect();
    Terms {
        classifier: written.classifier.as_deref().unwrap_or("context-classifier").into(),
        cost_models: written.cost_models.as_deref().map_or_else(|| vec!["list-price".into()], names),
        caps: Caps { max_cost: written.max_cost, max_latency_ms: None, min_quality },
        deadline,
        fall_over_after_charge: written.fall_over_after_charge.unwrap_or(true),
    }
}

/// Those that the route's patterns leave and that are not retired on the day.
pub(super) fn candidates(
    findings: &mut Findings<'_>,
    written: &Route,
    accounts: &[Offering],
    date: Date,
) -> Vec<Arc<Candidate>> {
    let all = accounts.iter().flat_map(|(account, models)| {
        let offered = models.iter().filter(|model| !model.retired(date));
        offered.flat_map(|model| Candidate::all(&account.provider, model).map(Arc::new))
    });
    let all: Vec<Arc<Candidate>> = all.collect();
    let patterns = |written: &[Spanned<String>]| -> Vec<(Pattern, Range<usize>)> {
        written.iter().map(|pattern| (Pattern(pattern.get_ref().clone()), pattern.span())).collect()
    };
    let (only, never) = (patterns(&written.candidates.only), patterns(&written.candidates.never));
    for (pattern, span) in only.iter().chain(&never) {
        if !all.is_empty() && !all.iter().any(|candidate| pattern.matches(&candidate.id)) {
            let near = near(&pattern.0, all.iter().map(|candidate| candidate.id.as_str()));
            findings.at(span, format!("nobody here is called `{}`", pattern.0), near);
        }
    }
    let named = |patterns: &[(Pattern, Range<usize>)], candidate: &Candidate| {
        patterns.iter().any(|(p, _)| p.matches(&candidate.id))
    };
    let kept: Vec<_> = all
        .iter()
        .filter(|candidate| (only.is_empty() || named(&only, candidate)) && !named(&never, candidate))
        .cloned()
        .collect();
    if kept.is_empty() && !all.is_empty() {
        findings.whole("`route.candidates` leaves nobody", "let `only` name more, or `never` fewer");
    }
    kept
}

/// Whom costs are held against.
pub(super) fn baseline(
    findings: &mut Findings<'_>,
    written: &Route,
    candidates: &[Arc<Candidate>],
) -> Option<Arc<Candidate>> {
    let written = written.baseline.as_ref()?;
    let name = written.get_ref();
    let Some(found) = candidates.iter().find(|candidate| candidate.id.as_str() == name) else {
        let hint = near(name, candidates.iter().map(|candidate| candidate.id.as_str()));
        findings.at(&written.span(), format!("there is no candidate `{name}` to be the baseline"), hint);
        return None;
    };
    let unpriced = found.tier().price.is_none();
    if unpriced {
        let message = format!("nobody knows what `{name}` costs, so nothing can be saved against it");
        findings.at(&written.span(), message, "name a candidate with a price, or give it one");
    }
    Some(Arc::clone(found))
}
