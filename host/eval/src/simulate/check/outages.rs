//! `[[outages]]`: what goes wrong, and when.

use std::time::Duration;

use dispatch::{Outage, OutageKind};
use toml::Spanned;

use super::{
    super::{problem::Findings, workload::Scripted, written::Written},
    Offering, factor, near, share,
};

/// Outages in a script.
const MOST: usize = 1_000;

/// The script, with what each outage does put into its account's settings.
pub(super) fn check(
    findings: &mut Findings<'_>,
    written: &Written,
    duration: Option<Duration>,
    accounts: &mut [Offering],
) -> Vec<Scripted> {
    if let Some(one_too_many) = written.outages.get(MOST) {
        findings.at(&one_too_many.span(), format!("there are more than {MOST} outages"), "leave some of them out");
    }
    let mut scripted = Vec::with_capacity(written.outages.len());
    for outage in written.outages.iter().take(MOST) {
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
