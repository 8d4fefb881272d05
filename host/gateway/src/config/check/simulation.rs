//! How a simulated provider behaves.

use super::Checker;
use crate::config::{
    checked::{Outage, Simulation},
    source::at,
    written,
};

/// Largest factor on a latency.
const LARGEST_FACTOR: f64 = 1000.0;

pub(super) fn check(checker: &mut Checker<'_>, name: &str, written: &written::Provider) -> Simulation {
    for key in ["base-url", "allow-http", "key-env", "key-file", "result-hosts"] {
        let at = at!["providers", name, key];
        if checker.source.has(&at) {
            let hint = "take it out, or use `dialect = \"openai\"`";
            checker.error(&at, format!("a simulated provider calls nobody, so `{key}` means nothing"), hint);
        }
    }
    let usual = Simulation::default();
    let Some(written) = &written.simulate else { return usual };
    let at = |key: &str| at!["providers", name, "simulate", key];
    let simulation = Simulation {
        latency_scale: checker
            .number(&at("latency-scale"), written.latency_scale, 0.0..=LARGEST_FACTOR)
            .unwrap_or(usual.latency_scale),
        sigma: checker.number(&at("sigma"), written.sigma, 0.0..=3.0).unwrap_or(usual.sigma),
        error_rate: checker.share(&at("error-rate"), written.error_rate).unwrap_or(0.0),
        hang_rate: checker.share(&at("hang-rate"), written.hang_rate).unwrap_or(0.0),
        refusal_rate: checker.share(&at("refusal-rate"), written.refusal_rate).unwrap_or(0.0),
        rate_limited_rate: checker.share(&at("rate-limited-rate"), written.rate_limited_rate).unwrap_or(0.0),
        outages: outages(checker, name, written.outages.as_deref().unwrap_or_default()),
    };
    let rates = [simulation.error_rate, simulation.hang_rate, simulation.refusal_rate, simulation.rate_limited_rate];
    let sum: f64 = rates.iter().sum();
    if rates.iter().all(|rate| (0.0..=1.0).contains(rate)) && sum > 1.0 + 1e-9 {
        let at = at!["providers", name, "simulate"];
        checker.error(
            &at,
            format!("the rates add up to {sum:.2}"),
            "a call ends in one way: let them add up to at most 1",
        );
    }
    simulation
}

fn outages(checker: &mut Checker<'_>, name: &str, written: &[written::Outage]) -> Vec<Outage> {
    let mut outages = Vec::with_capacity(written.len());
    for (index, outage) in written.iter().enumerate() {
        let at = |key: &str| at!["providers", name, "simulate", "outages", index, key];
        outages.push(Outage {
            from: outage.from.duration(),
            lasts: outage.lasts.duration(),
            error_rate: checker.share(&at("error-rate"), outage.error_rate).unwrap_or(1.0),
            latency_factor: checker
                .number(&at("latency-factor"), outage.latency_factor, 0.0..=LARGEST_FACTOR)
                .unwrap_or(1.0),
        });
    }
    outages
}
