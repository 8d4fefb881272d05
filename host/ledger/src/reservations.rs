//! Money that is out: what attempts under way may cost, and what those of unfinished requests have cost already.
//!
//! An attempt reserves its upper price when it goes out and is settled to its charge when it comes back. The request's
//! record takes over everything that is left of it: from then on the database knows. A request that never gets a record,
//! because its task panicked, gives its [`Slot`](crate::Slot) back, and that clears it, too. So nothing leaks, and
//! nothing survives a restart: what was out then is in the `interrupted` record of its request.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    attempt::{Attempt, AttemptStarted, Charge, DecisionId},
    candidate::CandidateId,
    money::MicroUsd,
};
use serde::Serialize;

/// Money that is out at one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reserved {
    pub provider: String,
    /// Attempts under way.
    pub attempts: u32,
    /// Those of them whose price nobody knows.
    pub unpriced: u32,
    /// The upper prices of the others.
    pub reserved_usd_micros: u64,
    /// What attempts cost that have ended, of requests without a record yet.
    pub settled_usd_micros: u64,
}

/// The attempts of all requests that have no record yet.
pub(crate) struct Reservations {
    open: Mutex<HashMap<DecisionId, Vec<Entry>>>,
    /// Most requests that are kept: as many as there are slots.
    most: usize,
}

struct Entry {
    number: u32,
    candidate: CandidateId,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Out { upper: Option<MicroUsd> },
    Settled(Charge),
}

impl Reservations {
    pub(crate) fn new(most: usize) -> Self {
        Self { open: Mutex::default(), most }
    }

    /// Reserves what an attempt may cost. Once, however often it is said.
    pub(crate) fn reserve(&self, attempt: &AttemptStarted) {
        self.put(attempt.decision, attempt.number, &attempt.candidate, State::Out { upper: attempt.upper });
    }

    /// Settles an attempt to its charge. Once, however often it is said.
    pub(crate) fn settle(&self, decision: DecisionId, attempt: &Attempt) {
        self.put(decision, attempt.number, &attempt.candidate, State::Settled(attempt.charge));
    }

    /// Forgets a request: its record has everything, or it will never have one.
    pub(crate) fn clear(&self, decision: DecisionId) {
        self.open().remove(&decision);
    }

    /// What is out now, by provider.
    pub(crate) fn now(&self) -> Vec<Reserved> {
        let mut providers: BTreeMap<String, Reserved> = BTreeMap::new();
        for entry in self.open().values().flatten() {
            let provider = entry.candidate.as_str().split('/').next().unwrap_or_default();
            let of = providers.entry(provider.to_owned()).or_default();
            let add = |sum: &mut u64, amount: MicroUsd| *sum = sum.saturating_add(amount.0);
            match entry.state {
                State::Out { upper } => {
                    of.attempts += 1;
                    match upper {
                        Some(upper) => add(&mut of.reserved_usd_micros, upper),
                        None => of.unpriced += 1,
                    }
                }
                State::Settled(charge) => add(&mut of.settled_usd_micros, charge.amount()),
            }
        }
        providers.into_iter().map(|(provider, reserved)| Reserved { provider, ..reserved }).collect()
    }

    fn put(&self, decision: DecisionId, number: u32, candidate: &CandidateId, state: State) {
        let mut open = self.open();
        if open.len() >= self.most && !open.contains_key(&decision) {
            return;
        }
        let entries = open.entry(decision).or_default();
        match entries.iter_mut().find(|entry| entry.number == number) {
            // What has come back does not go out again.
            Some(entry) => {
                if matches!(entry.state, State::Out { .. }) {
                    entry.state = state;
                }
            }
            None => entries.push(Entry { number, candidate: candidate.clone(), state }),
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<DecisionId, Vec<Entry>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::attempt::AttemptEnd;
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    fn started(request: u64, number: u32, upper: u64) -> AttemptStarted {
        AttemptStarted { number, ..sample::started(request, Some(upper)) }
    }

    fn ended(number: u32, charge: u64) -> Attempt {
        sample::attempt(number, AttemptEnd::Delivered { pictures: 1 }, Charge::Reported(MicroUsd(charge)))
    }

    #[test]
    fn an_attempt_reserves_its_upper_price_and_settles_to_its_charge() {
        let reservations = Reservations::new(10);
        reservations.reserve(&started(1, 1, 50));
        reservations.reserve(&started(1, 1, 50));
        reservations.reserve(&AttemptStarted { upper: None, ..started(2, 1, 0) });
        let reserved = Reserved { provider: "openai".to_owned(), attempts: 2, unpriced: 1, ..Reserved::default() };
        assert_eq!(reservations.now(), [Reserved { reserved_usd_micros: 50, ..reserved.clone() }]);
        reservations.settle(sample::id(1), &ended(1, 30));
        reservations.settle(sample::id(1), &ended(1, 30));
        reservations.reserve(&started(1, 1, 50));
        assert_eq!(reservations.now(), [Reserved { attempts: 1, settled_usd_micros: 30, ..reserved }]);
        reservations.clear(sample::id(1));
        reservations.clear(sample::id(2));
        assert_eq!(reservations.now(), []);
    }

    #[test]
    fn no_more_requests_are_kept_than_there_are_slots() {
        let reservations = Reservations::new(2);
        for request in 0..5 {
            reservations.reserve(&started(request, 1, 1));
        }
        assert_eq!(reservations.now()[0].attempts, 2);
    }

    proptest! {
        /// In whatever order and however often things are said: what is out is what was said to go out and not to come
        /// back, and of a request that has its record nothing is left.
        #[test]
        fn nothing_leaks(said in prop::collection::vec((0..4u64, 1..4u32, 0..3u8, 0..1_000u64), 0..60)) {
            let reservations = Reservations::new(10);
            let mut model: BTreeMap<(u64, u32), (bool, u64)> = BTreeMap::new();
            for (request, number, what, micros) in said {
                match what {
                    0 => {
                        reservations.reserve(&started(request, number, micros));
                        let known = model.entry((request, number)).or_insert((true, micros));
                        if known.0 { known.1 = micros; }
                    }
                    1 => {
                        reservations.settle(sample::id(request), &ended(number, micros));
                        let known = model.entry((request, number)).or_insert((false, micros));
                        if known.0 { *known = (false, micros); }
                    }
                    _ => {
                        reservations.clear(sample::id(request));
                        model.retain(|(known, _), _| *known != request);
                    }
                }
                let sum = |out| model.values().filter(|entry| entry.0 == out).map(|entry| entry.1).sum::<u64>();
                let now = reservations.now();
                prop_assert_eq!(now.iter().map(|of| of.reserved_usd_micros).sum::<u64>(), sum(true));
                prop_assert_eq!(now.iter().map(|of| of.settled_usd_micros).sum::<u64>(), sum(false));
            }
            (0..4).for_each(|request| reservations.clear(sample::id(request)));
            prop_assert!(reservations.open().is_empty());
        }
    }
}
