//! How long a walk waits: for an answer, before it asks somebody else, and for a provider that asked for patience.

use std::time::Duration;

use domain::{failure::FailureKind, money::MicroUsd, price::USUAL_SIZE, request::Request};
use tokio::time::Instant;

use super::{Walk, millis};
use crate::{
    failure::Failure,
    health::Rest,
    job::{Job, Step},
};

/// An attempt hangs when it has taken this many times what 19 of 20 stay under.
const HANGING: u32 = 3;
/// Where the deadline leaves no time for that, it is given up after this many times the same.
const LATE: f64 = 1.5;
/// No attempt is taken for hanging sooner than this.
const LEAST_PATIENCE: Duration = Duration::from_secs(30);
/// What an attempt needs at least where nobody knows how long it takes.
const UNKNOWN_USUAL: Duration = Duration::from_secs(1);
/// Most that is added to a wait.
const MOST_JITTER: Duration = Duration::from_secs(1);

/// How much more than one usual picture is asked for: figures are of one, and several or large ones may take as much longer.
pub(super) fn load(request: &Request) -> u32 {
    let pixels = request.size.map_or(0, |size| size.pixels()).max(USUAL_SIZE.pixels());
    let pictures = u64::from(request.count.max(1));
    u32::try_from((pictures * pixels).div_ceil(USUAL_SIZE.pixels())).unwrap_or(u32::MAX)
}

impl Walk<'_> {
    /// Waits until the step's account may be asked, when it asked for patience, nobody else is left and there is time. Says
    /// whether it may.
    pub(super) async fn wait_for_account(&mut self, index: usize) -> bool {
        let step = &self.job.steps[index];
        let Some((rest, wait)) = step.cell.shut_for(self.dispatcher.health.now()) else { return true };
        let now = self.dispatcher.health.now();
        let is_sooner = |other: &Step| match other.cell.shut_for(now) {
            Some((_, later)) => later < wait && self.is_affordable(other) && !self.was_turned_away(other),
            None => self.is_possible(other),
        };
        if self.was_turned_away(step) || self.job.steps[index + 1..].iter().any(is_sooner) {
            return false;
        }
        // Not all who wait come back at once.
        let jitter = wait.mul_f64(0.1).min(MOST_JITTER);
        let needed = wait.saturating_add(jitter).saturating_add(step.p50_ms.map_or(UNKNOWN_USUAL, millis));
        if needed < self.time_left() && self.is_affordable(step) {
            let jitter = jitter.mul_f64(self.random.unit());
            tokio::time::sleep(wait + jitter).await;
            return true;
        }
        let kind = match rest {
            Rest::RateLimited | Rest::Overloaded => FailureKind::RateLimited,
            Rest::Credential => FailureKind::Credential,
            Rest::Quota => FailureKind::Quota,
        };
        if self.attempts.is_empty() && self.failure.is_none() {
            self.failure = Some(Failure::new(kind, "it asked for patience before, and has not had it yet"));
            self.retry_after = Some(wait);
        }
        false
    }

    /// When an attempt at the step is given up: at the job's deadline, or earlier when somebody else could serve and this
    /// one takes far longer than it ever does. Giving up may pay twice, so it comes early only where the deadline would
    /// leave the other no time.
    pub(super) fn patience(&self, index: usize) -> Instant {
        let Job { deadline, attempt_timeout, .. } = self.job;
        let step = &self.job.steps[index];
        let listed = step.candidate.tier().latency.map(|latency| latency.p95_ms);
        let usual = step.cell.usual_p95_ms(self.dispatcher.health.now(), listed);
        let usual = usual.map(|p95_ms| load(&self.job.request) * millis(p95_ms));
        let own = attempt_timeout.or(usual.map(|usual| (HANGING * usual).max(LEAST_PATIENCE)));
        let quickest = self.job.steps[index + 1..].iter().filter(|other| self.could_take_over(step, other));
        let (Some(own), Some(needed)) = (own, quickest.map(|other| other.p50_ms.map_or(Duration::ZERO, millis)).min())
        else {
            return deadline;
        };
        let left = self.time_left();
        let patience = if own + needed < left {
            own
        } else {
            let latest = left.saturating_sub(2 * needed);
            let is_late = usual.is_some_and(|usual| latest >= usual.mul_f64(LATE));
            if is_late { latest } else { left }
        };
        deadline.min(Instant::now() + patience)
    }

    /// Whether `other` could be asked after an attempt at `step` that may have been charged.
    fn could_take_over(&self, step: &Step, other: &Step) -> bool {
        let is_affordable = self.job.max_cost.is_none_or(|cap| {
            let upper = step.estimate.map_or(MicroUsd::ZERO, |estimate| estimate.upper);
            let spent = self.charge.amount().plus(upper);
            other.estimate.is_some_and(|estimate| spent.plus(estimate.upper) <= cap)
        });
        self.job.fall_over_after_charge && is_affordable && self.is_possible(other) && self.is_in_service(other)
    }
}
