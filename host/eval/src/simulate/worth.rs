//! What a delivery is worth: the balance that strategies are asked for, with everything known.
//!
//! It is the score of the crate `balance`, which `hybrid` and others maximise, with the route's weights and what priority
//! and prompt do to them: but with the true quality in the place of what is expected, with the list price, with the latency
//! as the workload describes it, and with whoever delivered counted as reliable. So it depends on the request and on who
//! served it, and on nothing that a strategy saw or did.

use std::time::Duration;

use balance::{Parts, SETTINGS, Weights};
use domain::{
    candidate::Candidate,
    capability,
    catalogue::Latency,
    plugin::Classification,
    policy::{self, Unpriced},
    price::{Estimate, list_price},
    request::{Priority, Request},
};
use muxel_sdk::Value;

use super::{truth::Truth, workload::Workload};

/// One request with all that is true of it.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) request: &'a Request,
    pub(super) classification: &'a Classification,
    /// Its number, from 0, and when it arrived.
    pub(super) n: u64,
    pub(super) at: Duration,
}

/// What became of one request, held against what could have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Worth {
    /// True quality of what was delivered.
    pub(super) quality: Option<f64>,
    /// 0 when nothing was.
    pub(super) value: f64,
    /// That of the best candidate that may and can serve the request, were it well: an oracle's.
    pub(super) best: f64,
}

impl Worth {
    /// `served` is the index of who delivered.
    pub(super) fn of(workload: &Workload, truth: &Truth, case: Case<'_>, served: Option<usize>) -> Self {
        let weights = weights(workload, case);
        let prompt_chars = case.request.prompt.chars().count();
        let (mut quality, mut value, mut best) = (None, 0.0, 0.0_f64);
        for (index, candidate) in workload.candidates.iter().enumerate() {
            let is_served = served == Some(index);
            if !is_served && !may_serve(workload, case.request, candidate, prompt_chars) {
                continue;
            }
            let its_quality = truth.of(index, &case.classification.label, case.n, case.at);
            let its_value = score(workload, case.request, candidate, its_quality, &weights);
            best = best.max(its_value);
            if is_served {
                (quality, value) = (Some(its_quality), its_value);
            }
        }
        Self { quality, value, best }
    }
}

/// As every balancing strategy weighs the request.
fn weights(workload: &Workload, case: Case<'_>) -> Weights {
    let of_route = |name: &str| {
        let mut own = workload.terms.weights.iter();
        own.find(|(word, _)| name.strip_suffix("-weight") == Some(&**word)).map(|(_, weight)| weight)
    };
    let setting = |(name, _, default): (&str, &str, f64)| Value::Number(of_route(name).unwrap_or(default));
    let mut classification = muxel_sdk::Classification::of(&case.classification.label);
    classification.confidence = case.classification.confidence;
    classification.complexity = case.classification.complexity;
    Weights::from_settings(&SETTINGS.map(setting)).for_request(priority(case.request.priority), &classification)
}

fn priority(priority: Priority) -> muxel_sdk::Priority {
    match priority {
        Priority::Low => muxel_sdk::Priority::Low,
        Priority::Normal => muxel_sdk::Priority::Normal,
        Priority::High => muxel_sdk::Priority::High,
        Priority::Urgent => muxel_sdk::Priority::Urgent,
    }
}

/// Whether it is able, and the route's caps allow it.
fn may_serve(workload: &Workload, request: &Request, candidate: &Candidate, prompt_chars: usize) -> bool {
    let (tier, cost) = (candidate.tier(), price(request, candidate));
    capability::veto(candidate, request, prompt_chars, workload.date).is_none()
        && policy::veto(cost, tier.latency, tier.quality, &request.caps).is_none()
        && (cost.is_some() || workload.terms.unpriced == Unpriced::Allow)
}

fn price(request: &Request, candidate: &Candidate) -> Option<Estimate> {
    let tariff = candidate.tier().price.as_ref()?.tariff(request.size, candidate.provider.price_factor);
    list_price(&tariff, request)
}

fn score(workload: &Workload, request: &Request, candidate: &Candidate, quality: f64, weights: &Weights) -> f64 {
    let mut known = muxel_sdk::Candidate::new(candidate.id.as_str()).good(quality as f32, 0.0);
    known.cost = price(request, candidate).map(|cost| muxel_sdk::Estimate {
        expected: cost.expected.saturating_u32(),
        upper: cost.upper.saturating_u32(),
    });
    let account = workload.accounts.iter().find(|account| account.provider.name == candidate.provider.name);
    let scale = account.map_or(1.0, |account| account.settings.latency_scale);
    if let Some(Latency { p50_ms, p95_ms }) = candidate.tier().latency {
        let scaled = |ms: u32| (f64::from(ms) * scale) as u32;
        known = known.taking(scaled(p50_ms), scaled(p95_ms));
    }
    (known.samples, known.success) = (u32::MAX, 1.0);
    f64::from(Parts::of(&known, request.count).weighted(weights, candidate.provider.weight).sum())
}
