//! For a plugin's own tests: random inputs, and the host's rules to hold an answer against.
//!
//! A host rejects an answer that breaks the contract, and goes on without the plugin. Here an author meets the same rules
//! in a native test, with a backtrace and a seed that brings the case back:
//!
//! ```
//! use muxel_sdk::{Ranking, testing};
//!
//! testing::each(100, |samples| {
//!     let candidates = samples.candidates();
//!     let by_place = |a: usize, b: usize| a.cmp(&b);
//!     let ranking = Ranking::sorted(candidates.len(), by_place, |_| 0.0, |_| "first come".to_owned());
//!     testing::assert_ranking(&ranking, &candidates);
//! });
//! ```
//!
//! It exists on every target but wasm32, so no plugin carries it.

mod rules;
mod samples;

use std::fmt::Display;

pub use samples::Samples;

use crate::{Candidate, Classification, Estimate, Manifest, Offer, Ranking, SettingKind};

/// Most bytes of memory that `learn` may return.
pub const MEMORY: usize = 16 * 1024;
/// Brings one case back: the seed that a failed test printed.
const SEED: &str = "MUXEL_SEED";
const SETTINGS: usize = 64;
const TEXT: usize = 4_096;
const READS: [&str; 8] = ["prompt", "tenant", "session", "seed", "sequence", "now-ms", "budget-left", "facts"];

/// Runs `test` on `cases` different inputs, the same ones every time. When it panics, the seed of that case is printed;
/// with `MUXEL_SEED` set to it, that case alone runs.
pub fn each(cases: u64, test: impl Fn(&mut Samples)) {
    let only = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(0..cases, |seed| seed..seed.saturating_add(1));
    for seed in seeds {
        let told = Told(seed);
        test(&mut Samples::from_seed(seed));
        std::mem::forget(told);
    }
}

/// Dropped only while the test of this seed panics.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        #[allow(clippy::print_stderr, reason = "tests talk to their author")]
        {
            eprintln!("this case alone: {SEED}={} cargo test", self.0);
        }
    }
}

/// # Panics
///
/// When the host would reject this ranking of `candidates`.
#[track_caller]
pub fn assert_ranking(ranking: &Ranking, candidates: &[Candidate]) {
    accepted("ranking", check_ranking(ranking, candidates));
}

/// # Panics
///
/// When the host would reject this classification.
#[track_caller]
pub fn assert_classification(classification: &Classification) {
    accepted("classification", check_classification(classification));
}

/// # Panics
///
/// When the host would reject these estimates for `offers`.
#[track_caller]
pub fn assert_estimates(estimates: &[Option<Estimate>], offers: &[Offer]) {
    accepted("list of estimates", check_estimates(estimates, offers));
}

/// # Panics
///
/// When the host would reject what `learn` returned.
#[track_caller]
pub fn assert_memory(memory: &[u8]) {
    accepted("memory", check_memory(memory));
}

/// # Panics
///
/// When the host would refuse a plugin that describes itself like this.
#[track_caller]
pub fn assert_manifest(manifest: &Manifest) {
    accepted("manifest", check_manifest(manifest));
}

#[track_caller]
fn accepted(what: &str, checked: Result<(), impl Display>) {
    if let Err(problem) = checked {
        panic!("the host rejects this {what}: {problem}");
    }
}

/// # Errors
///
/// Why the host would reject this ranking of `candidates`.
pub fn check_ranking(ranking: &Ranking, candidates: &[Candidate]) -> Result<(), String> {
    rules::ranking(ranking, candidates.len())
}

/// # Errors
///
/// Why the host would reject this classification.
pub fn check_classification(classification: &Classification) -> Result<(), String> {
    rules::classification(classification)
}

/// # Errors
///
/// Why the host would reject these estimates for `offers`.
pub fn check_estimates(estimates: &[Option<Estimate>], offers: &[Offer]) -> Result<(), String> {
    rules::estimates(estimates, offers.len())
}

/// # Errors
///
/// Why the host would reject this memory.
pub fn check_memory(memory: &[u8]) -> Result<(), String> {
    if memory.len() <= MEMORY { Ok(()) } else { Err(format!("{} bytes, at most {MEMORY} are allowed", memory.len())) }
}

/// # Errors
///
/// Why the host would refuse a plugin that describes itself like this.
pub fn check_manifest(manifest: &Manifest) -> Result<(), String> {
    if manifest.settings.len() > SETTINGS {
        return Err(format!("{} settings, at most {SETTINGS} are allowed", manifest.settings.len()));
    }
    if let Some(unknown) = manifest.reads.iter().find(|name| !READS.contains(&name.as_str())) {
        return Err(format!("`reads` names `{unknown}`, which is no field; these are: {}", READS.join(", ")));
    }
    for (index, setting) in manifest.settings.iter().enumerate() {
        let name = &setting.name;
        if manifest.settings[..index].iter().any(|other| other.name == *name) {
            return Err(format!("setting `{name}` comes twice"));
        }
        let sound = match &setting.kind {
            SettingKind::Number(range) => {
                let ordered = range.min <= range.default && range.default <= range.max;
                ordered && range.min.is_finite() && range.max.is_finite()
            }
            SettingKind::Flag(_) => true,
            SettingKind::Choice(choice) => (choice.default as usize) < choice.options.len(),
            SettingKind::Text(text) => text.len() <= TEXT,
        };
        if !sound {
            return Err(format!("the default of setting `{name}` is not one of the values it allows"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Quality, Ranked, Value};

    fn ranking(places: &[(u32, f32)]) -> Ranking {
        let order = places.iter().map(|(candidate, score)| Ranked { candidate: *candidate, score: *score }).collect();
        Ranking { order, parts: vec![], reason: String::new(), propensity: 1.0 }
    }

    #[test]
    fn broken_answers_are_found() {
        let candidates = [Candidate::new("a/b"), Candidate::new("a/c")];
        assert_ranking(&ranking(&[(1, 0.5), (0, 0.5)]), &candidates);
        for broken in [&[][..], &[(2, 0.0)], &[(0, 0.0), (0, 0.0)], &[(0, f32::NAN)], &[(0, 0.1), (1, 0.2)]] {
            assert!(check_ranking(&ranking(broken), &candidates).is_err(), "{broken:?}");
        }
        assert!(check_estimates(&[None], &[]).is_err());
        assert!(check_classification(&Classification::of("two words")).is_err());
        assert!(check_memory(&[0; MEMORY + 1]).is_err());
    }

    #[test]
    fn broken_manifests_are_found() {
        let manifest = || Manifest::new("mine", "0.1.0", "a test");
        assert_manifest(&manifest().number("floor", "", "share", 0.5, 0.0, 1.0).reads("prompt"));
        for broken in [
            manifest().reads("promt"),
            manifest().number("floor", "", "share", 2.0, 0.0, 1.0),
            manifest().number("floor", "", "share", f64::NAN, 0.0, 1.0),
            manifest().choice("which", "", &[]),
            manifest().text("names", "", &"x".repeat(4_097)),
            manifest().flag("twice", "", true).flag("twice", "", false),
            (0..65).fold(manifest(), |manifest, number| manifest.flag(&format!("flag-{number}"), "", true)),
        ] {
            assert!(check_manifest(&broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    #[should_panic(expected = "the host rejects this ranking: candidate 7 of 1")]
    fn an_assertion_says_what_the_host_says() {
        assert_ranking(&ranking(&[(7, 0.0)]), &[Candidate::new("a/b")]);
    }

    #[test]
    fn samples_are_what_a_host_may_send() {
        let manifest = Manifest::new("mine", "0.1.0", "a test")
            .number("floor", "", "share", 0.5, 0.0, 1.0)
            .choice("which", "", &["a", "b"])
            .flag("on", "", true)
            .text("names", "", "a, b");
        let unit = |share: f32| (0.0..=1.0).contains(&share);
        each(300, |samples| {
            let candidates = samples.candidates();
            assert!((1..=100).contains(&candidates.len()));
            for candidate in &candidates {
                assert!(candidate.cost.is_none_or(|cost| cost.expected <= cost.upper));
                let sound = |quality: Quality| unit(quality.mean) && quality.deviation.is_finite();
                assert!(candidate.quality.is_none_or(sound) && unit(candidate.success));
            }
            let columns = samples.columns(candidates.len());
            assert!(columns.iter().all(|column| column.values.len() == candidates.len()));
            assert_classification(&samples.classification());
            let outcomes = samples.outcomes(20);
            assert!(outcomes.windows(2).all(|two| two[0].sequence < two[1].sequence));
            let request = samples.request();
            assert!(request.prompt.len() <= 16 * 1024 && (1..=10).contains(&request.count));
            assert_eq!(request.width == 0, request.height == 0);
            let settings = samples.settings(&manifest);
            assert_eq!(settings.len(), 4);
            assert!((0.0..=1.0).contains(&settings[0].number_or(9.0)) && settings[1].as_choice() < 2);
            assert!(matches!(settings[2], Value::Flag(_)));
        });
    }

    #[test]
    fn equal_seeds_give_equal_samples() {
        let made = |seed| {
            let mut samples = Samples::from_seed(seed);
            (samples.request(), samples.candidates(), samples.offers())
        };
        assert_eq!(made(7), made(7));
        assert_ne!(made(7), made(8));
    }
}
