//! `[route]`: terms, who may serve, and the baseline.

use std::{ops::Range, sync::Arc, time::Duration};

use domain::{
    candidate::{Candidate, Pattern},
    catalogue::Date,
    request::Caps,
    weights::Weights,
};
use toml::Spanned;

use super::{
    super::{
        problem::Findings,
        workload::Terms,
        written::{Period, Route},
    },
    Offering, near, share,
};

/// The deadline when none is written: as in `muxel.toml`.
const DEADLINE: Duration = Duration::from_secs(300);
/// Candidates that plugins are asked about.
const MOST_CANDIDATES: usize = 500;
const LONGEST: Duration = Duration::from_secs(86_400);

/// What the route demands.
pub(super) fn terms(findings: &mut Findings<'_>, written: &Route) -> Terms {
    let deadline = period(findings, "deadline", written.deadline.as_ref()).unwrap_or(DEADLINE);
    let attempt_timeout = period(findings, "attempt-timeout", written.attempt_timeout.as_ref());
    let min_quality = share(findings, "min-quality", written.min_quality.as_ref()).map(|least| least as f32);
    let max_latency_ms = period(findings, "max-latency", written.max_latency.as_ref())
        .map(|most| u32::try_from(most.as_millis()).unwrap_or(u32::MAX));
    let weights = written.weights.as_ref().map_or_else(Weights::default, |written| {
        let pairs = written.get_ref().iter().map(|(name, weight)| (name.clone(), *weight));
        Weights::of(pairs).unwrap_or_else(|error| {
            findings.at(&written.span(), &error, error.hint());
            Weights::default()
        })
    });
    let names = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect();
    Terms {
        classifier: written.classifier.as_deref().unwrap_or("context-classifier").into(),
        cost_models: written.cost_models.as_deref().map_or_else(|| vec!["list-price".into()], names),
        weights,
        unpriced: written.unpriced.unwrap_or_default(),
        caps: Caps { max_cost: written.max_cost, max_latency_ms, min_quality },
        deadline,
        attempt_timeout,
        fall_over_after_charge: written.fall_over_after_charge.unwrap_or(true),
    }
}

fn period(findings: &mut Findings<'_>, key: &str, written: Option<&Spanned<Period>>) -> Option<Duration> {
    let written = written?;
    let given = written.get_ref().0;
    if given.is_zero() || given > LONGEST {
        let hint = format!("write it like `{key} = \"60s\"`");
        findings.at(&written.span(), format!("`{key}` is between 1ms and 1d"), hint);
    }
    Some(given)
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
    if kept.len() > MOST_CANDIDATES {
        let message = format!("{} candidates are more than {MOST_CANDIDATES}", kept.len());
        findings.whole(message, "name fewer with `route.candidates.only`");
    }
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
