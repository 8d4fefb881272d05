//! A plugin's own breaker: may it be asked about this input now?
//!
//! A plugin that keeps failing is put aside and tried again later, each time after a longer pause. It must not become a
//! weapon: whoever finds an input that crashes a plugin could otherwise take it from everybody. So there are two
//! measures. An input on which it failed again and again is blocked alone. The plugin as a whole rests only when at
//! least half of its recent calls failed, **and** half of the calls of all others than whoever saw most of the faults.
//!
//! ## What counts
//!
//! - A fault counts once. A call that the clock ended counts a tenth: the host may have been pre-empted, and a tenth of
//!   every call never makes a half.
//! - An abstention or a denial is an answer.
//! - What is this machine's trouble (no free sandbox) is not reported here at all.
//!
//! It owns no clock and performs no I/O: `now` is an argument.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;

use crate::breaker::Millis;

/// Calls that are remembered.
const WINDOW: usize = 64;
/// Fewest calls that say something.
const FEWEST: usize = 20;
/// Fewest after a rest, when it has to show that it is better.
const FEWEST_ON_PROBATION: usize = 6;
/// Calls that end the probation when fewer than half failed.
const PROBATION: usize = 20;
/// Fewest faults that others than the noisiest caller must have seen.
const FEWEST_OF_OTHERS: u32 = 2;
/// First rest, doubled each time.
const FIRST_REST_MS: Millis = 5_000;
const LONGEST_REST_MS: Millis = 600_000;
/// Faults on one input that block it.
const FAULTS_TO_BLOCK: u32 = 3;
/// First block of an input, doubled each time.
const FIRST_BLOCK_MS: Millis = 60_000;
const LONGEST_BLOCK_MS: Millis = 3_600_000;
/// Inputs that are remembered.
const INPUTS: usize = 1_024;
/// What a clock-ended call counts, in tenths of a fault.
const CLOCK: u32 = 1;
const FAULT: u32 = 10;

/// How a call ended, as far as its plugin is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Well,
    Fault,
    /// The clock ended it.
    Clock,
}

/// Whether a plugin may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Admission {
    Ask,
    /// The plugin rests.
    Quarantined {
        until: Millis,
    },
    /// It failed on this very input.
    InputBlocked {
        until: Millis,
    },
}

/// As people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Serving,
    Quarantined {
        until: Millis,
    },
    /// Back after a rest, and watched.
    Probation,
}

/// One call in the window.
#[derive(Clone, Copy, Debug)]
struct Call {
    /// Whose: a tenant, a key, a fixture.
    source: u64,
    /// In tenths of a fault.
    weight: u32,
}

#[derive(Clone, Copy, Debug)]
struct Input {
    faults: u32,
    blocks: u32,
    until: Millis,
}

/// One plugin's breaker.
#[derive(Clone, Debug, Default)]
pub struct Quarantine {
    window: VecDeque<Call>,
    inputs: HashMap<u64, Input>,
    /// Times in a row that it was put aside without a good probation between.
    rests: u32,
    until: Option<Millis>,
    /// Calls since the last rest; `None` when it is over.
    probation: Option<usize>,
}

impl Quarantine {
    #[must_use]
    pub fn state(&self, now: Millis) -> State {
        match self.until {
            Some(until) if now < until => State::Quarantined { until },
            _ if self.until.is_some() || self.probation.is_some() => State::Probation,
            _ => State::Serving,
        }
    }

    /// Whether it has ever failed on anything that is remembered: when not, no input needs to be looked up.
    #[must_use]
    pub fn has_blocked_inputs(&self) -> bool {
        !self.inputs.is_empty()
    }

    /// Times it was put aside since its last good probation.
    #[must_use]
    pub fn rests(&self) -> u32 {
        self.rests
    }

    /// May it be asked about `input` now?
    #[must_use]
    pub fn admission(&self, now: Millis, input: u64) -> Admission {
        if let State::Quarantined { until } = self.state(now) {
            return Admission::Quarantined { until };
        }
        match self.inputs.get(&input) {
            Some(known) if known.faults >= FAULTS_TO_BLOCK && now < known.until => {
                Admission::InputBlocked { until: known.until }
            }
            _ => Admission::Ask,
        }
    }

    /// Notes how a call ended. Returns whether the plugin is put aside from now on.
    pub fn note(&mut self, now: Millis, source: u64, input: u64, ended: Ended) -> bool {
        // Calls that were out when it was put aside say nothing new.
        if matches!(self.state(now), State::Quarantined { .. }) {
            return false;
        }
        if self.until.take().is_some() {
            self.window.clear();
            self.probation = Some(0);
        }
        let weight = match ended {
            Ended::Well => 0,
            Ended::Fault => FAULT,
            Ended::Clock => CLOCK,
        };
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(Call { source, weight });
        match ended {
            Ended::Well => {
                if !self.inputs.is_empty() {
                    self.inputs.remove(&input);
                }
            }
            Ended::Fault => self.blame(now, input),
            Ended::Clock => {}
        }
        if ended == Ended::Fault && self.is_bad() {
            let rest = FIRST_REST_MS.saturating_mul(1 << self.rests.min(10)).min(LONGEST_REST_MS);
            self.rests = self.rests.saturating_add(1);
            self.until = Some(now.saturating_add(rest));
            self.probation = None;
            return true;
        }
        if let Some(calls) = &mut self.probation {
            *calls += 1;
            if *calls >= PROBATION {
                self.probation = None;
                self.rests = 0;
            }
        }
        false
    }

    fn blame(&mut self, now: Millis, input: u64) {
        if self.inputs.len() >= INPUTS && !self.inputs.contains_key(&input) {
            // The one whose block ends first has the least to lose.
            let first = self.inputs.iter().min_by_key(|(_, known)| known.until).map(|(input, _)| *input);
            first.map(|input| self.inputs.remove(&input));
        }
        let known = self.inputs.entry(input).or_insert(Input { faults: 0, blocks: 0, until: now });
        known.faults = known.faults.saturating_add(1);
        if known.faults >= FAULTS_TO_BLOCK {
            let block = FIRST_BLOCK_MS.saturating_mul(1 << known.blocks.min(10)).min(LONGEST_BLOCK_MS);
            known.blocks = known.blocks.saturating_add(1);
            known.until = now.saturating_add(block);
        }
    }

    /// At least half of the calls failed, and half of those of everyone but the source with most faults.
    fn is_bad(&self) -> bool {
        let fewest = if self.probation.is_some() { FEWEST_ON_PROBATION } else { FEWEST };
        if self.window.len() < fewest || !half(self.window.iter()) {
            return false;
        }
        let mut by_source: HashMap<u64, u32> = HashMap::new();
        for call in &self.window {
            *by_source.entry(call.source).or_default() += call.weight;
        }
        let noisiest = by_source.iter().max_by_key(|(source, weight)| (**weight, **source)).map(|(source, _)| *source);
        let others = || self.window.iter().filter(|call| Some(call.source) != noisiest);
        others().map(|call| call.weight).sum::<u32>() >= FEWEST_OF_OTHERS * FAULT && half(others())
    }
}

fn half<'a>(calls: impl Iterator<Item = &'a Call>) -> bool {
    let (mut count, mut weight) = (0, 0);
    for call in calls {
        count += FAULT;
        weight += call.weight;
    }
    count > 0 && weight * 2 >= count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: u64 = 1;
    const B: u64 = 2;

    /// Fails once for each of `calls` inputs that nobody has used before; returns whether it was put aside.
    fn fail(quarantine: &mut Quarantine, now: Millis, source: u64, calls: u64) -> bool {
        (0..calls).any(|call| quarantine.note(now, source, (source << 32) + now * 1_000 + call, Ended::Fault))
    }

    fn bad() -> Quarantine {
        let mut quarantine = Quarantine::default();
        assert!(!fail(&mut quarantine, 0, A, 12));
        assert!(fail(&mut quarantine, 0, B, 12));
        quarantine
    }

    #[test]
    fn a_plugin_that_fails_for_everybody_rests_and_comes_back() {
        let mut quarantine = bad();
        assert_eq!(quarantine.admission(1, 7), Admission::Quarantined { until: FIRST_REST_MS });
        assert_eq!(quarantine.admission(FIRST_REST_MS, 7), Admission::Ask);
        assert_eq!(quarantine.state(FIRST_REST_MS), State::Probation);
        for call in 0..PROBATION {
            assert!(!quarantine.note(FIRST_REST_MS, A, call as u64, Ended::Well));
        }
        assert_eq!((quarantine.state(FIRST_REST_MS), quarantine.rests()), (State::Serving, 0));
    }

    #[test]
    fn who_fails_again_rests_longer_each_time() {
        let mut quarantine = bad();
        let mut now = FIRST_REST_MS;
        for rest in [10_000, 20_000, 40_000] {
            fail(&mut quarantine, now, A, 4);
            assert!(fail(&mut quarantine, now, B, 4));
            assert_eq!(quarantine.state(now), State::Quarantined { until: now + rest });
            now += rest;
        }
    }

    #[test]
    fn one_callers_prompts_take_a_plugin_from_nobody_else() {
        let mut quarantine = Quarantine::default();
        assert!(!fail(&mut quarantine, 0, A, 1_000));
        assert!(!quarantine.note(0, B, 1, Ended::Fault), "one accident of another is not enough");
        assert_eq!(quarantine.admission(0, 2), Admission::Ask);
    }

    #[test]
    fn an_input_that_fails_again_and_again_is_blocked_alone() {
        let mut quarantine = Quarantine::default();
        for _ in 0..FAULTS_TO_BLOCK {
            assert_eq!(quarantine.admission(0, 5), Admission::Ask);
            quarantine.note(0, A, 5, Ended::Fault);
        }
        assert_eq!(quarantine.admission(0, 5), Admission::InputBlocked { until: FIRST_BLOCK_MS });
        assert_eq!(quarantine.admission(0, 6), Admission::Ask);
        assert_eq!(quarantine.admission(FIRST_BLOCK_MS, 5), Admission::Ask, "it gets another chance");
        quarantine.note(FIRST_BLOCK_MS, A, 5, Ended::Fault);
        let until = FIRST_BLOCK_MS + 2 * FIRST_BLOCK_MS;
        assert_eq!(quarantine.admission(FIRST_BLOCK_MS, 5), Admission::InputBlocked { until });
        quarantine.note(until, A, 5, Ended::Well);
        assert_eq!(quarantine.admission(until, 5), Admission::Ask);
    }

    #[test]
    fn the_clock_alone_puts_nobody_aside() {
        let mut quarantine = Quarantine::default();
        for call in 0..1_000 {
            assert!(!quarantine.note(0, call % 9, call, Ended::Clock));
        }
        assert_eq!(quarantine.state(0), State::Serving);
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_a_rest_is_never_longer_than_its_limit(
            calls in prop::collection::vec((0u64..4, 0u64..5_000, 0u8..3, 0u64..100_000), 0..2_000),
        ) {
            let mut quarantine = Quarantine::default();
            let mut now = 0;
            for (source, input, ended, wait) in calls {
                now += wait;
                let ended = [Ended::Well, Ended::Fault, Ended::Clock][usize::from(ended)];
                quarantine.note(now, source, input, ended);
                prop_assert!(quarantine.window.len() <= WINDOW && quarantine.inputs.len() <= INPUTS);
                if let State::Quarantined { until } = quarantine.state(now) {
                    prop_assert!(until > now && until - now <= LONGEST_REST_MS);
                }
            }
        }

        #[test]
        fn a_plugin_that_fails_for_one_source_only_is_never_put_aside(
            calls in prop::collection::vec((0u64..4, any::<u64>()), 0..500),
        ) {
            let mut quarantine = Quarantine::default();
            for (source, input) in calls {
                let ended = if source == 0 { Ended::Fault } else { Ended::Well };
                prop_assert!(!quarantine.note(0, source, input, ended));
            }
        }
    }
}
