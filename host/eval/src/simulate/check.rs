//! From what is written to what is meant. Looks at everything, so that all problems are told at once.

use std::{ops::Range, path::Path, sync::Arc, time::Duration};

use dispatch::{Outage, OutageKind};
use domain::{
    candidate::{Candidate, Pattern},
    catalogue::{Catalogue, Date, Model},
    nearest::nearest,
    request::Caps,
};
use toml::Spanned;

use super::{
    arrivals::Arrivals,
    problem::Findings,
    workload::{Account, MOST_REQUESTS, Overrides, Scripted, Terms, Workload},
    written::{self, Period, Written},
};

mod providers;
mod requests;

/// Largest factor on a latency.
const LARGEST_FACTOR: f64 = 1_000.0;
/// The route's deadline when none is written: as in `muxel.toml`.
const DEADLINE: Duration = Duration::from_secs(300);
/// Longest run: longer ones have more minutes than requests.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// `None` when too little is known to go on.
pub(super) fn check(
    findings: &mut Findings<'_>,
    written: &Written,
    catalogue: &Catalogue,
    folder: &Path,
    overrides: &Overrides<'_>,
) -> Option<Workload> {
    let duration = duration(findings, written);
    let arrivals = arrivals(findings, written.arrivals.as_ref(), duration);
    let mix = requests::check(findings, &written.requests, folder, overrides);
    if duration.is_none() && !written.requests.once {
        findings.whole("`duration` is missing", "write how long it runs, like `duration = \"1h\"`");
    }
    let mut accounts = providers::check(findings, written, catalogue);
    let outages = outages(findings, written, duration, &mut accounts);
    let candidates = candidates(findings, written, &accounts);
    let terms = terms(findings, &written.route);
    let baseline = baseline(findings, &written.route, &candidates);
    let (arrivals, mix) = (arrivals?, mix?);
    let workload = Workload {
        title: written.title.clone().unwrap_or_default(),
        seed: overrides.seed.or(written.seed).unwrap_or(1),
        date: written.date.unwrap_or_else(|| newest(catalogue)),
        duration,
        arrivals,
        mix,
        terms,
        accounts: accounts.into_iter().map(|(account, _)| account).collect(),
        candidates,
        outages,
        baseline,
    };
    check_number(findings, written, &workload);
    Some(workload)
}

fn duration(findings: &mut Findings<'_>, written: &Written) -> Option<Duration> {
    let written = written.duration.as_ref()?;
    let duration = written.get_ref().0;
    if duration.is_zero() || duration > LONGEST {
        findings.at(&written.span(), "a run takes between a moment and a year", "write it like `duration = \"1h\"`");
    }
    Some(duration)
}

fn arrivals(
    findings: &mut Findings<'_>,
    written: Option<&Spanned<written::Arrivals>>,
    duration: Option<Duration>,
) -> Option<Arrivals> {
    let Some(written) = written else {
        findings.whole("`arrivals` is missing", "write how often requests come, like `arrivals = { rate = \"10/s\" }`");
        return None;
    };
    let written = written.get_ref();
    let poisson = match written.pattern.as_ref().map(|pattern| (pattern.get_ref().as_str(), pattern.span())) {
        None | Some(("poisson", _)) => true,
        Some(("even", _)) => false,
        Some((other, span)) => {
            findings.at(&span, format!("`{other}` is no pattern of arrivals"), "write \"poisson\" or \"even\"");
            true
        }
    };
    let mut steps = vec![(0.0, rate(findings, &written.rate))];
    let mut before = Duration::ZERO;
    for step in &written.steps {
        let (step, span) = (step.get_ref(), step.get_ref().at.span());
        let at = step.at.get_ref().0;
        if at <= before {
            findings.at(&span, "steps come one after another, each later than the one before", "sort them by `at`");
        }
        if duration.is_some_and(|duration| at >= duration) {
            findings.at(&span, "the step begins after the run has ended", "leave it out, or make `duration` longer");
        }
        before = at;
        steps.push((at.as_secs_f64(), rate(findings, &step.rate)));
    }
    steps
        .into_iter()
        .map(|(at, rate)| Some((at, rate?)))
        .collect::<Option<_>>()
        .map(|steps| Arrivals { poisson, steps })
}

/// A rate in requests a second.
fn rate(findings: &mut Findings<'_>, written: &Spanned<String>) -> Option<f64> {
    const HINT: &str = "write it with its unit, like \"10/s\", \"30/min\" or \"600/h\"";
    let text = written.get_ref().trim();
    let (number, unit) = text.split_once('/').unwrap_or((text, ""));
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => {
            findings.at(&written.span(), format!("`{text}` is not a rate"), HINT);
            return None;
        }
    };
    let Ok(number) = number.trim().parse::<f64>() else {
        findings.at(&written.span(), format!("`{text}` is not a rate"), HINT);
        return None;
    };
    let rate = number / seconds;
    // Written this way round so that what is not a number is refused.
    if !(rate > 0.0 && rate <= 1e6) {
        let message = format!("a rate of `{text}` is none that requests can come at");
        findings.at(
            &written.span(),
            message,
            "write more than 0 and at most 1000000/s; less than one is fine: \"0.5/h\"",
        );
        return None;
    }
    Some(rate)
}

fn check_number(findings: &mut Findings<'_>, written: &Written, workload: &Workload) {
    let expected = workload.expected_requests();
    let span = written.arrivals.as_ref().map_or(0..0, |arrivals| arrivals.get_ref().rate.span());
    if expected > MOST_REQUESTS {
        let message = format!("that makes {expected} requests for each strategy, at most {MOST_REQUESTS} are allowed");
        findings.at(&span, message, "lower the rate, or make `duration` shorter");
    } else if expected == 0 {
        findings.at(&span, "not one request is expected", "raise the rate, or make `duration` longer");
    }
}

fn terms(findings: &mut Findings<'_>, written: &written::Route) -> Terms {
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

/// Those that the route's patterns leave.
fn candidates(findings: &mut Findings<'_>, written: &Written, accounts: &[Offering]) -> Vec<Arc<Candidate>> {
    let all = accounts.iter().flat_map(|(account, models)| {
        models.iter().flat_map(|model| Candidate::all(&account.provider, model).map(Arc::new))
    });
    let all: Vec<Arc<Candidate>> = all.collect();
    let patterns = |written: &[Spanned<String>]| -> Vec<(Pattern, Range<usize>)> {
        written.iter().map(|pattern| (Pattern(pattern.get_ref().clone()), pattern.span())).collect()
    };
    let (only, never) = (patterns(&written.route.candidates.only), patterns(&written.route.candidates.never));
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

fn baseline(
    findings: &mut Findings<'_>,
    written: &written::Route,
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

fn outages(
    findings: &mut Findings<'_>,
    written: &Written,
    duration: Option<Duration>,
    accounts: &mut [Offering],
) -> Vec<Scripted> {
    let mut scripted = Vec::with_capacity(written.outages.len());
    for outage in &written.outages {
        let outage = outage.get_ref();
        let name = outage.provider.get_ref();
        let (from, lasts) = (outage.from.get_ref().0, outage.lasts.get_ref().0);
        if duration.is_some_and(|duration| from >= duration) {
            let hint = "let it begin earlier, or make `duration` longer";
            findings.at(&outage.from.span(), "the outage begins after the run has ended", hint);
        }
        if lasts.is_zero() {
            findings.at(&outage.lasts.span(), "an outage of no length is none", "write it like `for = \"10m\"`");
        }
        let error_rate = share(findings, "error-rate", outage.error_rate.as_ref()).unwrap_or(1.0);
        let latency_factor = factor(findings, "latency-factor", outage.latency_factor.as_ref()).unwrap_or(1.0);
        let kind = outage.kind.as_ref().and_then(|kind| outage_kind(findings, kind)).unwrap_or_default();
        let Some((account, _)) = accounts.iter_mut().find(|(account, _)| account.provider.name == *name) else {
            let hint = near(name, accounts.iter().map(|(account, _)| account.provider.name.as_str()));
            findings.at(&outage.provider.span(), format!("there is no provider `{name}`"), hint);
            continue;
        };
        account.settings.outages.push(Outage { from, duration: lasts, error_rate, latency_factor, kind });
        scripted.push(Scripted { provider: name.clone(), from, until: from + lasts });
    }
    scripted.sort_by_key(|outage| outage.from);
    scripted
}

fn outage_kind(findings: &mut Findings<'_>, written: &Spanned<String>) -> Option<OutageKind> {
    let kinds = [
        ("server-error", OutageKind::ServerError),
        ("hang", OutageKind::Hang),
        ("connect", OutageKind::Connect),
        ("rate-limited", OutageKind::RateLimited),
        ("empty", OutageKind::Empty),
        ("credential", OutageKind::Credential),
        ("quota", OutageKind::Quota),
    ];
    let word = written.get_ref();
    let found = kinds.iter().find(|(known, _)| known == word).map(|(_, kind)| *kind);
    if found.is_none() {
        let known: Vec<&str> = kinds.iter().map(|(known, _)| *known).collect();
        findings.at(
            &written.span(),
            format!("`{word}` is no kind of outage"),
            format!("write one of {}", known.join(", ")),
        );
    }
    found
}

/// A share from 0 to 1.
fn share(findings: &mut Findings<'_>, key: &str, written: Option<&Spanned<f64>>) -> Option<f64> {
    number(findings, key, written, 1.0)
}

/// A factor from 0 on.
fn factor(findings: &mut Findings<'_>, key: &str, written: Option<&Spanned<f64>>) -> Option<f64> {
    number(findings, key, written, LARGEST_FACTOR)
}

fn number(findings: &mut Findings<'_>, key: &str, written: Option<&Spanned<f64>>, most: f64) -> Option<f64> {
    let written = written?;
    let number = *written.get_ref();
    if (0.0..=most).contains(&number) {
        return Some(number);
    }
    findings.at(&written.span(), format!("`{key}` is `{number}`"), format!("write a number from 0 to {most}"));
    None
}

/// A hint with the nearest of `names`, or with all of them when they are few.
fn near<'n>(asked: &str, names: impl Iterator<Item = &'n str> + Clone) -> String {
    let near = nearest(asked, names.clone(), 3);
    if !near.is_empty() {
        return format!("did you mean {}?", near.join(", "));
    }
    let all: Vec<&str> = names.take(12).collect();
    if all.is_empty() { "nobody is described yet".to_owned() } else { format!("there are {}", all.join(", ")) }
}

/// The day the newest row of the catalogue was read: a run of the same program gives the same on any day.
fn newest(catalogue: &Catalogue) -> Date {
    let days = catalogue.vendors().flat_map(|(_, models)| models.iter().map(|model| model.as_of));
    days.max().unwrap_or_else(|| Date::of_unix_ms(0))
}

/// Milliseconds, and where they stand.
fn millis(period: &Spanned<Period>) -> (u32, Range<usize>) {
    let ms = u32::try_from(period.get_ref().0.as_millis()).unwrap_or(u32::MAX);
    (ms, period.span())
}

/// An account with the models it offers.
type Offering = (Account, Vec<Arc<Model>>);
