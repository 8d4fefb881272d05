//! Bills: what is charged, and what may have been.

use serde_json::json;

use crate::harness::{Answer, Provider, Setup, png};

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
