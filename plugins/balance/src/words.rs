//! A ranking in words: what the first one is, and what the next one would mean instead.

use muxel_sdk::{Candidate, Reason};

use crate::Parts;

/// Longest name of a candidate, in bytes, that leaves room for the rest.
const LONGEST_NAME: usize = 120;

/// Goes on with what is known of a candidate, such as `quality 0.60 at 0.02 USD, 3.5 s`.
#[must_use]
pub fn facts(reason: Reason, candidate: &Candidate) -> Reason {
    let reason = match candidate.quality {
        Some(quality) => reason.text("quality ").share(quality.mean),
        None => reason.text("unknown quality"),
    };
    let reason = match candidate.cost {
        Some(cost) => reason.text(" at ").usd(cost.expected),
        None => reason.text(" at an unknown price"),
    };
    match candidate.latency {
        Some(latency) => reason.text(", ").seconds(latency.p50_ms),
        None => reason.text(", unknown latency"),
    }
}

/// Goes on with what the second one would mean instead of the first, such as
/// `; next openai/gpt-image-1.5@low: 0.03 USD more, quality 0.04 higher, 2.0 s slower`. Said whole or not at all.
#[must_use]
pub fn next(reason: Reason, first: (&Candidate, Parts), second: (&Candidate, Parts)) -> Reason {
    let ((first, first_parts), (second, second_parts)) = (first, second);
    if second.model.len() > LONGEST_NAME {
        return reason;
    }
    // Whether one of the three already says why it is only the next.
    let mut wins = (first.quality.is_some() && second.quality.is_none())
        || (first.latency.is_some() && second.latency.is_none())
        || second.cost.is_none();
    let next = Reason::new("; next ").text(&second.model).text(": ");
    let next = match (first.cost, second.cost) {
        (_, None) => next.text("unknown price"),
        (None, Some(cost)) => next.usd(cost.expected),
        (Some(first), Some(second)) if first.expected == second.expected => next.text("same price"),
        (Some(first), Some(second)) => {
            let dearer = first.expected < second.expected;
            wins |= dearer;
            next.usd(first.expected.abs_diff(second.expected)).text(if dearer { " more" } else { " less" })
        }
    };
    let next = match (first.quality, second.quality) {
        (Some(first), Some(second)) if (first.mean - second.mean).abs() >= 0.005 => {
            let worse = first.mean > second.mean;
            wins |= worse;
            let next = next.text(", quality ").share((first.mean - second.mean).abs());
            next.text(if worse { " lower" } else { " higher" })
        }
        (Some(_), None) => next.text(", unknown quality"),
        _ => next,
    };
    let next = match (first.latency, second.latency) {
        (Some(first), Some(second)) if first.p50_ms.abs_diff(second.p50_ms) >= 100 => {
            let slower = first.p50_ms < second.p50_ms;
            wins |= slower;
            next.text(", ").seconds(first.p50_ms.abs_diff(second.p50_ms)).text(if slower {
                " slower"
            } else {
                " faster"
            })
        }
        (Some(_), None) => next.text(", unknown latency"),
        _ => next,
    };
    let next = if wins { next } else { next.text(decider(first_parts, second, second_parts)) };
    reason.text(&String::from(next))
}

/// Why the second one is second where neither price nor quality nor latency tells.
fn decider(first: Parts, candidate: &Candidate, second: Parts) -> &'static str {
    if candidate.half_open {
        return ", but it only comes back from failing";
    }
    let full = candidate.max_in_flight > 0 && candidate.in_flight >= candidate.max_in_flight;
    let lead = [
        (first.reliability - second.reliability, if full { ", but it is full" } else { ", but less sure to deliver" }),
        (first.quality - second.quality, ", but its quality is less certain"),
        (first.cost - second.cost, ", but of lower weight"),
        (first.latency - second.latency, ", but of lower weight"),
    ];
    let most = lead.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
    most.filter(|(by, _)| *by > 0.0).map_or("", |(_, words)| words)
}
