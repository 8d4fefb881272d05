use muxel_sdk::Fact;

use super::*;
use crate::cues::hash_on;

fn classify(prompt: &str) -> Classification {
    ContextClassifier::classify(Request::for_prompt(prompt), Vec::new()).expect("a classification")
}

fn traits(prompt: &str) -> Vec<String> {
    classify(prompt).traits.into_iter().map(|found| found.name).collect()
}

#[test]
fn knows_the_four_labels() {
    for (prompt, label) in [
        ("an oil painting of a stormy sea", "artistic"),
        ("Anime girl with blue hair under cherry blossoms", "artistic"),
        ("Photorealistic portrait of a fisherman at dawn, 85mm lens", "realistic"),
        ("documentary photograph of commuters in the rain", "realistic"),
        ("Logo for a coffee shop called \"Bean There\"", "technical"),
        ("wireframe of a mobile banking login screen", "technical"),
        ("a red bicycle", "general"),
        ("a dog wearing sunglasses on the beach", "general"),
    ] {
        assert_eq!(classify(prompt).label, label, "{prompt}");
    }
}

#[test]
fn case_does_not_matter() {
    let prompt = "A watercolor of two children, no umbrella, with the words “Hello”";
    assert_eq!(classify(prompt), classify(&prompt.to_uppercase()));
    assert_eq!(classify(prompt), classify(&prompt.to_lowercase()));
}

#[test]
fn sees_text_that_is_to_be_drawn() {
    for prompt in
        ["a door marked 'Exit'", "a cake with \"Happy Birthday\" on it", "a mug, “Monday” on it", "a stop sign"]
    {
        assert_eq!(traits(prompt), ["text"], "{prompt}");
    }
    assert!(traits("the dog's bone and the cats' bowl").is_empty());
}

#[test]
fn sees_negation_counts_and_people() {
    assert_eq!(traits("a beach without umbrellas"), ["negation"]);
    assert_eq!(traits("a bridge that doesn’t end"), ["negation"]);
    assert_eq!(traits("7 ducks"), ["quantity"]);
    assert_eq!(traits("three ducks"), ["quantity"]);
    assert!(traits("a 1977 Ford F-150 in 16:9").is_empty());
    assert_eq!(traits("an old woman"), ["people"]);
}

#[test]
fn sees_photo_style_layout_and_transparency() {
    assert_eq!(traits("a photo of a tree"), ["photo"]);
    assert_eq!(traits("a tree in ukiyo-e style"), ["style"]);
    assert_eq!(traits("a cup to the left of a vase"), ["layout"]);
    assert_eq!(traits("a leaf on a transparent background"), ["transparency"]);
    let asked = Request { transparent: true, ..Request::for_prompt("a leaf") };
    let classification = ContextClassifier::classify(asked, Vec::new()).expect("a classification");
    assert_eq!(classification.traits, [Trait { name: "transparency".to_owned(), confidence: 1.0 }]);
}

#[test]
fn complexity_grows_with_things_and_relations() {
    let of = |prompt| classify(prompt).complexity;
    assert_eq!(of("a cat"), 0.0);
    assert!(of("a cat on a mat") > 0.0);
    assert!(of("a cat on a mat") < of("a cat on a mat beside a dog with a ball"));
    assert_eq!(of("a cat, a dog and a cow on a boat with a flag under a bridge near a city"), 1.0);
}

#[test]
fn hostile_prompts_are_only_prompts() {
    for prompt in [
        "\"",
        "'",
        "’",
        "\"\"\"\"''''",
        "一只猫坐在窗台上",
        "\u{0}\u{1}\u{7f}",
        "🦀🦀🦀",
        &"\u{2019}".repeat(5_000),
        &"a".repeat(16 * 1024),
        &"a ".repeat(8 * 1024),
        &"'a'".repeat(5_000),
        &"ä".repeat(8 * 1024),
    ] {
        let classification = classify(prompt);
        let shares = [classification.confidence, classification.complexity];
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{prompt:.20}");
        assert!(classification.features.iter().all(|feature| feature.is_finite()), "{prompt:.20}");
    }
}

#[test]
fn abstains_without_a_prompt() {
    let answer = ContextClassifier::classify(Request::for_prompt(""), Vec::new());
    assert!(matches!(answer, Err(Refusal::Abstain(_))));
}

#[test]
fn an_unknown_fact_changes_nothing() {
    let mut request = Request::for_prompt("a red bicycle");
    request.facts = vec![Fact { name: "phase-of-the-moon-share".to_owned(), value: 0.5 }];
    assert_eq!(ContextClassifier::classify(request, Vec::new()), Ok(classify("a red bicycle")));
}

#[test]
fn every_cue_is_found_by_its_words() {
    let hash = |text: &str| text.bytes().fold(cues::EMPTY, hash_on);
    for text in ["oil painting", "logo", "35mm", "without", "beyond"] {
        assert!(cues::find(hash(text)).is_some(), "{text}");
    }
    for text in ["", "oil  painting", "bicycle"] {
        assert!(cues::find(hash(text)).is_none(), "{text}");
    }
}
