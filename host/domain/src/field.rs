//! From a request to the field a decision starts with: who is named, who can, who is well.

use std::sync::Arc;

use crate::{
    breaker::{Millis, State},
    candidate::Candidate,
    capability,
    catalogue::{Date, Latency},
    decision::{Considered, Veto},
    plugin::Live,
    request::{Priority, Request},
};

/// A candidate's health at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// `Open` also while the provider's whole account is shut.
    pub state: State,
    pub live: Live,
    /// Measured, once there are enough deliveries.
    pub latency: Option<Latency>,
    /// The provider asked for patience, or takes none of the keys: calling it all the same would be bad manners.
    pub shut: bool,
}

/// The candidates of one request before any plugin was asked.
#[derive(Debug)]
pub struct Field<'a> {
    pub candidates: &'a [Arc<Candidate>],
    /// Each with its veto, or with its tariff, quality, latency and live facts.
    pub considered: Vec<Considered>,
    /// Index into `considered` of a candidate whose breaker waits for a probe.
    pub due: Option<u32>,
    /// Every breaker was open, and one candidate is offered all the same.
    pub last_resort: bool,
}

impl<'a> Field<'a> {
    /// The candidates for `request`, each with its veto or with its facts. `admits` says whom caller and route allow, and
    /// `view` how the candidate of an index is doing.
    #[must_use]
    pub fn new(
        candidates: &'a [Arc<Candidate>],
        request: &Request,
        today: Date,
        now: Millis,
        admits: impl Fn(&Candidate) -> bool,
        view: impl Fn(usize) -> View,
    ) -> Self {
        let prompt_chars = request.prompt.chars().count();
        let mut due = None;
        // The open breaker that is due first: the last resort when all are open. Who is shut will not be called.
        let mut first_due: Option<(bool, Millis, u32)> = None;
        let mut anyone = false;
        let mut considered = Vec::with_capacity(candidates.len());
        for (place, candidate) in candidates.iter().enumerate() {
            let index = place as u32;
            let mut row = Considered::new(index);
            row.veto = if admits(candidate) {
                capability::veto(candidate, request, prompt_chars, today)
            } else {
                Some(Veto::NotNamed)
            };
            if row.veto.is_none() {
                let tier = candidate.tier();
                let view = view(place);
                let tariff =
                    tier.price.as_ref().map(|price| price.tariff(request.size, candidate.provider.price_factor));
                row.tariff = Some(tariff.unwrap_or_default());
                row.quality = tier.quality;
                row.latency = view.latency.or(tier.latency);
                row.live = view.live;
                match view.state {
                    State::Open { until } => {
                        let wait_ms = u32::try_from(until.saturating_sub(now)).unwrap_or(u32::MAX);
                        row.veto = Some(Veto::Breaker { wait_ms });
                        if first_due.is_none_or(|(shut, first, _)| (view.shut, until) < (shut, first)) {
                            first_due = Some((view.shut, until, index));
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
        let last_resort = first_due.filter(|_| !anyone).map(|(.., index)| index);
        if let Some(index) = last_resort {
            considered[index as usize].veto = None;
        }
        Self { candidates, considered, due, last_resort: last_resort.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::Catalogue,
        money::PriceFactor,
        provider::{DialectName, Provider},
    };

    fn candidates() -> Vec<Arc<Candidate>> {
        let provider = Arc::new(Provider {
            name: "openai".to_owned(),
            dialect: DialectName::Simulated,
            tags: Vec::new(),
            price_factor: PriceFactor::ONE,
            weight: 1.0,
            max_in_flight: 0,
        });
        let catalogue = Catalogue::embedded();
        let model = &catalogue.vendor("openai")[0];
        let all: Vec<Arc<Candidate>> = Candidate::all(&provider, model).take(3).map(Arc::new).collect();
        assert_eq!(all.len(), 3, "three tiers");
        all
    }

    fn field<'a>(candidates: &'a [Arc<Candidate>], states: [State; 3], priority: Priority) -> Field<'a> {
        let request = Request { priority, ..Request::for_prompt("a fox") };
        let live = Live { samples: 9, success: 0.1, in_flight: 2, half_open: false };
        let view = |index: usize| View { state: states[index], live, latency: None, shut: false };
        Field::new(candidates, &request, Date::of_unix_ms(1_795_478_400_000), 1_000, |_| true, view)
    }

    #[test]
    fn the_past_of_a_half_open_candidate_is_unknown_and_its_probe_is_due() {
        let candidates = candidates();
        let states = [State::Closed, State::HalfOpen { probing: true }, State::HalfOpen { probing: false }];
        let normal = field(&candidates, states, Priority::Normal);
        assert_eq!(normal.due, Some(2));
        assert_eq!(normal.considered[2].live, Live { half_open: true, in_flight: 2, ..Live::default() });
        assert_eq!(normal.considered[0].live.samples, 9);
        assert_eq!(field(&candidates, states, Priority::Urgent).due, None);
    }

    #[test]
    fn the_breaker_that_is_due_first_is_the_last_resort() {
        let candidates = candidates();
        let open = |until| State::Open { until };
        let all_open = field(&candidates, [open(4_000), open(2_000), open(3_000)], Priority::Normal);
        assert!(all_open.last_resort);
        let vetoes: Vec<_> = all_open.considered.iter().map(|row| row.veto).collect();
        let waits = |wait_ms| Some(Veto::Breaker { wait_ms });
        assert_eq!(vetoes, [waits(3_000), None, waits(2_000)]);
        let one_probing =
            field(&candidates, [open(4_000), State::HalfOpen { probing: true }, open(3_000)], Priority::Low);
        assert!(!one_probing.last_resort);
    }

    #[test]
    fn who_asked_for_patience_is_the_last_resort_only_of_others_like_it() {
        let candidates = candidates();
        let request = Request::for_prompt("a fox");
        let resort = |shut: [bool; 3]| {
            let view = |index: usize| View {
                state: State::Open { until: 2_000 + index as u64 },
                live: Live::default(),
                latency: None,
                shut: shut[index],
            };
            let field = Field::new(&candidates, &request, Date::of_unix_ms(0), 1_000, |_| true, view);
            field.considered.iter().position(|row| row.veto.is_none())
        };
        assert_eq!(resort([true, true, false]), Some(2));
        assert_eq!(resort([true, true, true]), Some(0));
    }

    #[test]
    fn whom_nobody_named_is_not_looked_at() {
        let candidates = candidates();
        let request = Request::for_prompt("a fox");
        let unseen = |_: usize| -> View { panic!("looked at") };
        let field = Field::new(&candidates, &request, Date::of_unix_ms(0), 0, |_| false, unseen);
        assert!(field.considered.iter().all(|row| row.veto == Some(Veto::NotNamed)));
        assert!(!field.last_resort);
    }
}
