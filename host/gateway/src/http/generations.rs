//! `POST /v1/images/generations`.

use std::{
    fmt::Write as _,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{State as Shared, rejection::BytesRejection},
    response::{IntoResponse as _, Response},
};
use dispatch::CallerPresence;
use domain::attempt::Charge;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use ledger::Once;
use serde_json::json;

use super::{
    ask::{self, Ask},
    auth::Key,
    error::ApiError,
    headers,
    idempotency::{self, Given, Named, Turn},
    ledger_full, overloaded,
};
use crate::{
    claims::Claim,
    pipeline::{self, Admitted, Served},
    places::Place,
    snapshot::{Snapshot, Target},
    state::{State, Waiting, identity, unix_ms},
};

pub(super) async fn generate(
    Shared(state): Shared<Arc<State>>,
    Extension(key): Extension<Option<Arc<Key>>>,
    Extension(snapshot): Extension<Arc<Snapshot>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match answer_once(&state, snapshot, key, &headers, body).await {
        Ok(response) => response,
        Err(error) => {
            state.counts.refuse();
            error.into_response()
        }
    }
}

/// Carries the request out, unless it came before under its idempotency key.
async fn answer_once(
    state: &Arc<State>,
    snapshot: Arc<Snapshot>,
    key: Option<Arc<Key>>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let began = Instant::now();
    let body = whole(body, &snapshot)?;
    let named = idempotency::named(headers, key.as_deref(), &body)?;
    let Some(named) = named else {
        let wanted = Wanted::read(began, snapshot, key, headers, body)?;
        let (admitted, place) = begin(state, wanted, None).await?;
        return Ok(carry_out(state, admitted, place, None, headers).await);
    };
    let claim = match idempotency::turn(state, named).await? {
        Turn::Answered(response) => {
            state.counts.replayed.fetch_add(1, Ordering::Relaxed);
            return Ok(response);
        }
        Turn::Mine(claim) => claim,
    };
    let begun = match Wanted::read(began, snapshot, key, headers, body) {
        Ok(wanted) => begin(state, wanted, Some(named)).await,
        Err(error) => Err(error),
    };
    match begun {
        Ok((admitted, place)) => Ok(carry_out(state, admitted, place, Some(claim), headers).await),
        Err(error) => {
            state.counts.refuse();
            Ok(idempotency::tell(claim, error.into_response()).await)
        }
    }
}

/// From here on the request runs by itself: when the caller leaves, this function ends and the task does not. With an
/// idempotency key it does not even notice: its answer will be asked for again.
async fn carry_out(
    state: &Arc<State>,
    admitted: Admitted,
    place: Place,
    claim: Option<Claim<Given>>,
    headers: &HeaderMap,
) -> Response {
    let (caller, presence) = match &claim {
        None => {
            let (caller, presence) = CallerPresence::new();
            (caller, Some(presence))
        }
        Some(_) => (CallerPresence::steady(), None),
    };
    let waiting = Waiting::new(state, presence);
    let base = public_url(&admitted.snapshot, headers);
    let task = state.tasks.spawn({
        let state = Arc::clone(state);
        async move {
            let (queued, once) = (admitted.queued, admitted.once);
            let mut response = match pipeline::serve(&state, admitted, &caller).await {
                Ok(served) => answer(&served, &base),
                Err(error) => error.into_response(),
            };
            headers::queued(response.headers_mut(), queued);
            drop(place);
            match (once, claim) {
                (Some(once), Some(claim)) => idempotency::settle(&state, once, claim, response).await,
                _ => response,
            }
        }
    });
    let answer = task.await;
    drop(waiting);
    answer.unwrap_or_else(|_| {
        ApiError::with(500, "server_error", "internal", "the request ended unexpectedly").into_response()
    })
}

/// A request that may be served, but has no place yet.
pub(super) struct Wanted {
    began: Instant,
    ask: Ask,
    key: Option<Arc<Key>>,
    snapshot: Arc<Snapshot>,
    target: Target,
}

impl Wanted {
    /// Everything that may refuse a request for what it asks. Its body ends here.
    pub(super) fn read(
        began: Instant,
        snapshot: Arc<Snapshot>,
        key: Option<Arc<Key>>,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Self, ApiError> {
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
        Ok(Self { began, ask, key, snapshot, target })
    }

    /// How long it may wait for a place: as long as the configuration says, and no longer than it may take altogether.
    fn patience(&self) -> Duration {
        let route = &self.target.route;
        let caps = self.ask.request.caps.strictest(route.caps);
        let latency = caps.max_latency_ms.map_or(route.deadline, |ms| Duration::from_millis(u64::from(ms)));
        let left = latency.min(route.deadline).saturating_sub(self.began.elapsed());
        self.snapshot.service.queue_timeout.min(left)
    }

    /// With a slot for its record, it gets its id.
    pub(super) async fn admit(
        self,
        state: &State,
        queued: Duration,
        named: Option<Named>,
    ) -> Result<Admitted, ApiError> {
        let slot = state.ledger.slot().await.map_err(|_| ledger_full())?;
        state.counts.admit();
        let at_ms = unix_ms();
        let (id, seed) = identity(at_ms);
        let slot = slot.of(id);
        let once = named.map(|Named { name, asks }| Once { name, asks, decision: id, at_ms });
        let Self { began, ask, key, snapshot, target } = self;
        Ok(Admitted { id, seed, at_ms, began, queued, ask, key, snapshot, target, slot, once })
    }
}

/// Waits for a place among those under way, and gives the request its id.
async fn begin(state: &State, wanted: Wanted, named: Option<Named>) -> Result<(Admitted, Place), ApiError> {
    let waited = Instant::now();
    let place = state.places.take(wanted.ask.request.priority, wanted.patience()).await.map_err(overloaded)?;
    let queued = if place.was_free() { Duration::ZERO } else { waited.elapsed() };
    Ok((wanted.admit(state, queued, named).await?, place))
}

/// The whole body.
pub(super) fn whole(body: Result<Bytes, BytesRejection>, snapshot: &Snapshot) -> Result<Bytes, ApiError> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("the body is larger than {} bytes", snapshot.service.max_body);
            ApiError::with(413, "invalid_request_error", "body_too_large", message)
        }
        _ => ApiError::malformed("the body did not arrive whole"),
    })
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
