//! Everything Muxel keeps on disk: the audit log, the components that its decisions were made with, what is remembered of
//! plugins, pictures that wait to be fetched, and answers that may be asked for again.
//!
//! This is the only crate that knows the database: one SQLite file in the data directory. Requests never wait for it.
//! A request reserves a [`Slot`] when it is admitted, and its one record goes through that slot into a queue, from
//! which a single writer fills large transactions.
//!
//! ## What a crash can lose
//!
//! - When the program dies, what was in the queue, normally the last 5 ms. A request that was under way becomes one
//!   `interrupted` record at the next start, with what its attempts may have cost.
//! - When the power fails, also the transactions since the last checkpoint, normally a few seconds: the write-ahead log
//!   is synced at checkpoints only (`synchronous = NORMAL`). The file stays consistent in both cases.
//!
//! ## Memory
//!
//! At most `queue` slots exist at once, and a slot is free again only when its record is on disk. So the queue holds at
//! most `queue` records, each of some kilobytes and its prompt, and 16 attempt events for each.

use std::{fs::File, path::Path, sync::Arc};

use domain::{
    attempt::{Attempt, AttemptStarted, DecisionId, Journal},
    digest::Digest,
};
use tokio::{sync::Mutex, task::JoinSet};

// Opening.
mod database;
mod error;
mod recover;
mod settings;

// Writing.
mod feedback;
mod judgement;
mod learning;
mod memories;
mod observed;
mod outcomes;
mod reservations;
mod row;
mod trace;
mod writer;

// Reading, keeping, forgetting.
mod answers;
mod components;
mod health;
mod media;
mod plugins;
mod read;
mod retention;
mod spend;

#[cfg(test)]
mod sample;

pub use answers::{Answers, KEEP_ANSWERS, Known, Once};
pub use components::MAX_COMPONENT;
pub use error::{ComponentError, DatabaseError, OpenError, ReadError, StateError, Unwritten};
pub use feedback::{Feedback, Taken, Verdict};
pub use media::{Media, MediaError, MediaName, NotAMediaName};
pub use memories::StoredMemory;
pub use observed::ObservedLine;
pub use outcomes::{Stretch, Wanted};
pub use plugins::MAX_STATE;
pub use read::{Filter, Reader, Stored};
pub use reservations::Reserved;
pub use retention::Pruned;
pub use row::{Row, RowMoney};
pub use settings::{LedgerSettings, PromptPolicy};
pub use spend::{Bias, Grouping, NotAGrouping, Period, Spend, SpendLine};
pub use writer::{QueueFull, Slot, Status};

use answers::OpenAnswersError;
use database::Store;
use retention::Retention;
use writer::Writer;

/// The open ledger of one data directory.
///
/// Dropping it lets the writer finish in the background; [`Ledger::close`] waits for that.
pub struct Ledger {
    writer: Writer,
    reader: Reader,
    media: Media,
    answers: Answers,
    retention: Retention,
    /// Ends with the ledger.
    housekeeping: Mutex<JoinSet<()>>,
}

impl Ledger {
    /// Opens the ledger in `settings.dir`, which is created when it is missing, and settles what a crash left behind.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the directory cannot be used, another process uses it, or its ledger is from a newer program.
    pub async fn open(settings: LedgerSettings) -> Result<Self, OpenError> {
        let lock: File = database::take_directory(&settings.dir)?;
        let mut connection = database::connect(&settings.dir).await?;
        // Whoever has the directory is alone in it: a lease of the last run is nobody's.
        memories::end_leases(&mut connection).await.map_err(|source| database::open_error(&settings.dir, source))?;
        let interrupted = recover::settle_interrupted(&mut connection)
            .await
            .map_err(|source| database::open_error(&settings.dir, source))?;
        if interrupted > 0 {
            tracing::warn!(interrupted, "the last run ended in the middle of requests: they are now in the ledger");
        }
        let media = Media::open(&settings.dir, settings.media_bytes, settings.media_keep)
            .map_err(|source| OpenError::unusable(&settings.dir, source))?;
        let store = Arc::new(Store::new(connection, lock));
        let reader = Reader::new(&settings.dir);
        let answers = Answers::open(&settings.dir, settings.answers_bytes, Arc::clone(&store), reader.pool.clone());
        let answers = answers.await.map_err(|error| match error {
            OpenAnswersError::Database(source) => database::open_error(&settings.dir, source),
            OpenAnswersError::Files(source) => OpenError::unusable(&settings.dir, source),
        })?;
        let retention = Retention::new(Arc::clone(&store), settings.retention);
        let mut housekeeping = JoinSet::new();
        housekeeping.spawn(retention::keep_house(
            retention.clone(),
            media.clone(),
            answers.clone(),
            settings.housekeeping,
        ));
        Ok(Self {
            reader,
            writer: Writer::start(store, &settings),
            media,
            answers,
            retention,
            housekeeping: Mutex::new(housekeeping),
        })
    }

    /// Opens the ledger in `dir` for reading only, also while a server writes to it.
    ///
    /// # Errors
    ///
    /// When there is no ledger, or one of another version.
    pub async fn open_read_only(dir: &Path) -> Result<Reader, OpenError> {
        database::check_readable(dir).await?;
        Ok(Reader::new(dir))
    }

    /// Reserves the place of one record, before its request gets an id.
    ///
    /// # Errors
    ///
    /// When no place becomes free within a second: the disk does not keep up.
    pub async fn slot(&self) -> Result<Slot, QueueFull> {
        self.writer.slot().await
    }

    /// How the writer is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        self.writer.status()
    }

    /// Waits until everything recorded so far is written, for as long as that takes.
    pub async fn flush(&self) {
        self.writer.flush().await;
    }

    /// Writes what is queued and ends. Slots that are still out can no longer be recorded.
    ///
    /// # Errors
    ///
    /// When the database refuses several times in a row: what is lost then is said.
    pub async fn close(&self) -> Result<(), Unwritten> {
        self.housekeeping.lock().await.shutdown().await;
        self.writer.close().await
    }

    /// The record of one request, also right after it was recorded.
    ///
    /// # Errors
    ///
    /// When the database fails, or the record in it is damaged.
    pub async fn find(&self, id: DecisionId) -> Result<Option<Stored>, ReadError> {
        if let Some(stored) = self.reader.find(id).await? {
            return Ok(Some(stored));
        }
        self.writer.flush_for_a_reader().await;
        self.reader.find(id).await
    }

    /// Records, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails, or a record in it is damaged.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Row>, ReadError> {
        self.writer.flush_for_a_reader().await;
        self.reader.list(filter).await
    }

    /// What was spent in a period, with everything recorded so far.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn spend(&self, period: Period, by: Grouping) -> Result<Spend, ReadError> {
        self.writer.flush_for_a_reader().await;
        self.reader.spend(period, by).await
    }

    /// What routes that only observe would have chosen in a period.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn observed(&self, period: Period) -> Result<Vec<ObservedLine>, ReadError> {
        self.writer.flush_for_a_reader().await;
        observed::read(self.reader.pool(), period).await
    }

    /// What attempts under way may cost, and what those of unfinished requests have cost, by provider.
    #[must_use]
    pub fn reserved(&self) -> Vec<Reserved> {
        self.writer.reserved()
    }

    /// Pictures that wait to be fetched.
    #[must_use]
    pub fn media(&self) -> &Media {
        &self.media
    }

    /// Answers that may be asked for again.
    #[must_use]
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Keeps an answer, after the record of its request: on disk when this returns, or marked as dropped when there is no
    /// room for it.
    ///
    /// # Errors
    ///
    /// When the database fails: then it is not known how the request ended.
    pub async fn keep_answer(
        &self,
        once: Once,
        head: Vec<u8>,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<(), DatabaseError> {
        // What a caller hears again must not be missing from the log.
        self.writer.flush_for_a_reader().await;
        self.answers.keep(once, head, body).await
    }

    /// Keeps a plugin's component for as long as a record names it: on disk when this returns, once however often it is
    /// kept.
    ///
    /// # Errors
    ///
    /// When it is larger than [`MAX_COMPONENT`] or not the one of `digest`, or when the database fails: a full disk
    /// harms nothing else.
    pub async fn keep_component(&self, digest: Digest, bytes: Vec<u8>) -> Result<(), ComponentError> {
        components::keep(&self.retention.store, &self.reader, digest, bytes, retention::unix_ms()).await
    }

    /// A kept component: whole, or an error.
    ///
    /// # Errors
    ///
    /// When the database fails, or the component in it is damaged.
    pub async fn component(&self, digest: Digest) -> Result<Option<Vec<u8>>, ComponentError> {
        self.reader.component(digest).await
    }

    /// Keeps components that are in service as if a record named them now. To be called more often than once in a
    /// retention: what decides nothing is named by no record.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn touch_components(&self, digests: &[Digest]) -> Result<(), DatabaseError> {
        components::touch(&self.retention.store, digests, retention::unix_ms()).await
    }

    /// What was last set of each plugin, by name.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn plugin_states(&self) -> Result<Vec<(String, String)>, DatabaseError> {
        plugins::all(&mut *self.retention.store.connection().await).await
    }

    /// Remembers what the sandbox wants to know of a plugin after a restart: on disk when this returns.
    ///
    /// # Errors
    ///
    /// When it is larger than [`MAX_STATE`], there are too many plugins, or the database fails.
    pub async fn set_plugin_state(&self, name: &str, state: &str, at_ms: u64) -> Result<(), StateError> {
        plugins::set(&mut *self.retention.store.connection().await, name, state, at_ms).await
    }

    /// What was last set of candidates' health, and when.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn health(&self) -> Result<Option<(Vec<u8>, u64)>, DatabaseError> {
        health::get(&mut *self.retention.store.connection().await).await
    }

    /// Remembers how candidates are doing for the next start.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn set_health(&self, saved: &[u8], at_ms: u64) -> Result<(), DatabaseError> {
        health::set(&mut *self.retention.store.connection().await, saved, at_ms).await
    }

    /// Deletes what is older than the retention. Also done every [`LedgerSettings::housekeeping`].
    ///
    /// # Errors
    ///
    /// When the database fails; what was deleted before stays deleted.
    pub async fn prune(&self, now_ms: u64) -> Result<Pruned, DatabaseError> {
        self.retention.prune(now_ms).await
    }
}

impl Journal for Ledger {
    fn started(&self, attempt: AttemptStarted) {
        self.writer.started(attempt);
    }

    fn ended(&self, decision: DecisionId, attempt: &Attempt) {
        self.writer.ended(decision, attempt);
    }
}
