//! What callers say of their pictures: who may, what becomes of it, and what is learned.

use domain::digest::Digest;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Gateway, Provider, Reply, Setup, png, run_in};

/// Learns by the number of outcomes only; compiled against 0.1.0 of the contract.
const LEARNER: &[u8] = include_bytes!("compat/0.1.0/learning-strategy.wasm");

async fn two_models() -> (Provider, Setup) {
    let provider = Provider::start(Answer::Picture).await;
    let setup = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]);
    (provider, setup)
}

async fn say(gateway: &Gateway, body: Value) -> Reply {
    gateway.post("/v1/feedback", body.to_string()).await
}

/// Asks for a picture of one model and rates it.
async fn rate(gateway: &Gateway, model: &str, score: f64) {
    let reply = gateway.ask(json!({"model": model, "prompt": "a red bicycle"})).await;
    let said = say(gateway, json!({"decision": reply.decision(), "score": score})).await;
    assert_eq!((said.status, &said.body["model"]), (200, &json!(model)), "{:#}", said.body);
}

/// What is learned of quality, once as many ratings are in it and it decides.
async fn learned(gateway: &Gateway, ratings: u64, each: &str) -> Value {
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
    let waiting = async {
        loop {
            ticks.tick().await;
            let learner = gateway.get("/admin/learners/quality").await.body;
            let in_force = learner["quality_toml"].as_str().is_some_and(|text| text.contains(each));
            if learner["memories"][0]["folded"] == ratings && in_force {
                return learner;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await.expect("it is learned in time")
}

#[tokio::test]
async fn what_is_said_changes_what_is_expected_and_a_decision_tells_why() {
    let (_provider, setup) = two_models().await;
    let gateway = setup.start().await;
    let before = gateway.post("/v1/decisions", json!({"prompt": "a red bicycle"}).to_string()).await.body;
    assert_eq!(before["expected"], Value::Null);
    for _ in 0..4 {
        rate(&gateway, "lab/cheap", 0.1).await;
        rate(&gateway, "lab/dear", 0.9).await;
    }
    // By name, `dear` is the last.
    let learner = learned(&gateway, 8, "model = \"dear\"\noperation = \"image.generate\"\nratings = 4.0").await;
    assert!(learner["quality_toml"].as_str().is_some_and(|text| text.contains("model = \"dear\"")), "{learner:#}");

    let after = gateway.post("/v1/decisions", json!({"prompt": "a red bicycle"}).to_string()).await.body;
    let quality = |model: &str| {
        let candidates = after["candidates"].as_array().expect("candidates");
        let found = candidates.iter().find(|candidate| candidate["model"] == model).expect("considered");
        found["quality"].as_f64().expect("learned")
    };
    assert!(quality("lab/cheap") < 0.35 && quality("lab/dear") > 0.65, "{after:#}");
    let told = after["expected"][0]["quality"].as_str().expect("a line");
    assert!(told.contains(" = 0.50 prior ") && told.ends_with("from 4 ratings"), "{told}");

    // Everything is still there after a crash, and in the record.
    let gateway = gateway.restarted().await;
    let again = gateway.post("/v1/decisions", json!({"prompt": "a red bicycle"}).to_string()).await.body;
    assert_eq!(again["expected"], after["expected"]);
    let id = again["id"].as_str().expect("an id").to_owned();
    assert_eq!(gateway.get(&format!("/v1/decisions/{id}")).await.body["expected"], after["expected"]);
    let replayed = run_in(gateway.folder.path(), &["replay", &id, "--data", "data"]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stdout));
}

#[tokio::test]
async fn it_counts_once_and_only_for_what_was_delivered() {
    let (_provider, setup) = two_models().await;
    let gateway = setup.start().await;
    let reply = gateway.generate("a red bicycle").await;
    assert_eq!(say(&gateway, json!({"id": reply.decision(), "score": 1})).await.status, 200);
    let gateway = gateway.restarted().await;
    let again = say(&gateway, json!({"decision": reply.decision(), "score": 0})).await;
    assert_eq!((again.status, again.code(), again.header("x-should-retry")), (409, "feedback_given", Some("false")));
    assert_eq!(learned(&gateway, 1, "ratings = 1.0").await["memories"][0]["folded"], 1);
    let dry = gateway.post("/v1/decisions", json!({"prompt": "a fox"}).to_string()).await.body;
    let nothing = say(&gateway, json!({"decision": dry["id"], "score": 1})).await;
    assert_eq!((nothing.status, nothing.code()), (409, "nothing_delivered"));
}

#[tokio::test]
async fn a_comparison_names_a_model_or_another_decision_about_the_same_prompt() {
    let (_provider, setup) = two_models().await;
    let gateway = setup.start().await;
    let ask = async |model: &str, prompt: &str| {
        gateway.ask(json!({"model": model, "prompt": prompt})).await.decision().to_owned()
    };
    let (cheap, dear) = (ask("lab/cheap", "a fox").await, ask("lab/dear", "a fox").await);
    let (other, same) = (ask("lab/dear", "a dog").await, ask("lab/dear", "a fox").await);
    for (body, code) in [
        (json!({"decision": cheap, "better_than": other}), "invalid_value"),
        (json!({"decision": dear, "better_than": same}), "invalid_value"),
        (json!({"decision": cheap, "better_than": "lab/chaep"}), "invalid_value"),
        (json!({"decision": cheap, "better_than": "lab/dear", "score": 1}), "invalid_value"),
        (json!({"decision": cheap}), "invalid_value"),
        (json!({"decision": cheap, "score": 1.5}), "invalid_value"),
        (json!({"decision": cheap, "score": "good"}), "invalid_json"),
        (json!({"decision": cheap, "sentiment": 1}), "invalid_json"),
        (json!({"decision": "nonsense", "score": 1}), "decision_not_found"),
    ] {
        let refused = say(&gateway, body.clone()).await;
        assert_eq!(refused.code(), code, "{body}");
        assert!(refused.body["error"]["hint"].is_string(), "{:#}", refused.body);
    }
    assert_eq!(say(&gateway, json!({"decision": dear, "better_than": cheap})).await.status, 200);
    assert_eq!(say(&gateway, json!({"decision": cheap, "worse_than": "lab/dear"})).await.status, 200);
    let text =
        learned(&gateway, 2, "model = \"dear\"\noperation = \"image.generate\"\nratings = 1.0").await["quality_toml"]
            .as_str()
            .expect("text")
            .to_owned();
    assert!(text.contains("model = \"cheap\"") && text.contains("model = \"dear\""), "{text}");
}

#[tokio::test]
async fn only_the_key_that_asked_may_say_something_and_not_too_often() {
    let keys = ["mux-mine", "mux-other"].map(|secret| {
        let hash = Digest::of(secret.as_bytes());
        format!("[[keys]]\nname = \"{}\"\nhash = \"{hash}\"\ntenant = \"studio\"\n", &secret[4..])
    });
    let (_provider, setup) = two_models().await;
    let gateway = setup.config(&keys.concat()).start().await;
    let post = async |secret: &str, path: &str, body: Value| {
        let request = gateway.request(Method::POST, path).bearer_auth(secret).body(body.to_string());
        Reply::of(request.send().await.expect("an answer")).await
    };
    let reply = post("mux-mine", "/v1/images/generations", json!({"prompt": "a fox"})).await;
    let said = json!({"decision": reply.decision(), "score": 0.5});
    let other = post("mux-other", "/v1/feedback", said.clone()).await;
    assert_eq!((other.status, other.code()), (404, "decision_not_found"));
    assert_eq!(post("mux-wrong", "/v1/feedback", said.clone()).await.status, 401);
    assert_eq!(post("mux-mine", "/v1/feedback", said.clone()).await.status, 200);
    let mut last = post("mux-mine", "/v1/feedback", said.clone()).await;
    for _ in 0..400 {
        if last.status == 429 {
            break;
        }
        last = post("mux-mine", "/v1/feedback", said.clone()).await;
    }
    assert_eq!((last.status, last.code(), last.header("retry-after")), (429, "too_much_feedback", Some("1")));
    assert_eq!(post("mux-other", "/v1/feedback", said).await.status, 404);
}

#[tokio::test]
async fn learning_begins_at_the_configured_file_and_goes_back_to_it() {
    let (_provider, setup) = two_models().await;
    let gateway = setup.start().await;
    for _ in 0..3 {
        rate(&gateway, "lab/dear", 0.2).await;
    }
    learned(&gateway, 3, "ratings = 3.0").await;
    let file = "format = 1\n[[models]]\nmodel = \"dear\"\noperation = \"image.generate\"\nratings = 40\n\
                prior = { mean = 0.5, deviation = 0.1 }\n[models.terms]\nbase = { mean = 0.3, deviation = 0.02 }\n";
    std::fs::write(gateway.folder.path().join("quality.toml"), file).expect("written");
    let gateway = gateway.restarted_with("[learning]\nquality = \"quality.toml\"\n").await;
    // What was said before is learned anew, from where the file begins.
    learned(&gateway, 3, "ratings = 43.0").await;
    let reset = gateway.request(Method::POST, "/admin/learners/quality/reset").header("x-muxel-admin", "yes");
    let reset = Reply::of(reset.send().await.expect("an answer")).await;
    assert_eq!((reset.status, &reset.body["emptied"]), (200, &json!(1)), "{:#}", reset.body);
    learned(&gateway, 0, "ratings = 40.0").await;
    rate(&gateway, "lab/dear", 0.2).await;
    learned(&gateway, 1, "ratings = 41.0").await;
    // Another file does not bring back what was forgotten.
    std::fs::write(gateway.folder.path().join("quality.toml"), format!("# Of the spring.\n{file}")).expect("written");
    let gateway = gateway.restarted().await;
    rate(&gateway, "lab/dear", 0.2).await;
    learned(&gateway, 2, "ratings = 42.0").await;
}

#[tokio::test]
async fn pictures_are_compared_only_where_it_is_known_that_their_prompts_are_the_same() {
    let (_provider, setup) = two_models().await;
    let gateway = setup.config("[data]\nprompts = \"drop\"\n").start().await;
    let cheap = gateway.ask(json!({"model": "lab/cheap", "prompt": "a fox"})).await.decision().to_owned();
    let dear = gateway.ask(json!({"model": "lab/dear", "prompt": "a bridge"})).await.decision().to_owned();
    let refused = say(&gateway, json!({"decision": cheap, "better_than": dear})).await;
    assert_eq!((refused.status, refused.code()), (400, "invalid_value"));
    assert!(refused.body["error"]["hint"].as_str().is_some_and(|hint| hint.contains("[data] prompts")));
    assert_eq!(say(&gateway, json!({"decision": cheap, "better_than": "lab/dear"})).await.status, 200);
}

#[tokio::test]
async fn a_route_that_observes_serves_what_was_asked_for_and_prices_the_other_choice() {
    let (provider, setup) = two_models().await;
    let gateway = setup.config("[routes.default]\nobserve = true\nstrategies = [\"cheapest\"]\n").start().await;
    let reply = gateway.ask(json!({"model": "lab/dear", "prompt": "a fox"})).await;
    assert_eq!(reply.served_by(), "lab/dear");
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    let observed = &decision["observed"];
    assert_eq!(
        (&observed["model"], &observed["cost_usd_micros"]),
        (&json!("lab/cheap"), &json!(10_000)),
        "{decision:#}"
    );
    // Who leaves the choice gets it, and there is nothing to watch.
    let free = gateway.generate("a fox").await;
    assert_eq!(free.served_by(), "lab/cheap");
    let sums = gateway.get("/admin/observed?since=1h").await.body;
    assert_eq!((&sums["comparable"], &sums["saved_usd_micros"]), (&json!(1), &json!(80_000)), "{sums:#}");
    assert_eq!(sums["data"][0]["served"], "lab/dear");
    // What would have been chosen anyway saves nothing, also when its bill is another than expected.
    use base64::Engine as _;
    let picture = base64::engine::general_purpose::STANDARD.encode(png());
    provider.always(Answer::Status(200, vec![], json!({"data": [{"b64_json": picture}], "usage": {"cost": 0.5}})));
    let same = gateway.ask(json!({"model": "lab/cheap", "prompt": "a fox"})).await;
    assert_eq!((same.served_by(), same.header("x-muxel-cost-usd")), ("lab/cheap", Some("0.500000")));
    let sums = gateway.get("/admin/observed?since=1h").await.body;
    assert_eq!((&sums["comparable"], &sums["saved_usd_micros"]), (&json!(2), &json!(80_000)), "{sums:#}");
    assert_eq!(gateway.get("/admin/routes").await.body["data"][0]["observe"], true);
}

#[tokio::test]
async fn what_is_said_where_tenants_are_kept_apart_is_for_nobody_else() {
    let (_provider, setup) = two_models().await;
    let gateway = setup.config("[routes.apart]\nlearn-per = \"tenant\"\n").start().await;
    let apart = gateway.ask(json!({"model": "auto/apart", "prompt": "a red bicycle"})).await;
    assert_eq!(say(&gateway, json!({"decision": apart.decision(), "score": 0})).await.status, 200);
    // What is said later and elsewhere is learned, so what was said before it was passed over.
    rate(&gateway, "lab/dear", 1.0).await;
    let learner = learned(&gateway, 1, "model = \"dear\"").await;
    assert!(!learner["quality_toml"].as_str().is_some_and(|text| text.contains("cheap")), "{learner:#}");
    assert_eq!(learner["memories"][0]["sequence"], 4, "two attempts and what was said of them");
}

#[tokio::test]
async fn a_plugin_learns_each_outcome_once_and_its_decisions_can_be_replayed() {
    let (_provider, setup) = two_models().await;
    let route = "[learning]\nevery = \"100ms\"\n[routes.learned]\nstrategies = [\"mine\"]\n";
    let gateway = setup.config(route).start().await;
    gateway.drop_plugin("mine", LEARNER);
    gateway.plugin_until("mine", "it serves", |plugin| plugin["digest"].is_string()).await;
    let ask = json!({"model": "auto/learned", "prompt": "a fox"});
    for _ in 0..5 {
        assert_eq!(gateway.ask(ask.clone()).await.status, 200);
    }
    let folded = async |gateway: &Gateway, count: u64| {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let learner = gateway.get("/admin/learners/mine?scope=route:learned").await.body;
            if learner["memories"][0]["folded"] == count {
                return learner["memories"][0].clone();
            }
        }
    };
    let memory = folded(&gateway, 5).await;
    assert_eq!((&memory["skipped"], &memory["sequence"]), (&json!(0), &json!(5)));
    // Who is named by no route learns nothing and costs nothing, and nobody has said anything of quality.
    let listed = gateway.get("/admin/learners").await.body;
    let learners: Vec<&Value> = listed["data"].as_array().expect("a list").iter().map(|one| &one["learner"]).collect();
    assert_eq!(learners, ["mine"]);
    let gateway = gateway.restarted().await;
    let decided = gateway.ask(ask.clone()).await;
    let memory = folded(&gateway, 6).await;
    assert_eq!(memory["sequence"], 6);
    let replayed = run_in(gateway.folder.path(), &["replay", decided.decision(), "--data", "data"]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stdout));

    let reset = gateway.request(Method::POST, "/admin/learners/mine/reset?scope=route:learned");
    let reset = Reply::of(reset.header("x-muxel-admin", "yes").send().await.expect("an answer")).await;
    assert_eq!((reset.status, &reset.body["emptied"]), (200, &json!(1)), "{:#}", reset.body);
    assert_eq!(folded(&gateway, 0).await["bytes"], 0);
    let unknown = gateway.get("/admin/learners/nobody").await;
    assert_eq!((unknown.status, unknown.code()), (404, "learner_not_found"));
}
