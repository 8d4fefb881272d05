//! `POST /v1/images/generations`: what callers get.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Provider, Reply, Setup, png};

#[tokio::test]
async fn without_config_a_prompt_gets_a_picture_of_the_asked_size() {
    let gateway = Setup::new().start().await;
    let reply = gateway.ask(json!({"model": "auto", "prompt": "a red bicycle", "size": "1024x1536"})).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    let picture = reply.picture();
    assert_eq!(&picture[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(dimensions(&picture), (1024, 1536));
    assert_eq!(reply.body["muxel"]["decision"], reply.decision());
    assert_eq!(reply.header("x-request-id"), Some(reply.decision()));
    assert_eq!(reply.body["muxel"]["strategy"], "hybrid");
}

fn dimensions(png: &[u8]) -> (u32, u32) {
    let word = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    (word(16), word(20))
}

#[tokio::test]
async fn the_answer_says_what_was_chosen_and_what_it_cost() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    let reply = gateway.ask(json!({"model": "auto/cheapest", "prompt": "a red bicycle", "n": 3})).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    assert_eq!(reply.body["data"].as_array().map(Vec::len), Some(3));
    assert_eq!(reply.picture(), png());
    assert_eq!(reply.served_by(), "lab/cheap");
    assert_eq!(reply.header("x-muxel-cost-usd"), Some("0.030000"));
    assert_eq!(reply.header("x-muxel-attempts"), Some("1"));
    let muxel = &reply.body["muxel"];
    assert_eq!((&muxel["model"], &muxel["provider"]), (&json!("lab/cheap"), &json!("lab")));
    assert_eq!((&muxel["cost_usd"], &muxel["cost_is"]), (&json!(0.03), &json!("estimated")));
}

#[tokio::test]
async fn unknown_fields_reach_the_provider_and_muxel_fields_do_not() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    let body = json!({
        "model": "auto", "prompt": "a red bicycle", "size": "auto", "moderation": "low", "markup": {"a": [1]},
        "muxel": {"priority": "high"},
    });
    assert_eq!(gateway.ask(body).await.status, 200);
    let sent = &provider.calls()[0];
    assert_eq!((&sent["moderation"], &sent["markup"]), (&json!("low"), &json!({"a": [1]})));
    assert_eq!((&sent["model"], &sent["prompt"]), (&json!("cheap"), &json!("a red bicycle")));
    assert_eq!(sent.get("muxel"), None);
    assert_eq!(provider.authorization(), ["bearer sk-lab-secret"]);
}

#[tokio::test]
async fn pictures_can_be_had_by_url() {
    let gateway = Setup::new().start().await;
    let reply = gateway
        .ask(json!({"prompt": "a red bicycle", "response_format": "url", "n": 2, "model": "openai/gpt-image-2"}))
        .await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    for data in reply.body["data"].as_array().expect("data") {
        assert_eq!(data.get("b64_json"), None);
        let url = data["url"].as_str().expect("a url");
        let path = url.strip_prefix(&gateway.url).expect("on this gateway");
        let picture = gateway.get(path).await;
        assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/png")));
        assert_eq!(&picture.bytes[..8], b"\x89PNG\r\n\x1a\n");
    }
    for path in ["/media/nothing.png", "/media/..%2F..%2Fmuxel.toml", "/media/%00.png"] {
        assert_eq!(gateway.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn model_may_be_a_route_a_strategy_a_pin_a_bare_name_or_an_alias() {
    let provider = Provider::start(Answer::Picture).await;
    let config = "[routes.thumbs]\nstrategies = [\"cheapest\"]\nmax-cost = \"0.05 USD\"\n[aliases]\n\"dall-e-3\" = \"auto/thumbs\"\n";
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).config(config).start().await;
    for (model, served) in [
        ("auto", "lab/cheap"),
        ("auto/thumbs", "lab/cheap"),
        ("auto/fastest", "lab/cheap"),
        ("lab/dear", "lab/dear"),
        ("dear", "lab/dear"),
        ("dall-e-3", "lab/cheap"),
    ] {
        let reply = gateway.ask(json!({"model": model, "prompt": "x"})).await;
        assert_eq!((reply.status, reply.served_by()), (200, served), "{model}");
    }
    let refused = gateway.ask(json!({"model": "dear", "prompt": "x", "muxel": {"tags": ["eu"]}})).await;
    assert_eq!((refused.status, refused.code()), (403, "model_not_allowed"));
    let by_header = gateway
        .request(Method::POST, "/v1/images/generations")
        .header("x-muxel-route", "thumbs")
        .body(r#"{"prompt": "x", "model": "dear"}"#);
    let reply = Reply::of(by_header.send().await.expect("an answer")).await;
    assert_eq!((reply.status, reply.code()), (422, "no_candidate"));
}

#[tokio::test]
async fn a_decision_can_be_read_right_after_the_answer() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    let reply = gateway.generate("a poster that says \"OPEN\"").await;
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await;
    assert_eq!(decision.status, 200);
    let body = &decision.body;
    assert_eq!((&body["id"], &body["outcome"]), (&json!(reply.decision()), &json!("delivered")));
    assert_eq!(body["label"], "technical");
    assert_eq!(body["candidates"].as_array().map(Vec::len), Some(2));
    assert_eq!(body["attempts"][0]["ended"], "delivered");
    let plugins: Vec<&str> =
        body["plugins"].as_array().expect("calls").iter().filter_map(|call| call["plugin"].as_str()).collect();
    assert_eq!(plugins, ["context-classifier", "list-price", "hybrid"]);
    assert!(plugins.len() == 3 && body["fuel"].as_u64() > Some(0));
}

#[tokio::test]
async fn a_dry_run_explains_and_calls_nobody() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    let ask = json!({"model": "auto", "prompt": "x", "muxel": {"max_cost_usd": 0.05}}).to_string();
    let reply = gateway.post("/v1/decisions", ask).await;
    assert_eq!((reply.status, &reply.body["model"]), (200, &json!("lab/cheap")));
    let dear = reply.body["candidates"].as_array().expect("rows").iter().find(|row| row["model"] == "lab/dear");
    assert_eq!(dear.expect("considered")["veto"], "max-cost");
    assert_eq!(provider.calls().len(), 0);
    let stored = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await;
    assert_eq!(stored.body["outcome"], "dry-run");
    let impossible = gateway.post("/v1/decisions", json!({"prompt": "x", "size": "9000x9000"}).to_string()).await;
    assert_eq!(
        (&impossible.body["verdict"], &impossible.body["error"]["code"]),
        (&json!("no-candidate"), &json!("no_candidate"))
    );
}

#[tokio::test]
async fn models_are_listed_as_the_sdk_reads_them() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    let list = gateway.get("/v1/models").await.body;
    let ids: Vec<&str> =
        list["data"].as_array().expect("models").iter().filter_map(|model| model["id"].as_str()).collect();
    assert!(ids.contains(&"auto") && ids.contains(&"lab/cheap"), "{ids:?}");
    assert!(list["data"].as_array().expect("models").iter().all(|model| model["object"] == "model"));
    let one = gateway.get("/v1/models/lab/cheap").await;
    assert_eq!((one.status, &one.body["id"]), (200, &json!("lab/cheap")));
    let none = gateway.get("/v1/models/lab/cheep").await;
    assert_eq!((none.status, none.code()), (404, "model_not_found"));
    assert!(none.body["error"]["hint"].as_str().expect("a hint").contains("lab/cheap"));
}

#[tokio::test]
async fn other_paths_say_what_is_served() {
    let gateway = Setup::new().start().await;
    for path in ["/v1/chat/completions", "/v2", "/v1/images/generation"] {
        let reply = gateway.post(path, "{}").await;
        assert_eq!((reply.status, reply.code()), (404, "not_found"), "{path}");
        assert!(reply.body["error"]["hint"].as_str().expect("a hint").contains("/v1/images/generations"));
    }
    let wrong_method = gateway.get("/v1/images/generations").await;
    assert_eq!((wrong_method.status, wrong_method.code()), (405, "method_not_allowed"));
    assert_eq!(gateway.get("/healthz").await.status, 200);
    assert_eq!(gateway.get("/").await.header("content-type"), Some("text/html; charset=utf-8"));
}
