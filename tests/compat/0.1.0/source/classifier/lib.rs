//! A classifier of contract 0.1.0: has a setting of each kind, reads every field, and answers with every field.

use muxel_sdk::{Classification, Classifier, Describe, Manifest, Refusal, Request, Trait, Value, export};

struct Compat;

impl Describe for Compat {
    fn describe() -> Manifest {
        let manifest = Manifest::new("compat-classifier", "0.1.0", "a classifier of contract 0.1.0")
            .number("confidence", "what it answers", "share", 0.75, 0.0, 1.0)
            .flag("traits", "whether it names traits", true)
            .choice("label", "what it answers", &["technical", "artistic"])
            .text("trait", "the trait it names", "layout");
        ["prompt", "tenant", "session", "seed", "sequence", "now-ms", "budget-left", "facts"]
            .into_iter()
            .fold(manifest, Manifest::reads)
    }
}

impl Classifier for Compat {
    fn classify(request: Request, settings: Vec<Value>) -> Result<Classification, Refusal> {
        if request.prompt.contains("abstain") {
            return Err(Refusal::Abstain("asked to".to_owned()));
        }
        let label = match settings[2] {
            Value::Choice(1) => "artistic",
            _ => "technical",
        };
        let traits = match settings[1] {
            Value::Flag(true) => vec![Trait { name: settings[3].as_text().to_owned(), confidence: 0.5 }],
            _ => vec![],
        };
        Ok(Classification {
            label: label.to_owned(),
            confidence: settings[0].number_or(0.0) as f32,
            complexity: if request.prompt.is_empty() { 0.0 } else { 0.25 },
            traits,
            features: vec![request.prompt_chars as f32, request.count as f32],
        })
    }
}

export!(Compat: classifier);
