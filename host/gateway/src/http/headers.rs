//! The headers Muxel answers with.

use std::time::Duration;

use domain::{
    attempt::{Charge, DecisionId},
    candidate::CandidateId,
};
use http::{HeaderMap, HeaderValue};

/// `x-request-id` is the decision's id, so that the SDKs show it in their errors.
pub(crate) fn decision(headers: &mut HeaderMap, id: DecisionId) {
    let id = text(&id.to_string());
    headers.insert("x-request-id", id.clone());
    headers.insert("x-muxel-decision", id);
}

/// How long the request waited for a place, when it did: at least a millisecond.
pub(crate) fn queued(headers: &mut HeaderMap, queued: Duration) {
    if !queued.is_zero() {
        let ms = queued.as_nanos().div_ceil(1_000_000);
        headers.insert("x-muxel-queued-ms", HeaderValue::from(u64::try_from(ms).unwrap_or(u64::MAX)));
    }
}

/// What was chosen and what it cost.
pub(crate) fn outcome(
    headers: &mut HeaderMap,
    served: Option<&CandidateId>,
    strategy: &str,
    charge: Charge,
    attempts: usize,
    warnings: &[String],
) {
    if let Some(served) = served {
        headers.insert("x-muxel-model", text(served.as_str()));
    }
    headers.insert("x-muxel-strategy", text(strategy));
    // An unknown cost has no number, least of all 0.
    if !matches!(charge, Charge::Unknown(_)) {
        headers.insert("x-muxel-cost-usd", text(&usd(charge)));
    }
    headers.insert("x-muxel-attempts", HeaderValue::from(attempts));
    for warning in warnings {
        headers.append("x-muxel-warning", text(warning));
    }
}

/// Dollars with six decimals, as a plain number.
pub(crate) fn usd(charge: Charge) -> String {
    let micros = charge.amount().0;
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A header value of any text: what may not stand in a header becomes `?`.
fn text(text: &str) -> HeaderValue {
    let plain = |character: char| if character.is_ascii_graphic() || character == ' ' { character } else { '?' };
    let plain: String = text.chars().take(512).map(plain).collect();
    HeaderValue::from_str(&plain).unwrap_or_else(|_| HeaderValue::from_static("?"))
}
