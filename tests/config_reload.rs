//! The configuration, read again while requests are served.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::harness::{Answer, Gateway, Guest, Provider, Reply, Setup};

/// The provider `lab` at `provider`, with models at these prices in micro-dollars.
fn lab(provider: &Provider, models: &[(&str, u64)]) -> String {
    let models: String = models.iter().map(|(name, micros)| model(name, *micros)).collect();
    format!("[providers.lab]\ndialect = \"openai\"\nbase-url = \"{}\"\n{models}", provider.url())
}

fn model(name: &str, micros: u64) -> String {
    format!("[[models]]\nname = \"lab/{name}\"\nprice = {{ per-image = \"0.{micros:06} USD\" }}\n")
}

const CHEAPEST: &str = "[routes.default]\nstrategies = [\"cheapest\"]\n";

fn file(gateway: &Gateway) -> PathBuf {
    gateway.folder.path().join("muxel.toml")
}

async fn reload(gateway: &Gateway, config: &str) -> Reply {
    std::fs::write(file(gateway), config).expect("written");
    gateway.post("/admin/reload", "").await
}

/// Reloads what must be taken.
async fn taken(gateway: &Gateway, config: &str) -> Value {
    let reply = reload(gateway, config).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    reply.body
}

async fn served_by(gateway: &Gateway, model: &str) -> String {
    let reply = gateway.ask(json!({"model": model, "prompt": "a red bicycle"})).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    reply.served_by().to_owned()
}

#[tokio::test]
async fn what_is_new_serves_the_next_request() {
    let provider = Provider::start(Answer::Picture).await;
    let before = format!("{}{CHEAPEST}", lab(&provider, &[("a", 10_000), ("b", 20_000)]));
    let gateway = Setup::new().config(&before).start().await;
    assert_eq!(served_by(&gateway, "auto").await, "lab/a");
    assert_eq!(gateway.ask(json!({"model": "auto/brand", "prompt": "x"})).await.code(), "model_not_found");

    let after = format!(
        "{}{CHEAPEST}[aliases]\n\"dall-e-3\" = \"lab/a\"\n[routes.brand]\ncandidates = {{ only = [\"lab/c\"] }}\n",
        lab(&provider, &[("a", 30_000), ("b", 20_000), ("c", 40_000)])
    );
    let told = taken(&gateway, &after).await;
    assert_eq!((&told["snapshot"], &told["needs_restart"]), (&json!(2), &json!([])));
    assert_eq!(served_by(&gateway, "auto").await, "lab/b");
    assert_eq!(served_by(&gateway, "auto/brand").await, "lab/c");
    let reply = gateway.ask(json!({"model": "dall-e-3", "prompt": "x"})).await;
    assert_eq!((reply.served_by(), reply.header("x-muxel-cost-usd")), ("lab/a", Some("0.030000")));
    // Counts go on by the route's name.
    let routes = gateway.get("/admin/routes").await.body;
    let route = |name: &str| routes["data"].as_array().expect("a list").iter().find(|route| route["name"] == name);
    assert_eq!(route("default").expect("it is there")["requests"], 3);
    assert_eq!(route("brand").expect("it is there")["candidates"]["count"], 1);
}

#[tokio::test]
async fn requests_in_flight_keep_what_they_began_with() {
    let (old, new) = (Provider::start(Answer::Hold).await, Provider::start(Answer::Picture).await);
    let gateway = Setup::new().config(&lab(&old, &[("a", 10_000)])).start().await;
    let (reply, ()) = tokio::join!(gateway.generate("a red bicycle"), async {
        old.called(1).await;
        let elsewhere = lab(&new, &[("b", 20_000)]).replace("lab", "other");
        taken(&gateway, &elsewhere).await;
        assert_eq!(served_by(&gateway, "auto").await, "other/b");
        old.release(1);
    });
    assert_eq!((reply.served_by(), reply.header("x-muxel-cost-usd")), ("lab/a", Some("0.010000")));
    let gone = gateway.ask(json!({"model": "lab/a", "prompt": "x"})).await;
    assert_eq!((gone.status, gone.code()), (404, "model_not_found"));
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    assert_eq!((&decision["outcome"], &decision["model"]), (&json!("delivered"), &json!("lab/a")));
}

#[tokio::test]
async fn a_broken_file_is_refused_whole_with_every_problem() {
    let provider = Provider::start(Answer::Picture).await;
    let good = lab(&provider, &[("a", 10_000)]);
    let gateway = Setup::new().config(&good).start().await;
    let broken = format!(
        "[server]\nlsten = \"127.0.0.1:1\"\n[aliases]\n\"new\" = \"lab/a\"\n[routes.default]\ndeadline = 5\n{}",
        lab(&provider, &[("b", 10_000)])
    );
    let reply = reload(&gateway, &broken).await;
    assert_eq!((reply.status, reply.code(), reply.header("x-should-retry")), (422, "config_refused", Some("false")));
    let at = |problem: &Value| (problem["line"].as_u64(), problem["path"].as_str().map(str::to_owned));
    let problems: Vec<_> = reply.body["error"]["problems"].as_array().expect("a list").iter().map(at).collect();
    let place = |line, path: &str| (Some(line), Some(path.to_owned()));
    assert_eq!(
        problems,
        [place(2, "server.lsten"), place(4, "aliases.new"), place(6, "routes.default.deadline")],
        "{:#}",
        reply.body
    );
    let ready = gateway.get("/readyz").await.body;
    assert_eq!(ready["snapshot"], 1);
    let shown = ready["config"]["refused"]["problems"].as_array().expect("a list");
    assert_eq!(shown.len(), 3);
    assert!(shown.iter().all(|problem| problem.get("file").is_none()), "paths are the operator's business");
    assert_eq!(served_by(&gateway, "lab/a").await, "lab/a");
    assert_eq!(gateway.ask(json!({"model": "new", "prompt": "x"})).await.code(), "model_not_found");

    std::fs::remove_file(file(&gateway)).expect("it is there");
    let missing = gateway.post("/admin/reload", "").await;
    assert_eq!((missing.status, missing.code()), (422, "config_refused"));
    assert_eq!(served_by(&gateway, "lab/a").await, "lab/a");

    taken(&gateway, &good).await;
    let ready = gateway.get("/readyz").await.body;
    assert_eq!((&ready["snapshot"], &ready["config"]["refused"]), (&json!(2), &Value::Null));
}

#[tokio::test]
async fn a_rotated_key_opens_the_account_it_was_refused_at() {
    let (provider, spare) = (Provider::start(Answer::Picture).await, Provider::start(Answer::Picture).await);
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("lab.key");
    std::fs::write(&key, "sk-old\n").expect("written");
    let keyed = format!("key-file = \"{}\"\ndialect", key.display());
    let config = format!(
        "{}{}{CHEAPEST}",
        lab(&provider, &[("a", 10_000)]).replace("dialect", &keyed),
        lab(&spare, &[("b", 20_000)]).replace("lab", "spare")
    );
    let gateway = Setup::new().config(&config).start().await;
    provider.next([Answer::error(401, "invalid_api_key")]);
    assert_eq!(served_by(&gateway, "auto").await, "spare/b");
    taken(&gateway, &config).await;
    assert_eq!(served_by(&gateway, "auto").await, "spare/b", "the key is as it was");
    assert_eq!(provider.calls().len(), 1);

    std::fs::write(&key, "sk-new\n").expect("written");
    taken(&gateway, &config).await;
    assert_eq!(served_by(&gateway, "auto").await, "lab/a");
    assert_eq!(provider.authorization(), ["bearer sk-old", "bearer sk-new"]);
}

/// `[[keys]]` entry for the key that is called like its text.
fn key(name: &str, admin: bool) -> String {
    let hash = domain::digest::Digest::of(name.as_bytes());
    format!("[[keys]]\nname = \"{name}\"\nhash = \"{hash}\"\nadmin = {admin}\n")
}

async fn as_key(gateway: &Gateway, method: reqwest::Method, path: &str, key: &str) -> Reply {
    Reply::of(gateway.request(method, path).bearer_auth(key).send().await.expect("an answer")).await
}

#[tokio::test]
async fn keys_come_and_go_and_only_admins_reload() {
    use reqwest::Method;
    let provider = Provider::start(Answer::Picture).await;
    let open = lab(&provider, &[("a", 10_000)]);
    let gateway = Setup::new().config(&open).start().await;
    taken(&gateway, &format!("{open}{}{}", key("boss", true), key("studio", false))).await;

    let without = gateway.post("/admin/reload", "").await;
    assert_eq!((without.status, without.code()), (401, "invalid_api_key"));
    assert_eq!(gateway.generate("x").await.status, 401);
    for (method, path) in [(Method::POST, "/admin/reload"), (Method::GET, "/admin/routes")] {
        let other = as_key(&gateway, method, path, "studio").await;
        assert_eq!((other.status, other.code()), (403, "admin_only"), "{path}");
        assert!(other.body["error"]["hint"].as_str().is_some_and(|hint| hint.contains("admin = true")));
    }
    assert_eq!(as_key(&gateway, Method::GET, "/v1/models", "studio").await.status, 200);
    assert_eq!(as_key(&gateway, Method::GET, "/readyz", "nobody").await.body, json!({"status": "ready"}));

    std::fs::write(file(&gateway), format!("{open}{}", key("boss", true))).expect("written");
    assert_eq!(as_key(&gateway, Method::POST, "/admin/reload", "boss").await.status, 200);
    assert_eq!(as_key(&gateway, Method::GET, "/v1/models", "studio").await.code(), "invalid_api_key");
    std::fs::write(file(&gateway), &open).expect("written");
    assert_eq!(as_key(&gateway, Method::POST, "/admin/reload", "boss").await.status, 200);
    assert_eq!(gateway.generate("x").await.status, 200);
}

#[tokio::test]
async fn a_web_page_cannot_reload() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::new().config(&lab(&provider, &[("a", 10_000)])).start().await;
    for (header, value, code) in [
        ("content-type", "text/plain", "simple_request"),
        ("content-type", "application/x-www-form-urlencoded", "simple_request"),
        ("origin", "https://evil.example", "foreign_origin"),
        ("host", "evil.example", "foreign_origin"),
    ] {
        let request = gateway.request(reqwest::Method::POST, "/admin/reload").header(header, value);
        let reply = Reply::of(request.send().await.expect("an answer")).await;
        assert_eq!((reply.status, reply.code()), (403, code), "{header}: {value}");
    }
    let request = gateway.request(reqwest::Method::POST, "/admin/reload").header("x-muxel-admin", "yes");
    assert_eq!(request.send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_hangup_reloads() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::new().config(&lab(&provider, &[("a", 10_000)])).start().await;
    std::fs::write(file(&gateway), lab(&provider, &[("b", 10_000)])).expect("written");
    hang_up(&gateway);
    gateway.until("a new snapshot", |ready| ready["snapshot"] == 2).await;
    assert_eq!(served_by(&gateway, "auto").await, "lab/b");

    std::fs::write(file(&gateway), "nonsense").expect("written");
    hang_up(&gateway);
    gateway.until("a refusal", |ready| ready["config"]["refused"]["problems"].is_array()).await;
    assert_eq!(served_by(&gateway, "auto").await, "lab/b");
}

fn hang_up(gateway: &Gateway) {
    let status = std::process::Command::new("kill").args(["-HUP", &gateway.pid().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

#[tokio::test]
async fn without_a_file_there_is_nothing_to_reload() {
    let gateway = Setup::new().start().await;
    let reply = gateway.post("/admin/reload", "").await;
    assert_eq!((reply.status, reply.code()), (409, "no_config_file"));
    hang_up(&gateway);
    assert_eq!(gateway.generate("a red bicycle").await.status, 200);
}

#[tokio::test]
async fn what_needs_a_restart_is_said_and_the_rest_is_taken() {
    let provider = Provider::start(Answer::Picture).await;
    let models = lab(&provider, &[("a", 10_000)]);
    let gateway = Setup::new().config(&models).start().await;
    let changed = format!(
        "[server]\ndrain = \"5s\"\nmax-body = \"1KiB\"\nmax-in-flight = 1\n[data]\nprompts = \"drop\"\n{models}"
    );
    let told = taken(&gateway, &changed).await;
    assert_eq!(told["needs_restart"], json!(["server.drain", "data.prompts"]));
    assert_eq!(gateway.get("/readyz").await.body["config"]["needs_restart"], told["needs_restart"]);
    let large = gateway.generate(&"x".repeat(2_000)).await;
    assert_eq!((large.status, large.code()), (413, "body_too_large"));

    provider.next([Answer::Hold]);
    let (held, second) = tokio::join!(gateway.generate("x"), async {
        provider.called(1).await;
        let second = gateway.generate("x").await;
        provider.release(1);
        second
    });
    assert_eq!((held.status, second.status, second.code()), (200, 429, "overloaded"));
}

#[tokio::test]
async fn a_storm_of_reloads_fails_no_request_and_loses_no_plugin() {
    let provider = Provider::start(Answer::Picture).await;
    let config = |turn: u64| {
        let split = if turn.is_multiple_of(2) { "" } else { "shadow = [\"fastest\"]\n" };
        format!("{}{CHEAPEST}{split}", lab(&provider, &[("a", 10_000 + turn), ("b", 10_200 - turn)]))
    };
    let gateway = Arc::new(Setup::new().config(&config(0)).start().await);
    let stop = Arc::new(AtomicBool::new(false));
    let served = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (gateway, stop, served) = (Arc::clone(&gateway), Arc::clone(&stop), Arc::clone(&served));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let reply = gateway.generate("a red bicycle").await;
                    assert_eq!(reply.status, 200, "{:#}", reply.body);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for turn in 1..=200 {
        if turn == 100 {
            gateway.drop_plugin("mine", &Guest::Picks(1).component());
        }
        taken(&gateway, &config(turn)).await;
        assert_ne!(reload(&gateway, "nonsense").await.status, 200);
    }
    let serves = |ready: &Value| {
        ready["plugins"].as_array().is_some_and(|plugins| plugins.iter().any(|plugin| plugin["name"] == "mine"))
    };
    let ready = gateway.until("the plugin that was dropped meanwhile serves", serves).await;
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("no request failed");
    }
    // The first, 200 configurations, and one roster.
    assert_eq!(ready["snapshot"], 202);
    assert!(served.load(Ordering::Relaxed) > 20, "{served:?}");
    // The last prices: `a` is dearer by now.
    assert_eq!(served_by(&gateway, "auto").await, "lab/b");
}
