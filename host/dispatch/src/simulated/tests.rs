use std::sync::Arc;

use domain::{
    catalogue::Model,
    money::{MicroUsd, PriceFactor},
    provider::{DialectName, Provider},
    size::Size,
};
use serde_json::json;

use super::*;
use crate::picture::{Format, check};

fn candidate() -> Candidate {
    let model: Model = serde_json::from_value(json!({
        "name": "gpt-image-2", "sizes": { "listed": ["1024x1024"] }, "max-count": 10, "max-prompt-chars": 32000,
        "tiers": [{ "name": "low", "latency": { "p50-ms": 8000, "p95-ms": 12000 } }],
        "source": "a test", "as-of": "2026-11-23",
    }))
    .expect("a model");
    let provider = Provider {
        name: "openai".to_owned(),
        dialect: DialectName::Simulated,
        tags: Vec::new(),
        price_factor: PriceFactor::ONE,
        weight: 1.0,
        max_in_flight: 0,
    };
    Candidate::all(&Arc::new(provider), &Arc::new(model)).next().expect("one tier")
}

fn simulated(request: &Request, seed: u64, elapsed: Duration, settings: &SimulationSettings) -> Simulated {
    simulate(request, &candidate(), &Tariff::default(), seed, elapsed, settings)
}

fn outcome(seed: u64, settings: &SimulationSettings) -> Simulated {
    simulated(&Request::for_prompt("a fox"), seed, Duration::ZERO, settings)
}

fn sketch(width: u32, height: u32, transparent: bool) -> Sketch {
    let caption = "a red bicycle under a bridge, naïve painting \u{1f6b2}".to_owned();
    Sketch { width, height, transparent, seed: 7, title: "openai/gpt-image-2@low".to_owned(), caption }
}

fn decoded(bytes: &[u8]) -> (png::OutputInfo, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a header");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("pixels");
    (info, pixels)
}

#[test]
fn the_same_seed_gives_the_same_outcome() {
    let settings = SimulationSettings { error_rate: 0.5, ..SimulationSettings::default() };
    assert_eq!(outcome(3, &settings), outcome(3, &settings));
    assert_ne!(outcome(3, &settings).latency, outcome(4, &settings).latency);
}

#[test]
fn latencies_lie_around_the_catalogues_median() {
    let settings = SimulationSettings { latency_scale: 0.5, ..SimulationSettings::default() };
    let mut latencies: Vec<Duration> = (0..1_001).map(|seed| outcome(seed, &settings).latency).collect();
    latencies.sort_unstable();
    let median = latencies[500].as_secs_f64();
    assert!((3.7..4.3).contains(&median), "{median}");
    assert!(latencies[950].as_secs_f64() > 1.5 * median);
}

#[test]
fn rates_are_shares_of_calls() {
    let share = |settings: &SimulationSettings, is_it: fn(&SimulatedAnswer) -> bool| {
        (0..2_000).filter(|seed| is_it(&outcome(*seed, settings).answer)).count() as f64 / 2_000.0
    };
    let base = SimulationSettings::default();
    let errors = SimulationSettings { error_rate: 0.2, ..base.clone() };
    let refusals = SimulationSettings { refusal_rate: 0.2, ..base.clone() };
    let limited = SimulationSettings { rate_limited_rate: 0.2, ..base.clone() };
    let hangs = SimulationSettings { hang_rate: 0.2, ..base };
    let near = |share: f64| (0.17..0.23).contains(&share);
    assert!(near(share(&errors, |answer| matches!(answer, SimulatedAnswer::Error { status: 503, .. }))));
    assert!(near(share(&refusals, |answer| matches!(answer, SimulatedAnswer::Error { status: 400, .. }))));
    assert!(near(share(&limited, |answer| matches!(answer, SimulatedAnswer::Error { status: 429, .. }))));
    assert!(near(share(&hangs, |answer| *answer == SimulatedAnswer::Hang)));
}

#[test]
fn an_outage_begins_and_ends_as_scripted() {
    let outage = Outage {
        from: Duration::from_secs(10),
        duration: Duration::from_secs(5),
        error_rate: 1.0,
        latency_factor: 4.0,
        kind: OutageKind::ServerError,
    };
    let settings = SimulationSettings { outages: vec![outage], ..SimulationSettings::default() };
    let fails = |seconds| {
        let answer = simulated(&Request::for_prompt("x"), 1, Duration::from_secs(seconds), &settings).answer;
        matches!(answer, SimulatedAnswer::Error { .. })
    };
    assert_eq!([9, 10, 14, 15].map(fails), [false, true, true, false]);
}

#[test]
fn an_outage_fails_calls_in_its_own_way() {
    let during = |kind| {
        let (from, duration) = (Duration::ZERO, Duration::from_secs(1));
        let outage = Outage { from, duration, error_rate: 1.0, latency_factor: 1.0, kind };
        outcome(1, &SimulationSettings { outages: vec![outage], ..SimulationSettings::default() }).answer
    };
    let status = |kind| match during(kind) {
        SimulatedAnswer::Error { status, .. } => Some(status),
        _ => None,
    };
    assert_eq!(during(OutageKind::Hang), SimulatedAnswer::Hang);
    assert_eq!(during(OutageKind::Connect), SimulatedAnswer::Unreachable);
    assert_eq!(status(OutageKind::RateLimited), Some(429));
    assert_eq!(status(OutageKind::Empty), Some(200));
    assert_eq!(status(OutageKind::Credential), Some(401));
    assert_eq!(status(OutageKind::Quota), Some(429));
}

#[test]
fn overlapping_outages_add_up() {
    let slow = |from, factor| Outage {
        from: Duration::from_secs(from),
        duration: Duration::from_secs(10),
        error_rate: 0.0,
        latency_factor: factor,
        kind: OutageKind::ServerError,
    };
    let settings =
        SimulationSettings { sigma: Some(0.0), outages: vec![slow(0, 2.0), slow(5, 3.0)], ..Default::default() };
    let takes = |second| simulated(&Request::for_prompt("x"), 1, Duration::from_secs(second), &settings).latency;
    assert_eq!([4, 5, 12, 15].map(takes), [16, 48, 24, 8].map(Duration::from_secs));
}

#[test]
fn without_a_spread_of_its_own_a_twentieth_takes_longer_than_the_p95() {
    let settings = SimulationSettings { sigma: None, ..SimulationSettings::default() };
    let slow = (0..4_000).filter(|seed| outcome(*seed, &settings).latency > Duration::from_secs(12)).count();
    assert!((150..250).contains(&slow), "{slow} of 4000 took longer than 12 s");
}

#[test]
fn rates_that_add_up_to_1_leave_nothing_over() {
    let settings = SimulationSettings {
        error_rate: 0.4,
        hang_rate: 0.1,
        refusal_rate: 0.3,
        rate_limited_rate: 0.2,
        ..SimulationSettings::default()
    };
    let delivers = |seed| matches!(outcome(seed, &settings).answer, SimulatedAnswer::Pictures { .. });
    assert!(!(0..1_000).any(delivers));
}

#[test]
fn absurd_settings_do_not_panic() {
    let settings =
        SimulationSettings { latency_scale: f64::INFINITY, sigma: Some(f64::NAN), ..SimulationSettings::default() };
    assert_eq!(outcome(1, &settings).latency, MAX_LATENCY);
    let negative = SimulationSettings { latency_scale: -1.0, ..SimulationSettings::default() };
    assert_eq!(outcome(1, &negative).latency, MAX_LATENCY);
}

#[test]
fn a_picture_that_is_too_large_is_a_capability_failure() {
    let request = Request { size: Size::new(16_384, 16_384), ..Request::for_prompt("x") };
    let answer = simulated(&request, 1, Duration::ZERO, &SimulationSettings::default()).answer;
    assert!(matches!(answer, SimulatedAnswer::Error { status: 400, .. }), "{answer:?}");
}

#[test]
fn a_model_billed_by_token_reports_about_the_expected_tokens() {
    let tariff =
        Tariff { known: true, tokens_out: MicroUsd(30_000_000), expected_tokens_out: 1_000, ..Tariff::default() };
    let request = Request { count: 2, ..Request::for_prompt("twelve chars") };
    let answer = simulate(&request, &candidate(), &tariff, 1, Duration::ZERO, &SimulationSettings::default()).answer;
    let SimulatedAnswer::Pictures { sketches, usage: Some(usage), .. } = answer else { panic!("{answer:?}") };
    assert_eq!((sketches.len(), usage.text_in), (2, 3));
    assert!((1_840..=2_120).contains(&usage.out), "{}", usage.out);
    assert_ne!(sketches[0].seed, sketches[1].seed);
}

#[test]
fn what_is_drawn_is_a_png_of_the_asked_size() {
    for (width, height) in [(1024, 1024), (1536, 1024), (256, 512), (64, 64), (7, 3), (1, 1), (1, 900), (3000, 16)] {
        for transparent in [false, true] {
            let bytes = draw(&sketch(width, height, transparent)).expect("a picture");
            let seen = check(&bytes).expect("a whole picture");
            assert_eq!((seen.format, seen.size), (Format::Png, Some((width, height))));
            let (info, _) = decoded(&bytes);
            assert_eq!((info.width, info.height), (width, height));
        }
    }
}

#[test]
fn the_label_is_there_and_the_sky_is_transparent_when_asked() {
    let (info, pixels) = decoded(&draw(&sketch(512, 512, true)).expect("a picture"));
    assert_eq!(info.color_type, png::ColorType::Rgba);
    assert_eq!(pixels[3], 0, "the sky's corner");
    let band = &pixels[pixels.len() - 512 * 4 * 20..];
    let letters = band.chunks_exact(4).filter(|pixel| *pixel == [244, 244, 248, 255]).count();
    assert!(letters > 100, "{letters} bright pixels in the label");
    assert!(band.chunks_exact(4).all(|pixel| pixel[3] == 255));
}

#[test]
fn a_usual_picture_is_small() {
    let bytes = draw(&sketch(1024, 1024, false)).expect("a picture");
    assert!(bytes.len() < 1_000_000, "{} bytes", bytes.len());
}
