//! The ledger for learners: what there is to learn from, and what they made of it.

use domain::learning::Scope;

use crate::{
    Ledger,
    error::{DatabaseError, ReadError},
    feedback::{self, Feedback, Taken},
    memories::{self, StoredMemory},
    outcomes::{Stretch, Wanted},
    retention,
};

impl Ledger {
    /// Takes what a caller says of a request: on disk when this returns, and once for each request.
    ///
    /// # Errors
    ///
    /// When the database fails: then it does not count, and may be said again.
    pub async fn give(&self, feedback: &Feedback) -> Result<Taken, DatabaseError> {
        feedback::give(&self.retention.store, feedback, retention::unix_ms()).await
    }

    /// What there is to learn from, in the ledger's order.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn outcomes(&self, wanted: &Wanted<'_>) -> Result<Stretch, ReadError> {
        self.reader.outcomes(wanted).await
    }

    /// Takes or renews the lease on learning for `for_ms`. Returns whether `holder` has it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn lease_learning(&self, holder: &str, for_ms: u64) -> Result<bool, DatabaseError> {
        memories::lease(&self.retention.store, holder, retention::unix_ms(), for_ms).await
    }

    /// What every learner remembers.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn memories(&self) -> Result<Vec<StoredMemory>, ReadError> {
        self.reader.memories().await
    }

    /// Puts a memory in the place of `before`. Returns whether it was: not without the lease, and not when it is no longer as
    /// it was. `keep`: strategies are given it, so records will name it.
    ///
    /// # Errors
    ///
    /// When the database fails: then nothing has changed.
    pub async fn put_memory(
        &self,
        stored: &StoredMemory,
        before: Option<&StoredMemory>,
        holder: &str,
        keep: bool,
    ) -> Result<bool, DatabaseError> {
        memories::put(&self.retention.store, stored, before, holder, keep).await
    }

    /// Empties what a learner remembers, in all scopes or in one. It learns again from what comes now, or from everything
    /// that is still in the ledger. Returns how many memories that were.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn reset_memory(
        &self,
        learner: &str,
        scope: Option<&Scope>,
        from_the_start: bool,
    ) -> Result<u64, DatabaseError> {
        memories::reset(&self.retention.store, learner, scope, from_the_start, retention::unix_ms()).await
    }
}
