//! From a request to the field a decision starts with: who is named, who can, who is well.

use domain::{
    breaker::{Millis, State},
    capability,
    catalogue::Date,
    decision::{Considered, Veto},
    plugin::Live,
    request::{Priority, Request},
};
use sandbox::Field;

use crate::snapshot::{Offering, Target};

/// The candidates for `request`, each with its veto or with its facts.
pub(crate) fn field<'a>(
    offering: &'a Offering,
    target: &Target,
    request: &Request,
    today: Date,
    now: Millis,
) -> Field<'a> {
    let prompt_chars = request.prompt.chars().count();
    let mut due = None;
    // The open breaker that is due first: the last resort when all are open.
    let mut first_due: Option<(Millis, u32)> = None;
    let mut anyone = false;
    let mut considered = Vec::with_capacity(offering.candidates.len());
    for (index, candidate) in offering.candidates.iter().enumerate() {
        let index = index as u32;
        let mut row = Considered::new(index);
        row.veto = if target.admits(candidate) {
            capability::veto(candidate, request, prompt_chars, today)
        } else {
            Some(Veto::NotNamed)
        };
        if row.veto.is_none() {
            let tier = candidate.tier();
            let view = offering.cells[index as usize].view(now);
            row.tariff = Some(
                tier.price
                    .as_ref()
                    .map(|price| price.tariff(request.size, candidate.provider.price_factor))
                    .unwrap_or_default(),
            );
            row.quality = tier.quality;
            row.latency = view.latency.or(tier.latency);
            row.live = view.live;
            match view.state {
                State::Open { until } => {
                    let wait_ms = u32::try_from(until.saturating_sub(now)).unwrap_or(u32::MAX);
                    row.veto = Some(Veto::Breaker { wait_ms });
                    if first_due.is_none_or(|(first, _)| until < first) {
                        first_due = Some((until, index));
                    }
                }
                State::HalfOpen { probing } => {
                    anyone = true;
                    // Recovery must not depend on a strategy's taste: its past is offered as unknown.
                    row.live = Live { half_open: true, in_flight: view.live.in_flight, ..Live::default() };
                    if !probing && due.is_none() && request.priority != Priority::Urgent {
                        due = Some(index);
                    }
                }
                State::Closed => anyone = true,
            }
        }
        considered.push(row);
    }
    let last_resort = first_due.filter(|_| !anyone).map(|(_, index)| index);
    if let Some(index) = last_resort {
        considered[index as usize].veto = None;
    }
    Field { candidates: &offering.candidates, considered, due, last_resort: last_resort.is_some() }
}
