//! The one writer: a bounded queue, and a task that empties it into large transactions.
//!
//! ## Bounds
//!
//! A request reserves a [`Slot`] before it gets an id; recording later cannot block or fail for want of room. The slot is
//! free again when the record is on disk, so a disk that does not keep up shows as [`QueueFull`] at admission, never as
//! a lost record. Attempt events have no slot of their own, because a journal must not block: up to
//! [`ATTEMPTS_PER_SLOT`] for each slot wait in the queue, and beyond that they are dropped and counted. What is lost then
//! is only what a crash could be settled with: the record carries every attempt itself.
//!
//! ## When the database refuses
//!
//! A full disk or a foreign lock ends no request: the batch is kept and tried again, more and more slowly, up to
//! a second, and [`Status::last_error`] says why.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    attempt::{Attempt, AttemptStarted, DecisionId},
    record::Record,
};
use serde::Serialize;
use tokio::{
    sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    database::Store,
    error::Unwritten,
    reservations::{Reservations, Reserved},
    settings::LedgerSettings,
};

mod batch;
mod insert;
mod known;
mod task;

#[cfg(test)]
mod tests;

pub(crate) use batch::BlobKind;
pub(crate) use known::touch_after_ms;

/// Attempt events that may wait for each slot: starts and ends of eight attempts.
pub(crate) const ATTEMPTS_PER_SLOT: usize = 16;
/// How long a request waits for a place.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a reader waits for what is still queued before it reads without.
const READER_PATIENCE: Duration = Duration::from_secs(2);

/// No place for one more record became free in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger's queue is full")]
pub struct QueueFull;

/// How the writer is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Records that wait to be written.
    pub queued: u64,
    /// Records written since the start.
    pub written: u64,
    /// Second records for one request, refused: a bug elsewhere.
    pub duplicates: u64,
    /// Attempt events that found no room.
    pub dropped_attempts: u64,
    /// Records that came after the end.
    pub late: u64,
    /// Why the batch at hand is not written yet; `None` when all is well.
    pub last_error: Option<String>,
}

/// What the writer is told.
enum Event {
    Started(AttemptStarted, OwnedSemaphorePermit),
    Ended(DecisionId, Attempt, OwnedSemaphorePermit),
    Record(Box<Record>, OwnedSemaphorePermit),
    /// Answered when everything before it is written.
    Barrier(oneshot::Sender<()>),
    /// Nothing that comes later is taken.
    Close,
}

/// What both ends of the queue share.
#[derive(Default)]
struct Counters {
    queued: AtomicU64,
    dropped_attempts: AtomicU64,
    late: AtomicU64,
    closing: AtomicBool,
    /// Somebody waits for the batch at hand.
    haste: Notify,
}

/// The way into the queue.
pub(crate) struct Writer {
    events: mpsc::UnboundedSender<Event>,
    slots: Arc<Semaphore>,
    attempts: Arc<Semaphore>,
    reservations: Arc<Reservations>,
    counters: Arc<Counters>,
    status: watch::Receiver<Status>,
    task: Mutex<Option<JoinHandle<Result<(), Unwritten>>>>,
}

/// A reserved place for one record.
pub struct Slot {
    place: OwnedSemaphorePermit,
    events: mpsc::UnboundedSender<Event>,
    counters: Arc<Counters>,
    hold: Hold,
}

/// Clears what a request has reserved when its slot is given back, with a record or without.
struct Hold {
    reservations: Arc<Reservations>,
    decision: Option<DecisionId>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(decision) = self.decision {
            self.reservations.clear(decision);
        }
    }
}

impl Writer {
    pub(crate) fn start(store: Arc<Store>, settings: &LedgerSettings) -> Self {
        let (events, receiver) = mpsc::unbounded_channel();
        let counters = Arc::new(Counters::default());
        let (status, watched) = watch::channel(Status::default());
        let slots = settings.queue.clamp(1, Semaphore::MAX_PERMITS / ATTEMPTS_PER_SLOT);
        let task = task::Task::new(store, settings, Arc::clone(&counters), status);
        Self {
            events,
            slots: Arc::new(Semaphore::new(slots)),
            attempts: Arc::new(Semaphore::new(slots * ATTEMPTS_PER_SLOT)),
            reservations: Arc::new(Reservations::new(slots)),
            counters,
            status: watched,
            task: Mutex::new(Some(tokio::spawn(task.run(receiver)))),
        }
    }

    pub(crate) async fn slot(&self) -> Result<Slot, QueueFull> {
        self.slot_within(PATIENCE).await
    }

    async fn slot_within(&self, patience: Duration) -> Result<Slot, QueueFull> {
        let place = Arc::clone(&self.slots).acquire_owned();
        let place = timeout(patience, place).await.ok().and_then(Result::ok).ok_or(QueueFull)?;
        let hold = Hold { reservations: Arc::clone(&self.reservations), decision: None };
        Ok(Slot { place, events: self.events.clone(), counters: Arc::clone(&self.counters), hold })
    }

    pub(crate) fn started(&self, attempt: AttemptStarted) {
        self.reservations.reserve(&attempt);
        self.note_attempt(|place| Event::Started(attempt, place));
    }

    pub(crate) fn ended(&self, decision: DecisionId, attempt: &Attempt) {
        self.reservations.settle(decision, attempt);
        self.note_attempt(|place| Event::Ended(decision, attempt.clone(), place));
    }

    fn note_attempt(&self, event: impl FnOnce(OwnedSemaphorePermit) -> Event) {
        let noted = match Arc::clone(&self.attempts).try_acquire_owned() {
            Ok(place) => self.events.send(event(place)).is_ok(),
            Err(_) => false,
        };
        if !noted {
            self.counters.dropped_attempts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Money that is out, by provider.
    pub(crate) fn reserved(&self) -> Vec<Reserved> {
        self.reservations.now()
    }

    pub(crate) fn status(&self) -> Status {
        Status {
            queued: self.counters.queued.load(Ordering::Relaxed),
            dropped_attempts: self.counters.dropped_attempts.load(Ordering::Relaxed),
            late: self.counters.late.load(Ordering::Relaxed),
            ..self.status.borrow().clone()
        }
    }

    pub(crate) async fn flush(&self) {
        let (written, wait) = oneshot::channel();
        // Neither fails before the writer has ended, and then there is nothing to wait for.
        if self.events.send(Event::Barrier(written)).is_ok() {
            self.counters.haste.notify_one();
            let _ = wait.await;
        }
    }

    /// A reader would rather miss the newest record than hang while the disk is full.
    pub(crate) async fn flush_for_a_reader(&self) {
        let _ = timeout(READER_PATIENCE, self.flush()).await;
    }

    pub(crate) async fn close(&self) -> Result<(), Unwritten> {
        self.counters.closing.store(true, Ordering::Relaxed);
        let _ = self.events.send(Event::Close);
        self.counters.haste.notify_one();
        match self.task.lock().await.take() {
            None => Ok(()),
            Some(task) => task.await.unwrap_or_else(|source| {
                let records = self.counters.queued.load(Ordering::Relaxed);
                Err(Unwritten { records, reason: format!("the writer ended early: {source}") })
            }),
        }
    }
}

impl Slot {
    /// Says whose record it will be, so that a request that ends without one leaves no reservation behind.
    #[must_use]
    pub fn of(mut self, decision: DecisionId) -> Self {
        self.hold.decision = Some(decision);
        self
    }

    /// Hands the record over to be written. Neither blocks nor fails while the ledger is open.
    pub fn record(mut self, record: Record) {
        let id = record.id;
        self.hold.decision = Some(id);
        self.counters.queued.fetch_add(1, Ordering::Relaxed);
        if self.events.send(Event::Record(Box::new(record), self.place)).is_err() {
            self.counters.queued.fetch_sub(1, Ordering::Relaxed);
            self.counters.late.fetch_add(1, Ordering::Relaxed);
            tracing::error!(decision = %id, "a record came after the ledger was closed and is lost");
        }
    }
}
