//! Callers that leave, servers that end.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::harness::{Answer, Provider, Setup, run_in};

#[tokio::test]
async fn sigterm_lets_requests_finish() {
    let provider = Provider::start(Answer::Hold).await;
    let mut gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    let reply = {
        let (reply, ()) = tokio::join!(gateway.generate("x"), async {
            provider.called(1).await;
            gateway.terminate();
            provider.release(1);
        });
        reply
    };
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    assert!(gateway.ended().await, "it ends well");
    let listed = run_in(gateway.folder.path(), &["audit", "list", "--data", "data", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(rows[0]["outcome"], "delivered", "{rows:#}");
}

#[tokio::test]
async fn a_caller_that_leaves_is_recorded_and_nobody_else_is_called() {
    let provider = Provider::start(Answer::Hold).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    let request = gateway.request(Method::POST, "/v1/images/generations").body(r#"{"prompt": "x"}"#);
    let leaving = tokio::spawn(request.send());
    provider.called(1).await;
    leaving.abort();
    let _ = leaving.await;
    gateway.until("nobody waits", |ready| ready["requests"]["waiting"] == 0).await;
    provider.release(1);
    let row = first_record(&gateway, |row| row["outcome"] == "abandoned").await;
    assert_eq!((&row["cost_usd_micros"], &row["attempts"]), (&json!(10_000), &json!(1)));
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test]
async fn a_caller_that_leaves_before_its_body_is_whole_leaves_no_trace() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    let address = gateway.url.strip_prefix("http://").expect("a url").to_owned();
    for part in [
        "POST /v1/images/generations HTTP/1.1\r\nhost: 127.0.0.1\r\n",
        "POST /v1/images/generations HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\n{\"prompt\":",
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.expect("connected");
        stream.write_all(part.as_bytes()).await.expect("sent");
        drop(stream);
    }
    assert_eq!(gateway.generate("x").await.status, 200);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test]
async fn a_killed_gateway_leaves_one_record_of_what_may_have_been_charged() {
    let provider = Provider::start(Answer::Hold).await;
    let setup = Setup::with_provider(&provider, &[("cheap", 10_000)]);
    let gateway = setup.start().await;
    let request = gateway.request(Method::POST, "/v1/images/generations").body(r#"{"prompt": "x"}"#);
    let waiting = tokio::spawn(request.send());
    provider.called(1).await;
    // Looking for a decision that is not there waits until everything so far is on disk.
    assert_eq!(gateway.get("/v1/decisions/dec_01KAWZ5X4Y0000000000000000").await.status, 404);
    let folder = gateway.kill().await;
    assert!(waiting.await.expect("no panic").is_err());

    // The next start finds the attempt that nobody answered for.
    let mut again = std::process::Command::new(env!("CARGO_BIN_EXE_muxel"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data", "data"])
        .current_dir(folder.path())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    let patience = std::time::Instant::now() + Duration::from_secs(60);
    let listed = loop {
        assert!(std::time::Instant::now() < patience, "no record");
        let listed = run_in(folder.path(), &["audit", "list", "--data", "data", "--json"]);
        let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap_or_default();
        if rows.as_array().is_some_and(|rows| !rows.is_empty()) {
            break rows;
        }
        assert!(again.try_wait().expect("a status").is_none(), "the gateway ended");
    };
    again.kill().and_then(|()| again.wait()).expect("it runs");
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!((&listed[0]["outcome"], &listed[0]["cost_is"]), (&json!("interrupted"), &json!("possible")));
    assert_eq!(listed[0]["cost_usd_micros"], 10_000);
}

#[tokio::test]
async fn two_gateways_on_one_data_folder_are_one_too_many() {
    let gateway = Setup::new().start().await;
    let second = run_in(gateway.folder.path(), &["serve", "--listen", "127.0.0.1:0", "--data", "data"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("hint:"), "{said}");
}

async fn first_record(
    gateway: &crate::harness::Gateway,
    holds: impl Fn(&serde_json::Value) -> bool,
) -> serde_json::Value {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let data = gateway.data();
    let data = data.to_str().expect("UTF-8");
    let waiting = async {
        loop {
            ticks.tick().await;
            let listed = run_in(gateway.folder.path(), &["audit", "list", "--data", data, "--json"]);
            let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap_or_default();
            if let Some(row) = rows.as_array().and_then(|rows| rows.iter().find(|row| holds(row))) {
                return row.clone();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("a record in time")
}
