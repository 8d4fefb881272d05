use domain::request::{Moment, Request};

use super::*;
use crate::{Compiler, Kind, Plugins, Sandbox, Setup, Source, Tier, terms::Terms};

fn plugins() -> Plugins {
    Plugins::load(Sandbox::new(Compiler::Here).expect("an engine"), Setup::default()).expect("bundled plugins load")
}

/// How one call of `plugin` for somebody ends, and its fuel.
fn classify(plugin: &Plugin) -> (String, u64) {
    let request = Request::for_prompt("a poster that says \"OPEN\"");
    let moment = Moment::default();
    let subject = Subject { request: &request, moment: &moment, prompt_chars: 25, source: Source::Named(1) };
    let call = plugin.classify(subject).expect("it is a classifier").call;
    let end = match call.ended {
        CallEnd::Faulted { code, .. } => code.to_string(),
        _ => "answered".to_owned(),
    };
    (end, call.fuel)
}

#[test]
fn a_pool_without_a_free_sandbox_is_nobodys_fault_and_passes() {
    let plugins = plugins();
    let roster = plugins.roster();
    let plugin = roster.get("context-classifier", Kind::Classifier).expect("it is bundled");
    let mut held = Vec::new();
    // More than any pool has: the last ones find none free.
    let exhausted = (0..1_000).any(|_| {
        let mut store = store(plugin, World::default()).expect("a store");
        let made = plugin.instantiate(&mut store).is_ok();
        held.push(store);
        !made
    });
    assert!(exhausted, "a pool has an end");
    assert_eq!(classify(plugin).0, "pool-exhausted");
    assert_eq!(plugin.state(), domain::quarantine::State::Serving);
    drop(held);
    assert_eq!(classify(plugin).0, "answered");
}

#[test]
fn a_panic_of_the_host_is_caught_at_the_call_and_nothing_is_left_of_it() {
    let plugins = plugins();
    let roster = plugins.roster();
    let plugin = roster.get("context-classifier", Kind::Classifier).expect("it is bundled");
    let request = Request::for_prompt("a red bicycle");
    let moment = Moment::default();
    let subject = Subject { request: &request, moment: &moment, prompt_chars: 13, source: Source::Trial };
    let panicked = call::<(), ()>(plugin, Role::Classifier, subject, |_, _| panic!("as asked"), |()| Ok(()));
    let CallEnd::Faulted { code, replayable, .. } = panicked.call.ended else { panic!("it ended well") };
    assert_eq!((&*code, replayable), ("host-panic", false));
    assert_eq!(classify(plugin).0, "answered");
}

#[test]
fn a_plugin_that_is_slow_half_of_the_time_moves_to_the_slow_tier_and_answers_as_before() {
    let plugins = plugins();
    let roster = plugins.roster();
    let plugin = roster.get("context-classifier", Kind::Classifier).expect("it is bundled");
    let before = classify(plugin);
    assert!(!plugin.is_too_slow());
    let request = Request::for_prompt("a red bicycle");
    let moment = Moment::default();
    let subject = Subject { request: &request, moment: &moment, prompt_chars: 13, source: Source::Named(1) };
    for _ in 0..300 {
        let (plugin_name, digest) = (plugin.name(), plugin.digest());
        let slow = PluginCall {
            role: Role::Classifier,
            plugin: plugin_name,
            digest,
            fuel: 1,
            memory: 1,
            micros: 5_000,
            ended: CallEnd::Answered,
        };
        plugin.note(&slow, subject, b"");
    }
    assert!(plugin.is_too_slow());
    let slowed = plugin.slowed(plugins.sandbox(), &Terms::default()).expect("it moves");
    assert_eq!((slowed.tier(), slowed.limits().fuel), (Tier::Slow, Limits::SLOW.fuel));
    assert_eq!(classify(&slowed), before, "the same answer for the same fuel");
}
