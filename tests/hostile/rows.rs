//! The table of guests, row by row: one gateway for a theme, every guest of it called again and again.

use serde_json::{Value, json};

use crate::harness::{Answer, Ends, FIXTURES, Fixture, Footprint, Gateway, Guest, Provider, Setup, TRIGGER, Theme};

/// How often each guest is called at its trigger. Less than what the host takes for a reason to stop asking it.
const ROUNDS: usize = 4;
/// How often a call may be made again that the clock has ended. That says something about the machine, not the guest: all
/// of them run out of something else first.
const PATIENCE: usize = 5;

#[test]
pub(super) fn who_takes_too_much_is_stopped() {
    run(Theme::Limits);
}

#[test]
pub(super) fn who_breaks_the_rules_of_passing_is_stopped() {
    run(Theme::Abi);
}

#[test]
pub(super) fn an_answer_that_breaks_the_contract_is_rejected_whole() {
    run(Theme::Answers);
}

#[test]
pub(super) fn a_classification_that_breaks_the_contract_is_rejected_whole() {
    run(Theme::Classifiers);
}

#[test]
pub(super) fn estimates_that_break_the_contract_are_rejected_whole() {
    run(Theme::CostModels);
}

#[test]
pub(super) fn nothing_that_a_call_writes_is_seen_by_another() {
    run(Theme::Traces);
}

#[test]
pub(super) fn who_fails_at_the_door_never_serves() {
    run(Theme::Door);
}

/// Calls every guest of `theme`, and lists all those that do not end as their row says.
fn run(theme: Theme) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let wrong = runtime.block_on(rows(theme));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn rows(theme: Theme) -> Vec<String> {
    let fixtures: Vec<&'static Fixture> = FIXTURES.iter().filter(|fixture| fixture.theme == theme).collect();
    let provider = Provider::start(Answer::Picture).await;
    let mut setup = Setup::with_provider(&provider, &[("cheap", 10_000), ("dear", 90_000)]);
    for fixture in &fixtures {
        setup = setup.plugin(fixture.name, Guest::File(fixture)).config(&route(fixture));
    }
    let gateway = setup.start().await;
    // Who failed its trial because the machine was busy is tried again.
    let settled = |ready: &Value| {
        fixtures.iter().all(|fixture| matches!(fixture.ends, Ends::Refused(_)) || serves(ready, fixture.name))
    };
    let ready = gateway.until("all that may serve do", settled).await;
    let mut wrong = Vec::new();
    let mut before = None;
    for round in 0..ROUNDS {
        for fixture in &fixtures {
            if let Err(what) = ends_as_its_row_says(&gateway, &ready, fixture, round).await {
                wrong.push(format!("{} in round {round}: {what}", fixture.name));
            }
        }
        // What is made once is made by now.
        let footprint = Footprint::of(gateway.pid());
        footprint.is_as(*before.get_or_insert(footprint));
    }
    wrong
}

/// Classifiers and cost models are asked on a route of their own; a strategy needs none.
fn route(fixture: &Fixture) -> String {
    let name = fixture.name;
    match fixture.theme {
        Theme::Classifiers => format!("[routes.{name}]\nclassifier = \"{name}\"\nstrategies = [\"cheapest\"]\n"),
        Theme::CostModels => format!("[routes.{name}]\ncost-models = [\"{name}\"]\nstrategies = [\"cheapest\"]\n"),
        _ => String::new(),
    }
}

async fn ends_as_its_row_says(gateway: &Gateway, ready: &Value, fixture: &Fixture, round: usize) -> Result<(), String> {
    if let Ends::Refused(code) = fixture.ends {
        let refused = &ready["refused"][fixture.name];
        return if refused["code"] == code { Ok(()) } else { Err(format!("refused with {refused}, not `{code}`")) };
    }
    // Each prompt is another one: a fault that repeats on one input is a matter of its own.
    let triggered = call(gateway, fixture, |attempt| format!("{:x>TRIGGER$}", round * PATIENCE + attempt)).await?;
    match fixture.ends {
        Ends::Faults(code) if triggered["fault"] == code => {}
        Ends::Answers if triggered["ended"] == "answered" => {}
        Ends::Says(word) if triggered["ended"] == word => {}
        ends => return Err(format!("{ends:?} is what its row says, but it was {triggered:#}")),
    }
    if fixture.name == "fails-at-two-candidates" {
        return Ok(());
    }
    // The next request, which does not trigger it, is answered by the same plugin.
    let next = call(gateway, fixture, |attempt| format!("a red bicycle {round} {attempt}")).await?;
    if next["ended"] == "answered" { Ok(()) } else { Err(format!("its next call was {next:#}")) }
}

fn serves(ready: &Value, name: &str) -> bool {
    ready["plugins"].as_array().is_some_and(|plugins| plugins.iter().any(|plugin| plugin["name"] == name))
}

/// Asks, and asks again while the clock is what ends the call.
async fn call(gateway: &Gateway, fixture: &Fixture, prompt: impl Fn(usize) -> String) -> Result<Value, String> {
    let mut called = Value::Null;
    for attempt in 0..PATIENCE {
        called = ask(gateway, fixture, &prompt(attempt)).await?;
        if called["fault"] != "deadline" {
            break;
        }
    }
    Ok(called)
}

/// Asks, and gives what the decision says of the guest's call. The request is served whatever the guest does, unless it
/// denies it.
async fn ask(gateway: &Gateway, fixture: &Fixture, prompt: &str) -> Result<Value, String> {
    let reply = gateway.ask(json!({"model": format!("auto/{}", fixture.name), "prompt": prompt})).await;
    let denied = fixture.ends == Ends::Says("denied") && prompt.chars().count() == TRIGGER;
    if reply.status != if denied { 403 } else { 200 } {
        return Err(format!("the request got {}: {:#}", reply.status, reply.body));
    }
    if reply.headers.contains_key("x-injected") {
        return Err(format!("its words became a header: {:?}", reply.headers));
    }
    let id = reply.header("x-request-id").expect("an id");
    let decision = gateway.get(&format!("/v1/decisions/{id}")).await.body;
    let calls = decision["plugins"].as_array().ok_or_else(|| format!("no calls in {decision:#}"))?;
    let called = calls.iter().find(|call| call["plugin"] == fixture.name).ok_or("it was not called")?;
    let (fuel, memory) = (called["fuel"].as_u64().unwrap_or(u64::MAX), called["memory_bytes"].as_u64());
    if fuel > 1_000_000 || memory.is_none_or(|bytes| bytes > 2 << 20) {
        return Err(format!("past its limits: {called:#}"));
    }
    // These look for what an earlier call has left, and say what they found.
    if fixture.theme == Theme::Traces && called["ended"] == "answered" && decision["reason"] != "no trace" {
        return Err(format!("it saw {}", decision["reason"]));
    }
    Ok(called.clone())
}
