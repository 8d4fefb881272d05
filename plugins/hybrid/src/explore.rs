//! Whom to try although another one has the better score.

use balance::Balance;
use muxel_sdk::{Candidate, Draws, Priority, Ranking, Request};

/// Attempts in the current window under which a candidate is little known.
const FEW: u32 = 20;

/// The chance that this request explores, if there is somebody worth trying. Who is in a hurry is no guinea pig; and
/// without a seed nothing is random.
pub(crate) fn chance(request: &Request, share: f64) -> f64 {
    if request.priority == Priority::Urgent || request.seed == 0 { 0.0 } else { share }
}

/// The place of the one that is put first when a request explores: of those that are little known and might, with luck,
/// reach the first one's score, the one that might reach the highest. It is the same whatever the seed.
///
/// Nobody while the first one is little known itself: until then every request teaches something anyway. Never one that
/// is half open (the host probes those), full, or without a price.
pub(crate) fn worth_trying(balance: &Balance<'_>, candidates: &[Candidate], ranking: &Ranking) -> Option<usize> {
    let first = ranking.order.first()?;
    if candidates[first.candidate as usize].samples < FEW {
        return None;
    }
    let mut best: Option<(usize, f32)> = None;
    for (place, ranked) in ranking.order.iter().enumerate().skip(1) {
        let candidate = &candidates[ranked.candidate as usize];
        let full = candidate.max_in_flight > 0 && candidate.in_flight >= candidate.max_in_flight;
        if candidate.samples >= FEW || candidate.half_open || full || candidate.cost.is_none() {
            continue;
        }
        let hope = balance.hoped_for(ranked.candidate as usize);
        if hope >= first.score && best.is_none_or(|(_, most)| hope > most) {
            best = Some((place, hope));
        }
    }
    best.map(|(place, _)| place)
}

/// Whether this request is one of those that explore.
pub(crate) fn draw(request: &Request, chance: f64) -> bool {
    Draws::new(request.seed, "hybrid explores").share() < chance
}
