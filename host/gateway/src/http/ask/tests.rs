use proptest::prelude::*;

use super::*;

fn read_json(body: &str) -> Result<Ask, ApiError> {
    read(body.as_bytes(), &HeaderMap::new())
}

fn refused(body: &str) -> (String, Option<String>) {
    let error = read_json(body).expect_err(body);
    assert_eq!((error.status.as_u16(), error.should_retry), (400, false), "{body}");
    (error.code.to_string(), error.param.as_ref().map(ToString::to_string))
}

#[test]
fn the_least_request_is_a_prompt() {
    let ask = read_json(r#"{"prompt": "a red bicycle"}"#).expect("valid");
    assert_eq!((&*ask.model, ask.handover, ask.request.count, ask.request.size), ("auto", Handover::B64Json, 1, None));
}

#[test]
fn bad_input_is_named() {
    assert_eq!(refused("not json"), ("invalid_json".to_owned(), None));
    assert_eq!(refused("[]"), ("invalid_json".to_owned(), None));
    for (body, param) in [
        (r#"{}"#, "prompt"),
        (r#"{"prompt": ""}"#, "prompt"),
        (r#"{"prompt": "  "}"#, "prompt"),
        (r#"{"prompt": 7}"#, "prompt"),
        (r#"{"prompt": "x", "n": 0}"#, "n"),
        (r#"{"prompt": "x", "n": 1000}"#, "n"),
        (r#"{"prompt": "x", "n": -1}"#, "n"),
        (r#"{"prompt": "x", "n": 1.5}"#, "n"),
        (r#"{"prompt": "x", "n": "3"}"#, "n"),
        (r#"{"prompt": "x", "size": "0x0"}"#, "size"),
        (r#"{"prompt": "x", "size": "99999x1"}"#, "size"),
        (r#"{"prompt": "x", "size": "big"}"#, "size"),
        (r#"{"prompt": "x", "quality": "best"}"#, "quality"),
        (r#"{"prompt": "x", "background": "blue"}"#, "background"),
        (r#"{"prompt": "x", "response_format": "png"}"#, "response_format"),
        (r#"{"prompt": "x", "stream": true}"#, "stream"),
        (r#"{"prompt": "x", "muxel": 7}"#, "muxel"),
        (r#"{"prompt": "x", "muxel": {"rout": "a"}}"#, "muxel"),
        (r#"{"prompt": "x", "muxel": {"priority": "now"}}"#, "priority"),
        (r#"{"prompt": "x", "muxel": {"max_cost_usd": -1}}"#, "max_cost_usd"),
        (r#"{"prompt": "x", "muxel": {"min_quality": 2}}"#, "min_quality"),
        (r#"{"prompt": "x", "muxel": {"weights": 1}}"#, "weights"),
        (r#"{"prompt": "x", "muxel": {"weights": {"quality": -0.1}}}"#, "weights"),
        (r#"{"prompt": "x", "muxel": {"weights": {"quality": 1e300}}}"#, "weights"),
        (r#"{"prompt": "x", "muxel": {"weights": {"quality": "NaN"}}}"#, "weights"),
        (r#"{"prompt": "x", "muxel": {"weights": {"quality": null}}}"#, "weights"),
        (r#"{"prompt": "x", "muxel": {"weights": {"a b": 0.5}}}"#, "weights"),
        (r#"{"prompt": "x", "muxel": {"weights": {"quality":0,"cost":0,"latency":0,"reliability":0}}}"#, "weights"),
    ] {
        assert_eq!(refused(body), ("invalid_value".to_owned(), Some(param.to_owned())), "{body}");
    }
    let long = format!(r#"{{"prompt": "{}"}}"#, "ä".repeat(MAX_PROMPT_CHARS + 1));
    assert_eq!(refused(&long), ("invalid_value".to_owned(), Some("prompt".to_owned())));
}

#[test]
fn unknown_fields_are_kept_and_muxel_is_not() {
    let body = r#"{"prompt": "x", "size": "auto", "moderation": "low", "muxel": {"priority": "urgent"}}"#;
    let ask = read_json(body).expect("valid");
    assert_eq!(ask.extra.keys().collect::<Vec<_>>(), ["moderation"]);
    assert_eq!(ask.request.priority, Priority::Urgent);
}

#[test]
fn headers_say_what_the_object_does_not() {
    let mut headers = HeaderMap::new();
    headers.insert("x-muxel-max-cost-usd", "0.05".parse().expect("a header"));
    headers.insert("x-muxel-route", "thumbs".parse().expect("a header"));
    headers.insert("x-muxel-weights", "quality=0.5, cost=0.3".parse().expect("a header"));
    let body = br#"{"prompt": "x", "muxel": {"route": "art"}}"#;
    let ask = read(body, &headers).expect("valid");
    assert_eq!(ask.route.as_deref(), Some("art"));
    assert_eq!(ask.request.caps.max_cost, Some(MicroUsd(50_000)));
    assert_eq!(Ok(ask.weights), "quality=0.5,cost=0.3".parse());
    for wrong in ["quality=NaN", "quality=-1", "quality=2", "quality", "quality=0.1,quality=0.2"] {
        headers.insert("x-muxel-weights", wrong.parse().expect("a header"));
        let error = read(body, &headers).expect_err(wrong);
        assert_eq!((error.param.as_deref(), error.hint.is_some()), (Some("weights"), true), "{wrong}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&body, &HeaderMap::new());
    }

    #[test]
    fn no_value_of_a_known_field_panics(name in "prompt|n|size|quality|muxel|model", value in "\\PC{0,30}") {
        let _ = read_json(&format!(r#"{{"prompt": "x", "{name}": {value}}}"#));
    }
}
