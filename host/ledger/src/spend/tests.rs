use std::path::Path;

use domain::{
    attempt::{Attempt, AttemptEnd, Charge, Journal as _},
    candidate::CandidateId,
    failure::FailureKind,
    money::MicroUsd,
    record::{Comparison, Outcome, Record},
};

use super::*;
use crate::{Ledger, LedgerSettings, Reserved, sample};

const ALL: Period = Period { since_ms: 0, until_ms: u64::MAX };

async fn open(dir: &Path) -> Ledger {
    Ledger::open(LedgerSettings::new(dir)).await.unwrap()
}

fn at(candidate: &str, number: u32, delivered: bool, charge: Charge) -> Attempt {
    let (provider, model) = candidate.split_once('/').unwrap();
    let end = if delivered {
        AttemptEnd::Delivered { pictures: 1 }
    } else {
        AttemptEnd::Failed { kind: FailureKind::Server, status: Some(500), detail: "oops".into() }
    };
    Attempt { candidate: CandidateId::new(provider, model, None), ..sample::attempt(number, end, charge) }
}

/// A record of these attempts: the last one delivered, if any did.
fn of(number: u64, attempts: Vec<Attempt>) -> Record {
    let mut record = sample::record(number);
    let delivered = attempts.last().filter(|attempt| matches!(attempt.end, AttemptEnd::Delivered { .. }));
    record.served = delivered.map(|attempt| attempt.candidate.clone());
    if record.served.is_none() {
        (record.outcome, record.comparison) = (Outcome::Failed, Comparison::default());
    }
    record.charge = attempts.iter().map(|attempt| attempt.charge).fold(Charge::None, Charge::and);
    record.trace.attempts = attempts;
    record
}

/// Three requests: one delivered as reported; one that fell over from `a` to `b`; one that failed at `a`.
async fn three_requests(ledger: &Ledger) {
    let [reported, estimated, possible] = [Charge::Reported, Charge::Estimated, Charge::Possible];
    let mut third = of(3, vec![at("a/m", 1, false, Charge::Unknown(MicroUsd::ZERO))]);
    third.tenant = None;
    for record in [
        of(1, vec![at("a/m@low", 1, true, reported(MicroUsd(41_210)))]),
        of(
            2,
            vec![at("a/m@high", 1, false, possible(MicroUsd(50_000))), at("b/n", 2, true, estimated(MicroUsd(7_000)))],
        ),
        third,
    ] {
        ledger.slot().await.unwrap().record(record);
    }
    let mut dry = of(4, Vec::new());
    dry.outcome = Outcome::DryRun;
    ledger.slot().await.unwrap().record(dry);
}

#[tokio::test]
async fn a_request_that_falls_over_costs_at_both_providers_and_once_in_the_total() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    three_requests(&ledger).await;
    let spend = ledger.spend(ALL, Grouping::Provider).await.unwrap();

    let [a, b] = &spend.data[..] else { panic!("{:#?}", spend.data) };
    assert_eq!((a.name.as_deref(), a.requests, a.delivered, a.cost_usd_micros), (Some("a"), 3, 1, 91_210));
    assert_eq!((a.reported_usd_micros, a.possible_usd_micros, a.unknown_charges), (41_210, 50_000, 1));
    assert_eq!((b.name.as_deref(), b.requests, b.delivered, b.cost_usd_micros), (Some("b"), 1, 1, 7_000));
    assert_eq!((b.estimated_usd_micros, b.possible_usd_micros), (7_000, 0));
    let total = &spend.total;
    assert_eq!((total.requests, total.delivered, total.cost_usd_micros), (3, 2, 98_210));
    let parts = (total.reported_usd_micros, total.estimated_usd_micros, total.possible_usd_micros);
    assert_eq!((parts, total.unknown_charges), ((41_210, 7_000, 50_000), 1));
    // The request that fell over saved 60,000 less all of its 57,000; its possible charge counts.
    assert_eq!((a.savings_usd_micros, b.savings_usd_micros), (Some(18_790), Some(3_000)));
    assert_eq!((total.compared, total.savings_usd_micros), (2, Some(21_790)));
    assert_eq!(spend.oldest_ms, Some(sample::NOW_MS + 1));
}

#[tokio::test]
async fn every_grouping_adds_up_to_the_same_total() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    three_requests(&ledger).await;
    let total = ledger.spend(ALL, Grouping::Provider).await.unwrap().total;
    for by in Grouping::ALL {
        let spend = ledger.spend(ALL, by).await.unwrap();
        assert_eq!(spend.total, total, "{by}");
        let sum = |of: fn(&SpendLine) -> u64| spend.data.iter().map(of).sum::<u64>();
        assert_eq!(sum(|line| line.cost_usd_micros), total.cost_usd_micros, "{by}");
        assert_eq!(sum(|line| line.delivered), total.delivered, "{by}");
        assert_eq!(sum(|line| line.unknown_charges), total.unknown_charges, "{by}");
        assert_eq!(sum(|line| line.baseline_usd_micros), total.baseline_usd_micros, "{by}");
    }
    let models = ledger.spend(ALL, Grouping::Model).await.unwrap();
    let names: Vec<_> = models.data.iter().filter_map(|line| line.name.as_deref()).collect();
    assert_eq!(names, ["a/m", "b/n"], "tiers of a model are one line");
    let tenants = ledger.spend(ALL, Grouping::Tenant).await.unwrap();
    let names: Vec<_> = tenants.data.iter().map(|line| (line.name.as_deref(), line.requests)).collect();
    assert_eq!(names, [(Some("studio"), 2), (None, 1)]);
}

#[tokio::test]
async fn the_bias_of_a_cost_model_is_over_what_providers_reported() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    three_requests(&ledger).await;
    let mut low = of(5, vec![at("a/m", 1, true, Charge::Reported(MicroUsd(40_000)))]);
    low.comparison.cost_model = Some("contract-prices".into());
    ledger.slot().await.unwrap().record(low);
    let [contract, list] = &ledger.spend(ALL, Grouping::Route).await.unwrap().cost_models[..] else { panic!() };
    assert_eq!((contract.cost_model.as_str(), contract.bias_usd_micros), ("contract-prices", -1_000));
    // Expected 41,000, and 41,210 it was: the request that fell over and was only estimated says nothing.
    assert_eq!((list.cost_model.as_str(), list.requests, list.bias_usd_micros), ("list-price", 1, 210));
    assert_eq!((list.mean_usd_micros, list.share), (210.0, Some(210.0 / 41_000.0)));
}

#[tokio::test]
async fn a_period_holds_what_arrived_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    three_requests(&ledger).await;
    for by in [Grouping::Provider, Grouping::Tenant] {
        let period = Period { since_ms: sample::NOW_MS + 2, until_ms: sample::NOW_MS + 3 };
        let spend = ledger.spend(period, by).await.unwrap();
        assert_eq!((spend.total.requests, spend.total.cost_usd_micros), (1, 57_000));
        assert_eq!(spend.data.iter().map(|line| line.cost_usd_micros).sum::<u64>(), 57_000);
        let nothing = ledger.spend(Period { since_ms: 0, until_ms: 5 }, by).await.unwrap();
        assert_eq!((nothing.data.len(), nothing.total), (0, SpendLine::default()));
    }
}

#[tokio::test]
async fn absurd_amounts_do_not_overflow() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    for number in 0..4 {
        let charge = Charge::Estimated(MicroUsd::MAX);
        ledger.slot().await.unwrap().record(of(number, vec![at("a/m", 1, true, charge)]));
    }
    for by in [Grouping::Provider, Grouping::Key] {
        let spend = ledger.spend(ALL, by).await.unwrap();
        assert!(spend.total.cost_usd_micros >= i64::MAX as u64 && spend.total.savings_usd_micros < Some(0));
    }
}

#[tokio::test]
async fn a_killed_run_shows_in_the_spend_and_holds_no_reservation() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    ledger.started(sample::started(1, Some(50_000)));
    let reserved =
        Reserved { provider: "openai".to_owned(), attempts: 1, reserved_usd_micros: 50_000, ..Reserved::default() };
    assert_eq!(ledger.reserved(), [reserved]);
    ledger.flush().await;
    ledger.close().await.unwrap();
    drop(ledger);

    let again = open(dir.path()).await;
    assert_eq!(again.reserved(), []);
    for by in [Grouping::Provider, Grouping::Tenant] {
        let spend = again.spend(ALL, by).await.unwrap();
        assert_eq!((spend.total.requests, spend.total.possible_usd_micros), (1, 50_000));
        assert_eq!(spend.data[0].possible_usd_micros, 50_000);
    }
}

#[tokio::test]
async fn a_request_without_a_record_leaves_no_reservation() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path()).await;
    let slot = ledger.slot().await.unwrap().of(sample::id(1));
    ledger.started(sample::started(1, Some(50_000)));
    assert_eq!(ledger.reserved().len(), 1);
    drop(slot);
    assert_eq!(ledger.reserved(), []);

    let slot = ledger.slot().await.unwrap();
    ledger.started(sample::started(2, None));
    ledger.ended(sample::id(2), &sample::delivered());
    assert_eq!(ledger.reserved()[0].settled_usd_micros, 41_210);
    slot.record(sample::record(2));
    assert_eq!(ledger.reserved(), []);
}

#[test]
fn only_known_words_group() {
    for by in Grouping::ALL {
        assert_eq!(by.word().parse(), Ok(by));
    }
    assert_eq!(
        "colour".parse::<Grouping>().unwrap_err().to_string(),
        "`colour` is not one of provider, model, tenant, key, route, strategy"
    );
}
