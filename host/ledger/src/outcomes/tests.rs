use std::path::Path;

use domain::{attempt::Charge, money::MicroUsd};

use super::*;
use crate::{Ledger, LedgerSettings, sample};

async fn ledger(dir: &Path) -> Ledger {
    Ledger::open(LedgerSettings::new(dir)).await.unwrap()
}

async fn record(ledger: &Ledger, number: u64, change: impl FnOnce(&mut Record)) {
    let mut record = sample::record(number);
    record.trace.attempts = vec![sample::delivered()];
    change(&mut record);
    ledger.slot().await.unwrap().record(record);
    ledger.flush().await;
}

async fn read(ledger: &Ledger, scope: &Scope, after: u64, limit: u32) -> Stretch {
    ledger.outcomes(&Wanted { scope, after, feedback_only: false, except: &[], limit }).await.unwrap()
}

#[tokio::test]
async fn every_attempt_is_an_outcome_with_all_its_context() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    record(&ledger, 1, |record| {
        let refused = AttemptEnd::Failed { kind: FailureKind::Refused, detail: "no".into(), status: None };
        let failed = AttemptEnd::Failed { kind: FailureKind::Server, detail: "500".into(), status: None };
        record.trace.attempts = vec![
            sample::attempt(1, failed, Charge::Possible(MicroUsd(9))),
            sample::attempt(2, refused, Charge::None),
            Attempt { number: 3, ..sample::delivered() },
        ];
    })
    .await;

    let stretch = read(&ledger, &Scope::All, 0, 10).await;

    assert_eq!((stretch.reached, stretch.more), (3, false));
    let observed: Vec<&Observation> = stretch.outcomes.iter().map(|outcome| &outcome.observed).collect();
    let delivered = Observation::Delivered { latency_ms: 8_201, cost: MicroUsd(41_210) };
    assert_eq!(observed, [&Observation::Failed("server"), &Observation::Refused, &delivered]);
    let (first, decision) = (&stretch.outcomes[0], sample::trace(20).decision);
    assert_eq!((first.sequence, first.decision, &first.model), (1, sample::id(1), &sample::candidate(3)));
    assert_eq!(first.classification, decision.classification);
    let place = decision.order.iter().position(|index| *index == 3).unwrap();
    assert_eq!(first.place as usize, place);
}

#[tokio::test]
async fn a_scope_has_its_own_and_the_order_has_no_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    for number in 0..30 {
        record(&ledger, number, |record| {
            record.tenant = (number % 3 == 0).then(|| "lab".into());
            record.trace.decision.route = if number % 2 == 0 { "default".into() } else { "thumbs".into() };
        })
        .await;
    }
    let route = Scope::Route("thumbs".into());
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let stretch = read(&ledger, &route, after, 4).await;
        seen.extend(stretch.outcomes.iter().map(|outcome| outcome.sequence));
        after = stretch.reached;
        if !stretch.more {
            break;
        }
    }
    assert_eq!(seen, (1..=30).filter(|sequence| sequence % 2 == 0).collect::<Vec<u64>>());
    assert_eq!(after, 30);
    let others = Wanted { scope: &Scope::All, after: 0, feedback_only: false, except: &["thumbs".into()], limit: 99 };
    let others = ledger.outcomes(&others).await.unwrap();
    assert!(others.outcomes.iter().all(|outcome| outcome.sequence % 2 == 1), "{others:?}");
    assert_eq!((others.outcomes.len(), others.reached), (15, 30));
    assert_eq!(read(&ledger, &Scope::Tenant(Some("lab".into())), 0, 99).await.outcomes.len(), 10);
    assert_eq!(read(&ledger, &Scope::Tenant(None), 0, 99).await.outcomes.len(), 20);
    assert_eq!(read(&ledger, &Scope::All, 30, 99).await, Stretch { outcomes: vec![], reached: 30, more: false });
}

#[tokio::test]
async fn no_more_lines_are_looked_at_than_asked_for_also_where_none_is_of_the_scope() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    for number in 0..30 {
        record(&ledger, number, |record| {
            record.trace.decision.route = if number == 29 { "thumbs".into() } else { "default".into() };
        })
        .await;
    }
    let route = Scope::Route("thumbs".into());
    let first = read(&ledger, &route, 0, 8).await;
    assert_eq!(first, Stretch { outcomes: vec![], reached: 8, more: true });
    let last = read(&ledger, &route, 24, 8).await;
    assert_eq!((last.outcomes.len(), last.reached, last.more), (1, 30, false));
    let nothing_said = Wanted { scope: &route, after: 0, feedback_only: true, except: &[], limit: 8 };
    assert_eq!(ledger.outcomes(&nothing_said).await.unwrap().reached, 30);
}

#[tokio::test]
async fn they_go_with_their_records_and_their_numbers_do_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    record(&ledger, 1, |_| {}).await;
    ledger.prune(u64::MAX / 2).await.unwrap();
    assert_eq!(read(&ledger, &Scope::All, 1, 9).await.reached, 1);
    record(&ledger, 2, |_| {}).await;
    assert_eq!(read(&ledger, &Scope::All, 1, 9).await.outcomes[0].sequence, 2);
}
