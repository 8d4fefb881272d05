//! How candidates were doing, over a restart: a gateway that begins again need not measure again.
//!
//! Written every now and then and at the end in order. What a crash loses is at most the time between.

use std::sync::{Arc, Weak};

use dispatch::{Health, SavedHealth};
use ledger::Ledger;

use crate::state::{State, unix_ms};

/// How often it is written, if anything has happened.
const EVERY: std::time::Duration = std::time::Duration::from_secs(30);

/// Begins with what the last run wrote, if it can be read.
pub(crate) async fn restore(ledger: &Ledger, health: &Health) {
    let (text, at_ms) = match ledger.health().await {
        Ok(Some(found)) => found,
        Ok(None) => return,
        Err(error) => return tracing::warn!(%error, "what the last run measured cannot be read: measuring anew"),
    };
    match serde_json::from_slice::<SavedHealth>(&text) {
        Ok(saved) => health.restore(&saved, unix_ms().saturating_sub(at_ms)),
        Err(error) => tracing::warn!(%error, "what the last run measured is of another version: measuring anew"),
    }
}

/// Writes it now and then. Ends with the gateway.
pub(crate) async fn keep(state: Weak<State>) {
    let mut last = Vec::new();
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(state) = state.upgrade() else { return };
        last = save(&state, last).await;
    }
}

/// Writes it, unless it is as it was `before`, and returns what was written last.
pub(crate) async fn save(state: &Arc<State>, before: Vec<u8>) -> Vec<u8> {
    let health = Arc::clone(&state.health);
    // Busy gateways have much to say: not on a thread that serves.
    let text = tokio::task::spawn_blocking(move || serde_json::to_vec(&health.save()).unwrap_or_default()).await;
    let Some(text) = text.ok().filter(|text| !text.is_empty() && *text != before) else { return before };
    match state.ledger.set_health(&text, unix_ms()).await {
        Ok(()) => text,
        Err(error) => {
            tracing::warn!(%error, "what was measured cannot be written down");
            before
        }
    }
}
