//! What a delivered request is compared with.

use std::sync::Arc;

use domain::{
    baseline,
    candidate::CandidateId,
    record::{Comparison, Trace},
};

use crate::pipeline::Admitted;

/// What a delivered request was expected to cost, and what it would have cost at the model that the caller uses now: the
/// one that the caller named, or else the route's baseline.
///
/// Whoever named a model has it, so nothing is saved by serving it, at whichever tier: what it cost is its own baseline.
/// The same goes for a baseline that happens to serve. So an estimate that was off is never taken for a saving.
///
/// `priced_by` says whose price each considered candidate has, and `served` is an index into them.
pub(crate) fn of(admitted: &Admitted, trace: &Trace, priced_by: &[Option<Arc<str>>], served: u32) -> Comparison {
    let Admitted { snapshot, target, .. } = admitted;
    let decision = &trace.decision;
    let candidates = &snapshot.offering.candidates;
    let considered = &decision.considered[served as usize];
    let served_id = &candidates[considered.candidate as usize].id;
    let compared = if target.is_named() { Some(served_id) } else { target.route.baseline.as_ref() };
    let at = |id: &CandidateId| candidates.iter().position(|candidate| candidate.id == *id);
    let baseline_cost = match compared {
        Some(id) if id == served_id => trace.attempts.last().and_then(|attempt| attempt.charge.known()),
        Some(id) => at(id).and_then(|at| {
            // Every snapshot candidate is considered, in order.
            let estimate =
                decision.considered.get(at).filter(|row| row.candidate as usize == at).and_then(|row| row.cost);
            baseline::price(&candidates[at], &decision.request, estimate)
        }),
        None => None,
    };
    Comparison {
        cost_model: priced_by.get(served as usize).cloned().flatten(),
        estimate: considered.cost,
        baseline: compared.cloned(),
        baseline_cost,
    }
}
