//! Bills: what is charged, and what may have been.

use serde_json::{Value, json};

use crate::harness::{Answer, Gateway, Provider, Setup, png, run_in};

fn with_usage(text: u64, out: u64) -> Answer {
    use base64::Engine as _;
    let picture = base64::engine::general_purpose::STANDARD.encode(png());
    let usage = json!({
        "input_tokens": text, "output_tokens": out, "total_tokens": text + out,
        "input_tokens_details": {"text_tokens": text, "image_tokens": 0},
    });
    Answer::Status(200, vec![], json!({"created": 1, "data": [{"b64_json": picture}], "usage": usage}))
}

#[tokio::test]
async fn tokens_are_billed_as_the_provider_counts_them() {
    let provider = Provider::start(with_usage(13, 1_757)).await;
    let config = format!(
        "[providers.openai]\ndialect = \"openai\"\nbase-url = \"{}\"\nvendor = \"openai\"\nprice-factor = 0.5\n",
        provider.url()
    );
    let gateway = Setup::new().config(&config).start().await;
    let reply = gateway.ask(json!({"model": "openai/gpt-image-2@medium", "prompt": "x", "size": "1024x1024"})).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    // 13 tokens at 5 and 1,757 at 30 dollars a million, each at half price: 32.5 and 26,355, the parts rounded up.
    assert_eq!(reply.header("x-muxel-cost-usd"), Some("0.026388"));
    assert_eq!(reply.body["muxel"]["cost_is"], "reported");
    assert_eq!(provider.calls()[0]["quality"], "medium");
}

#[tokio::test]
async fn a_failed_attempt_that_may_be_charged_stays_on_the_bill() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).start().await;
    provider.next([Answer::error(500, "server_error")]);
    let reply = gateway.ask(json!({"model": "auto/cheapest", "prompt": "x"})).await;
    assert_eq!((reply.served_by(), reply.header("x-muxel-cost-usd")), ("lab/dear", Some("0.100000")));
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    assert_eq!(decision["attempts"][0]["cost_is"], "possible");
    assert_eq!(decision["attempts"][1]["cost_is"], "estimated");
    assert_eq!(decision["cost_usd_micros"], 100_000);
}

#[tokio::test]
async fn only_pictures_that_were_sent_are_billed() {
    let provider = Provider::start(with_usage(1, 1)).await;
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    let reply = gateway.ask(json!({"prompt": "x", "n": 3})).await;
    assert_eq!((reply.status, reply.header("x-muxel-cost-usd")), (200, Some("0.010000")));
    assert!(reply.body["muxel"]["warnings"][0].as_str().is_some_and(|warning| warning.contains("1 of 3")));
}

#[tokio::test]
async fn the_cap_holds_over_all_attempts() {
    let provider = Provider::start(Answer::error(500, "server_error")).await;
    let models = [("one", 10_000), ("two", 20_000), ("three", 30_000)];
    let gateway = Setup::with_provider(&provider, &models).start().await;
    let ask = json!({"model": "auto/cheapest", "prompt": "x", "muxel": {"max_cost_usd": 0.035}});
    assert_eq!(gateway.ask(ask).await.status, 502);
    // One and two may have cost 0.03 already: three would break the cap.
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test]
async fn an_unpriced_model_never_satisfies_a_cap() {
    let provider = Provider::start(Answer::Picture).await;
    let config = "[[models]]\nname = \"lab/unpriced\"\n";
    let gateway = Setup::with_provider(&provider, &[]).config(config).start().await;
    let capped = gateway.ask(json!({"prompt": "x", "muxel": {"max_cost_usd": 1}})).await;
    assert_eq!((capped.status, capped.code()), (422, "no_candidate"));
    assert_eq!(capped.body["error"]["candidates"][0]["veto"], "unpriced");
    let free = gateway.generate("x").await;
    assert_eq!((free.status, &free.body["muxel"]["cost_is"]), (200, &json!("unknown")));
    assert_eq!((&free.body["muxel"]["cost_usd"], free.header("x-muxel-cost-usd")), (&json!(null), None));
}

/// An answer with one picture and these fields.
fn with(fields: Value) -> Answer {
    use base64::Engine as _;
    let picture = base64::engine::general_purpose::STANDARD.encode(png());
    let mut body = json!({"created": 1, "data": [{"b64_json": picture}]});
    for (name, value) in fields.as_object().expect("fields") {
        body[name] = value.clone();
    }
    Answer::Status(200, vec![], body)
}

/// A provider at half its list price, with a model that costs 35 credits of a tenth of a cent.
async fn in_credits(provider: &Provider) -> Gateway {
    let config = format!(
        "[providers.lab]\ndialect = \"openai\"\nbase-url = \"{}\"\nprice-factor = 0.5\n\
         [[models]]\nname = \"lab/vector\"\nprice.credits = {{ price = \"0.001 USD\", per-picture = 35 }}\n",
        provider.url()
    );
    Setup::new().config(&config).start().await
}

#[tokio::test]
async fn credits_are_billed_as_the_provider_counts_them() {
    let provider = Provider::start(with(json!({"credits": 41.5}))).await;
    let gateway = in_credits(&provider).await;
    let reply = gateway.generate("x").await;
    // 41.5 credits at 0.001 USD, half of it; expected were 35.
    assert_eq!(
        (reply.header("x-muxel-cost-usd"), &reply.body["muxel"]["cost_is"]),
        (Some("0.020750"), &json!("reported"))
    );
    let decision = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
    assert_eq!(
        (&decision["cost_model"], &decision["served_estimate_usd_micros"]),
        (&json!("list-price"), &json!(17_500))
    );
    assert_eq!(
        (&decision["served_cost_usd_micros"], &decision["served_cost_is"]),
        (&json!(20_750), &json!("reported"))
    );
    // Nobody said what the caller uses now.
    assert_eq!((&decision["baseline"], &decision["savings_usd_micros"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_cost_in_dollars_is_what_the_provider_charged() {
    let provider = Provider::start(with(json!({"cost": 0.0345, "credits": 41.5}))).await;
    let gateway = in_credits(&provider).await;
    let reply = gateway.generate("x").await;
    assert_eq!(
        (reply.header("x-muxel-cost-usd"), &reply.body["muxel"]["cost_is"]),
        (Some("0.034500"), &json!("reported"))
    );
    provider.always(with(json!({"usage": {"cost": 0.012345}})));
    assert_eq!(gateway.generate("x").await.header("x-muxel-cost-usd"), Some("0.012345"));
}

#[tokio::test]
async fn absurd_reports_leave_the_estimate_and_a_warning() {
    let provider = Provider::start(Answer::Picture).await;
    let gateway = in_credits(&provider).await;
    for fields in [
        json!({"cost": -0.01}),
        json!({"cost": "NaN"}),
        json!({"cost": 1e300}),
        json!({"usage": {"cost": true}}),
        json!({"credits": -35}),
        json!({"credits": 1e300}),
    ] {
        provider.next([with(fields.clone())]);
        let reply = gateway.generate("x").await;
        assert_eq!((reply.status, reply.header("x-muxel-cost-usd")), (200, Some("0.017500")), "{fields}");
        assert_eq!(reply.body["muxel"]["cost_is"], "estimated", "{fields}");
        let warning = reply.body["muxel"]["warnings"][0].as_str().unwrap_or_default();
        assert!(warning.contains("which is no amount"), "{fields}: {:#}", reply.body);
    }
}

#[tokio::test]
async fn simulated_providers_report_their_credits() {
    let gateway = Setup::new().start().await;
    let reply = gateway.ask(json!({"model": "recraft/recraftv4_1_flash", "prompt": "x", "n": 2})).await;
    assert_eq!((reply.status, reply.header("x-muxel-cost-usd")), (200, Some("0.014000")), "{:#}", reply.body);
    assert_eq!((&reply.body["credits"], &reply.body["muxel"]["cost_is"]), (&json!(14.0), &json!("reported")));
}

#[tokio::test]
async fn savings_are_against_the_model_that_the_caller_uses_now() {
    let provider = Provider::start(Answer::Picture).await;
    let config = "[routes.default]\nstrategies = [\"cheapest\"]\nbaseline = \"lab/dear\"\n\
                  [routes.plain]\nstrategies = [\"cheapest\"]\n";
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]).config(config).start().await;
    let money = async |body: Value| {
        let reply = gateway.ask(body).await;
        let told = gateway.get(&format!("/v1/decisions/{}", reply.decision())).await.body;
        [&told["baseline"], &told["baseline_usd_micros"], &told["savings_usd_micros"]].map(Value::clone)
    };
    let auto = money(json!({"prompt": "x", "n": 2})).await;
    assert_eq!(auto, [json!("lab/dear"), json!(180_000), json!(160_000)]);
    // Who names a model has it: nothing is saved by serving it.
    let pinned = money(json!({"model": "lab/cheap", "prompt": "x"})).await;
    assert_eq!(pinned, [json!("lab/cheap"), json!(10_000), json!(0)]);
    let bare = money(json!({"model": "dear", "prompt": "x"})).await;
    assert_eq!(bare, [json!("lab/dear"), json!(90_000), json!(0)]);
    let unknown = money(json!({"model": "auto/plain", "prompt": "x"})).await;
    assert_eq!(unknown, [Value::Null, Value::Null, Value::Null]);
    // A failed attempt that may have been charged counts against the saving.
    provider.next([Answer::error(500, "server_error")]);
    let fell_over = money(json!({"prompt": "x"})).await;
    assert_eq!(fell_over, [json!("lab/dear"), json!(90_000), json!(-10_000)]);

    let list = run_in(gateway.folder.path(), &["audit", "list", "--data", "data"]);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.contains("saved") && list.contains("+0.16 USD") && list.contains("-0.01 USD"), "{list}");
}

#[tokio::test]
async fn a_route_says_what_becomes_of_models_without_a_price() {
    let provider = Provider::start(Answer::Picture).await;
    let config = "[[models]]\nname = \"lab/unpriced\"\nquality = 0.9\n[routes.skipping]\nunpriced = \"skip\"\n\
                  [routes.allowing]\nunpriced = \"allow\"\n\
                  [routes.alone]\ncandidates = { only = [\"lab/unpriced\"] }\n\
                  [routes.nobody]\nunpriced = \"skip\"\ncandidates = { only = [\"lab/unpriced\"] }\n";
    let gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).config(config).start().await;
    let vetoes = async |route: &str| {
        let told = gateway.post("/v1/decisions", json!({"model": format!("auto/{route}"), "prompt": "x"}).to_string());
        let told = told.await.body;
        let unpriced =
            told["candidates"].as_array().and_then(|all| all.iter().find(|row| row["model"] == "lab/unpriced"));
        unpriced.map(|row| row["veto"].clone()).unwrap_or_default()
    };
    assert_eq!(vetoes("default").await, "priced-first");
    assert_eq!(vetoes("skipping").await, "unpriced-skipped");
    assert_eq!(vetoes("allowing").await, Value::Null);
    assert_eq!(vetoes("alone").await, Value::Null);
    assert_eq!(gateway.ask(json!({"model": "auto/alone", "prompt": "x"})).await.served_by(), "lab/unpriced");
    let nobody = gateway.ask(json!({"model": "auto/nobody", "prompt": "x"})).await;
    assert_eq!((nobody.status, nobody.code()), (422, "no_candidate"));
    assert_eq!(nobody.body["error"]["candidates"][0]["veto"], "unpriced-skipped", "{:#}", nobody.body);
}

#[tokio::test]
async fn what_was_spent_and_what_is_out_is_told() {
    let (a, b) = (Provider::start(Answer::Picture).await, Provider::start(Answer::Picture).await);
    let config = "[routes.default]\nstrategies = [\"cheapest\"]\nbaseline = \"b/dear\"\n";
    let setup = Setup::with_provider(&a, &[("cheap", 10_000)]).provider("b", &b, &[("dear", 90_000)]);
    let gateway = setup.config(config).start().await;
    a.next([Answer::Picture, Answer::error(500, "server_error"), Answer::Hold]);
    assert_eq!(gateway.generate("one").await.served_by(), "lab/cheap");
    assert_eq!(gateway.generate("two").await.served_by(), "b/dear");
    let (held, told) = tokio::join!(gateway.generate("three"), async {
        a.called(3).await;
        let told = gateway.get("/admin/spend?since=1h&by=provider").await.body;
        a.release(1);
        told
    });
    assert_eq!(held.status, 200);
    let out = json!([{"provider": "lab", "attempts": 1, "unpriced": 0, "reserved_usd_micros": 10_000, "settled_usd_micros": 0}]);
    assert_eq!((&told["reserved"], &told["reserved_usd_micros"]), (&out, &json!(10_000)));
    let line = |at: usize| ["name", "requests", "delivered", "cost_usd_micros"].map(|of| told["data"][at][of].clone());
    assert_eq!(line(0), [json!("b"), json!(1), json!(1), json!(90_000)], "{told:#}");
    assert_eq!(line(1), [json!("lab"), json!(2), json!(1), json!(20_000)], "{told:#}");
    let total = &told["total"];
    assert_eq!((&total["estimated_usd_micros"], &total["possible_usd_micros"]), (&json!(100_000), &json!(10_000)));
    // 90,000 twice, less 10,000, and less 100,000 for the one that fell over.
    assert_eq!((&total["compared"], &total["savings_usd_micros"]), (&json!(2), &json!(70_000)));

    assert_eq!(gateway.get("/admin/spend").await.body["reserved"], json!([]));
    for bad in ["since=24", "by=colour", "until=tomorrow", "for=1h", "since=1h&since=2h", "since=1h&until=2h"] {
        let reply = gateway.get(&format!("/admin/spend?{bad}")).await;
        assert_eq!(reply.status, 400, "{bad}");
        assert!(reply.body["error"]["hint"].is_string(), "{bad}: {:#}", reply.body);
    }

    let folder = gateway.folder.path();
    let table = run_in(folder, &["audit", "spend", "--data", "data", "--by", "model"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("lab/cheap") && table.contains("total") && table.contains("0.120000"), "{table}");
    let told = run_in(folder, &["audit", "spend", "--data", "data", "--since", "1h", "--by", "route", "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!((&told["data"][0]["name"], &told["data"][0]["requests"]), (&json!("default"), &json!(3)));
    let bad = run_in(folder, &["audit", "spend", "--data", "data", "--since", "24"]);
    assert!(String::from_utf8_lossy(&bad.stderr).contains("`24` is not a moment"), "{bad:?}");
}

#[tokio::test]
async fn killed_gateways_leave_their_charges_in_the_spend_and_no_reservation() {
    let provider = Provider::start(Answer::Picture).await;
    let mut gateway = Setup::with_provider(&provider, &[("cheap", 10_000)]).start().await;
    for (round, calls) in [3, 5, 8].into_iter().enumerate() {
        let before = provider.calls().len();
        let mixed = |at: usize| [Answer::Picture, Answer::Hold, Answer::error(500, "server_error")][at % 3].clone();
        provider.next((0..9).map(mixed));
        let asking = (0..9).map(|_| {
            let request = gateway.request(reqwest::Method::POST, "/v1/images/generations").body(r#"{"prompt": "x"}"#);
            tokio::spawn(request.send())
        });
        let asking: Vec<_> = asking.collect();
        provider.called(before + calls).await;
        // Looking for a decision that is not there waits until everything so far is on disk.
        assert_eq!(gateway.get("/v1/decisions/dec_01KAWZ5X4Y0000000000000000").await.status, 404);
        gateway = gateway.restarted().await;
        for asked in asking {
            let _ = asked.await;
        }
        provider.forget();
        let told = gateway.get("/admin/spend?by=model").await.body;
        assert_eq!(told["reserved"], json!([]), "round {round}");
        let rows = run_in(gateway.folder.path(), &["audit", "list", "--data", "data", "--limit", "1000", "--json"]);
        let rows: Vec<Value> = serde_json::from_slice(&rows.stdout).expect("JSON");
        let ids: std::collections::BTreeSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
        assert_eq!(ids.len(), rows.len(), "no record twice");
        let sum: u64 = rows.iter().filter_map(|row| row["cost_usd_micros"].as_u64()).sum();
        assert_eq!(told["total"]["cost_usd_micros"], sum, "round {round}");
        assert_eq!(told["data"][0]["cost_usd_micros"], sum, "round {round}");
        assert_eq!(told["total"]["requests"], rows.len(), "round {round}");
    }
}
