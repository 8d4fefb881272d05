//! How much quality, cost, latency and reliability count, as a route or a request says.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Gateway, Provider, Reply, Setup, run};

const ROUTES: &str = "[routes.thrift]\nweights = { cost = 1, quality = 0 }\n";

/// The explanation of a request with these weights, on today's catalogue.
async fn explained(gateway: &Gateway, model: &str, weights: Value) -> Value {
    let body = json!({"model": model, "prompt": "a red bicycle", "muxel": {"weights": weights}});
    let reply = gateway.post("/v1/decisions", body.to_string()).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    reply.body
}

#[tokio::test]
async fn a_requests_weights_change_who_is_first_and_replace_its_routes_by_name() {
    let gateway = Setup::new().config(ROUTES).start().await;
    let only = |name: &str| {
        let mut weights = json!({"quality": 0, "cost": 0, "latency": 0, "reliability": 0});
        weights[name] = json!(1);
        weights
    };
    let price = |body: &Value| body["estimate_usd_micros"].as_u64().expect("a price");
    let best = explained(&gateway, "auto", only("quality")).await;
    let cheapest = explained(&gateway, "auto", only("cost")).await;
    assert!(price(&cheapest) * 5 < price(&best), "{} {}", price(&cheapest), price(&best));
    assert_eq!(best["weights"], json!({"quality": 1.0, "cost": 0.0, "latency": 0.0, "reliability": 0.0}));
    let part = |body: &Value, name: &str| {
        let parts = body["candidates"][0]["parts"].as_array().expect("parts");
        parts.iter().find(|part| part[0] == name).and_then(|part| part[1].as_f64()).expect(name)
    };
    assert!(part(&best, "quality") > 0.5 && part(&best, "cost") == 0.0);

    let thrifty = explained(&gateway, "auto/thrift", json!({})).await;
    assert_eq!((&thrifty["weights"], part(&thrifty, "quality")), (&json!({"cost": 1.0, "quality": 0.0}), 0.0));
    let both = explained(&gateway, "auto/thrift", json!({"quality": 0.9})).await;
    assert_eq!(both["weights"], json!({"cost": 1.0, "quality": 0.9}));
    assert!(part(&both, "quality") > 0.0);

    let listed = gateway.get("/admin/routes").await.body;
    let told: Vec<_> = listed["data"].as_array().expect("routes").iter().map(|route| &route["weights"]).collect();
    assert_eq!(told, [&json!({}), &json!({"cost": 1.0, "quality": 0.0})]);
}

#[tokio::test]
async fn a_weight_that_the_strategy_has_not_is_told_in_the_answer_and_in_the_record() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    let ask = gateway
        .request(Method::POST, "/v1/images/generations")
        .header("x-muxel-weights", "quality=0.5,mood=0.3")
        .body(r#"{"prompt": "x", "model": "auto/cheapest"}"#);
    let reply = Reply::of(ask.send().await.expect("an answer")).await;
    assert_eq!((reply.status, reply.served_by()), (200, "lab/cheap"));
    let told = json!(["strategy `cheapest` has no weight `mood`", "strategy `cheapest` has no weight `quality`"]);
    assert_eq!(reply.body["muxel"]["warnings"], told);
    assert_eq!(reply.header("x-muxel-warning"), Some("strategy `cheapest` has no weight `mood`"));
    assert_eq!(gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body["warnings"], told);
    assert!(provider.calls()[0].get("weights").is_none());

    let heeded = explained(&gateway, "auto", json!({"quality": 0.5})).await;
    assert_eq!(heeded.get("warnings"), None);
}

#[tokio::test]
async fn senseless_weights_are_refused_before_anything_is_decided() {
    let gateway = Setup::new().config(ROUTES).start().await;
    for (model, weights, said) in [
        ("auto", json!({"quality": -0.5}), "-0.5"),
        ("auto", json!({"quality": 1e300}), "not a number from 0 to 1"),
        ("auto", json!({"quality": "NaN"}), "NaN"),
        ("auto", json!({"Quality!": 0.5}), "`Quality!`"),
        ("auto", json!([0.5]), "is an object"),
        ("auto", json!({"quality": 0, "cost": 0, "latency": 0, "reliability": 0}), "every weight is 0"),
        ("auto/thrift", json!({"cost": 0, "latency": 0, "reliability": 0}), "every weight of strategy `hybrid`"),
    ] {
        let reply = gateway.ask(json!({"model": model, "prompt": "x", "muxel": {"weights": weights}})).await;
        let error = &reply.body["error"];
        assert_eq!((reply.status, &error["param"]), (400, &json!("weights")), "{weights}: {:#}", reply.body);
        assert!(error["message"].as_str().is_some_and(|message| message.contains(said)), "{weights}: {error}");
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{weights}: {error}");
    }
}

#[test]
fn the_terminal_takes_weights_too() {
    let decide = |arguments: &[&str]| {
        let output = run(&[&["decide", "a red bicycle"], arguments].concat());
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let weights = ["--weight", "quality=0", "--weight", "latency=0", "--weight", "reliability=0"];
    let (code, by_cost) = decide(&[&weights[..], &["--json"]].concat());
    assert_eq!(code, Some(0), "{by_cost}");
    let first = |text: &str| serde_json::from_str::<Value>(text).expect("JSON")["estimate_usd_micros"].as_u64();
    let (_, cheapest) = decide(&["--strategy", "cheapest", "--json"]);
    assert_eq!(first(&by_cost), first(&cheapest));

    let (code, told) = decide(&["--strategy", "cheapest", "--weight", "quality=0.5"]);
    assert!(code == Some(0) && told.contains("warning: strategy `cheapest` has no weight `quality`"), "{told}");
    for (wrong, said) in [("quality=2", "not a number from 0 to 1"), ("quality=0.5,quality=1", "comes twice")] {
        let (code, told) = decide(&["--weight", wrong]);
        assert!(code != Some(0) && told.contains(said), "{told}");
    }
    let (code, told) = decide(&[&weights[..], &["--weight", "cost=0"]].concat());
    assert!(code == Some(1) && told.contains("every weight is 0"), "{told}");
}
