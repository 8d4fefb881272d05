//! A provider's account, as far as it concerns all its candidates at once: its keys, and how long each is left alone.
//!
//! An account is shut while all its keys are. Which key an attempt uses is settled when it begins: the least busy one
//! that is not resting.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use domain::breaker::{FIRST_PAUSE_MS, MAX_PAUSE_MS, Millis};
use serde::Serialize;

/// How long a key that was refused, or that has no money, is left alone.
pub(super) const SHUT_MS: Millis = 300_000;

/// No key is paused for longer than this on its provider's word.
const LONGEST_PAUSE_MS: Millis = 3_600_000;

#[derive(Debug)]
pub(crate) struct Account {
    keys: Mutex<Vec<Key>>,
    /// Until when every key rests; in the past when one does not. Read far more often than anything changes.
    until: AtomicU64,
    /// How often its keys or address have changed: what is said of earlier ones says nothing about these.
    generation: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Key {
    until: Millis,
    rest: Option<Rest>,
    in_flight: u32,
    /// Pauses without a delivery between.
    pauses: u32,
}

/// Why a key is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rest {
    RateLimited,
    /// A server error came with the wish to be left alone for a while.
    Overloaded,
    Credential,
    Quota,
}

/// One key at one moment, by its place in the configuration. Never the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyView {
    pub in_flight: u32,
    /// Why it is left alone, and until when.
    pub resting: Option<(Rest, Millis)>,
}

impl Default for Account {
    fn default() -> Self {
        Self { keys: Mutex::new(vec![Key::default()]), until: AtomicU64::new(0), generation: AtomicU64::new(0) }
    }
}

impl Account {
    /// It has so many keys now; one that asks for none counts as one.
    pub(super) fn set_keys(&self, count: usize) {
        let mut keys = self.lock();
        keys.resize(count.max(1), Key::default());
        self.keep(&keys);
    }

    pub(super) fn key_count(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn keys(&self, now: Millis) -> Vec<KeyView> {
        let resting = |key: &Key| key.rest.filter(|_| key.until > now).map(|rest| (rest, key.until));
        self.lock().iter().map(|key| KeyView { in_flight: key.in_flight, resting: resting(key) }).collect()
    }

    /// The key for an attempt that begins: the least busy that does not rest, else the one whose rest ends first.
    pub(super) fn lease(&self, now: Millis) -> usize {
        let mut keys = self.lock();
        let rank = |key: &Key| (key.until.saturating_sub(now), key.in_flight);
        let chosen = keys.iter().enumerate().min_by_key(|(_, key)| rank(key)).map_or(0, |(index, _)| index);
        if let Some(key) = keys.get_mut(chosen) {
            key.in_flight += 1;
        }
        chosen
    }

    pub(super) fn give_back(&self, key: usize) {
        if let Some(key) = self.lock().get_mut(key) {
            key.in_flight = key.in_flight.saturating_sub(1);
        }
    }

    /// The key was refused, or there is no money left.
    pub(super) fn shut(&self, now: Millis, key: usize, rest: Rest) {
        self.rest(key, now.saturating_add(SHUT_MS), rest);
    }

    /// The provider asked for a pause; when it did not say how long, each is twice the last. `jitter` is 0 to 1.
    pub(super) fn pause(&self, now: Millis, key: usize, retry_after: Option<Millis>, jitter: f64) {
        let pauses = self.lock().get_mut(key).map_or(0, |key| {
            key.pauses = key.pauses.saturating_add(1);
            key.pauses - 1
        });
        let own = FIRST_PAUSE_MS.saturating_mul(1 << pauses.min(10)).min(MAX_PAUSE_MS) as f64;
        let own = (own * (1.0 - 0.2 * jitter.clamp(0.0, 1.0))) as Millis;
        let pause = retry_after.unwrap_or(own).min(LONGEST_PAUSE_MS);
        self.rest(key, now.saturating_add(pause), Rest::RateLimited);
    }

    /// The provider has trouble and says for how long.
    pub(super) fn leave_alone(&self, now: Millis, key: usize, wait: Millis) {
        self.rest(key, now.saturating_add(wait.min(LONGEST_PAUSE_MS)), Rest::Overloaded);
    }

    pub(super) fn delivered(&self, key: usize) {
        if let Some(key) = self.lock().get_mut(key) {
            key.pauses = 0;
        }
    }

    /// Why nobody may be asked with any key, and until when: what the key says that is free first.
    pub(super) fn resting(&self, now: Millis) -> Option<(Rest, Millis)> {
        self.shut_until(now)?;
        self.keys(now).into_iter().map(|key| key.resting).min_by_key(|resting| resting.map(|(_, until)| until))?
    }

    /// Until when nobody may be asked with any key.
    pub(super) fn shut_until(&self, now: Millis) -> Option<Millis> {
        Some(self.until.load(Ordering::Relaxed)).filter(|until| *until > now)
    }

    pub(super) fn reset(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
        let mut keys = self.lock();
        for key in &mut *keys {
            *key = Key { in_flight: key.in_flight, ..Key::default() };
        }
        self.keep(&keys);
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    fn rest(&self, key: usize, until: Millis, rest: Rest) {
        let mut keys = self.lock();
        if let Some(key) = keys.get_mut(key).filter(|key| key.until < until) {
            key.until = until;
            key.rest = Some(rest);
        }
        self.keep(&keys);
    }

    fn keep(&self, keys: &[Key]) {
        let first = keys.iter().map(|key| key.until).min().unwrap_or(0);
        self.until.store(first, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Key>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
