//! What a sandboxed decision costs, beside the same three plugin functions called natively.
//!
//! Sandboxed and native calls alternate, so that a noisy machine disturbs both alike, in several rounds, so that the
//! noise can be seen: the spread is the lowest and the highest median of a round.

use std::{hint::black_box, sync::Arc, time::Instant};

use context_classifier::ContextClassifier;
use domain::{
    candidate::Candidate,
    catalogue::Catalogue,
    decision::Considered,
    money::PriceFactor,
    plugin::Live,
    provider::{DialectName, Provider},
    request::{Moment, Request},
};
use hdrhistogram::Histogram;
use hybrid::Hybrid;
use list_price::ListPrice;
use muxel_sdk::{Classifier as _, CostModel as _, Strategy as _};
use sandbox::{
    Circumstances, Compiler, EngineError, Field, LoadError, Panel, Plugins, Sandbox, Setup, Source, Verdict, decide,
};
use serde::Serialize;

const PROMPT: &str = "A watercolor of two foxes sitting under a wooden sign that says \"OPEN\", soft morning light, \
                      mist over the river behind them, no people";
const ROUNDS: usize = 5;
const CALLS_A_ROUND: usize = 2_000;
const WARM_UP: usize = 500;

/// The benchmark could not run.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("a decision came to {0:?}")]
    Undecided(Verdict),
}

/// Whole decisions of three bundled plugins at one number of candidates. Times in microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionRun {
    pub candidates: usize,
    pub p50_us: f64,
    pub p99_us: f64,
    /// Lowest and highest median of a round.
    pub p50_spread_us: (f64, f64),
    /// The same three functions, called natively in the same run.
    pub native_p50_us: f64,
    pub native_p99_us: f64,
    pub ratio: f64,
    /// Median of each plugin's call, in the order classifier, cost model, strategy.
    pub plugins_p50_us: [f64; 3],
    /// Fuel of each plugin's call, in the same order.
    pub plugins_fuel: [u64; 3],
    pub decisions: usize,
    pub allocator: &'static str,
}

/// Runs the benchmark for each number of candidates.
///
/// # Errors
///
/// When the sandbox cannot be made, or a decision does not come about.
pub fn bench_decision(counts: &[usize]) -> Result<Vec<DecisionRun>, BenchError> {
    sandbox::prepare_thread();
    let plugins = Plugins::load(Sandbox::new(Compiler::Here)?, Setup::default())?;
    counts.iter().map(|count| run(&plugins, *count)).collect()
}

fn run(plugins: &Plugins, count: usize) -> Result<DecisionRun, BenchError> {
    let roster = plugins.roster();
    let candidates = candidates(count);
    let request = Arc::new(Request::for_prompt(PROMPT));
    let panel = Panel {
        route: "default".into(),
        classifier: "context-classifier".into(),
        cost_models: vec!["list-price".into()],
        strategies: vec!["hybrid".into()],
        weights: domain::weights::Weights::default(),
        unpriced: domain::policy::Unpriced::default(),
        learn_per: domain::learning::LearnPer::Route,
        refuse_on_fault: false,
    };
    let moment = Moment::default();
    let considered: Vec<Considered> = considered(&candidates, &request);
    let native = Native::new(&candidates, &considered);

    let mut sandboxed = histogram();
    let mut natively = histogram();
    let mut calls = [histogram(), histogram(), histogram()];
    let mut fuel = [0; 3];
    // As for a caller: what a gateway notes of each call is part of what it costs.
    let circumstances = Circumstances { source: Source::Named(1), ..Circumstances::alone() };
    let mut medians = Vec::with_capacity(ROUNDS);
    for round in 0..=ROUNDS {
        let mut this_round = histogram();
        let warming_up = round == 0;
        for _ in 0..if warming_up { WARM_UP } else { CALLS_A_ROUND } {
            let field =
                Field { candidates: &candidates, considered: considered.clone(), due: None, last_resort: false };
            let began = Instant::now();
            let decided =
                black_box(decide(&roster, &panel, black_box(&request), moment, field, circumstances, |_| false));
            let sandboxed_ns = began.elapsed().as_nanos() as u64;
            if decided.verdict != Verdict::Go || decided.decision.calls.len() != 3 {
                return Err(BenchError::Undecided(decided.verdict));
            }
            let native_ns = native.decide();
            if warming_up {
                continue;
            }
            this_round.saturating_record(sandboxed_ns);
            natively.saturating_record(native_ns);
            for (at, call) in decided.decision.calls.iter().enumerate() {
                calls[at].saturating_record(u64::from(call.micros) * 1_000);
                fuel[at] = call.fuel;
            }
        }
        if !warming_up {
            medians.push(micros(&this_round, 0.5));
            // Both count the same range with the same precision.
            let _ = sandboxed.add(&this_round);
        }
    }
    let (p50_us, native_p50_us) = (micros(&sandboxed, 0.5), micros(&natively, 0.5));
    let lowest = medians.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = medians.iter().copied().fold(0.0, f64::max);
    Ok(DecisionRun {
        candidates: count,
        p50_us,
        p99_us: micros(&sandboxed, 0.99),
        p50_spread_us: (lowest, highest),
        native_p50_us,
        native_p99_us: micros(&natively, 0.99),
        ratio: p50_us / native_p50_us,
        plugins_p50_us: [micros(&calls[0], 0.5), micros(&calls[1], 0.5), micros(&calls[2], 0.5)],
        plugins_fuel: fuel,
        decisions: ROUNDS * CALLS_A_ROUND,
        allocator: plugins.sandbox().allocator(),
    })
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 1_000_000_000, 3).expect("the bounds are constants in range")
}

fn micros(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e3
}

/// `count` candidates of the catalogue that can draw the benchmark's picture, from as many accounts as that takes.
fn candidates(count: usize) -> Vec<Arc<Candidate>> {
    let catalogue = Catalogue::embedded();
    let accounts = (1..).flat_map(|account| catalogue.vendors().map(move |(vendor, models)| (account, vendor, models)));
    let all = accounts.flat_map(|(account, vendor, models)| {
        let provider = Arc::new(Provider {
            name: format!("{vendor}-{account}"),
            dialect: DialectName::Simulated,
            tags: Vec::new(),
            price_factor: PriceFactor::ONE,
            weight: 1.0,
            max_in_flight: 0,
        });
        models.iter().flat_map(move |model| Candidate::all(&provider, model).collect::<Vec<_>>())
    });
    all.take(count).map(Arc::new).collect()
}

fn considered(candidates: &[Arc<Candidate>], request: &Request) -> Vec<Considered> {
    let row = |(index, candidate): (usize, &Arc<Candidate>)| {
        let tier = candidate.tier();
        let price = tier.price.as_ref();
        Considered {
            tariff: Some(price.map(|price| price.tariff(request.size, PriceFactor::ONE)).unwrap_or_default()),
            quality: tier.quality,
            latency: tier.latency,
            live: Live { samples: 40, success: 0.975, in_flight: 1, half_open: false },
            ..Considered::new(index as u32)
        }
    };
    candidates.iter().enumerate().map(row).collect()
}

/// The inputs of the three functions in the SDK's types.
struct Native {
    request: muxel_sdk::Request,
    offers: Vec<muxel_sdk::Offer>,
    candidates: Vec<muxel_sdk::Candidate>,
}

impl Native {
    fn new(candidates: &[Arc<Candidate>], considered: &[Considered]) -> Self {
        let rows = || candidates.iter().zip(considered);
        let offer = |(candidate, row): (&Arc<Candidate>, &Considered)| {
            let tariff = row.tariff.unwrap_or_default();
            muxel_sdk::Offer::new(
                candidate.id.as_str(),
                muxel_sdk::Tariff {
                    known: tariff.known,
                    per_request: tariff.per_request.saturating_u32(),
                    per_output: tariff.per_output.saturating_u32(),
                    per_megapixel: tariff.per_megapixel.saturating_u32(),
                    megapixel_step: tariff.megapixel_step_hundredths as f32 / 100.0,
                    per_second: tariff.per_second.saturating_u32(),
                    per_input: tariff.per_input.saturating_u32(),
                    text_in: tariff.text_in.saturating_u32(),
                    image_in: tariff.image_in.saturating_u32(),
                    tokens_out: tariff.tokens_out.saturating_u32(),
                    expected_tokens_out: tariff.expected_tokens_out,
                    expected_image_in: tariff.expected_image_in,
                },
            )
        };
        let contender = |(candidate, row): (&Arc<Candidate>, &Considered)| {
            let mut native = muxel_sdk::Candidate::new(candidate.id.as_str());
            if let Some(quality) = row.quality {
                native = native.good(quality.mean, quality.deviation);
            }
            if let Some(latency) = row.latency {
                native = native.taking(latency.p50_ms, latency.p95_ms);
            }
            native.samples = row.live.samples;
            native.success = row.live.success;
            native.in_flight = row.live.in_flight;
            native
        };
        Self {
            request: muxel_sdk::Request::for_prompt(PROMPT),
            offers: rows().map(offer).collect(),
            candidates: rows().map(contender).collect(),
        }
    }

    /// Nanoseconds of the three calls. The functions own their arguments: they are copied before the clock starts.
    fn decide(&self) -> u64 {
        let (for_classifier, for_model, for_strategy) =
            (self.request.clone(), self.request.clone(), self.request.clone());
        let (offers, mut candidates) = (self.offers.clone(), self.candidates.clone());
        let began = Instant::now();
        let classified = ContextClassifier::classify(for_classifier, Vec::new());
        let priced = ListPrice::price(for_model, Vec::new(), offers, Vec::new());
        for (candidate, estimate) in candidates.iter_mut().zip(priced.into_iter().flatten()) {
            candidate.cost = estimate;
        }
        let classification = classified.unwrap_or_else(|_| muxel_sdk::Classification::of("general"));
        let ranked = Hybrid::rank(for_strategy, Vec::new(), Vec::new(), classification, candidates, Vec::new());
        let elapsed = began.elapsed();
        // What is dropped is dropped after the clock: the host's answers are, too.
        let _ = black_box(ranked);
        elapsed.as_nanos() as u64
    }
}
