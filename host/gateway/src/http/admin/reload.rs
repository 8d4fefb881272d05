//! `POST /admin/reload`: the configuration is read again.

use std::sync::Arc;

use axum::{
    Json,
    extract::State as Shared,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::{
    http::error::ApiError,
    reload::{self, ReloadError, Reloaded},
    state::State,
};

pub(super) async fn reload(Shared(state): Shared<Arc<State>>) -> Response {
    match reload::reload(&state).await {
        Ok(reloaded) => Json(told(&reloaded)).into_response(),
        Err(error) => refused(error).into_response(),
    }
}

fn told(reloaded: &Reloaded) -> Value {
    let Reloaded { snapshot, needs_restart, warnings } = reloaded;
    json!({"object": "reload", "snapshot": snapshot, "needs_restart": needs_restart, "warnings": warnings})
}

fn refused(error: ReloadError) -> ApiError {
    match error {
        ReloadError::NoFile => ApiError::with(409, "invalid_request_error", "no_config_file", error.to_string())
            .hint("start with `muxel serve --config FILE`"),
        ReloadError::Refused(problems) => {
            let message = "the configuration is refused, the one before serves on";
            let mut error = ApiError::with(422, "invalid_request_error", "config_refused", message);
            error.problems = Some(problems);
            error.hint("mend every error in `problems`; `muxel config check FILE` shows them, too")
        }
        ReloadError::Broken => ApiError::with(500, "server_error", "internal", error.to_string())
            .hint("the configuration before serves on; the log says more"),
    }
}
