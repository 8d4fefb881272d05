//! How a plugin behaves in service: what its calls took, how they ended, what it said, and whether it may be asked.
//!
//! One lock for each plugin, held for some tens of nanoseconds after each call. Whether it may be asked is usually known
//! without the lock: a plugin that never failed is not in trouble.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{
        LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use domain::{
    breaker::Millis,
    plugin::{CallEnd, PluginCall, Role},
    quarantine::{Admission, Ended, Quarantine, State},
};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{fault::acts, plugin::Subject};

/// Most of a plugin's log that is kept, in bytes.
const LOG: usize = 64 << 10;
/// Calls that say how slow a plugin usually is.
const ENOUGH_CALLS: u64 = 200;
/// Slower than this, half of the time, is too slow for a request's own thread.
const SLOW_MICROS: u64 = 1_000;

/// Milliseconds on this program's monotonic clock.
pub(crate) fn now() -> Millis {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed().as_millis() as Millis
}

#[derive(Debug)]
pub(crate) struct Conduct {
    /// Whether the quarantine has anything against any call.
    troubled: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    calls: u64,
    faults: u64,
    fuel: Histogram<u64>,
    micros: Histogram<u64>,
    memory_peak: u64,
    last_fault: Option<LastFault>,
    quarantines: u64,
    quarantine: Quarantine,
    log: VecDeque<u8>,
}

/// The latest call that counted against a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastFault {
    pub code: String,
    pub detail: String,
    /// Milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
}

/// What a plugin's calls took since it was loaded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Usage {
    pub calls: u64,
    pub faults: u64,
    pub fuel_p50: u64,
    pub fuel_p99: u64,
    pub us_p50: u64,
    pub us_p99: u64,
    pub memory_peak_bytes: u64,
    /// Times it was put aside.
    pub quarantines: u64,
    pub last_fault: Option<LastFault>,
}

impl Conduct {
    pub(crate) fn new() -> Self {
        // Two significant digits: a histogram takes some 20 KiB. What is above its range counts as its end.
        let upto = |most| {
            let mut histogram = Histogram::new_with_bounds(1, most, 2).expect("the bounds are constants that fit");
            histogram.auto(false);
            histogram
        };
        Self {
            troubled: AtomicBool::new(false),
            inner: Mutex::new(Inner {
                calls: 0,
                faults: 0,
                fuel: upto(1_000_000_000),
                micros: upto(10_000_000),
                memory_peak: 0,
                last_fault: None,
                quarantines: 0,
                quarantine: Quarantine::default(),
                log: VecDeque::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// May the plugin be asked about this?
    pub(crate) fn admission(&self, role: Role, subject: &Subject<'_>) -> Admission {
        if !self.troubled.load(Ordering::Relaxed) {
            return Admission::Ask;
        }
        self.lock().quarantine.admission(now(), input(role, subject))
    }

    pub(crate) fn state(&self) -> State {
        self.lock().quarantine.state(now())
    }

    /// Notes a call for a caller. Returns whether the plugin is put aside from now on.
    pub(crate) fn note(&self, call: &PluginCall, subject: &Subject<'_>, source: u64) -> bool {
        let ended = match &call.ended {
            CallEnd::Faulted { code, .. } => match code.as_ref() {
                "pool-exhausted" => None,
                "deadline" => Some(Ended::Clock),
                _ => Some(Ended::Fault),
            },
            _ => Some(Ended::Well),
        };
        let mut inner = self.lock();
        inner.calls += 1;
        inner.fuel.saturating_record(call.fuel.max(1));
        inner.micros.saturating_record(u64::from(call.micros).max(1));
        inner.memory_peak = inner.memory_peak.max(call.memory);
        if let CallEnd::Faulted { code, detail, .. } = &call.ended {
            inner.faults += 1;
            inner.last_fault =
                Some(LastFault { code: code.to_string(), detail: detail.clone(), at_ms: subject.moment.now_ms });
        }
        let Some(ended) = ended else { return false };
        // The input matters only where something failed.
        let matters = ended == Ended::Fault || inner.quarantine.has_blocked_inputs();
        let input = if matters { input(call.role, subject) } else { 0 };
        let put_aside = inner.quarantine.note(now(), source_of(source, subject), input, ended);
        inner.quarantines += u64::from(put_aside);
        let troubled = inner.quarantine.has_blocked_inputs() || inner.quarantine.rests() > 0;
        self.troubled.store(troubled, Ordering::Relaxed);
        put_aside
    }

    /// Keeps what a call wrote to its standard output and error, the latest of it.
    pub(crate) fn log(&self, said: &[u8]) {
        if said.is_empty() {
            return;
        }
        let mut inner = self.lock();
        inner.log.extend(said);
        if said.last() != Some(&b'\n') {
            inner.log.push_back(b'\n');
        }
        let beyond = inner.log.len().saturating_sub(LOG);
        inner.log.drain(..beyond);
    }

    /// The log as text, with everything escaped that could drive a terminal.
    pub(crate) fn read_log(&self) -> String {
        let bytes: Vec<u8> = self.lock().log.iter().copied().collect();
        let escape = |character: char| match character {
            '\n' | '\t' => character.to_string(),
            harmful if acts(harmful) => harmful.escape_default().to_string(),
            plain => plain.to_string(),
        };
        String::from_utf8_lossy(&bytes).chars().map(escape).collect()
    }

    pub(crate) fn usage(&self) -> Usage {
        let inner = self.lock();
        let of = |histogram: &Histogram<u64>, quantile| {
            if histogram.is_empty() { 0 } else { histogram.value_at_quantile(quantile) }
        };
        Usage {
            calls: inner.calls,
            faults: inner.faults,
            fuel_p50: of(&inner.fuel, 0.5),
            fuel_p99: of(&inner.fuel, 0.99),
            us_p50: of(&inner.micros, 0.5),
            us_p99: of(&inner.micros, 0.99),
            memory_peak_bytes: inner.memory_peak,
            quarantines: inner.quarantines,
            last_fault: inner.last_fault.clone(),
        }
    }

    /// Whether half of its calls take longer than a request's own thread has time for.
    pub(crate) fn is_slow(&self) -> bool {
        let inner = self.lock();
        inner.micros.len() >= ENOUGH_CALLS && inner.micros.value_at_quantile(0.5) > SLOW_MICROS
    }
}

/// What the plugin was asked about, as far as a caller can choose it.
fn input(role: Role, subject: &Subject<'_>) -> u64 {
    let request = subject.request;
    let mut hasher = DefaultHasher::new();
    (role, request.plugin_prompt().0, request.size, request.count, request.quality.ladder()).hash(&mut hasher);
    hasher.finish()
}

/// Whose call it is. Where nobody is known by name there is nobody to be protected from another: each input counts as a
/// source of its own.
fn source_of(source: u64, subject: &Subject<'_>) -> u64 {
    if source == 0 { input(Role::Strategy, subject) } else { source }
}
