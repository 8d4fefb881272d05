//! A classifier: what kind of picture does a prompt ask for?
//!
//! This one looks for words that give a kind away. Routes, strategies and the audit log use its label: `artistic`,
//! `realistic`, `technical` and `general` are the ones that Muxel's own strategies know, and you may have your own.

use muxel_sdk::{Classification, Classifier, Describe, Manifest, Refusal, Request, Value, export};

/// Words that speak for a label. The first label whose words are seen most often wins.
const CUES: [(&str, &[&str]); 3] = [
    (
        "artistic",
        &[
            "watercolor",
            "painting",
            "surreal",
            "dreamlike",
            "style",
            "fantasy",
            "anime",
        ],
    ),
    (
        "realistic",
        &[
            "photo",
            "photograph",
            "portrait",
            "realistic",
            "cinematic",
            "35mm",
            "bokeh",
        ],
    ),
    (
        "technical",
        &[
            "logo",
            "diagram",
            "icon",
            "poster",
            "chart",
            "blueprint",
            "interface",
            "sign",
        ],
    ),
];
/// How sure it is of a label after one, two, and three or more cues.
const SURE: [f32; 3] = [0.6, 0.75, 0.9];
/// How sure it is of `general`, which is what it says when it has seen nothing.
const SURE_OF_NOTHING: f32 = 0.5;
/// As many words as make a prompt wholly complex.
const COMPLEX: f32 = 40.0;
/// Words that are looked at. A prompt may have 16 KiB, and a call has 1,000,000 fuel.
const MOST_WORDS: usize = 200;

struct Plugin;

impl Describe for Plugin {
    /// Called once, when a host takes the plugin in.
    fn describe() -> Manifest {
        let summary = "the kind of picture, from words that give it away";
        // Without `reads`, the prompt would arrive empty.
        Manifest::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), summary).reads("prompt")
    }
}

impl Classifier for Plugin {
    /// Called for each request, in a fresh sandbox: nothing is kept between two calls.
    fn classify(request: Request, _settings: Vec<Value>) -> Result<Classification, Refusal> {
        if request.prompt.is_empty() {
            // No opinion, which is no fault: the operator may withhold the prompt.
            return Err(Refusal::Abstain("there is no prompt to read".to_owned()));
        }
        let mut seen = [0_usize; CUES.len()];
        let mut words = 0;
        let all = request.prompt.split(|c: char| !c.is_alphanumeric());
        for word in all.filter(|word| !word.is_empty()).take(MOST_WORDS) {
            words += 1;
            for (count, (_, cues)) in seen.iter_mut().zip(&CUES) {
                *count += usize::from(cues.iter().any(|cue| cue.eq_ignore_ascii_case(word)));
            }
        }
        let mut label = ("general", SURE_OF_NOTHING);
        let mut most = 0;
        for (count, (name, _)) in seen.iter().zip(&CUES) {
            if *count > most {
                most = *count;
                label = (name, SURE[(most - 1).min(SURE.len() - 1)]);
            }
        }
        let mut classification = Classification::of(label.0).sure(label.1);
        classification.complexity = (words as f32 / COMPLEX).min(1.0);
        if request.prompt.contains('"') {
            // Words in quotation marks are to be written in the picture.
            classification = classification.seeing("text", 0.9);
        }
        Ok(classification)
    }
}

export!(Plugin: classifier);

#[cfg(test)]
mod tests {
    use muxel_sdk::testing;

    use super::*;

    fn classify(prompt: &str) -> Classification {
        Plugin::classify(Request::for_prompt(prompt), vec![]).expect("a classification")
    }

    #[test]
    fn words_give_the_kind_away() {
        assert_eq!(classify("a red bicycle").label, "general");
        assert_eq!(
            classify("Watercolor of a red bicycle, dreamlike").label,
            "artistic"
        );
        assert_eq!(classify("35mm photo of a red bicycle").label, "realistic");
        let sign = classify("a poster that says \"OPEN\"");
        assert_eq!(
            (sign.label.as_str(), sign.traits[0].name.as_str()),
            ("technical", "text")
        );
        assert!(classify("photo, portrait, bokeh").confidence > classify("photo").confidence);
    }

    #[test]
    fn without_a_prompt_it_has_no_opinion() {
        assert!(matches!(
            Plugin::classify(Request::for_prompt(""), vec![]),
            Err(Refusal::Abstain(_))
        ));
    }

    #[test]
    fn a_host_accepts_what_it_says_of_itself() {
        testing::assert_manifest(&Plugin::describe());
    }

    /// Five hundred requests as a host may send them, from a seed: the same ones each time.
    #[test]
    fn a_host_accepts_every_classification() {
        testing::each(500, |samples| {
            match Plugin::classify(samples.request(), vec![]) {
                Ok(classification) => testing::assert_classification(&classification),
                Err(refusal) => assert!(matches!(refusal, Refusal::Abstain(_))),
            }
        });
    }
}
