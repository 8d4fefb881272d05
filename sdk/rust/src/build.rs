//! Constructors that save a plugin, and its tests, from spelling out every field.

use std::cmp::Ordering;

use crate::{
    Candidate, Classification, Column, Delivery, Estimate, Fact, Latency, MicroUsd, Observation, Offer, Outcome,
    Priority, Quality, Ranked, Ranking, Request, Tariff, Trait,
};

impl Request {
    /// The fact of this name, when the host sent it.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<f64> {
        self.facts.iter().find(|fact| fact.name == name).map(|fact| fact.value)
    }

    /// With one more fact.
    #[must_use]
    pub fn with_fact(mut self, name: &str, value: f64) -> Self {
        self.facts.push(Fact { name: name.to_owned(), value });
        self
    }

    /// For pictures of this size.
    #[must_use]
    pub fn of_size(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    /// For so many pictures.
    #[must_use]
    pub fn wanting(mut self, count: u32) -> Self {
        self.count = count;
        self
    }

    /// Wanted this soon.
    #[must_use]
    pub fn as_soon_as(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// A request for one 1024x1024 image of `prompt`, as tests want it.
    #[must_use]
    pub fn for_prompt(prompt: &str) -> Self {
        Self {
            operation: "image.generate".to_owned(),
            prompt: prompt.to_owned(),
            prompt_chars: prompt.chars().count() as u32,
            tenant: String::new(),
            width: 1024,
            height: 1024,
            duration_ms: 0,
            count: 1,
            quality: 0,
            priority: Priority::Normal,
            input_images: 0,
            input_bytes: 0,
            mask: false,
            transparent: false,
            streaming: false,
            max_cost: None,
            max_latency_ms: None,
            min_quality: None,
            budget_left: None,
            now_ms: 0,
            seed: 0,
            sequence: 0,
            session: 0,
            facts: Vec::new(),
        }
    }
}

impl Classification {
    /// `label` with certainty, middling complexity and no traits.
    #[must_use]
    pub fn of(label: &str) -> Self {
        Self { label: label.to_owned(), confidence: 1.0, complexity: 0.5, traits: Vec::new(), features: Vec::new() }
    }

    /// With this confidence in the label.
    #[must_use]
    pub fn sure(mut self, confidence: f32) -> Self {
        self.confidence = confidence;
        self
    }

    /// With one more trait.
    #[must_use]
    pub fn seeing(mut self, name: &str, confidence: f32) -> Self {
        self.traits.push(Trait { name: name.to_owned(), confidence });
        self
    }
}

impl Column {
    /// A column of `name`, with one value per candidate or offer.
    #[must_use]
    pub fn new(name: &str, values: Vec<Option<f64>>) -> Self {
        Self { name: name.to_owned(), values }
    }

    /// The column of this name, when the host sent it.
    #[must_use]
    pub fn find<'a>(columns: &'a [Self], name: &str) -> Option<&'a Self> {
        columns.iter().find(|column| column.name == name)
    }

    /// The value for one candidate or offer; `None` when it is unknown.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<f64> {
        self.values.get(index).copied().flatten()
    }
}

impl Tariff {
    /// A tariff that charges nothing yet: start here and set the parts that apply.
    #[must_use]
    pub fn free() -> Self {
        Self {
            known: true,
            per_request: 0,
            per_output: 0,
            per_megapixel: 0,
            megapixel_step: 0.0,
            per_second: 0,
            per_input: 0,
            text_in: 0,
            image_in: 0,
            tokens_out: 0,
            expected_tokens_out: 0,
            expected_image_in: 0,
        }
    }

    /// A tariff that is not known.
    #[must_use]
    pub fn unknown() -> Self {
        Self { known: false, ..Self::free() }
    }
}

impl Offer {
    /// An offer of `model` at `tariff`.
    #[must_use]
    pub fn new(model: &str, tariff: Tariff) -> Self {
        Self { model: model.to_owned(), tariff }
    }
}

impl Quality {
    /// The mean less so many standard deviations, from 0 to 1: what one may count on.
    #[must_use]
    pub fn lower_bound(&self, deviations: f32) -> f32 {
        (self.mean - deviations * self.deviation).clamp(0.0, 1.0)
    }
}

impl Candidate {
    /// A candidate about which nothing is known yet.
    #[must_use]
    pub fn new(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            cost: None,
            quality: None,
            latency: None,
            samples: 0,
            success: 1.0,
            in_flight: 0,
            max_in_flight: 0,
            half_open: false,
            weight: 1.0,
        }
    }

    /// With this expected and upper price, in micro-dollars.
    #[must_use]
    pub fn costing(mut self, expected: u32, upper: u32) -> Self {
        self.cost = Some(Estimate { expected, upper });
        self
    }

    /// With this expected quality and its standard deviation.
    #[must_use]
    pub fn good(mut self, mean: f32, deviation: f32) -> Self {
        self.quality = Some(Quality { mean, deviation });
        self
    }

    /// With these latencies in milliseconds.
    #[must_use]
    pub fn taking(mut self, p50_ms: u32, p95_ms: u32) -> Self {
        self.latency = Some(Latency { p50_ms, p95_ms });
        self
    }

    /// With this share of so many recent attempts delivered.
    #[must_use]
    pub fn delivering(mut self, success: f32, samples: u32) -> Self {
        self.success = success;
        self.samples = samples;
        self
    }

    /// With so many attempts under way of those its provider allows at once.
    #[must_use]
    pub fn busy(mut self, in_flight: u32, max_in_flight: u32) -> Self {
        (self.in_flight, self.max_in_flight) = (in_flight, max_in_flight);
        self
    }

    /// With this weight, given by the operator.
    #[must_use]
    pub fn weighing(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// With a breaker that is half open.
    #[must_use]
    pub fn half_open(mut self) -> Self {
        self.half_open = true;
        self
    }
}

impl Outcome {
    /// What was observed of `model`: a first choice for a `general` request, where nothing was left to chance.
    #[must_use]
    pub fn of(sequence: u64, model: &str, observed: Observation) -> Self {
        Self {
            sequence,
            at_ms: 0,
            operation: "image.generate".to_owned(),
            label: "general".to_owned(),
            features: Vec::new(),
            quality: 0,
            model: model.to_owned(),
            place: 0,
            propensity: 1.0,
            observed,
        }
    }

    /// `model` delivered, in this time and at this price.
    #[must_use]
    pub fn delivered(sequence: u64, model: &str, latency_ms: u32, cost: MicroUsd) -> Self {
        Self::of(sequence, model, Observation::Delivered(Delivery { latency_ms, cost }))
    }

    /// `model` failed in this way, such as `transient`.
    #[must_use]
    pub fn failed(sequence: u64, model: &str, kind: &str) -> Self {
        Self::of(sequence, model, Observation::Failed(kind.to_owned()))
    }

    /// Somebody gave the picture of `model` this mark, from 0 to 1.
    #[must_use]
    pub fn rated(sequence: u64, model: &str, mark: f32) -> Self {
        Self::of(sequence, model, Observation::Rated(mark))
    }

    /// For a request of this kind.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        self.label = label.to_owned();
        self
    }

    /// At this place in the ranking, which had this chance to be made.
    #[must_use]
    pub fn ranked(mut self, place: u32, propensity: f32) -> Self {
        (self.place, self.propensity) = (place, propensity);
        self
    }
}

impl Ranking {
    /// All of `count` candidates in the order of `compare`, equal ones in the order they were offered. `score` of one
    /// must not be above that of another which comes before it.
    #[must_use]
    pub fn sorted(
        count: usize,
        compare: impl Fn(usize, usize) -> Ordering,
        score: impl Fn(usize) -> f32,
        reason: impl FnOnce(usize) -> String,
    ) -> Self {
        // A hundred candidates at most: binary insertion is as quick as the standard sorts and a tenth of their code.
        let mut order: Vec<Ranked> = Vec::with_capacity(count);
        for index in 0..count {
            let at = order.partition_point(|placed| compare(placed.candidate as usize, index).is_le());
            order.insert(at, Ranked { candidate: index as u32, score: score(index) });
        }
        let reason = order.first().map_or_else(String::new, |first| reason(first.candidate as usize));
        Self { order, parts: Vec::new(), reason, propensity: 1.0 }
    }
}
