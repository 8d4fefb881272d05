//! `GET /healthz`: the process lives. `GET /readyz`: what it serves with, and what it could not take.

use std::sync::{Arc, atomic::Ordering};

use axum::{Json, extract::State as Shared};
use http::{HeaderMap, Uri};
use sandbox::Origin;
use serde_json::{Value, json};

use crate::{config::Problem, state::State};

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Details only for those who may ask anything else, too: a load balancer needs the status alone.
pub(super) async fn ready(Shared(state): Shared<Arc<State>>, headers: HeaderMap, uri: Uri) -> Json<Value> {
    let snapshot = state.snapshot.load_full();
    let roster = &snapshot.roster;
    if snapshot.service.keyring.admit(&headers, &uri).is_err() {
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
        "snapshot": snapshot.number,
        "revision": roster.revision(),
        "config": config(&state),
        "plugins": plugins,
        "refused": roster.refused(),
        "folder_trouble": state.plugins.trouble().map(|_| "the plugin folder cannot be read: what served before serves on"),
        "requests": {
            "admitted": state.counts.admitted.load(Ordering::Relaxed),
            "refused": state.counts.refused.load(Ordering::Relaxed),
            "replayed": state.counts.replayed.load(Ordering::Relaxed),
            "in_flight": state.tasks.len(),
            "waiting": state.counts.waiting.load(Ordering::Relaxed),
        },
        "queue": state.places.status(),
        "ledger": state.ledger.status(),
        "sandbox": {"allocator": state.plugins.sandbox().allocator()},
    }))
}

/// What became of the last reload of the configuration. Without the file's place, as for plugins.
fn config(state: &State) -> Value {
    let last = state.reloads.last();
    let refused = last.refused.map(|refusal| {
        let problem = |problem: &Problem| {
            let Problem { severity, line, column, path, message, hint, .. } = problem;
            json!({
                "severity": severity, "line": line, "column": column, "path": path, "message": message, "hint": hint,
            })
        };
        let problems: Vec<Value> = refusal.problems.problems.iter().map(problem).collect();
        json!({"at_ms": refusal.at_ms, "problems": problems, "more": refusal.problems.more})
    });
    json!({"refused": refused, "needs_restart": last.needs_restart})
}
