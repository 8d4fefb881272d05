//! `[truth]`, `[[shifts]]` and `[feedback]`: how good everybody really is, and what is said of it.

use std::{ops::Range, sync::Arc, time::Duration};

use domain::candidate::Candidate;
use toml::Spanned;

use super::{
    super::{
        feedback::Feedback,
        problem::Findings,
        truth::{From, Row, Shift, Truth},
        written::{self, Written},
    },
    near, share,
};

/// As bundled classifiers say them. Another one may have others.
const LABELS: [&str; 4] = ["artistic", "realistic", "technical", "general"];
/// The name of a row's number for all other labels.
const USUAL: &str = "default";
const MOST_SHIFTS: usize = 100;
/// As what people say of pictures varies around their mean.
const NOISE: f64 = 0.25;
const DELAY: Duration = Duration::from_secs(60);
const LONGEST_DELAY: Duration = Duration::from_secs(366 * 86_400);

/// Who is not named is as good as its prior says.
pub(super) fn check(
    findings: &mut Findings<'_>,
    written: &Written,
    duration: Option<Duration>,
    candidates: &[Arc<Candidate>],
) -> Option<Truth> {
    let Some(table) = &written.truth else {
        if let Some(shift) = written.shifts.first() {
            findings.at(&shift.span(), "a shift of what is not said", "write `[truth]`, however short, before it");
        }
        return None;
    };
    let labels = Labels { own: written.route.classifier.is_some() };
    let said = rows(findings, table.get_ref(), candidates, &labels);
    let mut unknown = Vec::new();
    let mut rows_of_all = Vec::with_capacity(candidates.len());
    for (row, candidate) in said.into_iter().zip(candidates) {
        let mut row = row.unwrap_or_default();
        let prior = candidate.tier().quality.map(|prior| f64::from(prior.mean));
        row.usual = row.usual.or(prior);
        if row.usual.is_none() {
            unknown.push(candidate.id.as_str());
        }
        rows_of_all.push(row);
    }
    if !unknown.is_empty() {
        let named = unknown.iter().take(6).copied().collect::<Vec<_>>().join(", ");
        let message = format!("nobody says how good {} of the candidates really are: {named}", unknown.len());
        findings.at(
            &table.span(),
            message,
            format!("name them here, or give them a `quality`; `{USUAL}` is for all kinds"),
        );
    }
    if written.shifts.len() > MOST_SHIFTS {
        findings.whole(format!("{} shifts are too many", written.shifts.len()), format!("write at most {MOST_SHIFTS}"));
    }
    let shifts = written.shifts.iter().take(MOST_SHIFTS).filter_map(|shift| {
        let from = from(findings, shift, duration);
        let rows = rows(findings, shift.get_ref().truth.get_ref(), candidates, &labels);
        Some(Shift { from: from?, rows })
    });
    Some(Truth { shifts: shifts.collect(), rows: rows_of_all })
}

/// What is said of each candidate: of its tier, or else of its model.
fn rows(
    findings: &mut Findings<'_>,
    written: &written::Truth,
    candidates: &[Arc<Candidate>],
    labels: &Labels,
) -> Vec<Option<Row>> {
    let mut rows: Vec<Option<(bool, Row)>> = vec![None; candidates.len()];
    for (name, value) in written {
        let row = labels.row(findings, name, value);
        let mut is_known = false;
        for (candidate, place) in candidates.iter().zip(&mut rows) {
            let is_exact = candidate.id.as_str() == name;
            if is_exact || candidate.id.untiered() == name {
                is_known = true;
                if is_exact || !matches!(place, Some((true, _))) {
                    *place = Some((is_exact, row.clone()));
                }
            }
        }
        if !is_known && !candidates.is_empty() {
            let near = near(name, candidates.iter().map(|candidate| candidate.id.as_str()));
            findings.at(&value.span(), format!("there is no candidate `{name}` here"), near);
        }
    }
    rows.into_iter().map(|row| row.map(|(_, row)| row)).collect()
}

/// Which labels a row may have.
struct Labels {
    /// The workload names a classifier, which may have labels of its own.
    own: bool,
}

impl Labels {
    fn row(&self, findings: &mut Findings<'_>, name: &str, value: &Spanned<toml::Value>) -> Row {
        const HINT: &str = "write a number from 0 to 1, or `{ default = 0.6, technical = 0.9 }`";
        let span = value.span();
        let mut row = Row::default();
        match value.get_ref() {
            toml::Value::Table(table) if !table.is_empty() => {
                for (label, value) in table {
                    let Some(quality) = quality(value) else {
                        findings.at(&span, format!("`{label}` of `{name}` is no quality"), HINT);
                        continue;
                    };
                    if label == USUAL {
                        row.usual = Some(quality);
                        continue;
                    }
                    self.check(findings, label, &span);
                    row.labels.push((label.as_str().into(), quality));
                }
            }
            value => {
                row.usual = quality(value);
                if row.usual.is_none() {
                    findings.at(&span, format!("what is said of `{name}` is no quality"), HINT);
                }
            }
        }
        row
    }

    fn check(&self, findings: &mut Findings<'_>, label: &str, span: &Range<usize>) {
        if !self.own && !LABELS.contains(&label) {
            let names = LABELS.into_iter().chain([USUAL]);
            findings.at(span, format!("no prompt is `{label}`"), near(label, names));
        }
    }
}

fn quality(value: &toml::Value) -> Option<f64> {
    let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))?;
    (0.0..=1.0).contains(&number).then_some(number)
}

fn from(findings: &mut Findings<'_>, shift: &Spanned<written::Shift>, duration: Option<Duration>) -> Option<From> {
    const HINT: &str = "write `at = \"1h\"` or `after-requests = 2000`";
    let written = shift.get_ref();
    match (&written.at, &written.after_requests) {
        (Some(at), None) => {
            if duration.is_some_and(|duration| at.get_ref().0 >= duration) {
                findings.at(&at.span(), "the shift begins after the run has ended", "let it begin earlier");
            }
            Some(From::Time(at.get_ref().0))
        }
        (None, Some(count)) => Some(From::Requests(*count.get_ref())),
        (None, None) => {
            findings.at(&shift.span(), "nobody says when the shift begins", HINT);
            None
        }
        (Some(_), Some(_)) => {
            findings.at(&shift.span(), "the shift begins at two points", HINT);
            None
        }
    }
}

/// What people say of what they got.
pub(super) fn feedback(findings: &mut Findings<'_>, written: &Written) -> Option<Feedback> {
    let feedback = written.feedback.as_ref()?;
    if written.truth.is_none() {
        let hint = "write `[truth]`, however short: who is not named there is as good as its prior says";
        findings.at(&feedback.span(), "nobody knows what there is to rate", hint);
    }
    let feedback = feedback.get_ref();
    let delay = feedback.delay.as_ref().map_or(DELAY, |delay| {
        if delay.get_ref().0 > LONGEST_DELAY {
            findings.at(&delay.span(), "feedback comes within a year", "write it like `delay = \"10m\"`");
        }
        delay.get_ref().0
    });
    Some(Feedback {
        share: share(findings, "share", feedback.share.as_ref()).unwrap_or(1.0),
        noise: share(findings, "noise", feedback.noise.as_ref()).unwrap_or(NOISE),
        delay,
        quality: feedback.quality,
    })
}
