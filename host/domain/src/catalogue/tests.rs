use std::collections::HashSet;

use super::*;
use crate::{
    candidate::{Candidate, Pattern},
    capability,
    decision::Veto,
    money::{MicroUsd, PriceFactor},
    price::list_price,
    provider::{DialectName, Provider},
    request::Request,
    size::{Size, SizeFit},
};

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// Every model with its vendor.
fn rows(catalogue: &Catalogue) -> impl Iterator<Item = (&str, &Arc<Model>)> {
    catalogue.vendors().flat_map(|(vendor, models)| models.iter().map(move |model| (vendor, model)))
}

/// Every tier of every model as a candidate of one account at its vendor.
fn candidates(catalogue: &Catalogue) -> Vec<Candidate> {
    let account = |vendor: &str| {
        Arc::new(Provider {
            name: vendor.to_owned(),
            dialect: DialectName::Simulated,
            tags: Vec::new(),
            price_factor: PriceFactor::ONE,
            weight: 1.0,
            max_in_flight: 0,
        })
    };
    rows(catalogue).flat_map(|(vendor, model)| Candidate::all(&account(vendor), model).collect::<Vec<_>>()).collect()
}

fn capable(request: &Request, today: Date) -> Vec<String> {
    let all = candidates(&Catalogue::embedded());
    let able = |candidate: &&Candidate| capability::veto(candidate, request, 0, today).is_none();
    all.iter().filter(able).map(|candidate| candidate.id.to_string()).collect()
}

#[test]
fn every_embedded_file_is_read() {
    let catalogue = Catalogue::parse(&EMBEDDED).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(catalogue.vendors().count(), VENDORS);
}

#[test]
fn no_vendor_names_a_model_or_a_tier_twice() {
    for (vendor, models) in Catalogue::embedded().vendors() {
        let mut seen = HashSet::new();
        for model in models {
            for tier in &model.tiers {
                assert!(seen.insert((model.name.clone(), tier.name.clone())), "{vendor}/{}", model.name);
            }
        }
    }
}

#[test]
fn tiers_rise_in_rung() {
    for (vendor, model) in rows(&Catalogue::embedded()) {
        assert!(model.tiers.is_sorted_by(|worse, better| worse.rung < better.rung), "{vendor}/{}", model.name);
    }
}

#[test]
fn a_higher_tier_is_better_dearer_and_not_faster() {
    for (vendor, model) in rows(&Catalogue::embedded()) {
        for pair in model.tiers.windows(2) {
            let mean = |tier: &Tier| tier.quality.map(|prior| prior.mean);
            let cost = |tier: &Tier| tier.price.as_ref().and_then(Price::per_usual_picture);
            let p50_ms = |tier: &Tier| tier.latency.map(|latency| latency.p50_ms);
            assert!(mean(&pair[0]) < mean(&pair[1]), "{vendor}/{}", model.name);
            assert!(cost(&pair[0]) < cost(&pair[1]), "{vendor}/{}", model.name);
            assert!(p50_ms(&pair[0]) <= p50_ms(&pair[1]), "{vendor}/{}", model.name);
        }
    }
}

#[test]
fn the_field_is_wide_and_alive() {
    let catalogue = Catalogue::embedded();
    let alive: Vec<_> = rows(&catalogue).filter(|(_, model)| !model.retired(day("2026-11-24"))).collect();
    let vendors: HashSet<&str> = alive.iter().map(|(vendor, _)| *vendor).collect();
    assert!(alive.len() >= 20, "{} models", alive.len());
    assert!(vendors.len() >= 8, "{} vendors", vendors.len());
}

#[test]
fn every_row_says_where_it_is_from_and_what_it_costs() {
    for (vendor, model) in rows(&Catalogue::embedded()) {
        assert!(model.source.len() >= 10, "{vendor}/{}", model.name);
        assert!((day("2026-11-01")..=day("2026-11-24")).contains(&model.as_of), "{vendor}/{}", model.name);
        for tier in &model.tiers {
            let usual = tier.price.as_ref().and_then(Price::per_usual_picture);
            assert!(usual.is_some_and(|cost| cost > MicroUsd::ZERO), "{vendor}/{} has no price", model.name);
            assert!(tier.latency.is_some(), "{vendor}/{} has no latency", model.name);
        }
    }
}

#[test]
fn quality_is_unknown_only_where_nobody_rated_a_relative() {
    let catalogue = Catalogue::embedded();
    let unrated: Vec<&str> = rows(&catalogue)
        .filter(|(_, model)| model.tiers.iter().any(|tier| tier.quality.is_none()))
        .map(|(_, model)| model.name.as_str())
        .collect();
    assert_eq!(unrated, ["muse-image-1.0"]);
}

#[test]
fn what_is_assumed_is_called_so_and_has_a_wide_prior() {
    for (vendor, model) in rows(&Catalogue::embedded()) {
        let doubt = model.tiers.iter().filter_map(|tier| tier.quality).map(|prior| prior.deviation);
        let rated = model.source.contains("Arena") && !model.source.contains("quality assumed");
        let least = doubt.fold(f32::INFINITY, f32::min);
        assert!(least.is_infinite() || (0.02..=0.15).contains(&least), "{vendor}/{}", model.name);
        if model.source.contains("quality assumed") {
            assert!(least >= 0.10, "{vendor}/{}: {least}", model.name);
        } else if rated {
            assert!(least <= 0.06, "{vendor}/{}: {least}", model.name);
        }
    }
}

/// Worked out by hand from the vendors' pages, without the prompt's own tokens.
#[test]
fn list_prices_are_those_the_vendors_publish() {
    let catalogue = Catalogue::embedded();
    for (vendor, model, tier, size, micros) in [
        ("openai", "gpt-image-2", Some("low"), "1024x1024", 6_000),
        // 0.053 USD are 1,766.7 tokens, and tokens are whole.
        ("openai", "gpt-image-2", Some("medium"), "1024x1024", 53_010),
        ("openai", "gpt-image-2", Some("high"), "1024x1536", 165_000),
        ("openai", "gpt-image-2", Some("high"), "3840x2160", 401_010),
        ("openai", "gpt-image-2.5-flare", Some("low"), "1024x1024", 5_880),
        ("openai", "gpt-image-2.5-flare", Some("medium"), "1024x1024", 13_170),
        ("openai", "gpt-image-2.5-flare", Some("high"), "1536x1024", 41_160),
        ("openai", "gpt-image-2.5-sunburst", Some("xhigh"), "1024x1024", 93_660),
        ("openai", "gpt-image-2.6-sunburst", Some("max"), "1024x1024", 210_720),
        ("openai", "gpt-image-1.5", Some("high"), "1536x1024", 200_000),
        ("openai", "gpt-image-1-mini", Some("medium"), "1024x1536", 15_000),
        // 1,120 tokens at 30 USD a million.
        ("google", "gemini-nano-banana-2.1", None, "1024x1024", 33_600),
        ("google", "gemini-3-pro-image", None, "2048x2048", 134_400),
        ("google", "gemini-2.5-flash-image", None, "1024x1024", 38_700),
        ("bfl", "flux-2-pro", None, "1024x1024", 30_000),
        // Four megapixels: 0.03 and three times 0.015.
        ("bfl", "flux-2-pro", None, "2048x2048", 75_000),
        ("bfl", "flux-2-klein-4b", None, "1024x1024", 14_000),
        ("bfl", "flux-2-max", None, "1920x1088", 100_000),
        ("bfl", "flux-pro-1.1-ultra", None, "2048x2048", 60_000),
        ("xai", "grok-imagine-image", None, "1024x1024", 20_000),
        ("xai", "grok-imagine-image-2.0", Some("medium"), "1024x1024", 60_000),
        ("ideogram", "ideogram-v3", Some("quality"), "1024x1024", 90_000),
        ("ideogram", "ideogram-v4", Some("turbo"), "2048x2048", 30_000),
        ("recraft", "recraftv4_1_flash", None, "1024x1024", 7_000),
        ("recraft", "recraftv4_1_pro", None, "2048x2048", 210_000),
        ("stability", "sd3.5-large", None, "1024x1024", 65_000),
        ("fal", "fal-ai/flux/dev", None, "1024x1024", 25_000),
        ("fal", "fal-ai/flux/dev", None, "1536x1024", 50_000),
        ("fal", "fal-ai/nano-banana-2", None, "2048x2048", 120_000),
        ("microsoft", "MAI-Image-2.7", None, "1024x1024", 34_816),
        ("alibaba", "qwen-image-2.0-pro", None, "1024x1024", 75_000),
        ("runway", "gen4_image", None, "1280x720", 50_000),
        ("runway", "gen4_image", None, "1920x1080", 80_000),
        ("meta", "muse-image-1.0", None, "1024x1024", 10_000),
        ("tencent", "seedream-image-v5.0-lite", None, "2048x2048", 35_000),
    ] {
        let row = catalogue.vendor(vendor).iter().find(|row| row.name == model).expect(model);
        let tier = row.tiers.iter().find(|row| row.name.as_deref() == tier).expect(model);
        let asked: Size = size.parse().expect("a size");
        let request = Request { size: Some(asked), ..Request::for_prompt("") };
        let tariff = tier.price.as_ref().expect(model).tariff(Some(asked), PriceFactor::ONE);
        let estimate = list_price(&tariff, &request).expect(model);
        assert_eq!(estimate.expected, MicroUsd(micros), "{vendor}/{model} at {size}");
        assert!(tariff.listed_size, "{vendor}/{model} at {size}");
    }
}

#[test]
fn an_edit_pays_for_its_input_picture() {
    let catalogue = Catalogue::embedded();
    let mut request = Request { operation: Operation::ImageEdit, ..Request::for_prompt("") };
    request.inputs.images = 1;
    for (vendor, model, micros) in [
        // 200 tokens out and 1,000 in.
        ("openai", "gpt-image-2", 6_000 + 8_000),
        // "From 0.045 USD", as Black Forest Labs has it.
        ("bfl", "flux-2-pro", 45_000),
    ] {
        let row = catalogue.vendor(vendor).iter().find(|row| row.name == model).expect(model);
        let tariff = row.tiers[0].price.as_ref().expect(model).tariff(request.size, PriceFactor::ONE);
        assert_eq!(list_price(&tariff, &request).expect(model).expected, MicroUsd(micros), "{vendor}/{model}");
    }
}

#[test]
fn a_common_request_finds_a_field_to_choose_from() {
    let capable = capable(&Request::for_prompt("a red bicycle"), day("2026-11-24"));
    assert!(capable.len() >= 20, "{capable:?}");
    let vendors: HashSet<&str> = capable.iter().filter_map(|id| id.split('/').next()).collect();
    assert!(vendors.len() >= 8, "{vendors:?}");
}

#[test]
fn every_usual_wish_finds_several_models() {
    let usual = Request::for_prompt("a red bicycle");
    for (wish, least, request) in [
        ("landscape", 10, Request { size: Size::new(1536, 1024), ..usual.clone() }),
        ("portrait", 10, Request { size: Size::new(1024, 1536), ..usual.clone() }),
        ("4K", 5, Request { size: Size::new(3840, 2160), ..usual.clone() }),
        ("ten pictures", 5, Request { count: 10, ..usual.clone() }),
        ("a draft", 10, Request { quality: "draft".parse().expect("a word"), ..usual.clone() }),
        ("the best", 4, Request { quality: "max".parse().expect("a word"), ..usual.clone() }),
        ("no background", 5, Request { transparent: true, ..usual.clone() }),
        ("an edit", 10, Request { operation: Operation::ImageEdit, ..usual }),
    ] {
        let capable = capable(&request, day("2026-11-24"));
        assert!(capable.len() >= least, "{wish}: {capable:?}");
    }
}

#[test]
fn a_model_is_offered_until_its_last_day() {
    let usual = Request::for_prompt("a red bicycle");
    let offered = |today| capable(&usual, day(today)).contains(&"openai/gpt-image-1.5@high".to_owned());
    assert!(offered("2026-12-01"));
    assert!(!offered("2026-12-02"));
    let ended = Pattern("google/gemini-3.1-flash-image".to_owned());
    let all = candidates(&Catalogue::embedded());
    let row = all.iter().find(|candidate| ended.matches(&candidate.id)).expect("kept, to say when it ended");
    let veto = capability::veto(row, &usual, 0, day("2026-11-24"));
    assert_eq!(veto, Some(Veto::Retired { last: day("2026-10-29") }));
}

#[test]
fn openai_draws_arbitrary_sizes_within_its_bounds() {
    let catalogue = Catalogue::embedded();
    let model = catalogue.vendor("openai").iter().find(|row| row.name == "gpt-image-2").expect("a row");
    for (size, fit) in [
        ("1536x864", SizeFit::Exact),
        ("3840x2160", SizeFit::Exact),
        ("1920x1080", SizeFit::No),
        ("512x512", SizeFit::No),
        ("3840x1024", SizeFit::No),
    ] {
        assert_eq!(model.sizes.fit(size.parse().expect("a size")), fit, "{size}");
    }
}

#[test]
fn a_row_that_contradicts_itself_is_refused() {
    let row = |tiers: &str| {
        format!(
            "[[models]]\nname = \"m\"\nsizes = {{ listed = [\"1024x1024\"] }}\nmax-count = 1\nmax-prompt-chars = 10\n\
             source = \"s\"\nas-of = \"2026-11-23\"\ntiers = [{tiers}]\n"
        )
    };
    for (tiers, problem) in [
        ("", "needs at least one tier"),
        ("{}, {}", "has several tiers, so each needs a name"),
        ("{ quality = { mean = 1.5, deviation = 0.1 } }", "has a quality prior outside 0 to 1"),
        ("{ latency = { p50-ms = 9, p95-ms = 1 } }", "has a p95 latency under its p50"),
    ] {
        let refused = Catalogue::parse(&[("v", &row(tiers))]).expect_err(problem);
        assert_eq!(refused.to_string(), format!("catalogue of `v`: model `m` {problem}"));
    }
}
