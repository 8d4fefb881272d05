//! From what was written to what is meant.
//!
//! Each section has its own file. All of them go on after a problem, with some value in the place of a wrong one: a
//! configuration with an error is never used, but its other problems are worth finding. What refers to something that
//! was written and is wrong itself is not reported: mending the first mends both.

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc, time::Duration};

use super::{
    Surroundings,
    checked::{Config, candidates},
    explain::nearest,
    problem::{Findings, Severity},
    reading::Read,
    simulated,
    source::{self, Path, Source, at},
    units::Period,
    written::Written,
};

mod aliases;
mod connection;
mod keys;
mod learning;
mod models;
mod providers;
mod routes;
mod server;
mod simulation;

pub use server::objection_to;
pub(super) use server::{default_data, default_server};

/// What is meant by what was `read`. Worth something only when nothing is found.
pub(super) fn check(
    source: &Source<'_>,
    read: &Read<'_>,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Config {
    let mut checker = Checker { source, read, surroundings, findings };
    let mut accounts = providers::check(&mut checker);
    if !source.has(&at!["providers"]) {
        checker.warn(
            &Path::default(),
            "no `[providers]` are configured, so pictures are simulated",
            "name an account: `[providers.openai]` with `dialect = \"openai\"` and `key-env = \"OPENAI_API_KEY\"`",
        );
        accounts = simulated::accounts(surroundings.catalogue);
    }
    models::check(&mut checker, &mut accounts);
    providers::check_offers(&mut checker, &accounts);

    let offered = Offered { whole: checker.is_sound("providers") && checker.is_sound("models"), accounts: &accounts };
    let routes = routes::check(&mut checker, &offered);
    let aliases = aliases::check(&mut checker, &offered);
    let keys = keys::check(&mut checker, &routes);
    let server = server::check_server(&mut checker);
    let data = server::check_data(&mut checker);
    let plugins = server::check_plugins(&mut checker);
    let routes = routes.into_iter().map(|(name, route)| (name, Arc::new(route))).collect::<BTreeMap<_, _>>();
    let learning = learning::check(&mut checker);
    Config { server, data, plugins, learning, accounts, aliases, routes, keys }
}

/// What the accounts offer, for those who refer to it.
struct Offered<'o> {
    accounts: &'o [super::checked::Account],
    /// Whether nothing is wrong with any of them: else what is not found may only be wrong itself.
    whole: bool,
}

impl Offered<'_> {
    fn candidates(&self) -> Vec<domain::candidate::Candidate> {
        candidates(self.accounts)
    }
}

/// What every section's check needs.
struct Checker<'c> {
    source: &'c Source<'c>,
    read: &'c Read<'c>,
    surroundings: &'c Surroundings<'c>,
    findings: &'c mut Findings,
}

impl<'c> Checker<'c> {
    fn written(&self) -> &'c Written {
        &self.read.written
    }

    fn error(&mut self, path: &Path, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, path, message.into(), hint.into());
    }

    fn warn(&mut self, path: &Path, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Warning, path, message.into(), hint.into());
    }

    /// `path` is a path in what was read; the problem names the one that was written.
    fn add(&mut self, severity: Severity, path: &Path, message: String, hint: String) {
        if self.findings.full() {
            self.findings.cut();
            return;
        }
        let span = source::span(&self.read.tree, path);
        let shown = self.as_written(path);
        self.findings.add(self.source.problem(severity, span.as_ref(), &shown, message, Some(hint)));
    }

    fn as_written(&self, path: &Path) -> Path {
        let value = source::get(&self.read.tree, path);
        value.map_or_else(|| path.clone(), |value| self.source.path_as_written(&value.span(), path))
    }

    /// Whether something at or under `path` was wrong already, so that what is missing there was reported.
    fn is_wrong(&self, path: &Path) -> bool {
        self.findings.errors_in(&self.as_written(path).to_string())
    }

    /// Whether nothing is wrong in the section so far.
    fn is_sound(&self, section: &str) -> bool {
        !self.findings.errors_in(section)
    }

    /// A number from 0 to 1.
    fn share(&mut self, path: &Path, written: Option<f64>) -> Option<f64> {
        self.number(path, written, 0.0..=1.0)
    }

    fn number(&mut self, path: &Path, written: Option<f64>, range: RangeInclusive<f64>) -> Option<f64> {
        let number = written?;
        if !range.contains(&number) {
            self.error(
                path,
                format!("`{number}` is out of range"),
                format!("write {} to {}", range.start(), range.end()),
            );
        }
        Some(number)
    }

    /// A duration from `least` to `most`, or else `default`.
    fn period(&mut self, path: &Path, written: Option<Period>, default: Duration, range: (&str, &str)) -> Duration {
        let Some(period) = written else { return default };
        let (least, most) = range;
        let allowed = least.parse::<Period>().ok()..=most.parse().ok();
        if allowed.contains(&Some(period)) {
            return period.duration();
        }
        self.error(path, format!("`{period}` is out of range"), format!("write \"{least}\" to \"{most}\""));
        default
    }

    /// A count of at least 1; `default` when left out.
    fn count(&mut self, path: &Path, written: Option<u32>, default: u32, most: u32, without: &str) -> u32 {
        let Some(count) = written else { return default };
        if !(1..=most).contains(&count) {
            self.error(path, format!("`{count}` is out of range"), format!("write 1 to {most}, or {without}"));
            return default;
        }
        count
    }
}

/// A name of ours: small letters, digits and single dashes between them, so that it can stand in `model` and headers.
fn is_word(name: &str) -> bool {
    name.len() <= 60
        && name
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

const WORD_HINT: &str = "use small letters, digits and dashes, like `my-name`";

/// A hint from the nearest of `known`.
fn nearest_hint<'n>(asked: &str, known: impl IntoIterator<Item = &'n str>, otherwise: &str) -> String {
    match nearest(asked, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => otherwise.to_owned(),
    }
}
