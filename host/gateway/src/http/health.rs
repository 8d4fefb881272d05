//! `GET /healthz`: the process lives. `GET /readyz`: what it serves with, and what it could not take.

use std::sync::{Arc, atomic::Ordering};

use axum::{Json, extract::State as Shared};
use http::{HeaderMap, Uri};
use sandbox::Origin;
use serde_json::{Value, json};

use crate::state::State;

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Details only for those who may ask anything else, too: a load balancer needs the status alone.
pub(super) async fn ready(Shared(state): Shared<Arc<State>>, headers: HeaderMap, uri: Uri) -> Json<Value> {
    let roster = Arc::clone(&state.snapshot.load().roster);
    if state.keyring.admit(&headers, &uri).is_err() {
        return Json(json!({"status": "ready"}));
    }
    let plugins: Vec<Value> = roster
        .plugins()
        .map(|plugin| {
            json!({
                "name": &*plugin.name(),
                "kinds": plugin.kinds(),
                "digest": plugin.digest().to_string(),
                "version": plugin.version(),
                // Not the path: where files lie is nobody's business but the operator's.
                "origin": match plugin.origin() { Origin::Bundled => "bundled", Origin::File(_) => "file" },
            })
        })
        .collect();
    Json(json!({
        "status": "ready",
        "revision": roster.revision(),
        "plugins": plugins,
        "refused": roster.refused(),
        "requests": {
            "admitted": state.counts.admitted.load(Ordering::Relaxed),
            "refused": state.counts.refused.load(Ordering::Relaxed),
            "in_flight": state.tasks.len(),
            "waiting": state.counts.waiting.load(Ordering::Relaxed),
        },
        "ledger": state.ledger.status(),
        "sandbox": {"allocator": state.plugins.sandbox().allocator()},
    }))
}
