//! Breakers as operators see them.

use serde_json::Value;

use crate::harness::{Answer, Gateway, Provider, Setup};

async fn breaker(gateway: &Gateway, model: &str) -> Value {
    let listed = gateway.get(&format!("/admin/breakers?model={model}")).await.body;
    listed["data"][0].clone()
}

#[tokio::test]
async fn state_reason_history_and_windows_are_shown() {
    let provider = Provider::start(Answer::error(500, "server_error")).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    assert_eq!(breaker(&gateway, "lab/cheap").await, Value::Null, "nothing is known yet");
    for _ in 0..domain::breaker::FAILURES_TO_OPEN {
        assert_eq!(gateway.generate("x").await.status, 502);
    }
    let shown = breaker(&gateway, "lab/*").await;
    // On a slow machine its first pause may be over by now.
    assert!(["open", "half-open"].contains(&shown["state"].as_str().expect("a state")), "{shown:#}");
    assert_eq!(shown["reason"], "5 failures in a row, the last: server");
    assert_eq!(shown["history"][0]["reason"]["code"], "in-a-row");
    assert_eq!((&shown["windows"]["1m"]["samples"], &shown["windows"]["1h"]["success"]), (&5.into(), &0.0.into()));
    assert_eq!(shown["windows"]["5m"]["failures"][0], serde_json::json!(["server", 5]));

    provider.always(Answer::Picture);
    assert_eq!(gateway.generate("x").await.status, 200, "a last resort or a probe");
    let shown = breaker(&gateway, "lab/*").await;
    assert_eq!((&shown["state"], &shown["reason"]), (&"closed".into(), &Value::Null));
    assert_eq!(
        shown["history"].as_array().and_then(|all| all.last()).map(|last| &last["state"]),
        Some(&"closed".into())
    );
    assert_eq!(gateway.get("/admin/breakers?modle=x").await.status, 400);
}

#[tokio::test]
async fn what_was_measured_is_there_after_a_restart_in_order() {
    let provider = Provider::start(Answer::Picture).await;
    let mut gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    for _ in 0..3 {
        assert_eq!(gateway.generate("x").await.status, 200);
    }
    gateway.terminate();
    assert!(gateway.ended().await);
    let gateway = gateway.started_again().await;
    let shown = breaker(&gateway, "lab/cheap").await;
    assert_eq!(shown["windows"]["1h"]["delivered"], 3, "{shown:#}");
    assert!(shown["windows"]["1h"]["p99_ms"].is_u64());
}

#[tokio::test]
async fn the_keys_of_an_account_are_shown_by_number_only() {
    let body = serde_json::json!({"error": {"message": "slow down", "code": "rate_limit_exceeded"}});
    let provider = Provider::start(Answer::Picture).await;
    provider.next([Answer::Status(429, vec![("retry-after", "600".to_owned())], body)]);
    let config = format!(
        "[providers.lab]\ndialect = \"openai\"\nbase-url = \"{}\"\nkey-env = [\"LAB_A\", \"LAB_B\"]\n\
         [[models]]\nname = \"lab/cheap\"\nprice = {{ per-image = \"0.01 USD\" }}\n",
        provider.url()
    );
    let setup = Setup::new().config(&config).environment("LAB_A", "sk-lab-a").environment("LAB_B", "sk-lab-b");
    let gateway = setup.start().await;
    assert_eq!(gateway.generate("x").await.status, 200);
    assert_eq!(provider.authorization(), ["bearer sk-lab-a", "bearer sk-lab-b"]);
    let shown = gateway.get("/admin/breakers").await;
    let keys = &shown.body["accounts"]["lab"]["keys"];
    assert_eq!((&keys[0]["resting"], &keys[1]["resting"]), (&"rate-limited".into(), &Value::Null), "{keys:#}");
    assert!(!String::from_utf8_lossy(&shown.bytes).contains("sk-lab"));
}
