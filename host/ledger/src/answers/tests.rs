use std::fs;

use domain::{attempt::Charge, record::Outcome};

use super::*;
use crate::{
    Ledger, LedgerSettings,
    sample::{self, NOW_MS},
};

const DAY_MS: u64 = 86_400_000;
/// Room for three small answers.
const ROOM: u64 = 3 * LEAST_BYTES;

async fn ledger(dir: &Path) -> Ledger {
    Ledger::open(LedgerSettings { answers_bytes: ROOM, ..LedgerSettings::new(dir) }).await.unwrap()
}

async fn reopened(ledger: Ledger, dir: &Path) -> Ledger {
    ledger.close().await.unwrap();
    drop(ledger);
    self::ledger(dir).await
}

fn once(number: u64) -> Once {
    let name = Digest::of(&number.to_be_bytes());
    Once { name, asks: Digest::of(b"a red bicycle"), decision: sample::id(number), at_ms: NOW_MS + number }
}

fn files(dir: &Path) -> usize {
    fs::read_dir(dir.join("answers")).unwrap().count()
}

async fn keep(answers: &Answers, number: u64) {
    answers.keep(once(number), b"head".to_vec(), format!("answer {number}")).await.unwrap();
}

async fn known(answers: &Answers, number: u64) -> Option<Known> {
    let found = answers.find(once(number).name, NOW_MS + DAY_MS).await.unwrap();
    found.map(|(known, state)| {
        assert_eq!(known, once(number));
        state
    })
}

fn kept(number: u64) -> Option<Known> {
    Some(Known::Kept { head: b"head".to_vec(), body: format!("answer {number}").into_bytes() })
}

#[tokio::test]
async fn an_answer_is_given_again_for_a_day_and_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    let answers = ledger.answers();
    assert_eq!(known(answers, 1).await, None);
    answers.begin(once(1)).await.unwrap();
    assert_eq!(known(answers, 1).await, Some(Known::Begun { nothing_charged: false }));
    keep(answers, 1).await;
    assert_eq!(known(answers, 1).await, kept(1));

    let ledger = reopened(ledger, dir.path()).await;
    assert_eq!(known(ledger.answers(), 1).await, kept(1));
    assert_eq!(ledger.answers().prune(NOW_MS + 1 + DAY_MS).await.unwrap(), 0);
    assert_eq!(ledger.answers().find(once(1).name, NOW_MS + 2 + DAY_MS).await.unwrap(), None);
    keep(ledger.answers(), 2).await;
    assert_eq!(ledger.answers().prune(NOW_MS + 3 + DAY_MS).await.unwrap(), 1);
    assert_eq!((known(ledger.answers(), 2).await, files(dir.path())), (None, 0));
}

#[tokio::test]
async fn the_oldest_are_dropped_and_not_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    let answers = ledger.answers();
    for number in 1..=4 {
        keep(answers, number).await;
    }
    assert_eq!(known(answers, 1).await, Some(Known::Dropped));
    assert_eq!((known(answers, 2).await, files(dir.path())), (kept(2), 3));
    answers.keep(once(9), Vec::new(), vec![0; ROOM as usize]).await.unwrap();
    assert_eq!(known(answers, 9).await, Some(Known::Dropped), "it is larger than all may be together");
    assert_eq!((known(answers, 2).await, files(dir.path())), (kept(2), 3));
}

#[cfg(unix)]
#[tokio::test]
async fn answers_are_their_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    keep(ledger.answers(), 1).await;
    let file = fs::read_dir(dir.path().join("answers")).unwrap().next().unwrap().unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_damaged_or_lost_counts_as_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    for (number, damage) in [(1, Some("half")), (2, None)] {
        keep(ledger.answers(), number).await;
        let path = fs::read_dir(dir.path().join("answers")).unwrap().next().unwrap().unwrap().path();
        match damage {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        assert_eq!(known(ledger.answers(), number).await, Some(Known::Dropped));
        ledger.answers().free(once(number)).await.unwrap();
        assert_eq!((known(ledger.answers(), number).await, files(dir.path())), (None, 0));
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_said_to_be_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    fs::remove_dir(dir.path().join("answers")).unwrap();
    ledger.answers().begin(once(1)).await.unwrap();
    keep(ledger.answers(), 1).await;
    assert_eq!(known(ledger.answers(), 1).await, Some(Known::Dropped));
}

#[tokio::test]
async fn a_crash_after_the_beginning_leaves_one_record_of_an_unknown_cost() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    ledger.answers().begin(once(1)).await.unwrap();
    // Of this one, an attempt got into the ledger.
    ledger.answers().begin(once(2)).await.unwrap();
    domain::attempt::Journal::started(&ledger, sample::started(2, Some(40)));
    // This one was recorded, but its answer was not kept.
    ledger.answers().begin(once(3)).await.unwrap();
    let failed = domain::record::Record { outcome: Outcome::Failed, charge: Charge::None, ..sample::record(3) };
    ledger.slot().await.unwrap().record(failed);
    fs::write(dir.path().join("answers").join("0123456789abcdef0123456789abcdef"), "nobody's").unwrap();
    fs::write(dir.path().join("answers").join("0123456789abcdef0123456789abcdee.part"), "half").unwrap();

    let ledger = reopened(ledger, dir.path()).await;
    assert_eq!(files(dir.path()), 0);
    let rows = ledger.list(&crate::Filter::default()).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.outcome, row.cost_is, row.cost_usd_micros)).collect();
    let expected =
        [(Outcome::Failed, "none", 0), (Outcome::Interrupted, "possible", 40), (Outcome::Interrupted, "unknown", 0)];
    assert_eq!(told, expected);
    for (number, nothing_charged) in [(1, false), (2, false), (3, true)] {
        assert_eq!(known(ledger.answers(), number).await, Some(Known::Begun { nothing_charged }), "{number}");
    }
    // Carried out again, it is another decision.
    let again = Once { decision: sample::id(7), ..once(3) };
    ledger.answers().begin(again).await.unwrap();
    let found = ledger.answers().find(again.name, NOW_MS).await.unwrap();
    assert_eq!(found, Some((again, Known::Begun { nothing_charged: false })));
    let ledger = reopened(ledger, dir.path()).await;
    assert_eq!(ledger.list(&crate::Filter::default()).await.unwrap().len(), 4, "each settled once");
}
