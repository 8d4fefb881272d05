//! What an error answer means.
//!
//! Servers that speak this dialect agree on statuses more than on words, so the status decides, and the words only
//! where they must: a refusal, an empty account and an unsupported parameter all come as 400 or 429 somewhere.

use std::time::SystemTime;

use domain::failure::FailureKind;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::retry_after::retry_after;
use crate::{
    failure::{Failure, ProviderError},
    text::{MAX_CHARS, bounded},
};

/// Most of an error's body that is read.
const MAX_ERROR_BYTES: usize = 64 * 1024;
/// Longest code, type or parameter that is kept, in characters.
const MAX_WORD: usize = 80;
/// Longest moderation details that are kept, in bytes of JSON.
const MAX_DETAILS_BYTES: usize = 2 * 1024;

const REFUSAL_CODES: [&str; 4] =
    ["moderation_blocked", "content_policy_violation", "content_filter", "responsibleaipolicyviolation"];
const REFUSAL_TYPES: [&str; 1] = ["image_generation_user_error"];
const QUOTA_CODES: [&str; 3] = ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"];
const MODEL_CODES: [&str; 4] = ["model_not_found", "unsupported_value", "unsupported_parameter", "unknown_parameter"];
/// Parameters that Muxel chose from the catalogue: when they are wrong, the catalogue is, not the caller.
const CHOSEN_PARAMS: [&str; 5] = ["model", "size", "quality", "background", "n"];

/// The failure behind an answer whose status is not 2xx.
pub(super) fn from_status(status: StatusCode, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Failure {
    let body = &body[..body.len().min(MAX_ERROR_BYTES)];
    let error = read(body);
    let kind = classify(status, error.as_ref());
    let said = match &error {
        Some(error) if !error.message.is_empty() => error.message.clone(),
        _ => String::from_utf8_lossy(&body[..body.len().min(4 * MAX_CHARS)]).into_owned(),
    };
    let mut failure = Failure::new(kind, &format!("status {}: {said}", status.as_u16()));
    failure.retry_after = retry_after(headers, now);
    failure.error = error.map(Box::new);
    failure.with_status(status.as_u16())
}

fn classify(status: StatusCode, error: Option<&ProviderError>) -> FailureKind {
    let code = error.and_then(|error| error.code.as_deref()).unwrap_or_default();
    if error.is_some_and(is_refusal) && status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
        return FailureKind::Refused;
    }
    let error_type = error.and_then(|error| error.error_type.as_deref()).unwrap_or_default();
    if QUOTA_CODES.contains(&code) || QUOTA_CODES.contains(&error_type) {
        return FailureKind::Quota;
    }
    match status.as_u16() {
        401 => FailureKind::Credential,
        403 if error.is_some_and(|error| sounds_like_moderation(&error.message)) => FailureKind::Refused,
        403 => FailureKind::Credential,
        402 => FailureKind::Quota,
        429 => FailureKind::RateLimited,
        404 | 405 | 410 | 501 => FailureKind::Capability,
        408 | 500..=599 => FailureKind::Server,
        _ if error.is_some_and(is_capability) => FailureKind::Capability,
        400..=499 => FailureKind::Caller,
        // A redirect or something stranger: nobody follows it, and nothing was drawn.
        _ => FailureKind::Capability,
    }
}

/// Whether the provider says that the content, not the call, was the problem.
pub(super) fn is_refusal(error: &ProviderError) -> bool {
    let one_of = |word: &Option<String>, list: &[&str]| {
        word.as_deref().is_some_and(|word| list.contains(&word.to_ascii_lowercase().as_str()))
    };
    one_of(&error.code, &REFUSAL_CODES)
        || one_of(&error.error_type, &REFUSAL_CODES)
        || one_of(&error.error_type, &REFUSAL_TYPES)
        || error.moderation_details.is_some()
}

fn sounds_like_moderation(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["moderat", "content policy", "safety system", "content filter"].iter().any(|words| message.contains(words))
}

fn is_capability(error: &ProviderError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    let chosen_here = error.param.as_deref().is_some_and(|param| CHOSEN_PARAMS.contains(&param));
    MODEL_CODES.contains(&code) || (chosen_here && (code == "invalid_value" || code.is_empty()))
}

/// The error of a body in any of the shapes in use: `{"error": {..}}`, `{"error": ".."}`, `{"detail": ..}`.
fn read(body: &[u8]) -> Option<ProviderError> {
    let body: Map<String, Value> = serde_json::from_slice(body).ok()?;
    error_of(&body)
}

/// The error that an answer's fields hold, if they hold one.
pub(super) fn error_of(fields: &Map<String, Value>) -> Option<ProviderError> {
    match fields.get("error") {
        Some(Value::Object(error)) => Some(from_object(error)),
        Some(Value::String(message)) => {
            let code = fields.get("code").and_then(word);
            Some(ProviderError { message: bounded(message, MAX_CHARS), code, ..ProviderError::default() })
        }
        _ => {
            let message = ["detail", "message"].iter().find_map(|name| fields.get(*name))?;
            let message = message.as_str().map_or_else(|| message.to_string(), ToOwned::to_owned);
            Some(ProviderError { message: bounded(&message, MAX_CHARS), ..ProviderError::default() })
        }
    }
}

fn from_object(error: &Map<String, Value>) -> ProviderError {
    let inner_code = error.get("inner_error").or_else(|| error.get("innererror")).and_then(|inner| inner.get("code"));
    let code = error.get("code").and_then(word);
    ProviderError {
        message: error.get("message").and_then(Value::as_str).map_or_else(String::new, |text| bounded(text, MAX_CHARS)),
        error_type: error.get("type").and_then(word),
        code: code.or_else(|| inner_code.and_then(word)),
        param: error.get("param").and_then(word),
        moderation_details: error
            .get("moderation_details")
            .filter(|details| details.is_object() && details.to_string().len() <= MAX_DETAILS_BYTES)
            .cloned(),
    }
}

/// A short word: some servers write codes as numbers.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(bounded(text, MAX_WORD)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// For servers that refuse without a word.
pub(super) fn silent_refusal() -> ProviderError {
    ProviderError {
        message: "the provider refused the prompt on content grounds".to_owned(),
        error_type: Some("image_generation_user_error".to_owned()),
        code: Some("moderation_blocked".to_owned()),
        ..ProviderError::default()
    }
}
