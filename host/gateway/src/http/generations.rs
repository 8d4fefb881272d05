//! `POST /v1/images/generations`.

use std::{fmt::Write as _, sync::Arc, time::Instant};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{State as Shared, rejection::BytesRejection},
    response::{IntoResponse as _, Response},
};
use dispatch::CallerPresence;
use domain::attempt::Charge;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::{all_places_taken, ask, auth::Key, error::ApiError, headers, ledger_full};
use crate::{
    pipeline::{self, Admitted, Served},
    places::Place,
    snapshot::Snapshot,
    state::{State, Waiting, identity, unix_ms},
};

pub(super) async fn generate(
    Shared(state): Shared<Arc<State>>,
    Extension(key): Extension<Option<Arc<Key>>>,
    Extension(snapshot): Extension<Arc<Snapshot>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match begin(&state, snapshot, key, &headers, body).await {
        Ok((admitted, place)) => {
            // From here on it runs by itself: when the caller leaves, this function ends and the task does not.
            let (caller, presence) = CallerPresence::new();
            let waiting = Waiting::new(&state, presence);
            let base = public_url(&admitted.snapshot, &headers);
            let task = state.tasks.spawn({
                let state = Arc::clone(&state);
                async move {
                    let answer = match pipeline::serve(&state, admitted, &caller).await {
                        Ok(served) => answer(&served, &base),
                        Err(error) => error.into_response(),
                    };
                    drop(place);
                    answer
                }
            });
            let answer = task.await;
            drop(waiting);
            answer.unwrap_or_else(|_| {
                ApiError::with(500, "server_error", "internal", "the request ended unexpectedly").into_response()
            })
        }
        Err(error) => {
            state.counts.refuse();
            error.into_response()
        }
    }
}

/// Everything that may refuse a request before it gets an id.
pub(super) async fn begin(
    state: &State,
    snapshot: Arc<Snapshot>,
    key: Option<Arc<Key>>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(Admitted, Place), ApiError> {
    let began = Instant::now();
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("the body is larger than {} bytes", snapshot.service.max_body);
            ApiError::with(413, "invalid_request_error", "body_too_large", message)
        }
        _ => ApiError::malformed("the body did not arrive whole"),
    })?;
    let ask = ask::read(&body, headers)?;
    drop(body);
    let target = snapshot.offering.resolve(&snapshot.roster, &ask.model, ask.route.as_deref(), ask.tags.clone())?;
    let target = target.weighing(&snapshot.roster, &ask.weights)?;
    if let Some(routes) = key.as_ref().and_then(|key| key.routes.as_ref())
        && !routes.iter().any(|route| **route == *target.panel.route)
    {
        let message = format!("this key may not use route `{}`", target.panel.route);
        let error = ApiError::with(403, "invalid_request_error", "route_not_allowed", message);
        let named: Vec<String> = routes.iter().map(|route| format!("`model: \"auto/{route}\"`")).collect();
        return Err(error.hint(format!("send {}", named.join(" or "))));
    }
    if target.is_named() && !snapshot.offering.candidates.iter().any(|candidate| target.admits(candidate)) {
        let message = format!("route `{}` may not use the model that was asked for", target.panel.route);
        let error = ApiError::with(403, "invalid_request_error", "model_not_allowed", message);
        return Err(error.param("model").hint("`auto` chooses among those it may use"));
    }
    let place = state.places.take(snapshot.service.max_in_flight).ok_or_else(all_places_taken)?;
    let slot = state.ledger.slot().await.map_err(|_| ledger_full())?;
    state.counts.admit();
    let at_ms = unix_ms();
    let (id, seed) = identity(at_ms);
    let slot = slot.of(id);
    Ok((Admitted { id, seed, at_ms, began, ask, key, snapshot, target, slot }, place))
}

/// Where pictures of this server are fetched: as configured, or as the caller reached it.
fn public_url(snapshot: &Snapshot, headers: &HeaderMap) -> String {
    snapshot.service.public_url.clone().unwrap_or_else(|| {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        format!("http://{host}")
    })
}

fn answer(served: &Served, base: &str) -> Response {
    let mut response = Response::new(Body::from(body(served, base)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers::decision(headers, served.id);
    let Served { model, strategy, charge, attempts, warnings, .. } = served;
    headers::outcome(headers, Some(model), strategy, *charge, *attempts, warnings);
    response
}

/// The answer's JSON. Pictures are megabytes of base64: they are copied in as they are, once.
fn body(served: &Served, base: &str) -> Vec<u8> {
    let pictures = &served.delivery.pictures;
    // Kept pictures are answered as addresses, without their bytes.
    let inline = served.kept.is_empty();
    let bytes: usize = if inline { pictures.iter().map(|picture| picture.b64.len()).sum() } else { 0 };
    let mut body = Vec::with_capacity(bytes + 1024);
    let created = served.delivery.created.unwrap_or_else(|| unix_ms() / 1_000);
    body.extend_from_slice(format!("{{\"created\":{created},\"data\":[").as_bytes());
    for (index, picture) in pictures.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        match served.kept.get(index) {
            None => {
                body.extend_from_slice(b"{\"b64_json\":");
                quote(&mut body, &picture.b64);
            }
            Some(name) => {
                body.extend_from_slice(b"{\"url\":");
                body.extend_from_slice(json!(format!("{base}/media/{name}")).to_string().as_bytes());
            }
        }
        if let Some(revised) = &picture.revised_prompt {
            body.extend_from_slice(b",\"revised_prompt\":");
            body.extend_from_slice(json!(revised).to_string().as_bytes());
        }
        body.push(b'}');
    }
    body.push(b']');
    let mut rest = served.delivery.other.clone();
    if let Some(usage) = &served.delivery.usage {
        rest.insert("usage".to_owned(), usage.clone());
    }
    rest.insert("muxel".to_owned(), muxel(served));
    for (name, value) in rest.iter().filter(|(name, _)| !matches!(name.as_str(), "created" | "data")) {
        let mut field = String::from(",");
        // Writing to a string does not fail.
        let _ = write!(field, "{}:{value}", json!(name));
        body.extend_from_slice(field.as_bytes());
    }
    body.push(b'}');
    body
}

/// `text` as a JSON string. Base64 needs no escapes; what is not base64 gets them.
fn quote(body: &mut Vec<u8>, text: &[u8]) {
    let plain =
        text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'));
    if plain {
        body.push(b'"');
        body.extend_from_slice(text);
        body.push(b'"');
    } else {
        body.extend_from_slice(json!(String::from_utf8_lossy(text)).to_string().as_bytes());
    }
}

/// What Muxel adds, for SDKs to read as `answer.muxel`.
fn muxel(served: &Served) -> serde_json::Value {
    let provider = served.model.as_str().split('/').next().unwrap_or_default();
    let cost = match served.charge {
        Charge::Unknown(_) => None,
        charge => Some(charge.amount().usd()),
    };
    json!({
        "decision": served.id.to_string(),
        "model": served.model.as_str(),
        "provider": provider,
        "cost_usd": cost,
        "cost_is": served.charge.word(),
        "attempts": served.attempts,
        "strategy": &*served.strategy,
        "warnings": served.warnings,
    })
}
