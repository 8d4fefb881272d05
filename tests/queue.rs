//! Waiting for a place: who goes first, who is sent away, and what they are told.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::harness::{Answer, Gateway, Provider, Reply, Setup};

/// One place, taken by a request that a provider holds.
async fn busy(server: &str) -> (Provider, Gateway, JoinHandle<Reply>) {
    let provider = Provider::start(Answer::Hold).await;
    let config = format!("[server]\nmax-in-flight = 1\n{server}");
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).config(&config).start().await;
    let held = ask(&gateway, "held", "normal");
    provider.called(1).await;
    (provider, gateway, held)
}

/// Asks on its own.
fn ask(gateway: &Gateway, prompt: &str, priority: &str) -> JoinHandle<Reply> {
    let body = json!({"prompt": prompt, "muxel": {"priority": priority}}).to_string();
    let request = gateway.request(Method::POST, "/v1/images/generations").body(body);
    tokio::spawn(async move { Reply::of(request.send().await.expect("an answer")).await })
}

async fn until_waiting(gateway: &Gateway, count: usize) -> Value {
    gateway.until("so many wait", |ready| ready["queue"]["waiting"] == count).await
}

fn prompts(provider: &Provider) -> Vec<String> {
    provider.calls().iter().map(|call| call["prompt"].as_str().expect("a prompt").to_owned()).collect()
}

fn retry_after(reply: &Reply) -> u64 {
    reply.header("retry-after").expect("a Retry-After").parse().expect("seconds")
}

fn assert_overloaded(reply: &Reply) {
    assert_eq!((reply.status, reply.code()), (429, "overloaded"), "{:#}", reply.body);
    assert_eq!(reply.header("x-should-retry"), Some("true"));
    assert!((1..=300).contains(&retry_after(reply)));
}

#[tokio::test]
async fn who_matters_more_goes_first_and_each_in_turn() {
    let (provider, gateway, held) = busy("").await;
    let mut waiting = Vec::new();
    for (count, (prompt, priority)) in
        [("l", "low"), ("n1", "normal"), ("h", "high"), ("n2", "normal"), ("u", "urgent")].into_iter().enumerate()
    {
        waiting.push(ask(&gateway, prompt, priority));
        until_waiting(&gateway, count + 1).await;
    }
    provider.release(6);
    assert_eq!(held.await.expect("no panic").header("x-muxel-queued-ms"), None);
    for reply in waiting {
        let reply = reply.await.expect("no panic");
        assert_eq!(reply.status, 200, "{:#}", reply.body);
        assert!(reply.header("x-muxel-queued-ms").expect("it waited").parse::<u64>().expect("a number") >= 1);
    }
    assert_eq!(prompts(&provider), ["held", "u", "h", "n1", "n2", "l"]);
}

#[tokio::test]
async fn a_full_queue_sheds_the_least_important_and_refuses_the_rest() {
    let (provider, gateway, held) = busy("max-queue = 1\n").await;
    let low = ask(&gateway, "low", "low");
    until_waiting(&gateway, 1).await;
    let another_low = ask(&gateway, "another low", "low").await.expect("no panic");
    assert_overloaded(&another_low);
    let high = ask(&gateway, "high", "high");
    assert_overloaded(&low.await.expect("no panic"));
    let ready = until_waiting(&gateway, 1).await;
    assert_eq!(ready["queue"], json!({"waiting": 1, "shed": 1, "refused": 1, "timed_out": 0}));
    provider.release(2);
    for reply in [held, high] {
        assert_eq!(reply.await.expect("no panic").status, 200);
    }
    assert_eq!(prompts(&provider), ["held", "high"]);
}

#[tokio::test]
async fn a_wait_has_an_end_that_the_config_or_the_caller_sets() {
    let (provider, gateway, held) = busy("queue-timeout = \"50ms\"\n").await;
    assert_overloaded(&ask(&gateway, "x", "urgent").await.expect("no panic"));
    provider.release(1);
    held.await.expect("no panic");

    let (provider, gateway, held) = busy("queue-timeout = \"1h\"\n").await;
    assert_overloaded(&gateway.ask(json!({"prompt": "x", "muxel": {"max_latency_ms": 50}})).await);
    provider.release(1);
    held.await.expect("no panic");
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test]
async fn the_wait_counts_against_the_callers_time() {
    let (provider, gateway, held) = busy("").await;
    let body = json!({"prompt": "x", "muxel": {"max_latency_ms": 1_500}});
    let (reply, ()) = tokio::join!(gateway.ask(body), async {
        until_waiting(&gateway, 1).await;
        provider.release(1);
        // The second call is never answered.
    });
    assert_eq!((reply.status, reply.code()), (504, "deadline"), "{:#}", reply.body);
    assert!(reply.body["error"]["message"].as_str().is_some_and(|text| text.contains("within 1500 ms")));
    let queued: u64 = reply.header("x-muxel-queued-ms").expect("it waited").parse().expect("a number");
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    let attempt = decision["attempts"][0]["latency_ms"].as_u64().expect("it was tried");
    // What was waited was not there for the attempt.
    assert!(queued + attempt <= 1_600, "{queued} and {attempt}");
    held.await.expect("no panic");
}

#[tokio::test]
async fn who_leaves_the_queue_makes_room_at_once() {
    let (provider, gateway, held) = busy("max-queue = 1\n").await;
    let leaving = ask(&gateway, "leaving", "normal");
    until_waiting(&gateway, 1).await;
    leaving.abort();
    until_waiting(&gateway, 0).await;
    let staying = ask(&gateway, "staying", "normal");
    until_waiting(&gateway, 1).await;
    provider.release(2);
    for reply in [held, staying] {
        assert_eq!(reply.await.expect("no panic").status, 200);
    }
    assert_eq!(prompts(&provider), ["held", "staying"]);
}

#[tokio::test]
async fn retry_after_tells_how_fast_places_come_free() {
    let (provider, gateway, held) = busy("max-queue = 0\n").await;
    let began = std::time::Instant::now();
    // Nothing has come free since: as long as that lasts, coming back sooner would be no use.
    let told = loop {
        let reply = ask(&gateway, "x", "normal").await.expect("no panic");
        assert_overloaded(&reply);
        if retry_after(&reply) > 1 {
            break retry_after(&reply);
        }
    };
    let waited = began.elapsed().as_secs();
    assert!(told <= waited + 2, "told {told} after {waited}");
    provider.release(1);
    held.await.expect("no panic");
}

#[tokio::test]
async fn a_dry_run_does_not_wait_behind_generations() {
    let (provider, gateway, held) = busy("").await;
    let reply = gateway.post("/v1/decisions", json!({"prompt": "x"}).to_string()).await;
    assert_eq!((reply.status, &reply.body["model"]), (200, &json!("lab/cheap")));
    provider.release(1);
    held.await.expect("no panic");
}

#[tokio::test]
async fn a_reload_changes_places_and_queue() {
    let (provider, gateway, held) = busy("max-queue = 1\n").await;
    let waiting = ask(&gateway, "waiting", "normal");
    until_waiting(&gateway, 1).await;
    let file = gateway.folder.path().join("muxel.toml");
    let config = std::fs::read_to_string(&file).expect("the config");
    let more = config.replace("max-in-flight = 1\nmax-queue = 1", "max-in-flight = 2\nmax-queue = 0");
    std::fs::write(&file, more).expect("written");
    let request = gateway.request(Method::POST, "/admin/reload").header("x-muxel-admin", "yes");
    assert_eq!(request.send().await.expect("an answer").status(), 200);
    provider.called(2).await;
    assert_overloaded(&gateway.generate("one too many").await);
    provider.release(2);
    for reply in [held, waiting] {
        assert_eq!(reply.await.expect("no panic").status, 200);
    }
}
