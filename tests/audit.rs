//! The audit log: exactly one record for every request that got an id, and no secret in any.

use serde_json::{Value, json};

use crate::harness::{Answer, Provider, Setup, run_in};

#[tokio::test]
async fn every_answered_request_has_exactly_one_record() {
    let provider = Provider::start(Answer::Picture).await;
    let mut gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    let mut ids = Vec::new();
    for (answer, body) in [
        (Answer::Picture, json!({"prompt": "a"})),
        (Answer::error(400, "moderation_blocked"), json!({"prompt": "b"})),
        (Answer::error(500, "server_error"), json!({"prompt": "c"})),
        (Answer::Picture, json!({"prompt": "d", "size": "9000x9000"})),
    ] {
        provider.next([answer]);
        ids.push(gateway.ask(body).await.decision().to_owned());
    }
    gateway.terminate();
    assert!(gateway.ended().await);

    let folder = gateway.folder.path();
    let listed = run_in(folder, &["audit", "list", "--data", "data", "--json"]);
    let rows: Vec<Value> = serde_json::from_slice(&listed.stdout).expect("JSON");
    let mut recorded: Vec<&str> = rows.iter().map(|row| row["id"].as_str().expect("an id")).collect();
    recorded.reverse();
    assert_eq!(recorded, ids, "newest first, one each");
    let outcomes: Vec<&str> = rows.iter().rev().map(|row| row["outcome"].as_str().expect("a word")).collect();
    assert_eq!(outcomes, ["delivered", "refused", "delivered", "no-candidate"]);

    let shown = run_in(folder, &["audit", "show", &ids[2], "--data", "data", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["prompt"], "c");
    assert_eq!(shown["attempts"].as_array().map(Vec::len), Some(2));
    let table = run_in(folder, &["audit", "show", &ids[0], "--data", "data"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("lab/cheap") && table.contains("context-classifier"), "{table}");
}

#[tokio::test]
async fn no_secret_is_written_down() {
    let provider = Provider::start(Answer::error(401, "invalid_api_key")).await;
    let hash = domain::digest::Digest::of(b"mux-very-secret");
    let config = format!("[[keys]]\nname = \"studio\"\nhash = \"{hash}\"\n");
    let mut gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).config(&config).start().await;
    let request = gateway.request(reqwest::Method::POST, "/v1/images/generations").bearer_auth("mux-very-secret");
    assert_eq!(request.body(r#"{"prompt": "x"}"#).send().await.expect("an answer").status(), 503);
    gateway.terminate();
    assert!(gateway.ended().await);
    for entry in std::fs::read_dir(gateway.data()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for secret in [&b"sk-lab-secret"[..], b"mux-very-secret"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn prompts_are_kept_only_as_far_as_the_config_says() {
    for (policy, kept) in [("store", json!("a secret wish")), ("hash", Value::Null), ("drop", Value::Null)] {
        let provider = Provider::start(Answer::Picture).await;
        let config = format!("[data]\nprompts = \"{policy}\"\n");
        let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).config(&config).start().await;
        let reply = gateway.generate("a secret wish").await;
        let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
        assert_eq!(decision["prompt"], kept, "{policy}");
    }
}
