//! What a simulated provider says when it does not draw, and how it counts tokens when it does.

use std::time::Duration;

use domain::{price::Tariff, request::Request, size::Size};
use serde_json::json;

use super::SimulatedAnswer;
use crate::{dialect::Usage, random::SplitMix};

pub(super) fn server_error() -> SimulatedAnswer {
    let body = json!({ "error": {
        "message": "simulated: the server had an error while processing your request",
        "type": "server_error", "param": null, "code": null,
    } });
    SimulatedAnswer::Error { status: 503, retry_after: None, body: body.to_string() }
}

pub(super) fn rate_limited(random: &mut SplitMix) -> SimulatedAnswer {
    let body = json!({ "error": {
        "message": "simulated: rate limit reached, please try again soon",
        "type": "requests", "param": null, "code": "rate_limit_exceeded",
    } });
    let retry_after = Some(Duration::from_millis(random.between(200.0, 2_000.0) as u64));
    SimulatedAnswer::Error { status: 429, retry_after, body: body.to_string() }
}

pub(super) fn refusal() -> SimulatedAnswer {
    let body = json!({ "error": {
        "message": "simulated: your request was rejected by the safety system. safety_violations=[simulated].",
        "type": "image_generation_user_error", "param": null, "code": "moderation_blocked",
        "moderation_details": { "moderation_stage": "input", "categories": ["simulated"] },
    } });
    SimulatedAnswer::Error { status: 400, retry_after: None, body: body.to_string() }
}

pub(super) fn credential() -> SimulatedAnswer {
    let body = json!({ "error": {
        "message": "simulated: incorrect API key provided",
        "type": "invalid_request_error", "param": null, "code": "invalid_api_key",
    } });
    SimulatedAnswer::Error { status: 401, retry_after: None, body: body.to_string() }
}

pub(super) fn quota() -> SimulatedAnswer {
    let body = json!({ "error": {
        "message": "simulated: you exceeded your current quota",
        "type": "insufficient_quota", "param": null, "code": "insufficient_quota",
    } });
    SimulatedAnswer::Error { status: 429, retry_after: None, body: body.to_string() }
}

/// An answer that holds no picture.
pub(super) fn empty() -> SimulatedAnswer {
    SimulatedAnswer::Error { status: 200, retry_after: None, body: json!({ "created": 0, "data": [] }).to_string() }
}

pub(super) fn too_large(size: Size) -> SimulatedAnswer {
    let body = json!({ "error": {
        "message": format!("simulated: {size} is more than 36 megapixels"),
        "type": "invalid_request_error", "param": "size", "code": "invalid_value",
    } });
    SimulatedAnswer::Error { status: 400, retry_after: None, body: body.to_string() }
}

/// Tokens of a model that is billed by them: about what the tariff expects, so that the bill differs from the estimate.
pub(super) fn usage(request: &Request, tariff: &Tariff, random: &mut SplitMix) -> Option<Usage> {
    let is_by_token = tariff.known && tariff.tokens_out.0 > 0;
    is_by_token.then(|| {
        let expected = f64::from(tariff.expected_tokens_out) * f64::from(request.count);
        Usage {
            text_in: (request.prompt.chars().count() as u64).div_ceil(4),
            image_in: u64::from(tariff.expected_image_in) * u64::from(request.inputs.images),
            out: (expected * random.between(0.92, 1.06)) as u64,
        }
    })
}
