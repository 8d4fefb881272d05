//! Routes that share their requests between strategies, and strategies that are only watched.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Answer, Gateway, Guest, Provider, Reply, Setup, TRIGGER};

const MODELS: [(&str, u64); 2] = [("cheap", 10_000), ("dear", 90_000)];

/// `first` ranks only `lab/cheap`, `second` only `lab/dear`.
async fn gateway(routes: &str) -> (Provider, Gateway) {
    let provider = Provider::start(Answer::Picture).await;
    let setup = Setup::with_provider(&provider, &MODELS)
        .config(routes)
        .plugin("first", Guest::Picks(0))
        .plugin("second", Guest::Picks(1));
    let gateway = setup.start().await;
    (provider, gateway)
}

fn strategy(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    reply.header("x-muxel-strategy").expect("every answer has one").to_owned()
}

#[tokio::test]
async fn requests_are_shared_by_weight() {
    let routes = r#"
[routes.default]
split = [
    { strategy = "first", weight = 3 },
    { strategy = "second", weight = 1 },
    { strategy = "cheapest", weight = 0 },
]
"#;
    let (_provider, gateway) = gateway(routes).await;
    let mut served: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..200 {
        *served.entry(strategy(&gateway.generate("a red bicycle").await)).or_default() += 1;
    }
    // A fair draw is outside of these bounds once in a hundred million.
    assert!((115..185).contains(&served["first"]), "{served:?}");
    assert_eq!(served["first"] + served["second"], 200, "{served:?}");

    let listed = gateway.get("/admin/routes").await.body;
    let split = &listed["data"][0]["split"];
    let names: Vec<&str> = split.as_array().expect("a list").iter().filter_map(|arm| arm["name"].as_str()).collect();
    assert_eq!(names, ["first", "second", "cheapest"]);
    assert_eq!((&split[0]["share"], &split[0]["serving"]), (&json!(0.75), &json!(true)));
}

#[tokio::test]
async fn a_user_stays_with_an_arm() {
    let routes =
        "[routes.default]\nsplit = [{ strategy = \"first\", weight = 1 }, { strategy = \"second\", weight = 1 }]\n";
    let (_provider, gateway) = gateway(routes).await;
    let mut seen = BTreeMap::new();
    for user in 0..16 {
        for _ in 0..4 {
            let body = json!({"model": "auto", "prompt": "x", "user": format!("user-{user}")});
            let decided = strategy(&gateway.ask(body).await);
            assert_eq!(*seen.entry(user).or_insert_with(|| decided.clone()), decided, "user {user}");
        }
    }
    let first = seen.values().filter(|decided| *decided == "first").count();
    assert!((1..16).contains(&first), "all users in one arm: {seen:?}");
}

#[tokio::test]
async fn an_arm_that_is_not_there_or_fails_leaves_the_routes_strategies() {
    let routes = r#"
[routes.default]
strategies = ["second"]
split = [{ strategy = "nobody", weight = 1 }]

[routes.traps]
split = [{ strategy = "traps", weight = 1 }, { strategy = "second", weight = 0 }]
"#;
    let provider = Provider::start(Answer::Picture).await;
    let setup = Setup::with_provider(&provider, &MODELS)
        .config(routes)
        .plugin("traps", Guest::TRAPS)
        .plugin("second", Guest::Picks(1));
    let gateway = setup.start().await;
    assert_eq!(strategy(&gateway.generate("x").await), "second");
    let trapped = gateway.ask(json!({"model": "auto/traps", "prompt": "x".repeat(TRIGGER)})).await;
    assert_eq!(strategy(&trapped), "hybrid", "what follows a split when nothing else is written");
    // Who names a strategy gets it, whatever the split says.
    assert_eq!(strategy(&gateway.ask(json!({"model": "auto/cheapest", "prompt": "x"})).await), "cheapest");
}

async fn shadows(gateway: &Gateway, reply: &Reply) -> Vec<Value> {
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    decision["shadows"].as_array().unwrap_or_else(|| panic!("no shadows in {decision:#}")).clone()
}

#[tokio::test]
async fn a_shadow_is_recorded_and_never_followed() {
    let routes = "[routes.default]\nstrategies = [\"first\"]\nshadow = [\"second\", \"nobody\", \"first\"]\n";
    let (provider, gateway) = gateway(routes).await;
    let reply = gateway.generate("a red bicycle").await;
    assert_eq!((strategy(&reply).as_str(), reply.served_by()), ("first", "lab/cheap"));
    let watched = shadows(&gateway, &reply).await;
    let told: Vec<_> = watched.iter().map(|shadow| (&shadow["strategy"], &shadow["ended"], &shadow["model"])).collect();
    let ranked = |name: &'static str, model: &'static str| (json!(name), json!("answered"), json!(model));
    let (second, first) = (ranked("second", "lab/dear"), ranked("first", "lab/cheap"));
    assert_eq!(told, [(&second.0, &second.1, &second.2), (&first.0, &first.1, &first.2)]);
    assert!(watched.iter().all(|shadow| shadow["fuel"].as_u64() > Some(0)));

    let dry = gateway.post("/v1/decisions", json!({"model": "auto", "prompt": "x"}).to_string()).await.body;
    assert_eq!((&dry["strategy"], &dry["shadows"][0]["model"]), (&json!("first"), &json!("lab/dear")));
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test]
async fn a_shadow_that_traps_or_loops_harms_nobody() {
    let routes = "[routes.default]\nstrategies = [\"first\"]\nshadow = [\"traps\", \"loops\", \"second\"]\n";
    let provider = Provider::start(Answer::Picture).await;
    let setup = Setup::with_provider(&provider, &MODELS)
        .config(routes)
        .plugin("first", Guest::Picks(0))
        .plugin("second", Guest::Picks(1))
        .plugin("traps", Guest::TRAPS)
        .plugin("loops", Guest::LOOPS);
    let gateway = setup.start().await;
    let prompt = "x".repeat(TRIGGER);
    let reply = gateway.generate(&prompt).await;
    assert_eq!((strategy(&reply).as_str(), reply.served_by()), ("first", "lab/cheap"));
    let ends: Vec<(String, String)> = shadows(&gateway, &reply)
        .await
        .iter()
        .map(|shadow| {
            let word = |key: &str| shadow[key].as_str().unwrap_or_default().to_owned();
            (word("ended"), word("fault"))
        })
        .collect();
    let end = |ended: &str, fault: &str| (ended.to_owned(), fault.to_owned());
    assert_eq!(ends, [end("faulted", "unreachable"), end("faulted", "out-of-fuel"), end("answered", "")]);

    // Many at once: some are not asked, all are served, and each says what became of its shadows.
    let replies = all_at_once(&gateway, &prompt, 40).await;
    for reply in &replies {
        assert_eq!(strategy(reply), "first");
        let watched = shadows(&gateway, reply).await;
        assert_eq!(watched.len(), 3);
        assert!(
            watched.iter().all(|shadow| shadow["ended"] != "skipped"
                || shadow["reason"] == "busy"
                || shadow["reason"] == "input-blocked"),
            "{watched:#?}"
        );
    }
}

async fn all_at_once(gateway: &Gateway, prompt: &str, count: usize) -> Vec<Reply> {
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..count {
        let body = json!({"model": "auto", "prompt": prompt}).to_string();
        let request = gateway.request(reqwest::Method::POST, "/v1/images/generations");
        let request = request.header("content-type", "application/json").body(body);
        set.spawn(async move { Reply::of(request.send().await.expect("an answer")).await });
    }
    set.join_all().await
}
