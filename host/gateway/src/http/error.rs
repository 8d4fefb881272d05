//! Error answers in the OpenAI SDKs' own shape, with a hint and with `x-should-retry`.
//!
//! The SDKs repeat a 5xx twice unless that header forbids it. It says `false` as soon as an attempt may have been charged.

use std::{
    borrow::Cow,
    ops::{Deref, DerefMut},
    time::Duration,
};

use axum::response::{IntoResponse, Response};
use domain::attempt::DecisionId;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::config::Problems;

/// What a caller is told when a request is not served. Boxed, because most requests have none.
#[derive(Clone, Debug)]
pub(crate) struct ApiError(Box<Told>);

/// The parts of an error answer.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) kind: Cow<'static, str>,
    /// Stable.
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) param: Option<Cow<'static, str>>,
    pub(crate) hint: Option<String>,
    pub(crate) should_retry: bool,
    pub(crate) retry_after: Option<Duration>,
    /// Every candidate's veto, where nobody could do it.
    pub(crate) vetoes: Vec<VetoLine>,
    /// What a provider said of its refusal.
    pub(crate) moderation: Option<serde_json::Value>,
    pub(crate) decision: Option<DecisionId>,
    /// Of a configuration that was refused.
    pub(crate) problems: Option<Problems>,
}

/// One candidate that could not serve.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct VetoLine {
    pub(crate) model: String,
    pub(crate) veto: &'static str,
    pub(crate) why: String,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Told {
            status,
            kind: kind.into(),
            code: code.into(),
            message: message.into(),
            param: None,
            hint: None,
            should_retry: false,
            retry_after: None,
            vetoes: Vec::new(),
            moderation: None,
            decision: None,
            problems: None,
        }))
    }

    pub(crate) fn invalid(param: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", "invalid_value", message).param(param)
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", "invalid_json", message)
    }

    pub(crate) fn with(status: u16, kind: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, kind, code, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn param(mut self, param: &'static str) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Worth repeating: nothing was charged, and the next try may go better.
    pub(crate) fn retry(mut self, after: Option<Duration>) -> Self {
        self.should_retry = true;
        self.retry_after = after;
        self
    }

    pub(crate) fn of(mut self, decision: DecisionId) -> Self {
        self.decision = Some(decision);
        self
    }
}

impl Deref for ApiError {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.0
    }
}

impl DerefMut for ApiError {
    fn deref_mut(&mut self) -> &mut Told {
        &mut self.0
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    code: &'a str,
    param: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<String>,
    #[serde(skip_serializing_if = "<[VetoLine]>::is_empty")]
    candidates: &'a [VetoLine],
    #[serde(skip_serializing_if = "Option::is_none")]
    moderation_details: Option<&'a serde_json::Value>,
    #[serde(flatten)]
    problems: Option<&'a Problems>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Body {
            error: Inner {
                message: &self.message,
                kind: &self.kind,
                code: &self.code,
                param: self.param.as_deref(),
                hint: self.hint.as_deref(),
                decision: self.decision.map(|id| id.to_string()),
                candidates: &self.vetoes,
                moderation_details: self.moderation.as_ref(),
                problems: self.problems.as_ref(),
            },
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert("x-should-retry", HeaderValue::from_static(if self.should_retry { "true" } else { "false" }));
        if let Some(after) = self.retry_after {
            // Rounded up: coming back too early is refused again.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(id) = self.decision {
            super::headers::decision(headers, id);
        }
        response
    }
}
