//! Plugins of published contracts still work, and what was published has not changed.
//!
//! `tests/compat/VERSION` holds a frozen copy of the contract and a component for each of its worlds, compiled once with
//! the SDK of that time.

mod wit;

use domain::digest::Digest;
use serde_json::{Value, json};

use crate::harness::{Answer, Gateway, Provider, Setup, run_in};

/// Name, bytes and digest of each component of 0.1.0. Compiling one again would make it a component of a later day.
const FIXTURES: [(&str, &[u8], &str); 5] = [
    (
        "classifier",
        include_bytes!("compat/0.1.0/classifier.wasm"),
        "36b6c53e068b16fcd24b91bdca6f49b0d348dbecd70d05dceb894ea2b0291367",
    ),
    (
        "cost-model",
        include_bytes!("compat/0.1.0/cost-model.wasm"),
        "1596f7cd062c60c31761b1035bf9c5b9d99c40e2e7665d86d56495d3c3df8dfa",
    ),
    (
        "strategy",
        include_bytes!("compat/0.1.0/strategy.wasm"),
        "66a0ce9051c30e5105696acda7f883798a6049ecad9c40958763a6e431d711be",
    ),
    (
        "learning-strategy",
        include_bytes!("compat/0.1.0/learning-strategy.wasm"),
        "3a089b202002eb8c79149ea70432c87fab1e7195c8d5041c6f6a3346928bf30e",
    ),
    (
        "full",
        include_bytes!("compat/0.1.0/full.wasm"),
        "809e4a76ac7a81466633ac5b6ec4f02b14a9e907a148a736cb093f29a8f0cdac",
    ),
];

#[test]
fn the_components_are_those_that_were_compiled_then() {
    for (name, bytes, digest) in FIXTURES {
        assert_eq!(Digest::of(bytes).to_string(), digest, "{name}");
    }
}

#[test]
fn every_component_of_0_1_0_passes_the_check() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes, _) in FIXTURES {
        let file = format!("{name}.wasm");
        std::fs::write(folder.path().join(&file), bytes).expect("written");
        let check = run_in(folder.path(), &["plugin", "check", &file]);
        assert!(check.status.success(), "{name}: {}", String::from_utf8_lossy(&check.stderr));
        let said = String::from_utf8_lossy(&check.stdout).into_owned();
        assert!(said.contains(&format!("compat-{name}")), "{said}");
    }
}

#[tokio::test]
async fn every_component_of_0_1_0_decides() {
    let routes = "
        [routes.apart]
        classifier = \"classifier\"
        cost-models = [\"cost-model\"]
        strategies = [\"strategy\"]
        [routes.together]
        classifier = \"full\"
        cost-models = [\"full\"]
        strategies = [\"full\"]
        [routes.learned]
        strategies = [\"learning-strategy\"]
    ";
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).config(routes).start().await;
    for (name, bytes, _) in FIXTURES {
        gateway.drop_plugin(name, bytes);
    }
    gateway.until("all serve", |ready| FIXTURES.iter().all(|(name, ..)| serves(ready, name))).await;

    let apart = decide(&gateway, "apart").await;
    assert_eq!(
        (&apart["label"], &apart["confidence"], &apart["complexity"]),
        (&json!("technical"), &json!(0.75), &json!(0.25))
    );
    assert_eq!(apart["traits"], json!(["layout"]));
    assert_eq!(apart["reason"], "the last of 2 for a technical request");
    let first = &apart["candidates"][0];
    assert_eq!(
        (&first["model"], &first["cost_usd_micros"], &first["cost_upper_usd_micros"]),
        (&json!("lab/dear"), &json!(90_000), &json!(90_007))
    );
    assert_eq!(first["parts"], json!([["weight", 1.0]]));

    let together = decide(&gateway, "together").await;
    assert_eq!(together["reason"], "the last of 2 for a realistic request");
    assert_eq!(together["candidates"][0]["cost_usd_micros"], 11);

    let learned = decide(&gateway, "learned").await;
    assert_eq!((&learned["strategy"], &learned["model"]), (&json!("learning-strategy"), &json!("lab/dear")));
}

/// What a route decides, once it is sure that no plugin of it failed.
async fn decide(gateway: &Gateway, route: &str) -> Value {
    let reply = gateway.ask(json!({"model": format!("auto/{route}"), "prompt": "a red bicycle"})).await;
    assert_eq!((reply.status, reply.served_by()), (200, "lab/dear"), "{:#}", reply.body);
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    let calls = decision["plugins"].as_array().expect("plugin calls");
    assert!(calls.iter().all(|call| call["ended"] == "answered"), "{calls:#?}");
    decision
}

fn serves(ready: &Value, name: &str) -> bool {
    ready["plugins"].as_array().is_some_and(|plugins| plugins.iter().any(|plugin| plugin["name"] == name))
}
