//! Plugins that misbehave: each fault has its code, the request is served all the same, the host is as before, and the
//! next call of the same plugin sees nothing of it.
//!
//! What a guest does stands in `tests/guests/NAME.wat`, how it must end in the table of `harness::guests`.

mod routes;
mod rows;
mod words;

use std::collections::BTreeSet;

use crate::harness::{FIXTURES, Theme};

/// The test of a theme. Whoever adds one must name its test here.
fn test_of(theme: Theme) -> fn() {
    match theme {
        Theme::Limits => rows::who_takes_too_much_is_stopped,
        Theme::Abi => rows::who_breaks_the_rules_of_passing_is_stopped,
        Theme::Answers => rows::an_answer_that_breaks_the_contract_is_rejected_whole,
        Theme::Classifiers => rows::a_classification_that_breaks_the_contract_is_rejected_whole,
        Theme::CostModels => rows::estimates_that_break_the_contract_are_rejected_whole,
        Theme::Traces => rows::nothing_that_a_call_writes_is_seen_by_another,
        Theme::Door => rows::who_fails_at_the_door_never_serves,
    }
}

#[test]
fn every_file_has_a_row() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    let rows: BTreeSet<String> = FIXTURES.iter().map(|fixture| fixture.name.to_owned()).collect();
    assert_eq!(rows.len(), FIXTURES.len(), "a guest stands in the table twice");
    assert_eq!(files, rows, "`tests/guests` and the table of `tests/harness/guests.rs` differ");
    let tests: Vec<fn()> = FIXTURES.iter().map(|fixture| test_of(fixture.theme)).collect();
    assert_eq!(tests.len(), files.len());
}
