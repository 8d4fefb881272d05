//! What goes over the wire, and what never does.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{failure::FailureKind, provider::Provider, request::Request};
use serde_json::json;

use super::{
    stage::{Stage, ends},
    upstream::{Act, Upstream, png, png_base64},
};
use crate::{CallerPresence, Dispatcher, Format, Job, ProviderSetup};

#[tokio::test]
async fn a_picture_arrives_as_it_was_sent() {
    let a = Upstream::playing([Act::picture()]).await;
    let play = Stage::default().at("a", &a.url).key("sk-1").play();
    let delivery = play.try_all(&["a"]).await.result.expect("a picture");
    assert_eq!(delivery.pictures[0].b64, png_base64());
    assert_eq!((delivery.pictures[0].format, delivery.pictures[0].size), (Format::Png, Some((8, 8))));
    assert_eq!((delivery.created, delivery.step), (Some(7), 0));
    assert_eq!(delivery.other["output_format"], "png");

    let call = &a.received()[0];
    assert!(call.head.starts_with("POST /v1/images/generations HTTP/1.1"), "{}", call.head);
    assert!(call.head.contains("authorization: Bearer sk-1") && call.head.contains("content-type: application/json"));
    let body = json!({ "model": "m", "prompt": "a red bicycle", "n": 1, "response_format": "b64_json" });
    assert_eq!(call.body, body);
}

#[tokio::test]
async fn a_large_picture_is_read_whole() {
    let mut bytes = png();
    let end = bytes.split_off(bytes.len() - 12);
    bytes.resize(5_000_000, 7);
    bytes.extend(end);
    let text = STANDARD.encode(&bytes);
    let a = Upstream::playing([Act::json(200, json!({ "data": [{ "b64_json": text }] }))]).await;
    let play = Stage::default().at("a", &a.url).play();
    let delivery = play.try_all(&["a"]).await.result.expect("a picture");
    assert!(delivery.pictures[0].b64 == text);
}

#[tokio::test]
async fn fewer_pictures_than_asked_are_delivered_with_a_warning() {
    let entries = json!([{ "b64_json": png_base64() }, { "b64_json": "aGVsbG8=" }]);
    let a = Upstream::playing([Act::json(200, json!({ "data": entries }))]).await;
    let play = Stage::default().at("a", &a.url).play();
    let request = Arc::new(Request { count: 3, ..Request::for_prompt("x") });
    let delivery = play.run(Job { request, ..play.job(&["a"]) }).await.result.expect("a picture");
    assert_eq!(delivery.pictures.len(), 1);
    assert!(delivery.warnings[0].starts_with("1 of 3 pictures were delivered"), "{:?}", delivery.warnings);
}

#[tokio::test]
async fn a_key_that_the_provider_repeats_is_not_shown() {
    let key = "sk-very-secret-key";
    // With so much before the key, a bound on the text would cut it in two.
    for padding in [0, 275, 285, 295] {
        let message = format!("{}{key}", "x".repeat(padding));
        let body = json!({ "error": { "message": message, "code": key, "moderation_details": { "key": key } } });
        for act in [Act::json(401, body.clone()), Act::json(200, body.clone()), Act::json(500, json!(message))] {
            let a = Upstream::playing([act]).await;
            let play = Stage::default().at("a", &a.url).key(key).play();
            let shown = format!("{:?}", play.try_all(&["a"]).await);
            assert!(!shown.contains("sk-"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Upstream::playing([Act::picture()]).await;
    let redirect = Act::json(307, json!({})).with_header(&format!("location: {}", elsewhere.url));
    let a = Upstream::playing([redirect]).await;
    let play = Stage::default().at("a", &a.url).key("sk-1").play();
    let failure = play.try_all(&["a"]).await.result.expect_err("a failure");
    assert_eq!((failure.kind, elsewhere.calls()), (Some(FailureKind::Capability), 0));
}

#[tokio::test]
async fn a_picture_at_the_providers_own_host_is_fetched_without_the_key() {
    let a = Upstream::playing([]).await;
    let file = a.url.join("/made/1.png").expect("a URL");
    a.then(Act::json(200, json!({ "data": [{ "url": file.as_str() }] })));
    a.then(Act::bytes(200, &png()));
    let play = Stage::default().at("a", &a.url).key("sk-1").play();
    let delivery = play.try_all(&["a"]).await.result.expect("a picture");
    assert_eq!(delivery.pictures[0].b64, png_base64());
    let fetch = &a.received()[1];
    assert!(fetch.head.starts_with("GET /made/1.png") && !fetch.head.contains("sk-1"), "{}", fetch.head);
}

#[tokio::test]
async fn a_picture_elsewhere_is_fetched_only_when_the_config_names_the_host() {
    let files = Upstream::playing([Act::bytes(200, &png())]).await;
    let a = Upstream::playing([Act::json(200, json!({ "data": [{ "url": files.url.as_str() }] }))]).await;
    let strict = Stage::default().at("a", &a.url).play();
    let failure = strict.try_all(&["a"]).await.result.expect_err("a failure");
    assert_eq!((failure.kind, files.calls()), (Some(FailureKind::Empty), 0));
    assert!(failure.detail.contains("not the provider's own host"), "{}", failure.detail);

    let named = Stage::default().at("a", &a.url).but(|setup| setup.result_hosts = vec![files.host()]).play();
    assert_eq!(ends(&named.try_all(&["a"]).await), ["a/m delivered"]);
}

#[tokio::test]
async fn a_file_that_is_no_picture_or_is_not_there_is_no_delivery() {
    for act in [Act::bytes(200, b"hello"), Act::error(404, "gone"), Act::CutBody] {
        let files = Upstream::playing([act]).await;
        let a = Upstream::playing([Act::json(200, json!({ "data": [{ "url": files.url.as_str() }] }))]).await;
        let play = Stage::default().at("a", &a.url).but(|setup| setup.result_hosts = vec![files.host()]).play();
        assert_eq!(ends(&play.try_all(&["a"]).await), ["a/m empty"]);
    }
}

#[tokio::test]
async fn a_waiting_request_is_small() {
    let a = Upstream::playing([Act::picture()]).await;
    let play = Stage::default().at("a", &a.url).play();
    let caller = CallerPresence::steady();
    let waiting = play.dispatcher.run(play.job(&["a"]), &caller);
    assert!(size_of_val(&waiting) < 4_096, "{} bytes", size_of_val(&waiting));
}

#[tokio::test]
async fn a_renewed_dispatcher_keeps_connections_and_places() {
    let a = Upstream::playing([Act::picture(), Act::picture()]).await;
    let stage = |most: u32| Stage::default().at("a", &a.url).but(|setup| setup.provider = limited(setup, most));
    let play = stage(1).play();
    let same = play.dispatcher.renewed(stage(1).key("sk-new").providers).expect("a dispatcher");
    let permits = |dispatcher: &Dispatcher| dispatcher.endpoints["a"].permits.clone().expect("a limit");
    assert!(Arc::ptr_eq(&permits(&play.dispatcher), &permits(&same)));
    let other = play.dispatcher.renewed(stage(2).providers).expect("a dispatcher");
    assert_eq!(permits(&other).available_permits(), 2);

    let caller = CallerPresence::steady();
    assert_eq!(ends(&play.dispatcher.run(play.job(&["a"]), &caller).await), ["a/m delivered"]);
    assert_eq!(ends(&same.run(play.job(&["a"]), &caller).await), ["a/m delivered"]);
    assert!(a.received()[1].head.contains("sk-new"), "{}", a.received()[1].head);
}

/// The provider of `setup` with a limit.
fn limited(setup: &ProviderSetup, most: u32) -> Arc<Provider> {
    Arc::new(Provider { max_in_flight: most, ..Provider::clone(&setup.provider) })
}
