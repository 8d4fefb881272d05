//! Where the sandbox keeps what outlives this process: in the ledger.
//!
//! The sandbox calls from threads of its own, which may wait; the ledger is asynchronous. This joins them.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use domain::{digest::Digest, plugin::CallEnd, request::Request};
use ledger::{Filter, Ledger};
use sandbox::Archive;
use tokio::runtime::Handle;

use crate::state::{State, unix_ms};

/// Most recent requests of one key: a caller's own do not judge a plugin alone.
const MOST_OF_ONE: usize = 2;

pub(crate) struct LedgerArchive {
    ledger: Arc<Ledger>,
    runtime: Handle,
}

impl LedgerArchive {
    /// Needs a tokio runtime, and must not be called from its worker threads.
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger, runtime: Handle::current() }
    }
}

impl Archive for LedgerArchive {
    fn keep(&self, digest: Digest, bytes: &[u8]) -> Result<(), String> {
        self.runtime.block_on(self.ledger.keep_component(digest, bytes.to_vec())).map_err(chain)
    }

    fn fetch(&self, digest: Digest) -> Result<Option<Vec<u8>>, String> {
        self.runtime.block_on(self.ledger.component(digest)).map_err(chain)
    }

    fn states(&self) -> Result<Vec<(String, String)>, String> {
        self.runtime.block_on(self.ledger.plugin_states()).map_err(chain)
    }

    fn remember(&self, name: &str, state: &str) -> Result<(), String> {
        self.runtime.block_on(self.ledger.set_plugin_state(name, state, unix_ms())).map_err(chain)
    }

    fn recent(&self, most: usize) -> Vec<Request> {
        // Of more records than are wanted, because not all will do.
        let recent = async {
            let rows = self.ledger.list(&Filter { limit: most as u32 * 4, ..Filter::default() }).await?;
            let mut requests = Vec::with_capacity(most);
            let mut of_keys: HashMap<Arc<str>, usize> = HashMap::new();
            for row in rows {
                let of_one = row.key.clone().map(|key| of_keys.entry(key).or_default());
                if requests.len() == most || of_one.as_ref().is_some_and(|count| **count == MOST_OF_ONE) {
                    continue;
                }
                let stored = self.ledger.find(row.id).await?;
                let Some(trace) = stored.and_then(|stored| stored.trace) else { continue };
                // What made one plugin fail is no yardstick for the next.
                if trace.decision.calls.iter().any(|call| matches!(call.ended, CallEnd::Faulted { .. })) {
                    continue;
                }
                if let Some(count) = of_one {
                    *count += 1;
                }
                requests.push(trace.decision.request);
            }
            Ok::<_, ledger::ReadError>(requests)
        };
        // Without recorded requests the built-in ones are the trial.
        self.runtime.block_on(recent).unwrap_or_else(|error| {
            tracing::debug!(%error, "no recorded requests for a trial");
            Vec::new()
        })
    }
}

/// Tells the ledger now and then which components are in service, so that it keeps those, too, that no record names.
/// Ends with the gateway.
pub(crate) async fn keep_in_service(state: Weak<State>, retention: Duration) {
    let pause = (retention / 16).clamp(Duration::from_secs(60), Duration::from_secs(3600));
    loop {
        tokio::time::sleep(pause).await;
        let Some(state) = state.upgrade() else { return };
        let roster = state.plugins.roster();
        let standing_by = roster.plugins().filter_map(|plugin| plugin.standby());
        let digests: Vec<Digest> = roster.plugins().chain(standing_by).map(|plugin| plugin.digest()).collect();
        if let Err(error) = state.ledger.touch_components(&digests).await {
            tracing::warn!(%error, "the components in service cannot be marked as used");
        }
    }
}

fn chain(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
