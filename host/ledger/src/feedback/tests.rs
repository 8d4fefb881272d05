use domain::learning::{Observation, Scope};

use super::*;
use crate::{Ledger, LedgerSettings, Wanted, sample};

fn feedback(number: u64, verdict: Verdict) -> Feedback {
    Feedback { decision: sample::id(number), served: sample::candidate(3).as_str().into(), verdict }
}

async fn recorded(dir: &std::path::Path, numbers: u64) -> Ledger {
    let ledger = Ledger::open(LedgerSettings::new(dir)).await.unwrap();
    for number in 0..numbers {
        let mut record = sample::record(number);
        record.trace.attempts = vec![sample::delivered()];
        ledger.slot().await.unwrap().record(record);
    }
    ledger.flush().await;
    ledger
}

async fn said(ledger: &Ledger) -> Vec<(String, Observation)> {
    let wanted = Wanted { scope: &Scope::All, after: 0, feedback_only: true, except: &[], limit: 100 };
    let stretch = ledger.outcomes(&wanted).await.unwrap();
    stretch.outcomes.into_iter().map(|outcome| (outcome.model.to_string(), outcome.observed)).collect()
}

#[tokio::test]
async fn it_counts_once_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = recorded(dir.path(), 1).await;
    let first = ledger.give(&feedback(0, Verdict::Rated(0.25))).await.unwrap();
    assert_eq!(first, Taken::Now { sequence: 2 });
    let again = ledger.give(&feedback(0, Verdict::Rated(1.0))).await.unwrap();
    assert_eq!(again, Taken::Before { sequence: 2 });
    ledger.close().await.unwrap();
    drop(ledger);
    let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
    let again = ledger.give(&feedback(0, Verdict::Rated(1.0))).await.unwrap();
    assert_eq!(again, Taken::Before { sequence: 2 });
    assert_eq!(said(&ledger).await, [(sample::candidate(3).to_string(), Observation::Rated(0.25))]);
}

#[tokio::test]
async fn a_comparison_is_about_whoever_did_better() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = recorded(dir.path(), 2).await;
    let (served, other) = (sample::candidate(3), sample::candidate(5));
    let name = || -> Arc<str> { other.as_str().into() };
    ledger.give(&feedback(0, Verdict::BetterThan(name()))).await.unwrap();
    ledger.give(&feedback(1, Verdict::WorseThan(name()))).await.unwrap();
    let expected = [
        (served.to_string(), Observation::PreferredOver(other.clone())),
        (other.to_string(), Observation::PreferredOver(served.clone())),
    ];
    assert_eq!(said(&ledger).await, expected);
}

#[tokio::test]
async fn many_at_once_count_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Arc::new(recorded(dir.path(), 1).await);
    let mut givers = tokio::task::JoinSet::new();
    for giver in 0..16_u8 {
        let ledger = Arc::clone(&ledger);
        givers.spawn(async move { ledger.give(&feedback(0, Verdict::Rated(f32::from(giver) / 16.0))).await.unwrap() });
    }
    let taken = givers.join_all().await;
    assert_eq!(taken.iter().filter(|taken| matches!(taken, Taken::Now { .. })).count(), 1);
    assert_eq!(said(&ledger).await.len(), 1);
}
