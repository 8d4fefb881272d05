//! From status, headers and body to an answer or a failure.

use std::time::SystemTime;

use bytes::Bytes;
use domain::failure::FailureKind;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::{
    answer::{self, Body, Text},
    failure::{self, error_of},
    report::report,
};
use crate::{
    dialect::{Answer, Entry, Source},
    failure::Failure,
    text::bounded,
};

/// Most characters kept of a prompt that the provider rewrote.
const MAX_REVISED_PROMPT: usize = 32_000;

/// What the provider said. `now` is for a Retry-After that is a date.
pub(crate) fn decode(
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
    now: SystemTime,
) -> Result<Answer, Failure> {
    if !status.is_success() {
        return Err(failure::from_status(status, headers, body, now));
    }
    let read: Body<'_> = serde_json::from_slice(body).map_err(|error| {
        Failure::new(FailureKind::Empty, &format!("the answer cannot be read: {error}")).with_status(status.as_u16())
    })?;
    let refused = is_refusal(&read);
    let entries: Vec<Entry> = read.data.into_iter().filter_map(|entry| keep(entry, body)).collect();
    let mut other = read.other;
    let report = report(&other);
    if entries.is_empty() {
        return Err(Failure {
            report: Box::new(report),
            ..without_picture(refused, &other).with_status(status.as_u16())
        });
    }
    Ok(Answer {
        entries,
        created: other.remove("created").and_then(|created| created.as_u64()),
        report,
        usage_as_sent: other.remove("usage").filter(Value::is_object),
        other,
    })
}

/// The picture of an entry, without copying it unless JSON had escaped it.
fn keep(entry: answer::Entry<'_>, body: &Bytes) -> Option<Entry> {
    let base64 = |text: Text<'_>| {
        let start = data_url_prefix(&text.0);
        match text.0 {
            std::borrow::Cow::Borrowed(text) => body.slice_ref(&text.as_bytes()[start..]),
            std::borrow::Cow::Owned(text) => Bytes::from(text).slice(start..),
        }
    };
    let is_there = |text: &Text<'_>| !text.0.is_empty();
    let source = match (entry.b64_json.filter(is_there), entry.url.filter(is_there)) {
        (Some(text), _) => Source::Base64(base64(text)),
        (None, Some(url)) if data_url_prefix(&url.0) > 0 => Source::Base64(base64(url)),
        (None, Some(url)) => Source::Url(url.0.into_owned()),
        (None, None) => return None,
    };
    let revised_prompt = entry.revised_prompt.filter(is_there);
    Some(Entry { source, revised_prompt: revised_prompt.map(|text| text.0.chars().take(MAX_REVISED_PROMPT).collect()) })
}

/// Length of `data:image/png;base64,`, which some servers write in front.
fn data_url_prefix(text: &str) -> usize {
    let head = text.as_bytes().iter().take(64).position(|byte| *byte == b',');
    match head {
        Some(comma) if text.starts_with("data:") && text[..comma].ends_with(";base64") => comma + 1,
        _ => 0,
    }
}

/// A refusal that looks like success.
fn is_refusal(body: &Body<'_>) -> bool {
    let filtered = |reason: &str| {
        let reason = reason.to_ascii_lowercase();
        ["filter", "moderat", "safety"].iter().any(|word| reason.contains(word))
    };
    let entry_refused = |entry: &answer::Entry<'_>| {
        entry.respect_moderation == Some(false)
            || entry.finish_reason.as_ref().is_some_and(|reason| filtered(&reason.0))
    };
    let field = |name| body.other.get(name).and_then(Value::as_str);
    body.data.iter().any(entry_refused)
        || field("finish_reason").is_some_and(filtered)
        || body.other.get("respect_moderation") == Some(&Value::Bool(false))
}

fn without_picture(refused: bool, other: &Map<String, Value>) -> Failure {
    if let Some(error) = error_of(other) {
        let kind = if refused || failure::is_refusal(&error) { FailureKind::Refused } else { FailureKind::Empty };
        let detail = format!("an answer without a picture: {}", error.message);
        return Failure { error: Some(Box::new(error)), ..Failure::new(kind, &detail) };
    }
    if refused {
        let error = failure::silent_refusal();
        let detail = error.message.clone();
        return Failure { error: Some(Box::new(error)), ..Failure::new(FailureKind::Refused, &detail) };
    }
    let names: Vec<String> = other.keys().take(8).map(|name| bounded(name, 20)).collect();
    let detail = format!("an answer without a picture; other fields: {}", names.join(", "));
    Failure::new(FailureKind::Empty, &detail)
}
