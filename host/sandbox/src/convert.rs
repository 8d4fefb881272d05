//! Between the contract's types and the domain's. The only file that knows both.

use domain::{
    catalogue::{Latency, Prior},
    learning::{Observation, Outcome},
    money::MicroUsd,
    plugin::{Classification, Conditions, Contender, Offer, Part, Ranked, Ranking, Setting, Trait},
    price::Estimate,
    request::Priority,
};

use crate::{bindings::muxel::plugin::types as wit, plugin::Subject};

/// Which fields of the request a plugin is given. What is not named, or withheld, arrives empty, 0 or `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reads(u16);

impl Reads {
    const PROMPT: u16 = Conditions::READS_PROMPT;
    const TENANT: u16 = Conditions::READS_TENANT;
    const SESSION: u16 = Conditions::READS_SESSION;
    const SEED: u16 = Conditions::READS_SEED;
    const SEQUENCE: u16 = Conditions::READS_SEQUENCE;
    const NOW: u16 = Conditions::READS_NOW;
    const FACTS: u16 = Conditions::READS_FACTS;
    const BUDGET: u16 = Conditions::READS_BUDGET;

    /// The contract's names.
    const NAMES: [(&'static str, u16); 8] = [
        ("prompt", Self::PROMPT),
        ("tenant", Self::TENANT),
        ("session", Self::SESSION),
        ("seed", Self::SEED),
        ("sequence", Self::SEQUENCE),
        ("now-ms", Self::NOW),
        ("facts", Self::FACTS),
        ("budget-left", Self::BUDGET),
    ];

    /// # Errors
    ///
    /// A name that the contract does not have.
    pub(crate) fn parse(names: &[String]) -> Result<Self, &str> {
        let bit = |name: &str| Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, bit)| *bit);
        names.iter().try_fold(Self::default(), |reads, name| Ok(Self(reads.0 | bit(name).ok_or(name.as_str())?)))
    }

    /// What both allow.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn of_bits(bits: u16) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    pub(crate) fn names(self) -> Vec<&'static str> {
        Self::NAMES.iter().filter(|(_, bit)| self.0 & bit != 0).map(|(name, _)| *name).collect()
    }

    fn has(self, bit: u16) -> bool {
        self.0 & bit != 0
    }

    pub(crate) fn now(self) -> bool {
        self.has(Self::NOW)
    }

    pub(crate) fn seed(self) -> bool {
        self.has(Self::SEED)
    }
}

const PROMPT_CUT: &[wit::Fact<'static>] = &[wit::Fact { name: "prompt-cut", value: 1.0 }];

/// A request as a plugin sees it.
pub(crate) fn request<'a>(subject: Subject<'a>, reads: Reads) -> wit::Request<'a> {
    let Subject { request, moment, prompt_chars, .. } = subject;
    let (prompt, cut) = if reads.has(Reads::PROMPT) { request.plugin_prompt() } else { ("", false) };
    let granted = |granted: bool, value: u64| if granted { value } else { 0 };
    wit::Request {
        operation: request.operation.word(),
        prompt,
        prompt_chars,
        tenant: request.tenant.as_deref().filter(|_| reads.has(Reads::TENANT)).unwrap_or_default(),
        width: request.size.map_or(0, |size| size.width()),
        height: request.size.map_or(0, |size| size.height()),
        duration_ms: 0,
        count: request.count,
        quality: request.quality.ladder(),
        priority: match request.priority {
            Priority::Low => wit::Priority::Low,
            Priority::Normal => wit::Priority::Normal,
            Priority::High => wit::Priority::High,
            Priority::Urgent => wit::Priority::Urgent,
        },
        input_images: request.inputs.images,
        input_bytes: u32::try_from(request.inputs.bytes).unwrap_or(u32::MAX),
        mask: request.inputs.mask,
        transparent: request.transparent,
        streaming: request.streaming,
        max_cost: request.caps.max_cost.map(MicroUsd::saturating_u32),
        max_latency_ms: request.caps.max_latency_ms,
        min_quality: request.caps.min_quality,
        budget_left: None,
        now_ms: granted(reads.now(), moment.now_ms),
        seed: granted(reads.seed(), moment.seed),
        sequence: granted(reads.has(Reads::SEQUENCE), moment.sequence),
        session: granted(reads.has(Reads::SESSION), moment.session),
        facts: if cut && reads.has(Reads::FACTS) { PROMPT_CUT } else { &[] },
    }
}

pub(crate) fn settings(settings: &[Setting]) -> Vec<wit::Value<'_>> {
    settings.iter().map(value).collect()
}

fn value(setting: &Setting) -> wit::Value<'_> {
    match setting {
        Setting::Number(number) => wit::Value::Number(*number),
        Setting::Flag(flag) => wit::Value::Flag(*flag),
        Setting::Choice(choice) => wit::Value::Choice(*choice),
        Setting::Text(text) => wit::Value::Text(text),
    }
}

pub(crate) fn offers(offers: &[Offer]) -> Vec<wit::Offer<'_>> {
    offers.iter().map(offer).collect()
}

fn offer(Offer { model, tariff }: &Offer) -> wit::Offer<'_> {
    wit::Offer {
        model: model.as_str(),
        tariff: wit::Tariff {
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
    }
}

/// Whether the asked size had a row of its own in each offer's table.
pub(crate) fn listed_size(offers: &[Offer]) -> Vec<Option<f64>> {
    offers.iter().map(|offer| Some(f64::from(u8::from(offer.tariff.listed_size)))).collect()
}

/// The columns cost models get. One that says nothing new, because every size is listed, is left out.
pub(crate) fn offer_columns(listed: &[Option<f64>]) -> Vec<wit::Column<'_>> {
    if listed.iter().all(|value| *value == Some(1.0)) {
        return Vec::new();
    }
    vec![wit::Column { name: "listed-size", values: listed }]
}

pub(crate) fn contenders(contenders: &[Contender]) -> Vec<wit::Candidate<'_>> {
    contenders.iter().map(candidate).collect()
}

fn candidate(contender: &Contender) -> wit::Candidate<'_> {
    let Contender { model, cost, quality, latency, live, max_in_flight, weight } = contender;
    wit::Candidate {
        model: model.as_str(),
        cost: cost.map(|cost: Estimate| wit::Estimate {
            expected: cost.expected.saturating_u32(),
            upper: cost.upper.saturating_u32(),
        }),
        quality: quality.map(|Prior { mean, deviation }| wit::Quality { mean, deviation }),
        latency: latency.map(|Latency { p50_ms, p95_ms }| wit::Latency { p50_ms, p95_ms }),
        samples: live.samples,
        success: live.success,
        in_flight: live.in_flight,
        max_in_flight: *max_in_flight,
        half_open: live.half_open,
        weight: *weight,
    }
}

pub(crate) fn tag_values(tags: &[(String, Vec<bool>)]) -> Vec<Vec<Option<f64>>> {
    let value = |tagged: &bool| Some(f64::from(u8::from(*tagged)));
    tags.iter().map(|(_, tagged)| tagged.iter().map(value).collect()).collect()
}

pub(crate) fn tag_columns<'a>(tags: &'a [(String, Vec<bool>)], values: &'a [Vec<Option<f64>>]) -> Vec<wit::Column<'a>> {
    tags.iter().zip(values).map(|((name, _), values)| wit::Column { name, values }).collect()
}

pub(crate) fn classification_view(classification: &Classification) -> wit::Classification {
    let seen = |seen: &Trait| wit::Trait { name: seen.name.clone(), confidence: seen.confidence };
    wit::Classification {
        label: classification.label.clone(),
        confidence: classification.confidence,
        complexity: classification.complexity,
        traits: classification.traits.iter().map(seen).collect(),
        features: classification.features.clone(),
    }
}

pub(crate) fn classification(answer: wit::Classification) -> Classification {
    let seen = |seen: wit::Trait| Trait { name: seen.name, confidence: seen.confidence };
    Classification {
        label: answer.label,
        confidence: answer.confidence,
        complexity: answer.complexity,
        traits: answer.traits.into_iter().map(seen).collect(),
        features: answer.features,
    }
}

pub(crate) fn outcomes(outcomes: &[Outcome]) -> Vec<wit::Outcome<'_>> {
    outcomes.iter().map(outcome).collect()
}

fn outcome(outcome: &Outcome) -> wit::Outcome<'_> {
    wit::Outcome {
        sequence: outcome.sequence,
        at_ms: outcome.at_ms,
        operation: outcome.operation.word(),
        label: &outcome.classification.label,
        features: &outcome.classification.features,
        quality: outcome.quality,
        model: outcome.model.as_str(),
        place: outcome.place,
        propensity: outcome.propensity,
        observed: match &outcome.observed {
            Observation::Delivered { latency_ms, cost } => {
                wit::Observation::Delivered(wit::Delivery { latency_ms: *latency_ms, cost: cost.saturating_u32() })
            }
            Observation::Refused => wit::Observation::Refused,
            Observation::Failed(kind) => wit::Observation::Failed(kind),
            Observation::Rated(rating) => wit::Observation::Rated(*rating),
            Observation::PreferredOver(other) => wit::Observation::PreferredOver(other.as_str()),
        },
    }
}

pub(crate) fn estimate(answer: Option<wit::Estimate>) -> Option<Estimate> {
    answer.map(|answer| Estimate {
        expected: MicroUsd(u64::from(answer.expected)),
        upper: MicroUsd(u64::from(answer.upper)),
    })
}

pub(crate) fn ranking(answer: wit::Ranking) -> Ranking {
    let place = |place: wit::Ranked| Ranked { candidate: place.candidate, score: place.score };
    let part = |part: wit::Part| Part { name: part.name, values: part.values };
    Ranking {
        order: answer.order.into_iter().map(place).collect(),
        parts: answer.parts.into_iter().map(part).collect(),
        reason: crate::fault::bounded(&answer.reason),
        propensity: answer.propensity,
    }
}
