//! What attempts cost together, and the cap over all of them.

use domain::{
    attempt::Charge,
    money::MicroUsd,
    price::{Estimate, Tariff},
    request::Request,
    size::Size,
};
use serde_json::json;

use super::{
    stage::{Stage, ends},
    upstream::{Act, Upstream, png_base64},
};
use crate::{Job, SimulationSettings, Stopped, random::SplitMix};

#[tokio::test]
async fn possible_charges_count_against_the_cap() {
    let (a, b) = (Upstream::playing([Act::error(500, "oops")]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    let job = |cap| Job { max_cost: Some(MicroUsd(cap)), ..play.job(&["a", "b"]) };

    let tight = play.run(job(23_999)).await;
    assert_eq!((ends(&tight), tight.charge), (vec!["a/m server".to_owned()], Charge::Possible(MicroUsd(12_000))));
    let wide = play.run(job(24_000)).await;
    assert_eq!(wide.charge, Charge::Possible(MicroUsd(22_000)));
    assert!(wide.result.is_ok());
}

#[tokio::test]
async fn a_dear_candidate_is_passed_over_for_a_cheap_one() {
    let (a, b) = (Upstream::playing([Act::picture()]).await, Upstream::playing([Act::picture()]).await);
    let play = Stage::default().at("a", &a.url).at("b", &b.url).play();
    let mut job = Job { max_cost: Some(MicroUsd(5_000)), ..play.job(&["a", "b"]) };
    job.steps[1].estimate = Some(Estimate { expected: MicroUsd(4_000), upper: MicroUsd(5_000) });
    assert_eq!(ends(&play.run(job).await), ["b/m delivered"]);
    assert_eq!(a.calls(), 0);
}

#[tokio::test]
async fn nobody_is_asked_when_everyone_costs_too_much_or_nobody_knows_what() {
    let a = Upstream::playing([Act::picture()]).await;
    let play = Stage::default().at("a", &a.url).play();
    let mut job = Job { max_cost: Some(MicroUsd(5_000)), ..play.job(&["a", "a/unpriced"]) };
    job.steps[1].estimate = None;
    let failure = play.run(job).await.result.expect_err("a failure");
    assert_eq!((failure.kind, failure.stopped), (None, Stopped::Cap));
    assert!(!failure.should_retry() && !failure.may_have_been_charged);
    assert_eq!(a.calls(), 0);
}

#[tokio::test]
async fn tokens_are_settled_from_the_providers_report() {
    let usage = json!({ "input_tokens": 4, "input_tokens_details": { "text_tokens": 4, "image_tokens": 0 },
        "output_tokens": 200, "total_tokens": 204 });
    let answer = json!({ "data": [{ "b64_json": png_base64() }], "usage": usage });
    let a = Upstream::playing([Act::json(200, answer)]).await;
    let play = Stage::default().at("a", &a.url).play();
    let mut job = play.job(&["a"]);
    let (text_in, tokens_out) = (MicroUsd(5_000_000), MicroUsd(30_000_000));
    job.steps[0].tariff = Tariff { known: true, text_in, tokens_out, ..Tariff::default() };
    let dispatched = play.run(job).await;
    assert_eq!(dispatched.charge, Charge::Reported(MicroUsd(6_020)));
    assert_eq!(dispatched.result.expect("a picture").usage, Some(usage));
}

#[tokio::test]
async fn an_unpriced_candidate_costs_an_unknown_amount_not_nothing() {
    let a = Upstream::playing([Act::picture()]).await;
    let play = Stage::default().at("a", &a.url).play();
    let mut job = play.job(&["a"]);
    (job.steps[0].tariff, job.steps[0].estimate) = (Tariff::default(), None);
    assert_eq!(play.run(job).await.charge, Charge::Unknown(MicroUsd::ZERO));
}

#[tokio::test]
async fn whatever_fails_what_may_have_been_charged_stays_within_the_cap() {
    let (mut fell_over, mut delivered, mut capped) = (0, 0, 0);
    for seed in 0..150 {
        let mut random = SplitMix::new(seed);
        let names = ["a", "b", "c", "d", "e"];
        let mut stage = Stage::default();
        for name in names {
            let simulate = SimulationSettings {
                latency_scale: 0.000_01,
                error_rate: random.between(0.3, 0.9),
                refusal_rate: 0.05,
                rate_limited_rate: 0.1,
                ..SimulationSettings::default()
            };
            stage = stage.simulated(name, simulate);
        }
        let play = stage.play();
        let cap = MicroUsd(random.between(1_000.0, 60_000.0) as u64);
        let request = Request { size: Size::new(16, 16), ..Request::for_prompt("x") };
        let mut job = Job { max_cost: Some(cap), request: std::sync::Arc::new(request), seed, ..play.job(&names) };
        for step in &mut job.steps {
            let expected = MicroUsd(random.between(0.0, 20_000.0) as u64);
            let upper = expected.plus(MicroUsd(random.between(0.0, 10_000.0) as u64));
            step.estimate = (random.unit() > 0.1).then_some(Estimate { expected, upper });
        }
        let dispatched = play.run(job).await;
        let sum: MicroUsd = dispatched.attempts.iter().map(|attempt| attempt.charge.amount()).sum();
        assert!(sum <= cap, "seed {seed}: {:?} of {cap}", dispatched.attempts);
        assert_eq!(sum, dispatched.charge.amount(), "seed {seed}");
        assert!(dispatched.charge.known().is_some(), "seed {seed}: who has no price is not asked under a cap");
        fell_over += usize::from(dispatched.attempts.len() > 1);
        delivered += usize::from(dispatched.result.is_ok());
        capped += usize::from(dispatched.result.is_err_and(|failure| failure.stopped == Stopped::Cap));
    }
    assert!(fell_over > 30 && delivered > 30 && capped > 0, "{fell_over} {delivered} {capped}");
}

#[tokio::test]
async fn a_report_in_dollars_is_the_charge_and_an_absurd_one_a_warning() {
    let answer = |cost: serde_json::Value| json!({ "data": [{ "b64_json": png_base64() }], "usage": { "cost": cost } });
    let acts = [Act::json(200, answer(json!(0.0345))), Act::json(200, answer(json!(-1)))];
    let a = Upstream::playing(acts).await;
    let play = Stage::default().at("a", &a.url).play();
    assert_eq!(play.try_all(&["a"]).await.charge, Charge::Reported(MicroUsd(34_500)));
    let absurd = play.try_all(&["a"]).await;
    assert_eq!(absurd.charge, Charge::Estimated(MicroUsd(10_000)));
    let warnings = absurd.result.expect("a picture").warnings;
    assert!(warnings[0].contains("a cost of -1"), "{warnings:?}");
}
