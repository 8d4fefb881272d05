use domain::record::Outcome;

use super::*;
use crate::{Ledger, LedgerSettings, PromptPolicy, sample};

async fn record(ledger: &Ledger, record: domain::record::Record) {
    ledger.slot().await.unwrap().record(record);
}

fn ids(rows: &[Row]) -> Vec<DecisionId> {
    rows.iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn a_record_is_found_right_after_it_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
    let made = sample::record(1);
    record(&ledger, made.clone()).await;

    let stored = ledger.find(made.id).await.unwrap().expect("found");

    assert_eq!(stored.trace.as_ref(), Some(&made.trace));
    assert_eq!((&stored.candidates, &stored.terms), (&made.context.candidates, &made.context.terms));
    assert_eq!(stored.row, Row::of(&made, stored.row.prompt));
    assert_eq!(stored.row.provider.as_deref(), Some("openai"));
    assert_eq!(stored.row.estimate_usd_micros, Some(41_210));
    assert_eq!(stored.attempts[0].ended, "delivered");
    let explanation = stored.explanation().expect("a decision");
    assert_eq!(explanation.candidates.len(), 20);
    assert_eq!(explanation.model.as_deref(), Some("openai/gpt-image-0@medium"));
    assert!(ledger.find(sample::id(2)).await.unwrap().is_none());
}

#[tokio::test]
async fn every_way_to_end_is_found_as_it_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
    let mut made = sample::record(1);
    made.trace = sample::trace_with_every_ending();
    (made.outcome, made.status, made.error) = (Outcome::Failed, 502, Some("upstream_failed".into()));
    (made.tenant, made.key, made.served) = (None, None, None);
    record(&ledger, made.clone()).await;
    let stored = ledger.find(made.id).await.unwrap().expect("found");
    assert_eq!(stored.trace.as_ref(), Some(&made.trace));
    assert_eq!(stored.row, Row::of(&made, stored.row.prompt));
    let ends: Vec<&str> = stored.attempts.iter().map(|attempt| attempt.ended).collect();
    assert_eq!(ends, ["server", "connect", "delivered"]);
}

#[tokio::test]
async fn what_was_only_watched_is_shown_and_nothing_where_nothing_was() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
    let mut watching = sample::record(2);
    watching.trace = sample::trace_with_every_ending();
    for made in [sample::record(1), watching] {
        record(&ledger, made).await;
    }
    let explained = async |number| {
        let stored = ledger.find(sample::id(number)).await.unwrap().expect("found");
        serde_json::to_value(stored.explanation().expect("a decision")).unwrap()
    };
    assert!(explained(1).await.get("shadows").is_none());
    let watching = explained(2).await;
    let shadow = serde_json::json!({
        "strategy": "watched", "ended": "answered", "fault": null, "model": "openai/gpt-image-6@medium",
        "reason": "newest first", "fuel": 143_210, "us": 18,
    });
    assert_eq!(watching["shadows"], serde_json::json!([shadow]));
    let skipped = &watching["plugins"][3];
    assert_eq!((&skipped["ended"], &skipped["detail"]), (&"skipped".into(), &"quarantined".into()));
}

#[tokio::test]
async fn the_policy_says_what_is_left_of_a_prompt() {
    for (prompts, kept, digest) in
        [(PromptPolicy::Store, true, true), (PromptPolicy::Hash, false, true), (PromptPolicy::Drop, false, false)]
    {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(LedgerSettings { prompts, ..LedgerSettings::new(dir.path()) }).await.unwrap();
        record(&ledger, sample::record(1)).await;
        let stored = ledger.find(sample::id(1)).await.unwrap().expect("found");
        assert_eq!((stored.prompt_kept, stored.row.prompt.is_some()), (kept, digest), "{prompts:?}");
        let text = &stored.trace.expect("a trace").decision.request.prompt;
        assert_eq!(&**text, if kept { sample::PROMPT } else { "" }, "{prompts:?}");
        ledger.close().await.unwrap();
        drop(ledger);
        let on_disk = std::fs::read(dir.path().join(database::DATABASE)).unwrap();
        let wal = std::fs::read(dir.path().join("ledger.sqlite3-wal")).unwrap_or_default();
        let holds = |file: &[u8]| file.windows(sample::PROMPT.len()).any(|part| part == sample::PROMPT.as_bytes());
        assert_eq!(holds(&on_disk) || holds(&wal), kept, "{prompts:?}");
    }
}

#[tokio::test]
async fn lists_are_newest_first_filtered_and_paged() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
    for number in 0..6 {
        let mut made = sample::record(number);
        // The middle four arrive in one millisecond.
        made.at_ms = sample::NOW_MS + number.div_ceil(4);
        if number % 2 == 1 {
            (made.tenant, made.outcome) = (Some("print".into()), Outcome::Refused);
        }
        record(&ledger, made).await;
    }
    let all = ledger.list(&Filter::default()).await.unwrap();
    assert_eq!(ids(&all), [5, 4, 3, 2, 1, 0].map(sample::id));
    let page = Filter { limit: 2, before: Some(sample::id(4)), ..Filter::default() };
    assert_eq!(ids(&ledger.list(&page).await.unwrap()), [3, 2].map(sample::id));
    let tenant = Filter { tenant: Some("print".to_owned()), ..Filter::default() };
    assert_eq!(ids(&ledger.list(&tenant).await.unwrap()), [5, 3, 1].map(sample::id));
    let refused = Filter { outcome: Some(Outcome::Delivered), limit: 1, ..Filter::default() };
    assert_eq!(ids(&ledger.list(&refused).await.unwrap()), [sample::id(4)]);
    let nobody = Filter { tenant: Some("' OR 1=1 --".to_owned()), ..Filter::default() };
    assert!(ledger.list(&nobody).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_row_is_readable_json() {
    let row = Row::of(&sample::record(1), Some(Digest::of(b"x")));
    let json = serde_json::to_value(row).unwrap();
    assert_eq!(json["id"], sample::id(1).to_string());
    assert_eq!((&json["outcome"], &json["cost_is"]), (&"delivered".into(), &"reported".into()));
    assert_eq!(json["prompt"], Digest::of(b"x").to_string());
    assert_eq!(json["error"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_damaged_record_is_an_error_and_not_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(LedgerSettings::new(dir.path())).await.unwrap();
    record(&ledger, sample::record(1)).await;
    ledger.flush().await;
    for damage in [
        "UPDATE records SET trace = x'01'",
        "UPDATE records SET trace = x'', cost_is = 'none'",
        "UPDATE records SET cost_is = 'much'",
        "UPDATE records SET cost_is = 'none', outcome = 'lost'",
        "UPDATE records SET outcome = 'failed', catalogue = x'00'",
    ] {
        let mut connection = database::connect(dir.path()).await.unwrap();
        sqlx::query(damage).execute(&mut connection).await.unwrap();
        let error = ledger.find(sample::id(1)).await.expect_err(damage);
        assert!(matches!(error, ReadError::Damaged { .. }), "{damage}: {error}");
    }
}
