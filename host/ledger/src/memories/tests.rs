use super::*;
use crate::{Ledger, LedgerSettings, sample};

const ME: &str = "me";

fn stored(sequence: u64, bytes: &[u8]) -> StoredMemory {
    StoredMemory {
        learner: "bandit".into(),
        scope: Scope::Route("default".into()),
        memory: Memory::new(1, sequence, bytes),
        since: 0,
        component: Some(Digest::of(b"component")),
        folded: sequence,
        skipped: 0,
        at_ms: crate::retention::unix_ms(),
    }
}

async fn ledger(dir: &std::path::Path) -> Ledger {
    let ledger = Ledger::open(LedgerSettings::new(dir)).await.unwrap();
    assert!(ledger.lease_learning(ME, 60_000).await.unwrap());
    ledger
}

#[tokio::test]
async fn a_memory_changes_with_its_place_and_only_from_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    let (first, second) = (stored(3, b"three"), stored(5, b"five"));
    assert!(ledger.put_memory(&first, None, ME, true).await.unwrap());
    assert!(!ledger.put_memory(&second, None, ME, true).await.unwrap());
    assert!(ledger.put_memory(&second, Some(&first), ME, true).await.unwrap());
    assert!(!ledger.put_memory(&second, Some(&first), ME, true).await.unwrap());
    assert_eq!(ledger.memories().await.unwrap(), [second]);
}

#[tokio::test]
async fn only_the_holder_of_the_lease_may_change_it() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    assert!(ledger.lease_learning(ME, 60_000).await.unwrap());
    assert!(!ledger.lease_learning("another", 60_000).await.unwrap());
    assert!(!ledger.put_memory(&stored(1, b"one"), None, "another", true).await.unwrap());
    // A lease that is over is anybody's.
    assert!(ledger.lease_learning(ME, 0).await.unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert!(ledger.lease_learning("another", 60_000).await.unwrap());
    assert!(!ledger.put_memory(&stored(1, b"one"), None, ME, true).await.unwrap());
}

#[tokio::test]
async fn a_reset_is_not_undone_by_a_fold_that_was_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    let mut record = sample::record(1);
    record.trace.attempts = vec![sample::delivered()];
    ledger.slot().await.unwrap().record(record);
    ledger.flush().await;
    let known = stored(1, b"one");
    assert!(ledger.put_memory(&known, None, ME, true).await.unwrap());
    assert_eq!(ledger.reset_memory("bandit", None, false).await.unwrap(), 1);
    assert!(!ledger.put_memory(&stored(1, b"more"), Some(&known), ME, true).await.unwrap());
    let emptied = ledger.memories().await.unwrap();
    assert_eq!((emptied[0].memory.sequence, emptied[0].memory.bytes.len()), (1, 0));
    assert_eq!(emptied[0].component, known.component);
    assert_eq!(ledger.reset_memory("bandit", Some(&Scope::All), true).await.unwrap(), 0);
    assert_eq!(ledger.reset_memory("bandit", Some(&known.scope), true).await.unwrap(), 1);
    assert_eq!(ledger.memories().await.unwrap()[0].memory.sequence, 0);
}

#[tokio::test]
async fn what_a_record_names_is_kept_and_the_rest_goes_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    let (first, second) = (stored(3, b"three"), stored(5, b"five"));
    ledger.put_memory(&first, None, ME, true).await.unwrap();
    ledger.put_memory(&second, Some(&first), ME, true).await.unwrap();
    let soon = crate::retention::unix_ms() + 10 * 86_400_000;
    let mut record = sample::record(1);
    record.at_ms = soon;
    record.judgement.memories = vec![(Digest::of(b"component"), first.memory.digest)];
    ledger.slot().await.unwrap().record(record);
    ledger.flush().await;
    let judgement = ledger.find(sample::id(1)).await.unwrap().unwrap().judgement;
    assert_eq!(judgement.memories.len(), 1);
    // Everything is kept for 90 days after a record last named it.
    ledger.prune(soon + 89 * 86_400_000).await.unwrap();
    let reader = Ledger::open_read_only(dir.path()).await.unwrap();
    assert_eq!(reader.memory(first.memory.digest).await.unwrap().as_deref(), Some(&b"three"[..]));
    ledger.prune(soon + 200 * 86_400_000).await.unwrap();
    assert_eq!(reader.memory(first.memory.digest).await.unwrap(), None);
    assert_eq!(reader.memory(second.memory.digest).await.unwrap(), None);
    // What is remembered now is no blob.
    assert_eq!(ledger.memories().await.unwrap()[0].memory.bytes, second.memory.bytes);
}
