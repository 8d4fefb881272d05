use std::{sync::Arc, time::SystemTime};

use domain::{
    catalogue::Model,
    failure::FailureKind,
    money::PriceFactor,
    provider::{DialectName, Provider},
};
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    dialect::{Answer, Source, Usage},
    failure::Failure,
};

fn candidate(model: &str, tier: Option<&str>) -> Candidate {
    let model: Model = serde_json::from_value(json!({
        "name": model,
        "sizes": { "listed": ["1024x1024"] },
        "max-count": 10,
        "max-prompt-chars": 32000,
        "tiers": [{ "name": tier }],
        "source": "a test",
        "as-of": "2026-11-23",
    }))
    .expect("a model");
    let provider = Provider {
        name: "openai".to_owned(),
        dialect: DialectName::Openai,
        tags: Vec::new(),
        price_factor: PriceFactor::ONE,
        weight: 1.0,
        max_in_flight: 0,
    };
    Candidate::all(&Arc::new(provider), &Arc::new(model)).next().expect("one tier")
}

fn encoded(request: &Request, candidate: &Candidate, extra: Value) -> Value {
    let Value::Object(extra) = extra else { panic!("extra fields are an object") };
    serde_json::from_slice(&encode(request, candidate, &extra).body).expect("JSON")
}

fn answered(status: u16, body: &str) -> Result<Answer, Failure> {
    let status = StatusCode::from_u16(status).expect("a status");
    decode(status, &HeaderMap::new(), &Bytes::copy_from_slice(body.as_bytes()), SystemTime::UNIX_EPOCH)
}

fn failed(status: u16, body: Value) -> Failure {
    answered(status, &body.to_string()).expect_err("a failure")
}

#[test]
fn a_tier_is_sent_in_its_own_word_and_the_size_only_when_asked() {
    let request = Request { size: None, count: 3, ..Request::for_prompt("a fox") };
    let body = encoded(&request, &candidate("gpt-image-2", Some("low")), json!({ "user": "u1" }));
    assert_eq!(body, json!({ "model": "gpt-image-2", "prompt": "a fox", "n": 3, "quality": "low", "user": "u1" }));
}

#[test]
fn own_fields_of_the_caller_never_reach_the_provider() {
    let request = Request { transparent: true, ..Request::for_prompt("a fox") };
    let sent = json!({
        "muxel": { "route": "x" }, "model": "auto", "stream": true, "response_format": "url", "background": "opaque",
        "n": 9, "prompt": "other", "size": "1x1", "quality": "hd", "moderation": "low",
    });
    let body = encoded(&request, &candidate("sdxl", None), sent);
    assert_eq!(
        body,
        json!({
            "model": "sdxl", "prompt": "a fox", "n": 1, "size": "1024x1024", "background": "transparent",
            "response_format": "b64_json", "moderation": "low",
        })
    );
}

#[test]
fn a_picture_is_a_slice_of_the_received_bytes() {
    let body = Bytes::from_static(
        br#"{"created": 5, "data": [{"b64_json": "AAAA", "revised_prompt": "a red fox"}], "size": "1024x1024",
            "usage": {"input_tokens": 9, "input_tokens_details": {"text_tokens": 7, "image_tokens": 2},
            "output_tokens": 196, "total_tokens": 205}}"#,
    );
    let answer = decode(StatusCode::OK, &HeaderMap::new(), &body, SystemTime::UNIX_EPOCH).expect("an answer");
    let Source::Base64(picture) = &answer.entries[0].source else { panic!("base64") };
    assert!(body.as_ptr_range().contains(&picture.as_ptr()), "it was copied");
    assert_eq!((answer.created, answer.entries[0].revised_prompt.as_deref()), (Some(5), Some("a red fox")));
    assert_eq!(answer.report.usage, Some(Usage { text_in: 7, image_in: 2, out: 196 }));
    assert_eq!(answer.usage_as_sent.expect("usage")["total_tokens"], 205);
    assert_eq!(Value::Object(answer.other), json!({ "size": "1024x1024" }));
}

#[test]
fn escaped_base64_and_data_urls_are_pictures_too() {
    let sources = |body: &str| answered(200, body).expect("an answer").entries.remove(0).source;
    assert_eq!(sources(r#"{"data":[{"b64_json":"AA\/A"}]}"#), Source::Base64("AA/A".into()));
    assert_eq!(sources(r#"{"data":[{"b64_json":"data:image\/png;base64,AAAA"}]}"#), Source::Base64("AAAA".into()));
    assert_eq!(sources(r#"{"data":[{"url":"data:image/png;base64,AAAA"}]}"#), Source::Base64("AAAA".into()));
    assert_eq!(sources(r#"{"data":[{"url":"https://x/y"}]}"#), Source::Url("https://x/y".to_owned()));
}

#[test]
fn an_answer_without_a_picture_is_a_failure() {
    for body in ["", "{}", "[]", "null", "<html>", r#"{"data":[]}"#, r#"{"data":[{}]}"#, r#"{"data":null}"#] {
        assert_eq!(answered(200, body).expect_err(body).kind, FailureKind::Empty, "{body}");
    }
}

#[test]
fn a_refusal_that_looks_like_success_is_a_refusal() {
    for body in [
        json!({ "data": [], "error": { "code": "content_policy_violation", "message": "no" } }),
        json!({ "data": [{ "finish_reason": "CONTENT_FILTERED" }] }),
        json!({ "data": [{ "respect_moderation": false }] }),
    ] {
        let failure = failed(200, body.clone());
        assert_eq!(failure.kind, FailureKind::Refused, "{body}");
        assert!(failure.error.is_some_and(|error| !error.message.is_empty()), "{body}");
    }
}

#[test]
fn a_refusal_keeps_the_providers_words() {
    let failure = failed(
        400,
        json!({ "error": {
            "message": "rejected by the safety system. safety_violations=[violence]",
            "type": "image_generation_user_error", "param": null, "code": "moderation_blocked",
            "moderation_details": { "moderation_stage": "input", "categories": ["violence"] },
        } }),
    );
    assert_eq!((failure.kind, failure.status), (FailureKind::Refused, Some(400)));
    let error = failure.error.expect("the provider's error");
    assert_eq!(error.code.as_deref(), Some("moderation_blocked"));
    assert_eq!(error.error_type.as_deref(), Some("image_generation_user_error"));
    assert_eq!(error.moderation_details.expect("details")["moderation_stage"], "input");
    assert!(error.message.ends_with("[violence]"));
}

#[test]
fn statuses_and_codes_mean_what_the_table_says() {
    let error = |code: &str, param: Option<&str>| json!({ "error": { "message": "m", "code": code, "param": param } });
    for (status, body, kind) in [
        (400, error("content_policy_violation", None), FailureKind::Refused),
        (400, error("unsupported_value", Some("size")), FailureKind::Capability),
        (400, error("invalid_value", Some("quality")), FailureKind::Capability),
        (400, error("invalid_value", Some("user")), FailureKind::Caller),
        (400, error("billing_hard_limit_reached", None), FailureKind::Quota),
        (400, json!("what?"), FailureKind::Caller),
        (401, error("invalid_api_key", None), FailureKind::Credential),
        (402, json!({ "detail": "no credit" }), FailureKind::Quota),
        (403, json!({ "error": "not your model" }), FailureKind::Credential),
        (403, json!({ "error": "failed our moderation" }), FailureKind::Refused),
        (404, error("model_not_found", None), FailureKind::Capability),
        (408, json!({}), FailureKind::Server),
        (413, json!({}), FailureKind::Caller),
        (429, error("rate_limit_exceeded", None), FailureKind::RateLimited),
        (429, error("insufficient_quota", None), FailureKind::Quota),
        (500, json!({}), FailureKind::Server),
        (503, error("overloaded", None), FailureKind::Server),
        (302, json!({}), FailureKind::Capability),
    ] {
        assert_eq!(failed(status, body.clone()).kind, kind, "{status} {body}");
    }
}

#[test]
fn what_a_provider_writes_is_bounded_and_escaped() {
    let failure = failed(500, json!({ "error": { "message": format!("\u{1b}[2J{}", "x".repeat(5_000)) } }));
    assert!(failure.detail.len() < 400 && failure.detail.starts_with("status 500: \\u{1b}[2J"), "{}", failure.detail);
    let page = answered(502, &format!("<html>{}", "y".repeat(100_000))).expect_err("a failure");
    assert!(page.detail.starts_with("status 502: <html>y") && page.detail.len() < 400);
}

#[test]
fn a_flood_of_pictures_and_fields_is_bounded() {
    let entries = vec![json!({ "b64_json": "AAAA" }); 1_000];
    let mut body = json!({ "data": entries, "huge": vec![0; 100_000] });
    for index in 0..100 {
        body[format!("field{index}")] = json!(index);
    }
    let answer = answered(200, &body.to_string()).expect("an answer");
    assert_eq!(answer.entries.len(), 10);
    assert!(answer.other.len() <= 32 && !answer.other.contains_key("huge"));
}

proptest! {
    #[test]
    fn decoding_never_panics(status in 100..=599u16, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let status = StatusCode::from_u16(status).expect("in range");
        let _ = decode(status, &HeaderMap::new(), &Bytes::from(body), SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn decoding_broken_answers_never_panics(status in prop::sample::select(vec![200, 400, 403, 429]), cut in 0..400usize, at in 0..400usize, byte in any::<u8>()) {
        let whole = json!({
            "created": 1, "data": [{ "b64_json": "AAAA", "url": "data:é,", "revised_prompt": "ä" }],
            "error": { "message": "m", "type": "t", "code": 7, "param": [], "moderation_details": {} },
            "usage": { "input_tokens": 1, "output_tokens": -5 }, "finish_reason": "x",
        });
        let mut body = whole.to_string().into_bytes();
        if let Some(slot) = body.get_mut(at) { *slot = byte; }
        body.truncate(cut.max(1));
        let status = StatusCode::from_u16(status).expect("a status");
        let _ = decode(status, &HeaderMap::new(), &Bytes::from(body), SystemTime::UNIX_EPOCH);
    }
}
