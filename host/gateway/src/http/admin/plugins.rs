//! `/admin/plugins`: how each plugin is doing, and taking one out, back in, or back a version.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State as Shared},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use sandbox::{ActionError, PluginStatus, Plugins};
use serde_json::{Value, json};

use crate::{http::error::ApiError, snapshot::Snapshot, state::State};

/// How often, and how long, a list waits for a swap that is under way.
const MOST_LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

pub(super) async fn list(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    let (snapshot, statuses) = settled(&state).await;
    let routes = routes(&snapshot);
    let plugins = statuses.into_iter().map(|status| {
        let used = routes.get(status.name.as_str()).cloned().unwrap_or_default();
        let mut shown = json!(status);
        if let Value::Object(shown) = &mut shown {
            // A strategy can always be asked for by name; what no route names is idle else.
            shown.insert("idle".to_owned(), json!(used.is_empty()));
            shown.insert("routes".to_owned(), json!(used));
        }
        shown
    });
    Json(json!({
        "object": "list",
        "revision": snapshot.roster.revision(),
        "snapshot": snapshot.number,
        "folder": state.plugins.folder().map(|folder| folder.display().to_string()),
        "folder_trouble": state.plugins.trouble(),
        "data": plugins.collect::<Vec<_>>(),
    }))
}

/// The plugins' statuses and the snapshot that serves with them: between being taken and being swapped in, a component is
/// for a moment said to serve and does not.
async fn settled(state: &State) -> (Arc<Snapshot>, Vec<PluginStatus>) {
    for _ in 0..MOST_LOOKS {
        let (statuses, snapshot) = (state.plugins.statuses(), state.snapshot.load_full());
        let serves = |status: &PluginStatus| {
            let of_snapshot = snapshot.roster.plugins().find(|plugin| *plugin.name() == *status.name);
            let digest = of_snapshot.map(|plugin| plugin.digest().to_string());
            status.state == "disabled" || status.serving.as_ref().map(|serving| &serving.digest) == digest.as_ref()
        };
        if statuses.iter().all(serves) {
            return (snapshot, statuses);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    (state.snapshot.load_full(), state.plugins.statuses())
}

/// The routes that name each plugin, and as what.
fn routes(snapshot: &Snapshot) -> BTreeMap<String, Vec<String>> {
    let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, route) in &snapshot.offering.routes {
        let mut note = |plugin: &Arc<str>, role: &str| {
            used.entry(plugin.to_string()).or_default().push(format!("{name} ({role})"));
        };
        note(&route.panel.classifier, "classifier");
        route.panel.cost_models.iter().for_each(|plugin| note(plugin, "cost model"));
        route.panel.strategies.iter().for_each(|plugin| note(plugin, "strategy"));
        route.split.iter().flat_map(|split| split.arms()).for_each(|arm| note(&arm.strategy, "arm"));
        route.shadows.iter().for_each(|plugin| note(plugin, "shadow"));
    }
    used
}

pub(super) async fn log(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    match state.plugins.log(&name) {
        Some(log) => {
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            ([(header::CONTENT_TYPE, plain)], log).into_response()
        }
        None => no_plugin(&name, None).into_response(),
    }
}

pub(super) async fn rollback(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    act(state, name, |plugins, name| plugins.rollback(name).map(|done| json!(done))).await
}

pub(super) async fn disable(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    act(state, name, |plugins, name| plugins.disable(name).map(|()| json!({"state": "disabled"}))).await
}

pub(super) async fn enable(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    let enabled = |plugins: &Plugins, name: &str| {
        plugins.enable(name)?;
        let state = plugins.statuses().into_iter().find(|status| status.name == name).map(|status| status.state);
        Ok(json!({"state": state}))
    };
    act(state, name, enabled).await
}

/// An action may wait for a compiler and for the disk: not on a thread that serves.
async fn act(
    state: Arc<State>,
    name: String,
    action: impl FnOnce(&Plugins, &str) -> Result<Value, ActionError> + Send + 'static,
) -> Response {
    let done = tokio::task::spawn_blocking(move || {
        let done = action(&state.plugins, &name);
        (name, done)
    });
    match done.await {
        Ok((name, Ok(mut done))) => {
            if let Value::Object(done) = &mut done {
                done.insert("plugin".to_owned(), json!(name));
            }
            Json(done).into_response()
        }
        Ok((name, Err(error))) => refused(&name, &error).into_response(),
        Err(_) => ApiError::with(500, "server_error", "internal", "the action ended unexpectedly").into_response(),
    }
}

fn refused(name: &str, error: &ActionError) -> ApiError {
    match error {
        ActionError::NoPlugin { .. } => no_plugin(name, error.hint()),
        ActionError::Archive { .. } => {
            hinted(ApiError::with(503, "server_error", "not_remembered", error.to_string()), error.hint())
        }
        _ => hinted(ApiError::with(409, "invalid_request_error", "not_possible", error.to_string()), error.hint()),
    }
}

fn no_plugin(name: &str, hint: Option<String>) -> ApiError {
    let shown: String = name.chars().take(64).collect();
    let message = format!("there is no plugin `{shown}`");
    hinted(ApiError::with(404, "invalid_request_error", "plugin_not_found", message), hint)
}

fn hinted(error: ApiError, hint: Option<String>) -> ApiError {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
