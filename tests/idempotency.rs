//! `Idempotency-Key`: one generation, one bill, however often it is asked for.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::harness::{Answer, Gateway, Provider, Reply, Setup};

async fn lab(then: Answer) -> (Provider, Gateway) {
    let provider = Provider::start(then).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    (provider, gateway)
}

fn keyed(gateway: &Gateway, key: &str, body: &str) -> JoinHandle<Reply> {
    let request = gateway.request(Method::POST, "/v1/images/generations").header("idempotency-key", key);
    let request = request.body(body.to_owned());
    tokio::spawn(async move { Reply::of(request.send().await.expect("an answer")).await })
}

async fn ask(gateway: &Gateway, key: &str, body: &str) -> Reply {
    keyed(gateway, key, body).await.expect("no panic")
}

const BICYCLE: &str = r#"{"prompt": "a red bicycle"}"#;

/// The same answer in every respect, and said to be so.
fn assert_replay(again: &Reply, first: &Reply) {
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.header("idempotency-replayed"), None);
    let own = |reply: &Reply| {
        let headers = reply.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-"));
        headers.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(own(again), own(first));
    assert_eq!(again.header("content-type"), first.header("content-type"));
}

#[tokio::test]
async fn a_repeat_gets_the_same_answer_also_after_a_restart() {
    let (provider, gateway) = lab(Answer::Picture).await;
    let first = ask(&gateway, "k", BICYCLE).await;
    assert_eq!(first.status, 200, "{:#}", first.body);
    assert_replay(&ask(&gateway, "k", BICYCLE).await, &first);
    let gateway = gateway.restarted().await;
    assert_replay(&ask(&gateway, "k", BICYCLE).await, &first);
    assert_eq!(provider.calls().len(), 1);
    let another = ask(&gateway, "k2", BICYCLE).await;
    assert_ne!(another.decision(), first.decision());
    assert_eq!(provider.calls().len(), 2);
    // Without a key, nothing is kept.
    assert_ne!(gateway.generate("x").await.decision(), gateway.generate("x").await.decision());
}

#[tokio::test]
async fn repeats_in_flight_wait_for_the_one_answer() {
    let (provider, gateway) = lab(Answer::Hold).await;
    let first = keyed(&gateway, "k", BICYCLE);
    provider.called(1).await;
    let repeats: Vec<_> = (0..8).map(|_| keyed(&gateway, "k", BICYCLE)).collect();
    let conflict = ask(&gateway, "k", r#"{"prompt": "a blue bicycle"}"#).await;
    assert_eq!((conflict.status, conflict.code()), (422, "idempotency_conflict"));
    provider.release(1);
    let first = first.await.expect("no panic");
    for repeat in repeats {
        assert_replay(&repeat.await.expect("no panic"), &first);
    }
    assert_eq!(provider.calls().len(), 1);
    let ready = gateway.get("/readyz").await.body;
    assert_eq!((&ready["requests"]["admitted"], &ready["requests"]["replayed"]), (&json!(1), &json!(8)));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_a_conflict() {
    let (provider, gateway) = lab(Answer::Picture).await;
    assert_eq!(ask(&gateway, "k", BICYCLE).await.status, 200);
    let gateway = gateway.restarted().await;
    let other_body = ask(&gateway, "k", r#"{"prompt": "a blue bicycle"}"#).await;
    let other_header = gateway.request(Method::POST, "/v1/images/generations").header("idempotency-key", "k");
    let other_header = other_header.header("x-muxel-max-cost-usd", "1").body(BICYCLE);
    let other_header = Reply::of(other_header.send().await.expect("an answer")).await;
    for conflict in [other_body, other_header] {
        assert_eq!((conflict.status, conflict.code()), (422, "idempotency_conflict"), "{:#}", conflict.body);
        assert_eq!(conflict.header("x-should-retry"), Some("false"));
        assert!(conflict.body["error"]["hint"].is_string());
    }
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test]
async fn keys_belong_to_their_callers() {
    let provider = Provider::start(Answer::Picture).await;
    let hash = |key: &str| domain::digest::Digest::of(key.as_bytes());
    let config = format!(
        "[[keys]]\nname = \"a\"\nhash = \"{}\"\n[[keys]]\nname = \"b\"\nhash = \"{}\"\n",
        hash("mux-a"),
        hash("mux-b")
    );
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).config(&config).start().await;
    let ask = async |key: &str| {
        let request = gateway.request(Method::POST, "/v1/images/generations").bearer_auth(key);
        let request = request.header("idempotency-key", "k").body(BICYCLE);
        Reply::of(request.send().await.expect("an answer")).await
    };
    let (a, b) = (ask("mux-a").await, ask("mux-b").await);
    assert_ne!(a.decision(), b.decision());
    assert_replay(&ask("mux-a").await, &a);
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test]
async fn errors_are_kept_unless_they_are_worth_repeating() {
    let (provider, gateway) = lab(Answer::Picture).await;
    for (key, answer) in [("refused", Answer::error(400, "moderation_blocked")), ("failed", Answer::error(500, "e"))] {
        provider.next([answer]);
        let first = ask(&gateway, key, BICYCLE).await;
        assert_ne!(first.status, 200);
        assert_eq!(first.header("x-should-retry"), Some("false"));
        assert_replay(&ask(&gateway, key, BICYCLE).await, &first);
    }
    assert_eq!(provider.calls().len(), 2);
    let nobody = r#"{"prompt": "x", "size": "9000x9000"}"#;
    let first = ask(&gateway, "nobody", nobody).await;
    assert_eq!(first.code(), "no_candidate");
    assert_replay(&ask(&gateway, "nobody", nobody).await, &first);
}

#[tokio::test]
async fn what_charged_nothing_may_be_carried_out_under_the_same_key() {
    let provider = Provider::start(Answer::Picture).await;
    let limited = json!({"error": {"message": "slow down", "type": "t", "code": "rate_limit_exceeded"}});
    provider.next([Answer::Status(429, vec![("retry-after", "1".to_owned())], limited)]);
    let config = "[routes.default]\ndeadline = \"900ms\"\n";
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).config(config).start().await;
    let first = ask(&gateway, "k", BICYCLE).await;
    assert_eq!((first.status, first.header("x-should-retry")), (429, Some("true")), "{:#}", first.body);
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
    let again = loop {
        ticks.tick().await;
        let again = ask(&gateway, "k", BICYCLE).await;
        if again.status == 200 {
            break again;
        }
        assert_eq!(again.header("x-should-retry"), Some("true"), "{:#}", again.body);
    };
    assert_eq!(again.header("idempotency-replayed"), None);
    assert_replay(&ask(&gateway, "k", BICYCLE).await, &again);
}

#[tokio::test]
async fn a_request_goes_on_without_its_caller_and_its_answer_waits() {
    let provider = Provider::start(Answer::Hold).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    let leaving = keyed(&gateway, "k", BICYCLE);
    provider.called(1).await;
    leaving.abort();
    gateway.until("nobody waits", |ready| ready["requests"]["waiting"] == 0).await;
    let repeat = keyed(&gateway, "k", BICYCLE);
    provider.release(1);
    let repeat = repeat.await.expect("no panic");
    assert_eq!((repeat.status, provider.calls().len()), (200, 1), "{:#}", repeat.body);
    let decision = gateway.get(&format!("/v1/decisions/{}", repeat.decision())).await.body;
    assert_eq!(decision["outcome"], "delivered");
}

#[tokio::test]
async fn who_waits_for_a_caller_that_leaves_the_queue_takes_its_turn() {
    let provider = Provider::start(Answer::Hold).await;
    let config = "[server]\nmax-in-flight = 1\n";
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).config(config).start().await;
    let held = keyed(&gateway, "other", BICYCLE);
    provider.called(1).await;
    let leaving = keyed(&gateway, "k", BICYCLE);
    gateway.until("it queues", |ready| ready["queue"]["waiting"] == 1).await;
    let repeat = keyed(&gateway, "k", BICYCLE);
    leaving.abort();
    provider.release(2);
    assert_eq!(held.await.expect("no panic").status, 200);
    assert_eq!(repeat.await.expect("no panic").status, 200);
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test]
async fn after_a_crash_nothing_is_carried_out_twice() {
    let (provider, gateway) = lab(Answer::Hold).await;
    let interrupted = keyed(&gateway, "k", BICYCLE);
    provider.called(1).await;
    let gateway = gateway.restarted().await;
    assert!(interrupted.await.is_err(), "its connection is gone");
    let repeat = ask(&gateway, "k", BICYCLE).await;
    assert_eq!((repeat.status, repeat.code()), (502, "interrupted"), "{:#}", repeat.body);
    assert_eq!(repeat.header("x-should-retry"), Some("false"));
    assert!(repeat.body["error"]["hint"].as_str().is_some_and(|hint| hint.contains("may have been charged")));
    let decision = gateway.get(&format!("/v1/decisions/{}", repeat.decision())).await.body;
    assert_eq!(decision["outcome"], "interrupted", "{decision:#}");
    assert_ne!(decision["cost_is"], "none");
    assert_eq!(ask(&gateway, "k", r#"{"prompt": "y"}"#).await.code(), "idempotency_conflict");
    assert_eq!(provider.calls().len(), 1);
    // What had not begun may simply be asked again.
    provider.always(Answer::Picture);
    assert_eq!(ask(&gateway, "never-seen", BICYCLE).await.status, 200);
}

#[tokio::test]
async fn an_answer_that_found_no_room_is_not_generated_again() {
    let provider = Provider::start(Answer::Picture).await;
    let config = "[data]\nanswers = \"0B\"\n";
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).config(config).start().await;
    let first = ask(&gateway, "k", BICYCLE).await;
    assert_eq!(first.status, 200);
    let again = ask(&gateway, "k", BICYCLE).await;
    assert_eq!((again.status, again.code()), (409, "answer_dropped"), "{:#}", again.body);
    assert_eq!((again.header("x-should-retry"), again.decision()), (Some("false"), first.decision()));
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test]
async fn what_was_refused_before_it_began_may_be_mended() {
    let (provider, gateway) = lab(Answer::Picture).await;
    assert_eq!(ask(&gateway, "k", r#"{"prompt": ""}"#).await.status, 400);
    assert_eq!(ask(&gateway, "k", BICYCLE).await.status, 200);
    for key in ["with space", "", &"x".repeat(256)] {
        let refused = ask(&gateway, key, BICYCLE).await;
        assert_eq!((refused.status, &refused.body["error"]["param"]), (400, &Value::from("Idempotency-Key")), "{key}");
    }
    assert_eq!(provider.calls().len(), 1);
}
