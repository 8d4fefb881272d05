//! The HTTP interface.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State as Shared},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

use crate::{
    places::{NoPlace, Why},
    state::State,
};

mod admin;
pub(crate) mod ask;
pub(crate) mod auth;
mod decisions;
pub(crate) mod error;
pub(crate) mod feedback;
mod generations;
pub(crate) mod headers;
mod health;
pub(crate) mod idempotency;
mod media;
mod models;
mod page;

pub use decisions::describe;
use error::ApiError;

/// Paths that Muxel serves, for those who ask for another.
const SERVED: &str = "POST /v1/images/generations, GET /v1/models, POST /v1/decisions, GET /v1/decisions/{id}, POST /v1/feedback, \
                      GET /healthz, GET /readyz, POST /admin/reload, GET /admin/routes, GET /admin/breakers, \
                      GET /admin/spend, GET /admin/observed, GET /admin/learners, GET /admin/learners/{name}, \
                      POST /admin/learners/{name}/reset, GET /admin/plugins, GET /admin/plugins/{name}/log, \
                      POST /admin/plugins/{name}/{rollback,disable,enable}";
/// How soon to come back when the audit log is behind.
const COME_BACK: Duration = Duration::from_secs(1);

pub(crate) fn router(state: Arc<State>) -> Router {
    let guarded = Router::new()
        .route("/v1/images/generations", post(generations::generate))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::one))
        .route("/v1/decisions", post(decisions::dry_run))
        .route("/v1/decisions/{id}", get(decisions::one))
        .route("/v1/feedback", post(feedback::give))
        .merge(admin::router())
        .route_layer(middleware::from_fn_with_state(Arc::clone(&state), admit));
    Router::new()
        .merge(guarded)
        .route("/media/{name}", get(media::one))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/", get(page::home))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .with_state(state)
}

/// Lets in whoever may ask. The key goes on with the request, and the snapshot that serves it to its end.
async fn admit(Shared(state): Shared<Arc<State>>, mut request: Request, next: Next) -> Response {
    let snapshot = state.snapshot.load_full();
    match snapshot.service.keyring.admit(request.headers(), request.uri()) {
        Ok(key) => {
            DefaultBodyLimit::max(snapshot.service.max_body).apply(&mut request);
            request.extensions_mut().insert(key);
            request.extensions_mut().insert(snapshot);
            next.run(request).await
        }
        Err(error) => {
            state.counts.refuse();
            error.into_response()
        }
    }
}

async fn not_found(request: Request) -> ApiError {
    let path: String = request.uri().path().chars().take(100).collect();
    ApiError::with(404, "invalid_request_error", "not_found", format!("there is no `{path}` here"))
        .hint(format!("Muxel serves {SERVED}"))
}

async fn method_not_allowed(request: Request) -> ApiError {
    let message = format!("`{}` does not take {}", request.uri().path(), request.method());
    ApiError::with(405, "invalid_request_error", "method_not_allowed", message).hint(format!("Muxel serves {SERVED}"))
}

fn overloaded(none: NoPlace) -> ApiError {
    let message = match none.why {
        Why::Full => "all places for requests under way are taken, and as many wait as may",
        Why::Shed => "requests of a higher priority needed the place in the queue",
        Why::TimedOut => "no place for one more request came free in time",
    };
    let error = ApiError::with(429, "rate_limit_error", "overloaded", message);
    error.retry(Some(none.come_back)).hint("nothing was sent and nothing is charged")
}

pub(crate) fn ledger_full() -> ApiError {
    ApiError::with(503, "server_error", "ledger_full", "the audit log cannot be written fast enough")
        .hint("the operator finds the reason at GET /readyz")
        .retry(Some(COME_BACK))
}
