//! `Idempotency-Key`: whoever repeats a request under the same key gets the same answer, and is charged once.
//!
//! A key belongs to the caller's API key, or without keys to this machine. Under one key, the same request is carried out
//! once: while it is, others wait for its answer; afterwards they get it again for a day, over restarts. What charged
//! nothing and is worth repeating is not kept, so that repeating it makes sense. Nor is what was refused before anything
//! began, such as a body that is no JSON: it may be mended and sent under the same key.

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use domain::digest::Digest;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use ledger::{Known, Once};

use super::{ask, auth::Key, error::ApiError, ledger_full};
use crate::{
    claims::{Claim, Claimed},
    state::{State, unix_ms},
};

const HEADER: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key, in characters.
const MOST: usize = 255;

/// What a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Of the caller and of the key.
    pub(super) name: Digest,
    /// Of everything that was asked.
    pub(super) asks: Digest,
}

/// An answer as it was given, to be given again.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// What is to be done about a request with a key.
pub(super) enum Turn {
    /// It was answered before.
    Answered(Response),
    /// It is to be carried out now.
    Mine(Claim<Given>),
}

/// The key of a request, if it came with one.
///
/// # Errors
///
/// 400 for a key that is none.
pub(super) fn named(headers: &HeaderMap, caller: Option<&Key>, body: &[u8]) -> Result<Option<Named>, ApiError> {
    let mut keys = headers.get_all(HEADER).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let wrong = |message: String| {
        Err(ApiError::invalid("Idempotency-Key", message)
            .hint("send a fresh UUID for each request, and it again with each repeat"))
    };
    if keys.next().is_some() {
        return wrong("the header `Idempotency-Key` came more than once".to_owned());
    }
    let key = key.as_bytes();
    if !(1..=MOST).contains(&key.len()) || !key.iter().all(u8::is_ascii_graphic) {
        return wrong(format!("the header `Idempotency-Key` has 1 to {MOST} visible ASCII characters"));
    }
    // No key's name contains a zero byte.
    let caller = caller.map_or(&b""[..], |caller| caller.name.as_bytes());
    let name = Digest::of(&[caller, b"\0", key].concat());
    Ok(Some(Named { name, asks: asks(headers, body) }))
}

/// Of the body, and of the headers that say what the body may say as well.
fn asks(headers: &HeaderMap, body: &[u8]) -> Digest {
    let mut asked = Digest::of(body).as_bytes().to_vec();
    for name in ask::header_names() {
        for value in headers.get_all(&name) {
            for part in [name.as_bytes(), value.as_bytes()] {
                asked.extend_from_slice(&(part.len() as u64).to_be_bytes());
                asked.extend_from_slice(part);
            }
        }
    }
    Digest::of(&asked)
}

/// Waits until it is known what is to be done.
///
/// # Errors
///
/// What cannot be answered again: another request under this key, one whose end is not known, one whose answer is gone.
pub(super) async fn turn(state: &State, named: Named) -> Result<Turn, ApiError> {
    let claim = loop {
        match state.claims.claim(named.name, named.asks) {
            Claimed::Mine(claim) => break claim,
            Claimed::Conflict => return Err(conflict()),
            Claimed::Others(answer) => {
                if let Some(given) = answer.given().await {
                    return Ok(Turn::Answered(given.again()));
                }
            }
        }
    };
    let found = state.ledger.answers().find(named.name, unix_ms()).await.map_err(|error| {
        tracing::error!(%error, "cannot read what was answered before");
        ledger_full()
    })?;
    match found {
        None | Some((_, Known::Begun { nothing_charged: true })) => Ok(Turn::Mine(claim)),
        Some((once, _)) if once.asks != named.asks => Err(conflict()),
        Some((once, Known::Kept { head, body })) => {
            let given = Given::read(&head, body).ok_or_else(|| dropped(once))?;
            claim.answer(given.clone());
            Ok(Turn::Answered(given.again()))
        }
        Some((once, Known::Dropped)) => Err(dropped(once)),
        Some((once, Known::Begun { nothing_charged: false })) => Err(interrupted(once)),
    }
}

/// Keeps what was answered, unless it is worth repeating, and tells it to everyone who waits for it.
pub(super) async fn settle(state: &State, once: Once, claim: Claim<Given>, response: Response) -> Response {
    let given = Given::of(response).await;
    let done = if given.is_worth_repeating() {
        state.ledger.answers().free(once).await
    } else {
        state.ledger.keep_answer(once, given.head(), given.body.clone()).await
    };
    if let Err(error) = done {
        // Whoever repeats it then is told that its end is not known: never charged twice, and never served twice either.
        tracing::error!(decision = %once.decision, %error, "cannot keep what was answered");
    }
    claim.answer(given.clone());
    given.response()
}

/// Tells everyone who waits what is not kept.
pub(super) async fn tell(claim: Claim<Given>, response: Response) -> Response {
    let given = Given::of(response).await;
    claim.answer(given.clone());
    given.response()
}

fn conflict() -> ApiError {
    let message = "another request came under this `Idempotency-Key`";
    ApiError::with(422, "invalid_request_error", "idempotency_conflict", message)
        .hint("a repeat has the same body and the same `x-muxel-` headers; send another request under a key of its own")
}

fn interrupted(once: Once) -> ApiError {
    let message = "the first request under this `Idempotency-Key` was interrupted, and it is not known how it ended";
    ApiError::with(502, "server_error", "interrupted", message)
        .hint("it may have been charged: see its decision; send it under another key to have it carried out again")
        .of(once.decision)
}

fn dropped(once: Once) -> ApiError {
    let message = "the request under this `Idempotency-Key` was answered, and the answer is no longer kept";
    ApiError::with(409, "invalid_request_error", "answer_dropped", message)
        .hint("its decision says what it cost; send it under another key to have it carried out, and charged, again")
        .of(once.decision)
}

impl Given {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        // A whole body in memory, which cannot fail.
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        Self { status: parts.status, headers: parts.headers, body }
    }

    fn is_worth_repeating(&self) -> bool {
        self.headers.get("x-should-retry").is_some_and(|value| value == "true")
    }

    fn response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }

    fn again(mut self) -> Response {
        self.headers.insert(REPLAYED, HeaderValue::from_static("true"));
        self.response()
    }

    /// Status and headers, as JSON: what a file says before the body.
    fn head(&self) -> Vec<u8> {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        serde_json::json!([self.status.as_u16(), headers]).to_string().into_bytes()
    }

    fn read(head: &[u8], body: Vec<u8>) -> Option<Self> {
        let (status, named): (u16, Vec<(String, String)>) = serde_json::from_slice(head).ok()?;
        let mut headers = HeaderMap::new();
        for (name, value) in named {
            headers.append(name.parse::<HeaderName>().ok()?, value.parse().ok()?);
        }
        Some(Self { status: StatusCode::from_u16(status).ok()?, headers, body: body.into() })
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    fn of(pairs: &[(&'static str, &str)], body: &str) -> Named {
        named(&headers(pairs), None, body.as_bytes()).expect("a key").expect("a key")
    }

    #[test]
    fn a_key_is_visible_ascii_and_comes_once() {
        assert_eq!(named(&HeaderMap::new(), None, b"").expect("no key"), None);
        for key in ["", "with space", "tab\t", "ümlaut", &"x".repeat(256)] {
            let error = named(&headers(&[(HEADER, key)]), None, b"").expect_err(key);
            assert_eq!((error.status.as_u16(), error.param.as_deref()), (400, Some("Idempotency-Key")), "{key}");
        }
        let mut twice = headers(&[(HEADER, "a")]);
        twice.append(HEADER, HeaderValue::from_static("a"));
        assert!(named(&twice, None, b"").is_err());
        assert!(named(&headers(&[(HEADER, &"~".repeat(255))]), None, b"").is_ok());
    }

    #[test]
    fn each_caller_has_keys_of_its_own() {
        let key = |name: &str| Key { name: name.into(), tenant: None, routes: None, admin: false };
        let of = |caller| named(&headers(&[(HEADER, "k")]), caller, b"{}").expect("a key").expect("a key");
        let (none, studio, shop) = (of(None), of(Some(&key("studio"))), of(Some(&key("shop"))));
        assert_ne!(studio.name, shop.name);
        assert_ne!(none.name, studio.name);
        assert_eq!(studio.asks, shop.asks);
    }

    #[test]
    fn body_and_muxels_own_headers_are_what_is_asked() {
        let plain = of(&[(HEADER, "k")], "{}");
        assert_eq!(of(&[("user-agent", "another"), (HEADER, "k")], "{}"), plain);
        for other in [
            of(&[(HEADER, "k")], "{} "),
            of(&[(HEADER, "k"), ("x-muxel-route", "thumbs")], "{}"),
            of(&[(HEADER, "k"), ("x-muxel-max-cost-usd", "1")], "{}"),
        ] {
            assert_eq!(other.name, plain.name);
            assert_ne!(other.asks, plain.asks);
        }
    }

    #[tokio::test]
    async fn an_answer_is_read_as_it_was_kept() {
        let error = ApiError::with(502, "server_error", "upstream_failed", "no \"picture\"").into_response();
        let given = Given::of(error).await;
        assert!(!given.is_worth_repeating());
        let read = Given::read(&given.head(), given.body.to_vec()).expect("as it was written");
        assert_eq!((read.status, &read.headers, &read.body), (given.status, &given.headers, &given.body));
        let again = read.again();
        assert_eq!(again.headers()[REPLAYED], "true");
        let busy = Given::of(ApiError::with(429, "t", "overloaded", "busy").retry(None).into_response()).await;
        assert!(busy.is_worth_repeating());
        assert!(Given::read(b"{}", Vec::new()).is_none());
    }
}
