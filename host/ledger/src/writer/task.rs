//! The task that empties the queue.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{Counters, Event, Status, batch::Batch, insert, known::Known};
use crate::{
    database::Store,
    error::{DatabaseError, Unwritten},
    settings::{LedgerSettings, PromptPolicy},
};

/// Events in one transaction.
const FULL: usize = 512;
/// How long the first event of a batch waits for others.
const GATHER: Duration = Duration::from_millis(5);
/// Before the first repetition; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Tries before a closing ledger gives up.
const LAST_TRIES: u32 = 5;

pub(super) struct Task {
    store: Arc<Store>,
    prompts: PromptPolicy,
    known: Known,
    counters: Arc<Counters>,
    status: watch::Sender<Status>,
}

impl Task {
    pub(super) fn new(
        store: Arc<Store>,
        settings: &LedgerSettings,
        counters: Arc<Counters>,
        status: watch::Sender<Status>,
    ) -> Self {
        let retention_ms = u64::try_from(settings.retention.as_millis()).unwrap_or(u64::MAX);
        Self { store, prompts: settings.prompts, known: Known::new(retention_ms), counters, status }
    }

    /// Ends when the ledger is closed, or dropped with all its slots, and everything before that is written.
    pub(super) async fn run(mut self, mut events: mpsc::UnboundedReceiver<Event>) -> Result<(), Unwritten> {
        while let Some(first) = events.recv().await {
            self.gather(&events).await;
            let mut batch = Batch::default();
            batch.add(first, self.prompts, &self.known);
            for _ in 1..FULL {
                let Ok(event) = events.try_recv() else { break };
                batch.add(event, self.prompts, &self.known);
            }
            if batch.last {
                events.close();
            }
            self.write(batch).await?;
        }
        Ok(())
    }

    /// Lets a batch grow, without waking for each event, unless somebody waits for it or it is full already.
    async fn gather(&self, events: &mpsc::UnboundedReceiver<Event>) {
        if events.len() < FULL {
            // A request for haste that was made earlier is still there: at worst, a batch is small.
            let _ = timeout(GATHER, self.counters.haste.notified()).await;
        }
    }

    /// Writes the batch however long it takes, unless the ledger is closing.
    async fn write(&mut self, mut batch: Batch) -> Result<(), Unwritten> {
        let (mut pause, mut last_tries) = (FIRST_PAUSE, 0);
        while let Err(error) = self.try_write(&mut batch).await {
            let reason = error.to_string();
            if self.status.borrow().last_error.as_ref() != Some(&reason) {
                tracing::error!(%error, records = batch.records.len(), "the ledger cannot be written and tries again");
            }
            self.status.send_modify(|status| status.last_error = Some(reason.clone()));
            last_tries += u32::from(self.counters.closing.load(Ordering::Relaxed));
            if last_tries >= LAST_TRIES {
                return Err(Unwritten { records: self.counters.queued.load(Ordering::Relaxed), reason });
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        for ((kind, digest), blob) in &batch.blobs {
            self.known.note(*kind, *digest, blob.used_ms);
        }
        for ((kind, digest), used_ms) in &batch.renewed {
            self.known.note(*kind, *digest, *used_ms);
        }
        let written = batch.records.len() as u64;
        self.counters.queued.fetch_sub(written + batch.duplicates, Ordering::Relaxed);
        self.status.send_modify(|status| {
            if status.last_error.take().is_some() {
                tracing::info!("the ledger is written again");
            }
            status.written += written;
            status.duplicates += batch.duplicates;
        });
        for barrier in batch.barriers {
            // Whoever asked may have left.
            let _ = barrier.send(());
        }
        Ok(())
    }

    async fn try_write(&self, batch: &mut Batch) -> Result<(), DatabaseError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut connection = self.store.connection().await;
        let Err(error) = insert::write(&mut connection, batch).await else { return Ok(()) };
        if error.as_database_error().is_some_and(|error| error.is_unique_violation()) {
            let written = insert::already_written(&mut connection, batch).await?;
            if !written.is_empty() {
                batch.refuse_written(&written);
                return Ok(insert::write(&mut connection, batch).await?);
            }
        }
        Err(DatabaseError(error))
    }
}
