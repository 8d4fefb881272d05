//! Components nobody has written: random ones from wasm-smith, mutants of real plugins and of hostile guests from
//! wasm-mutate, and real bytes with some of them flipped. Whatever it is, the loader refuses it by name or makes a plugin
//! of it, and that plugin's calls end within their limits. Nothing panics.
//!
//! Seeds are numbers from 0 on, so a failure names its seed and comes again. How many there is time for is another
//! matter: `MUXEL_MUTANTS_SECONDS` gives more than the usual twenty.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use arbitrary::Unstructured;
use domain::{
    candidate::CandidateId,
    money::MicroUsd,
    plugin::{CallEnd, Classification, Contender, Live, Offer, PluginCall},
    price::{Estimate, Tariff},
    request::{Moment, Request},
};
use muxel_sandbox::{Plugin, Sandbox, Source, Subject};
use wasm_mutate::WasmMutate;

use crate::{
    guests::{FIXTURES, Guest, TRIGGER, encode},
    load, sandbox,
};

/// What came of them.
#[derive(Debug, Default)]
struct Tally {
    generated: BTreeMap<&'static str, u32>,
    /// Not even a component: nothing to load.
    unmade: u32,
    admitted: BTreeMap<&'static str, u32>,
    /// By what it was and by the code.
    refused: BTreeMap<(&'static str, &'static str), u32>,
    calls: u32,
    ends: BTreeMap<String, u32>,
}

#[test]
#[allow(clippy::print_stderr, reason = "the figures are worth reading")]
fn nothing_generated_panics_or_passes_its_limits() {
    let seconds = std::env::var("MUXEL_MUTANTS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let until = Instant::now() + Duration::from_secs(seconds);
    let stock = Stock::new();
    let sandbox = sandbox();
    let mut tally = Tally::default();
    for seed in 0.. {
        if Instant::now() >= until {
            break;
        }
        let tried = catch_unwind(AssertUnwindSafe(|| attempt(&sandbox, &stock, seed, &mut tally)));
        assert!(tried.is_ok(), "seed {seed} panicked");
    }
    eprintln!("{tally:?}");
    assert!(tally.admitted.len() > 1 && tally.calls > 0 && !tally.refused.is_empty(), "this tested nothing: {tally:?}");
}

fn attempt(sandbox: &Sandbox, stock: &Stock, seed: u64, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let (kind, bytes) = stock.make(&mut random);
    *tally.generated.entry(kind).or_default() += 1;
    let Some(bytes) = bytes else {
        tally.unmade += 1;
        return;
    };
    match load(sandbox, &bytes) {
        Ok(plugin) => {
            *tally.admitted.entry(kind).or_default() += 1;
            for call in calls(&plugin) {
                within_limits(seed, &plugin, &call);
                tally.calls += 1;
                let end = match &call.ended {
                    CallEnd::Answered => "answered".to_owned(),
                    CallEnd::Abstained { .. } => "abstained".to_owned(),
                    CallEnd::Denied { .. } => "denied".to_owned(),
                    CallEnd::Faulted { code, .. } | CallEnd::Skipped { reason: code } => code.to_string(),
                };
                *tally.ends.entry(end).or_default() += 1;
            }
        }
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "seed {seed}: {error:?}");
            *tally.refused.entry((kind, error.code())).or_default() += 1;
        }
    }
}

fn within_limits(seed: u64, plugin: &Plugin, call: &PluginCall) {
    let limits = plugin.limits();
    assert!(call.fuel <= limits.fuel, "seed {seed}: {call:?}");
    assert!(call.memory <= limits.memory, "seed {seed}: {call:?}");
    // The clock looks once a millisecond, and this machine may be busy: far under what no clock would allow.
    assert!(call.micros < 2_000_000, "seed {seed}: {call:?}");
    if let CallEnd::Faulted { code, detail, .. } = &call.ended {
        assert_ne!(&**code, "host-panic", "seed {seed}: {call:?}");
        assert!(!detail.contains(char::is_control), "seed {seed}: {call:?}");
    }
}

/// Everything a plugin can be asked, with one candidate and with as many as there ever are, at the trigger and not.
fn calls(plugin: &Plugin) -> Vec<PluginCall> {
    let moment = Moment { now_ms: 1_795_478_400_000, seed: 7, sequence: 7, session: 7 };
    let mut calls = Vec::new();
    for (prompt, count) in [("a red bicycle".to_owned(), 1), ("x".repeat(TRIGGER), 100)] {
        let request = Request::for_prompt(&prompt);
        let subject = Subject {
            request: &request,
            moment: &moment,
            prompt_chars: prompt.chars().count() as u32,
            source: Source::Trial,
        };
        calls.extend(plugin.classify(subject).map(|called| called.call));
        calls.extend(plugin.price(subject, &offers(count)).map(|called| called.call));
        let ranked = plugin.rank(subject, &plugin.settings(), &[], &Classification::default(), &contenders(count), &[]);
        calls.extend(ranked.map(|called| called.call));
    }
    calls
}

fn name(index: usize) -> CandidateId {
    CandidateId::new("lab", &format!("model-{index}"), Some("low"))
}

fn offers(count: usize) -> Vec<Offer> {
    let tariff = Tariff { known: true, per_output: MicroUsd(10_000), listed_size: true, ..Tariff::default() };
    (0..count).map(|index| Offer { model: name(index), tariff }).collect()
}

fn contenders(count: usize) -> Vec<Contender> {
    let cost = Some(Estimate { expected: MicroUsd(10_000), upper: MicroUsd(10_000) });
    let contender = |index| Contender {
        model: name(index),
        cost,
        quality: None,
        latency: None,
        live: Live { samples: 0, success: 1.0, in_flight: 0, half_open: false },
        max_in_flight: 0,
        weight: 1.0,
    };
    (0..count).map(contender).collect()
}

/// What mutants are made of.
struct Stock {
    /// Core modules, each with the world it is to export.
    modules: Vec<(Vec<u8>, &'static str)>,
    /// Whole components.
    components: Vec<Vec<u8>>,
}

impl Stock {
    fn new() -> Self {
        const BUNDLED: [(&str, &[u8]); 3] = [
            ("classifier-plugin", include_bytes!(concat!(env!("OUT_DIR"), "/context-classifier.wasm"))),
            ("cost-model-plugin", include_bytes!(concat!(env!("OUT_DIR"), "/list-price.wasm"))),
            ("strategy-plugin", include_bytes!(concat!(env!("OUT_DIR"), "/hybrid.wasm"))),
        ];
        let guests = || FIXTURES.iter().map(Guest::File).chain([Guest::Picks(0)]);
        let bundled = BUNDLED.iter().map(|(world, component)| (main_module(component), *world));
        Self {
            modules: bundled.chain(guests().map(|guest| (guest.core_module(), guest.world()))).collect(),
            components: BUNDLED
                .iter()
                .map(|(_, component)| component.to_vec())
                .chain(guests().map(Guest::component))
                .collect(),
        }
    }

    /// What it is, and its bytes when it could be made at all.
    fn make(&self, random: &mut Random) -> (&'static str, Option<Vec<u8>>) {
        match random.below(8) {
            0 => ("random component", random_component(random)),
            1 | 2 => ("random module with the contract's exports", self.random_module(random)),
            3..=5 => ("mutated module", self.mutated_module(random)),
            _ => ("flipped bytes", Some(self.flipped(random))),
        }
    }

    /// A module with the exports of a plugin, each of the right type, and random code in them.
    fn random_module(&self, random: &mut Random) -> Option<Vec<u8>> {
        let (shape, world) = &self.modules[3 + random.below(self.modules.len() - 3)];
        let config = wasm_smith::Config {
            exports: Some(shape.clone()),
            allow_start_export: random.below(4) == 0,
            exceptions_enabled: false,
            gc_enabled: false,
            memory64_enabled: false,
            relaxed_simd_enabled: false,
            tail_call_enabled: false,
            max_imports: 0,
            threads_enabled: false,
            ..wasm_smith::Config::default()
        };
        let bytes = random.bytes(4_096);
        let module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes)).ok()?;
        encode(&module.to_bytes(), world).ok()
    }

    fn mutated_module(&self, random: &mut Random) -> Option<Vec<u8>> {
        let (module, world) = &self.modules[random.below(self.modules.len())];
        let mut module = module.clone();
        for _ in 0..=random.below(3) {
            let mut mutate = WasmMutate::default();
            mutate.seed(random.next()).fuel(300).preserve_semantics(false);
            let next = mutate.run(&module).ok().and_then(|mut mutants| mutants.next()).and_then(Result::ok);
            drop(mutate);
            let Some(next) = next else { break };
            module = next;
        }
        encode(&module, world).ok()
    }

    fn flipped(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.components[random.below(self.components.len())].clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        bytes
    }
}

fn random_component(random: &mut Random) -> Option<Vec<u8>> {
    let bytes = random.bytes(2_048);
    let config = wasm_smith::Config::default();
    // The generator of components is unfinished and panics at some inputs: what it has not made is no attack.
    let made = catch_unwind(|| wasm_smith::Component::new(config, &mut Unstructured::new(&bytes)).ok());
    made.ok().flatten().map(|component| component.to_bytes())
}

/// The largest core module of a component: the plugin's own code.
fn main_module(component: &[u8]) -> Vec<u8> {
    let modules = wasmparser::Parser::new(0).parse_all(component).filter_map(|payload| match payload {
        Ok(wasmparser::Payload::ModuleSection { unchecked_range, .. }) => {
            Some(component[unchecked_range.start as usize..unchecked_range.end as usize].to_vec())
        }
        _ => None,
    });
    modules.max_by_key(Vec::len).expect("a plugin has code")
}

/// Numbers that are the same for a seed everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, most: usize) -> usize {
        ((self.next() >> 32) as usize) % most
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.next() >> 56) as u8).collect()
    }
}
