use std::sync::Arc;

use domain::{
    catalogue::Model,
    credits::Credits,
    money::PriceFactor,
    provider::{DialectName, Provider},
};
use serde_json::{Value, json};

use super::*;

const ESTIMATE: Option<Estimate> = Some(Estimate { expected: MicroUsd(100), upper: MicroUsd(120) });
const USAGE: Usage = Usage { text_in: 1_000, image_in: 0, out: 10_000 };
const NOTHING: Report = Report { cost: Told::Nothing, credits: Told::Nothing, usage: None };

fn by_token() -> Tariff {
    let (text_in, tokens_out) = (MicroUsd(5_000_000), MicroUsd(30_000_000));
    Tariff { known: true, text_in, tokens_out, ..Tariff::default() }
}

fn flat() -> Tariff {
    Tariff { known: true, per_output: MicroUsd(100), ..Tariff::default() }
}

fn tokens() -> Report {
    Report { usage: Some(USAGE), ..NOTHING }
}

fn usd(micros: u64) -> Report {
    Report { cost: Told::Amount(MicroUsd(micros)), ..NOTHING }
}

fn credits(number: f64) -> Report {
    Report { credits: Told::Amount(Credits::new(number).expect("credits")), ..NOTHING }
}

/// A candidate at half its list price.
fn candidate(price: Value) -> Candidate {
    let model: Model = serde_json::from_value(json!({
        "name": "m", "sizes": { "listed": ["1024x1024"] }, "max-count": 10, "max-prompt-chars": 32000,
        "tiers": [{ "price": price }], "source": "a test", "as-of": "2026-11-23",
    }))
    .expect("a model");
    let provider = Provider {
        name: "p".to_owned(),
        dialect: DialectName::Openai,
        tags: Vec::new(),
        price_factor: PriceFactor::new(0.5).expect("a factor"),
        weight: 1.0,
        max_in_flight: 0,
    };
    Candidate::all(&Arc::new(provider), &Arc::new(model)).next().expect("one tier")
}

fn in_credits() -> Candidate {
    candidate(json!({ "credits": { "price": "0.001 USD", "per-picture": 35 } }))
}

fn plain() -> Candidate {
    candidate(json!({ "per-image": "0.0002 USD" }))
}

fn delivered(tariff: &Tariff, estimate: Option<Estimate>, report: &Report, sent: u32, asked: u32) -> Charge {
    Terms { candidate: &plain(), tariff, estimate }.delivered(report, sent, asked).charge
}

fn failed(kind: FailureKind, tariff: &Tariff, estimate: Option<Estimate>, report: &Report) -> Charge {
    Terms { candidate: &plain(), tariff, estimate }.failed(kind, report).charge
}

#[test]
fn tokens_are_billed_as_reported() {
    assert_eq!(delivered(&by_token(), ESTIMATE, &tokens(), 1, 1), Charge::Reported(MicroUsd(305_000)));
    assert_eq!(delivered(&by_token(), ESTIMATE, &NOTHING, 1, 1), Charge::Estimated(MicroUsd(100)));
}

#[test]
fn usage_says_nothing_about_a_flat_price() {
    assert_eq!(delivered(&flat(), ESTIMATE, &tokens(), 1, 1), Charge::Estimated(MicroUsd(100)));
}

#[test]
fn a_cost_in_dollars_is_the_bill_whatever_the_price_and_its_factor() {
    for report in [usd(34_500), Report { usage: Some(USAGE), ..usd(34_500) }] {
        assert_eq!(delivered(&by_token(), ESTIMATE, &report, 1, 1), Charge::Reported(MicroUsd(34_500)));
        assert_eq!(delivered(&flat(), None, &report, 1, 1), Charge::Reported(MicroUsd(34_500)));
    }
    assert_eq!(delivered(&flat(), ESTIMATE, &usd(0), 1, 1), Charge::Reported(MicroUsd::ZERO));
}

#[test]
fn credits_are_billed_at_their_negotiated_price_and_only_where_they_are_the_price() {
    let terms = Terms { candidate: &in_credits(), tariff: &flat(), estimate: ESTIMATE };
    assert_eq!(terms.delivered(&credits(40.0), 1, 1).charge, Charge::Reported(MicroUsd(20_000)));
    assert_eq!(delivered(&flat(), ESTIMATE, &credits(40.0), 1, 1), Charge::Estimated(MicroUsd(100)));
}

#[test]
fn what_cannot_be_an_amount_leaves_the_estimate_and_a_warning() {
    let absurd = Report { cost: Told::Absurd("1e300".to_owned()), ..NOTHING };
    let settled = Terms { candidate: &plain(), tariff: &flat(), estimate: ESTIMATE }.delivered(&absurd, 1, 1);
    assert_eq!(settled.charge, Charge::Estimated(MicroUsd(100)));
    let doubt = settled.doubt.expect("a warning");
    assert_eq!(doubt, "the provider reports a cost of 1e300, which is no amount: it was not used");

    let absurd = Report { credits: Told::Absurd("-5".to_owned()), ..NOTHING };
    let of = |candidate: &Candidate| Terms { candidate, tariff: &flat(), estimate: ESTIMATE }.delivered(&absurd, 1, 1);
    assert!(of(&in_credits()).doubt.is_some_and(|doubt| doubt.contains("credits of -5")));
    assert_eq!(of(&plain()), Settled { charge: Charge::Estimated(MicroUsd(100)), doubt: None });
}

#[test]
fn only_what_was_sent_is_billed() {
    let three = Some(Estimate { expected: MicroUsd(300), upper: MicroUsd(300) });
    assert_eq!(delivered(&flat(), three, &NOTHING, 1, 3), Charge::Estimated(MicroUsd(100)));
    assert_eq!(delivered(&flat(), three, &NOTHING, 4, 3), Charge::Estimated(MicroUsd(400)));
}

#[test]
fn an_unknown_price_is_never_zero() {
    assert_eq!(delivered(&Tariff::default(), None, &tokens(), 1, 1), Charge::Unknown(MicroUsd::ZERO));
    assert_eq!(failed(FailureKind::Server, &Tariff::default(), None, &NOTHING), Charge::Unknown(MicroUsd::ZERO));
}

#[test]
fn a_failure_that_may_be_charged_costs_up_to_its_upper_price() {
    assert_eq!(failed(FailureKind::Timeout, &flat(), ESTIMATE, &NOTHING), Charge::Possible(MicroUsd(120)));
    assert_eq!(failed(FailureKind::Empty, &by_token(), ESTIMATE, &tokens()), Charge::Reported(MicroUsd(305_000)));
    assert_eq!(failed(FailureKind::Refused, &flat(), ESTIMATE, &NOTHING), Charge::None);
    assert_eq!(failed(FailureKind::Connect, &flat(), ESTIMATE, &NOTHING), Charge::None);
}

#[test]
fn a_refusal_costs_what_the_provider_says_it_charged() {
    assert_eq!(failed(FailureKind::Refused, &flat(), ESTIMATE, &usd(5_000)), Charge::Reported(MicroUsd(5_000)));
    assert_eq!(failed(FailureKind::Refused, &flat(), ESTIMATE, &usd(0)), Charge::None);
    assert_eq!(failed(FailureKind::Refused, &by_token(), ESTIMATE, &tokens()), Charge::None);
}
