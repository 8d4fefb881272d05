//! From what is written to what is meant. Looks at everything, so that all problems are told at once.

use std::{ops::Range, path::Path, sync::Arc, time::Duration};

use domain::{
    catalogue::{Catalogue, Date, Model},
    nearest::nearest,
};
use toml::Spanned;

use super::{
    arrivals::Arrivals,
    problem::Findings,
    workload::{Account, MOST_REQUESTS, Overrides, Workload},
    written::{self, Period, Written},
};

mod outages;
mod providers;
mod requests;
mod route;
mod truth;

/// Largest factor on a latency.
const LARGEST_FACTOR: f64 = 1_000.0;
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
    let outages = outages::check(findings, written, duration, &mut accounts);
    let date = written.date.unwrap_or_else(|| newest(catalogue));
    let candidates = route::candidates(findings, &written.route, &accounts, date);
    let terms = route::terms(findings, &written.route);
    let baseline = route::baseline(findings, &written.route, &candidates);
    let truth = truth::check(findings, written, duration, &candidates);
    let feedback = truth::feedback(findings, written);
    let (arrivals, mix) = (arrivals?, mix?);
    let workload = Workload {
        title: written.title.clone().unwrap_or_default(),
        seed: overrides.seed.or(written.seed).unwrap_or(1),
        date,
        duration,
        arrivals,
        mix,
        terms,
        accounts: accounts.into_iter().map(|(account, _)| account).collect(),
        candidates,
        outages,
        baseline,
        truth,
        feedback,
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

#[cfg(test)]
mod tests;
