//! HTTP to providers, with every convenience off that could send a request twice or a key elsewhere.
//!
//! No redirects, no cookies, no proxy from the environment, no retries of the library's own. What matters about an error
//! is whether anything may have been sent: a connection that was never made is the only failure that may be repeated.

use std::{error::Error as _, time::Duration};

use bytes::{Bytes, BytesMut};
use domain::failure::FailureKind;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use url::Url;

use crate::{
    dialect::Call,
    endpoint::{Place, SetupError},
    failure::Failure,
};

/// Most bytes of one attempt's answers, all fetched pictures together.
pub(crate) const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// Most bytes read of an error answer.
const MAX_ERROR: usize = 64 * 1024;
/// Most bytes set aside on a provider's word about its answer's length.
const MAX_RESERVED: usize = 8 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter than most servers': a connection that its server is about to close may swallow a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_IDLE: usize = 256;

/// The one HTTP client. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Transport {
    client: reqwest::Client,
}

/// An answer, whole.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Transport {
    pub(crate) fn new() -> Result<Self, SetupError> {
        // Another part of the program may have installed one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("muxel/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .retry(reqwest::retry::never())
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE)
            .build()
            .map_err(SetupError::Client)?;
        Ok(Self { client })
    }

    /// Sends one call with one of the provider's keys and reads the whole answer.
    pub(crate) async fn post(&self, place: &Place, key: usize, call: Call) -> Result<Reply, Failure> {
        let mut request = self.client.post(place.url(call.path)).body(call.body);
        request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(authorization) = place.authorization(key) {
            request = request.header(AUTHORIZATION, authorization);
        }
        let mut response = request.send().await.map_err(|error| unsent_or_cut(&error))?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = if status.is_success() {
            read(response, MAX_ANSWER).await.map_err(|failure| failure.with_status(status.as_u16()))?
        } else {
            read_some(response, MAX_ERROR).await
        };
        Ok(Reply { status, headers, body })
    }

    /// Fetches a picture of at most `limit` bytes, without a key. The address must have been checked.
    pub(crate) async fn fetch(&self, url: Url, limit: usize) -> Result<Bytes, Failure> {
        let not_fetched = |why: &str| Failure::new(FailureKind::Empty, &format!("a picture cannot be fetched: {why}"));
        let response = self.client.get(url).send().await.map_err(|error| not_fetched(&cause(&error)))?;
        if !response.status().is_success() {
            return Err(not_fetched(&format!("status {}", response.status().as_u16())));
        }
        read(response, limit).await.map_err(|failure| not_fetched(&failure.detail))
    }
}

/// The whole body; a failure when it is cut or longer than `limit`.
async fn read(mut response: reqwest::Response, limit: usize) -> Result<Bytes, Failure> {
    let too_long =
        || Failure::new(FailureKind::Empty, &format!("the answer is longer than {} MiB", limit / (1024 * 1024)));
    let announced = response.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced.is_some_and(|length| length > limit) {
        return Err(too_long());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| cut(&error))? {
        if body.is_empty() && announced == Some(chunk.len()) {
            return Ok(chunk);
        }
        if body.len() + chunk.len() > limit {
            return Err(too_long());
        }
        if body.is_empty() {
            body.reserve(announced.unwrap_or(chunk.len()).min(MAX_RESERVED));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// As much of the body as comes, up to `limit`: enough to tell what the error was.
async fn read_some(mut response: reqwest::Response, limit: usize) -> Bytes {
    let mut body = BytesMut::new();
    while body.len() < limit
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
    }
    body.freeze()
}

fn unsent_or_cut(error: &reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        return Failure::new(FailureKind::Connect, &format!("no connection: {}", cause(error)));
    }
    cut(error)
}

fn cut(error: &reqwest::Error) -> Failure {
    Failure::new(FailureKind::Timeout, &format!("the connection ended before the answer did: {}", cause(error)))
}

/// The innermost reason: the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "unknown".to_owned(), ToString::to_string)
}
