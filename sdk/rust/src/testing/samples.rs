//! Random inputs as a host may send them: mostly ordinary, now and then at an edge of what the contract allows.
//!
//! No library for it: a plugin's tests should build in seconds, and from the same seed give the same inputs for ever.

use crate::{
    Candidate, Classification, Column, Delivery, Estimate, Fact, Manifest, Observation, Offer, Outcome, Priority,
    Request, SettingKind, Tariff, Value,
};

const MODELS: [&str; 8] = [
    "openai/gpt-image-2.6-flare",
    "google/gemini-nano-banana-2.1",
    "bfl/flux-2-pro",
    "xai/grok-imagine-image",
    "recraft/recraftv4_1_flash",
    "ideogram/ideogram-4",
    "lab/sdxl-tuned",
    "a/b",
];
const TIERS: [&str; 4] = ["", "@low", "@medium", "@high"];
const LABELS: [&str; 5] = ["artistic", "realistic", "technical", "general", "acme.storyboard"];
const TRAITS: [&str; 8] = ["text", "negation", "quantity", "people", "transparency", "photo", "style", "layout"];
const WORDS: [&str; 16] = [
    "a",
    "red",
    "bicycle",
    "logo",
    "photo",
    "of",
    "two",
    "foxes",
    "\"OPEN\"",
    "no",
    "people",
    "watercolor",
    "ünïcödé",
    "数字",
    "🦊",
    "without",
];

/// A source of random inputs.
#[derive(Clone, Debug)]
pub struct Samples {
    state: u64,
}

impl Samples {
    /// Equal seeds give equal inputs.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number under `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits().checked_rem(end).unwrap_or(0)
    }

    /// True in `share` of all cases.
    pub fn chance(&mut self, share: f32) -> bool {
        self.share() < share
    }

    /// A number from 0 to 1, at times exactly one of them.
    pub fn share(&mut self) -> f32 {
        match self.below(40) {
            0 => 0.0,
            1 => 1.0,
            _ => (self.bits() >> 40) as f32 / (1 << 24) as f32,
        }
    }

    /// One of `choices`, which must not be empty.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn maybe<T>(&mut self, share: f32, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chance(share) { Some(make(self)) } else { None }
    }

    /// A request. Fields that a plugin has to ask for are there in some cases and empty in others.
    pub fn request(&mut self) -> Request {
        let prompt = self.prompt();
        let prompt_chars = prompt.chars().count() as u32;
        let side = [512, 768, 1024, 1536, 2048, 3840];
        let sized = self.chance(0.8);
        let (width, height) = if sized { (self.one_of(&side), self.one_of(&side)) } else { (0, 0) };
        let priorities = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
        let granted = self.chance(0.7);
        Request {
            prompt: if granted { prompt } else { String::new() },
            prompt_chars,
            tenant: if granted { "studio".to_owned() } else { String::new() },
            width,
            height,
            count: if self.chance(0.7) { 1 } else { 1 + self.below(10) as u32 },
            quality: self.one_of(&[0, 0, 0, 20, 40, 60, 80, 100]),
            priority: self.one_of(&priorities),
            transparent: self.chance(0.1),
            max_cost: self.maybe(0.3, |samples| samples.below(500_000) as u32),
            max_latency_ms: self.maybe(0.3, |samples| samples.below(120_000) as u32),
            min_quality: self.maybe(0.2, Self::share),
            budget_left: self.maybe(0.2, |samples| samples.below(u64::from(u32::MAX)) as u32),
            now_ms: if granted { 1_700_000_000_000 + self.below(1 << 38) } else { 0 },
            seed: if granted { self.bits() } else { 0 },
            sequence: if granted { self.below(1_000_000) } else { 0 },
            session: if granted { self.bits() } else { 0 },
            facts: self.facts(),
            ..Request::for_prompt("")
        }
    }

    fn facts(&mut self) -> Vec<Fact> {
        let mut facts = Vec::new();
        if self.chance(0.2) {
            facts.push(Fact { name: "prompt-cut".to_owned(), value: 1.0 });
        }
        if self.chance(0.2) {
            facts.push(Fact { name: "acme.mood-share".to_owned(), value: f64::from(self.share()) });
        }
        facts
    }

    /// A prompt of a few words; at times empty, at times as long as a plugin may get.
    pub fn prompt(&mut self) -> String {
        let words = match self.below(30) {
            0 => return String::new(),
            1 => 4_000,
            _ => 1 + self.below(30),
        };
        let mut prompt = String::new();
        for _ in 0..words {
            let word = self.one_of(&WORDS);
            if prompt.len() + word.len() + 1 > 16 * 1024 {
                break;
            }
            prompt.push_str(word);
            prompt.push(' ');
        }
        prompt
    }

    /// A classification as a strategy gets it; at times the one that means no classifier answered.
    pub fn classification(&mut self) -> Classification {
        if self.chance(0.1) {
            return Classification::of("general").sure(0.0);
        }
        let mut classification = Classification::of(self.one_of(&LABELS)).sure(self.share());
        classification.complexity = self.share();
        for name in TRAITS {
            if self.chance(0.2) {
                classification = classification.seeing(name, self.share());
            }
        }
        let features = self.below(20);
        classification.features = (0..features).map(|_| self.share()).collect();
        classification
    }

    /// 1 to 100 candidates: known ones, half-known ones and unknown ones, some of them equal in every respect.
    pub fn candidates(&mut self) -> Vec<Candidate> {
        let count = match self.below(20) {
            0 => 100,
            1..4 => 1,
            _ => 2 + self.below(40),
        };
        let mut candidates: Vec<Candidate> = Vec::new();
        for index in 0..count {
            let twin = candidates.last().cloned().filter(|_| self.chance(0.1));
            let mut candidate = twin.unwrap_or_else(|| self.candidate());
            candidate.model = self.model(index);
            candidates.push(candidate);
        }
        candidates
    }

    fn candidate(&mut self) -> Candidate {
        let mut candidate = Candidate::new("");
        candidate.cost = self.maybe(0.85, Self::estimate);
        if self.chance(0.85) {
            candidate = candidate.good(self.share(), self.share() / 4.0);
        }
        if self.chance(0.85) {
            let p50_ms = self.below(60_000) as u32;
            candidate = candidate.taking(p50_ms, p50_ms + self.below(60_000) as u32);
        }
        if self.chance(0.5) {
            candidate = candidate.delivering(self.share(), 1 + self.below(1_000) as u32);
        }
        if self.chance(0.4) {
            candidate = candidate.busy(self.below(20) as u32, self.below(20) as u32);
        }
        if self.chance(0.1) {
            candidate = candidate.half_open();
        }
        if self.chance(0.2) {
            candidate = candidate.weighing(self.share() * 2.0);
        }
        candidate
    }

    /// No two places have the same name.
    fn model(&mut self, place: u64) -> String {
        format!("{}-{place}{}", self.one_of(&MODELS), self.one_of(&TIERS))
    }

    fn estimate(&mut self) -> Estimate {
        let expected = match self.below(30) {
            0 => 0,
            1 => u32::MAX,
            _ => self.below(300_000) as u32,
        };
        Estimate { expected, upper: expected.saturating_add(self.below(100_000) as u32) }
    }

    /// Columns for a list of this length, of names that Muxel and operators use.
    pub fn columns(&mut self, length: usize) -> Vec<Column> {
        let mut columns = Vec::new();
        for name in ["tag-eu", "listed-size", "acme.mood-share"] {
            if self.chance(0.3) {
                let values = (0..length).map(|_| self.maybe(0.9, |samples| f64::from(samples.below(2) as u32)));
                columns.push(Column::new(name, values.collect()));
            }
        }
        columns
    }

    /// 1 to 100 offers, billed in every way there is; some have no known price.
    pub fn offers(&mut self) -> Vec<Offer> {
        let count = if self.chance(0.05) { 100 } else { 1 + self.below(40) };
        (0..count).map(|place| Offer { model: self.model(place), tariff: self.tariff() }).collect()
    }

    fn tariff(&mut self) -> Tariff {
        match self.below(5) {
            0 => Tariff::unknown(),
            1 => Tariff {
                text_in: self.below(10_000_000) as u32,
                tokens_out: self.below(60_000_000) as u32,
                expected_tokens_out: self.below(20_000) as u32,
                ..Tariff::free()
            },
            2 => Tariff {
                per_megapixel: self.below(100_000) as u32,
                megapixel_step: self.one_of(&[0.0, 0.01, 1.0]),
                ..Tariff::free()
            },
            3 => Tariff { per_request: self.below(10_000) as u32, per_output: u32::MAX, ..Tariff::free() },
            _ => Tariff { per_output: self.below(300_000) as u32, ..Tariff::free() },
        }
    }

    /// So many outcomes in the ledger's order.
    pub fn outcomes(&mut self, count: usize) -> Vec<Outcome> {
        let mut sequence = self.below(1_000);
        let mut outcomes = Vec::with_capacity(count);
        for _ in 0..count {
            sequence += 1 + self.below(3);
            let model = format!("{}{}", self.one_of(&MODELS), self.one_of(&TIERS));
            let observed = self.observation();
            let mut outcome = Outcome::of(sequence, &model, observed).labelled(self.one_of(&LABELS));
            outcome.at_ms = 1_700_000_000_000 + sequence;
            outcome = outcome.ranked(self.below(5) as u32, self.share());
            outcomes.push(outcome);
        }
        outcomes
    }

    fn observation(&mut self) -> Observation {
        match self.below(6) {
            0 => Observation::Refused,
            1 => Observation::Failed(self.one_of(&["transient", "capability", "deadline", "novel"]).to_owned()),
            2 => Observation::Rated(self.share()),
            3 => Observation::PreferredOver(self.one_of(&MODELS).to_owned()),
            _ => Observation::Delivered(Delivery {
                latency_ms: self.below(60_000) as u32,
                cost: self.below(300_000) as u32,
            }),
        }
    }

    /// One value for each of the manifest's settings, within its range; often the default.
    pub fn settings(&mut self, manifest: &Manifest) -> Vec<Value> {
        let mut values = manifest.defaults();
        for (value, setting) in values.iter_mut().zip(&manifest.settings) {
            if self.chance(0.5) {
                continue;
            }
            match &setting.kind {
                SettingKind::Number(range) => {
                    let number = range.min + (range.max - range.min) * f64::from(self.share());
                    *value = Value::Number(number.clamp(range.min, range.max));
                }
                SettingKind::Flag(_) => *value = Value::Flag(self.chance(0.5)),
                SettingKind::Choice(choice) => *value = Value::Choice(self.below(choice.options.len() as u64) as u32),
                SettingKind::Text(_) => *value = Value::Text(self.prompt().chars().take(1_000).collect()),
            }
        }
        values
    }
}
