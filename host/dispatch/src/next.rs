//! What follows a failed attempt: the same candidate again, the next one, or nothing.
//!
//! The table is `domain::failure`; here it meets the clock and what was tried already.

use std::time::Duration;

use domain::failure::FailureKind;

/// Most waits for a rate limit in one request.
const MAX_WAITS: u32 = 2;
/// Before a connection is tried once more.
const RECONNECT: (f64, f64) = (0.05, 0.25);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    /// The same candidate, after a wait.
    Again(Duration),
    /// Another candidate, if there is one.
    FallOver,
    Stop,
}

/// Everything that decides it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) kind: FailureKind,
    pub(crate) retry_after: Option<Duration>,
    /// Repeats of this candidate so far.
    pub(crate) repeats: u32,
    /// Whether every candidate of the request belongs to this provider.
    pub(crate) alone: bool,
    /// Whether its breaker still lets attempts out, and this was no probe.
    pub(crate) in_service: bool,
    /// Whether the provider has a key that this request has not been turned away with.
    pub(crate) other_key: bool,
    pub(crate) fall_over_after_charge: bool,
    pub(crate) time_left: Duration,
    pub(crate) p50: Option<Duration>,
    /// 0 to 1.
    pub(crate) jitter: f64,
}

pub(crate) fn next(situation: &Situation) -> Next {
    let Situation { kind, repeats, time_left, .. } = *situation;
    match kind {
        FailureKind::Connect if repeats == 0 && situation.in_service => {
            let (least, most) = RECONNECT;
            let wait = Duration::from_secs_f64(least + (most - least) * situation.jitter);
            if wait < time_left { Next::Again(wait) } else { Next::FallOver }
        }
        FailureKind::RateLimited | FailureKind::Credential | FailureKind::Quota if situation.other_key => {
            Next::Again(Duration::ZERO)
        }
        FailureKind::RateLimited if situation.alone && repeats < MAX_WAITS => match situation.retry_after {
            Some(wait) if fits(wait, situation) => Next::Again(wait),
            _ => Next::FallOver,
        },
        kind if kind.may_fall_over(situation.fall_over_after_charge) => Next::FallOver,
        _ => Next::Stop,
    }
}

/// Whether a usual attempt fits in what is left after the wait.
fn fits(wait: Duration, situation: &Situation) -> bool {
    wait.saturating_add(situation.p50.unwrap_or_default()) < situation.time_left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(kind: FailureKind) -> Situation {
        Situation {
            kind,
            retry_after: None,
            repeats: 0,
            alone: false,
            in_service: true,
            other_key: false,
            fall_over_after_charge: true,
            time_left: Duration::from_secs(60),
            p50: Some(Duration::from_secs(10)),
            jitter: 0.5,
        }
    }

    #[test]
    fn a_connection_is_tried_once_more() {
        let first = after(FailureKind::Connect);
        assert_eq!(next(&first), Next::Again(Duration::from_millis(150)));
        assert_eq!(next(&Situation { repeats: 1, ..first }), Next::FallOver);
        assert_eq!(next(&Situation { in_service: false, ..first }), Next::FallOver);
        assert_eq!(next(&Situation { time_left: Duration::from_millis(10), ..first }), Next::FallOver);
    }

    #[test]
    fn a_rate_limit_is_waited_for_only_when_alone_and_in_time() {
        let limited = Situation { retry_after: Some(Duration::from_secs(5)), ..after(FailureKind::RateLimited) };
        assert_eq!(next(&limited), Next::FallOver);
        let alone = Situation { alone: true, ..limited };
        assert_eq!(next(&alone), Next::Again(Duration::from_secs(5)));
        assert_eq!(next(&Situation { repeats: MAX_WAITS, ..alone }), Next::FallOver);
        assert_eq!(next(&Situation { time_left: Duration::from_secs(14), ..alone }), Next::FallOver);
        assert_eq!(next(&Situation { retry_after: None, ..alone }), Next::FallOver);
        assert_eq!(next(&Situation { retry_after: Some(Duration::MAX), ..alone }), Next::FallOver);
    }

    #[test]
    fn another_key_of_the_same_provider_is_tried_at_once_when_one_is_turned_away() {
        for kind in [FailureKind::RateLimited, FailureKind::Credential, FailureKind::Quota] {
            let turned_away = Situation { other_key: true, ..after(kind) };
            assert_eq!(next(&turned_away), Next::Again(Duration::ZERO), "{kind:?}");
        }
        assert_eq!(next(&Situation { other_key: true, ..after(FailureKind::Server) }), Next::FallOver);
    }

    #[test]
    fn what_may_be_charged_is_never_repeated() {
        for kind in [FailureKind::Server, FailureKind::Timeout, FailureKind::Empty] {
            let alone = Situation { alone: true, retry_after: Some(Duration::ZERO), ..after(kind) };
            assert_eq!(next(&alone), Next::FallOver, "{kind:?}");
            assert_eq!(next(&Situation { fall_over_after_charge: false, ..alone }), Next::Stop, "{kind:?}");
        }
    }

    #[test]
    fn refusals_and_mistakes_of_the_caller_end_the_request() {
        assert_eq!(next(&after(FailureKind::Refused)), Next::Stop);
        assert_eq!(next(&after(FailureKind::Caller)), Next::Stop);
        for kind in [FailureKind::Credential, FailureKind::Quota, FailureKind::Capability] {
            assert_eq!(next(&Situation { alone: true, fall_over_after_charge: false, ..after(kind) }), Next::FallOver);
        }
    }
}
