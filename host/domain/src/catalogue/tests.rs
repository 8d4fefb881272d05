use std::collections::HashSet;

use super::*;

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
    for (vendor, models) in Catalogue::embedded().vendors() {
        for model in models {
            assert!(model.tiers.is_sorted_by_key(|tier| tier.rung), "{vendor}/{}", model.name);
        }
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
