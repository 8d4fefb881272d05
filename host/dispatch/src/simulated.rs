//! Simulated providers: what a provider would do, without one.
//!
//! They serve the quick start, demos, tests and chaos runs. What happens is a pure function of the request, the
//! candidate, a seed and the time since the start; only the waiting and the drawing happen elsewhere. Errors are made in
//! OpenAI's shape and go through the same decoding as real ones.

use std::time::Duration;

use domain::{candidate::Candidate, catalogue::Latency, credits::Credits, price::Tariff, request::Request};

mod answer;
mod blank;
mod draw;
mod scene;

use crate::{dialect::Usage, random::SplitMix};

pub(crate) use blank::blank;
pub use draw::draw;

/// Latency of a model whose catalogue row names none.
const USUAL_LATENCY_MS: u32 = 10_000;
/// Spread of the latencies of a model whose row names none.
const USUAL_SIGMA: f64 = 0.35;
/// The longest a simulated answer takes.
const MAX_LATENCY: Duration = Duration::from_secs(3_600);
/// Largest picture that is drawn, in pixels.
const MAX_PIXELS: u64 = 36_000_000;
/// Characters of the prompt in the picture's label.
const CAPTION_CHARS: usize = 200;

/// The 95th percentile of the normal distribution: what makes a spread of a p50 and a p95.
const Z95: f64 = 1.644_853_626_951_472_2;

/// How a simulated provider behaves. Rates are shares of calls, 0 to 1; together they are at most 1.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationSettings {
    /// On the catalogue's latencies.
    pub latency_scale: f64,
    /// Spread of the lognormal latencies. `None` follows each candidate's own p50 and p95.
    pub sigma: Option<f64>,
    pub error_rate: f64,
    /// Calls that never answer.
    pub hang_rate: f64,
    pub refusal_rate: f64,
    pub rate_limited_rate: f64,
    pub outages: Vec<Outage>,
    /// Answers with one white pixel instead of drawing: for whoever only counts.
    pub blank: bool,
}

/// A bad time, by time since the start. Several may overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    pub from: Duration,
    pub duration: Duration,
    /// Share of calls that end as `kind` says, whatever the rates make of the others.
    pub error_rate: f64,
    pub latency_factor: f64,
    pub kind: OutageKind,
}

/// How calls end in an outage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutageKind {
    /// 503, after a part of the usual time.
    #[default]
    ServerError,
    /// No answer, ever.
    Hang,
    /// No connection.
    Connect,
    /// 429 with a Retry-After of up to two seconds.
    RateLimited,
    /// 200 without a picture.
    Empty,
    /// 401: the key is refused.
    Credential,
    /// 429: there is no money left.
    Quota,
}

impl Default for SimulationSettings {
    fn default() -> Self {
        Self {
            latency_scale: 1.0,
            sigma: Some(USUAL_SIGMA),
            error_rate: 0.0,
            hang_rate: 0.0,
            refusal_rate: 0.0,
            rate_limited_rate: 0.0,
            outages: Vec::new(),
            blank: false,
        }
    }
}

impl SimulationSettings {
    /// Those that a call at this time falls into.
    fn outages(&self, elapsed: Duration) -> impl Iterator<Item = &Outage> {
        self.outages
            .iter()
            .filter(move |outage| elapsed.checked_sub(outage.from).is_some_and(|since| since < outage.duration))
    }
}

/// What happens to one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    pub latency: Duration,
    pub answer: SimulatedAnswer,
}

/// How a simulated call ends.
#[derive(Clone, Debug, PartialEq)]
pub enum SimulatedAnswer {
    /// These are to be drawn.
    Pictures {
        sketches: Vec<Sketch>,
        /// When the model is billed by token.
        usage: Option<Usage>,
        /// When the model is billed by its vendor's credits.
        credits: Option<Credits>,
    },
    /// An answer without a picture, in OpenAI's shape: mostly an error.
    Error { status: u16, retry_after: Option<Duration>, body: String },
    /// No connection.
    Unreachable,
    /// Nothing, ever.
    Hang,
}

/// A picture that is to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    pub width: u32,
    pub height: u32,
    pub transparent: bool,
    /// Decides the scene and its colours.
    pub seed: u64,
    /// First line of the label: the candidate.
    pub title: String,
    /// Second line of the label: the prompt.
    pub caption: String,
}

/// What `candidate` would do with `request`. `elapsed` is the time since the start, for scripted outages.
#[must_use]
pub fn simulate(
    request: &Request,
    candidate: &Candidate,
    tariff: &Tariff,
    seed: u64,
    elapsed: Duration,
    settings: &SimulationSettings,
) -> Simulated {
    let mut random = SplitMix::of(seed, candidate.id.as_str());
    let whole = latency(candidate, settings, elapsed, &mut random);
    if let Some(kind) = failing(settings, elapsed, &mut random) {
        return fail(kind, whole, &mut random);
    }
    let size = request.size.unwrap_or(domain::price::USUAL_SIZE);
    if size.pixels() > MAX_PIXELS {
        return Simulated { latency: Duration::ZERO, answer: answer::too_large(size) };
    }
    let caption: String = request.prompt.chars().take(CAPTION_CHARS).collect();
    let sketches = (0..request.count).map(|index| Sketch {
        width: size.width(),
        height: size.height(),
        transparent: request.transparent,
        seed: SplitMix::of(u64::from(index), &request.prompt).bits(),
        title: candidate.id.to_string(),
        caption: caption.clone(),
    });
    let sketches = sketches.collect();
    let usage = answer::usage(request, tariff, &mut random);
    let credits = candidate.tier().price.as_ref().and_then(|price| price.credits(request.size, request.count));
    Simulated { latency: whole, answer: SimulatedAnswer::Pictures { sketches, usage, credits } }
}

/// How this call fails, if it does. One number decides among the rates, so that each is its share of calls.
fn failing(settings: &SimulationSettings, elapsed: Duration, random: &mut SplitMix) -> Option<Ending> {
    for outage in settings.outages(elapsed) {
        if random.unit() < outage.error_rate {
            return Some(Ending::Of(outage.kind));
        }
    }
    let rates = [
        (settings.hang_rate, Ending::Of(OutageKind::Hang)),
        (settings.rate_limited_rate, Ending::Of(OutageKind::RateLimited)),
        (settings.error_rate, Ending::Of(OutageKind::ServerError)),
        (settings.refusal_rate, Ending::Refusal),
    ];
    let mut drawn = random.unit();
    for (rate, ending) in rates {
        if drawn < rate {
            return Some(ending);
        }
        drawn -= rate;
    }
    None
}

/// How a call ends that delivers nothing.
#[derive(Clone, Copy)]
enum Ending {
    Of(OutageKind),
    Refusal,
}

/// A failed call. What fails, fails sooner than a picture is ready.
fn fail(ending: Ending, whole: Duration, random: &mut SplitMix) -> Simulated {
    let (part, answer) = match ending {
        Ending::Refusal => (0.2, answer::refusal()),
        Ending::Of(OutageKind::ServerError) => (0.3, answer::server_error()),
        Ending::Of(OutageKind::RateLimited) => (0.02, answer::rate_limited(random)),
        Ending::Of(OutageKind::Credential) => (0.02, answer::credential()),
        Ending::Of(OutageKind::Quota) => (0.02, answer::quota()),
        Ending::Of(OutageKind::Connect) => (0.01, SimulatedAnswer::Unreachable),
        Ending::Of(OutageKind::Empty) => (1.0, answer::empty()),
        Ending::Of(OutageKind::Hang) => (1.0, SimulatedAnswer::Hang),
    };
    Simulated { latency: whole.mul_f64(part), answer }
}

/// Lognormal around the catalogue's median.
fn latency(candidate: &Candidate, settings: &SimulationSettings, elapsed: Duration, random: &mut SplitMix) -> Duration {
    let usual = candidate.tier().latency;
    let median = usual.map_or(USUAL_LATENCY_MS, |latency| latency.p50_ms);
    let sigma = settings.sigma.unwrap_or_else(|| spread(usual));
    let factor: f64 = settings.outages(elapsed).map(|outage| outage.latency_factor).product();
    let seconds = f64::from(median) / 1_000.0 * (sigma * random.normal()).exp() * settings.latency_scale * factor;
    Duration::try_from_secs_f64(seconds).unwrap_or(MAX_LATENCY).min(MAX_LATENCY)
}

/// The spread with which a twentieth of calls takes longer than the p95.
fn spread(usual: Option<Latency>) -> f64 {
    match usual {
        Some(Latency { p50_ms, p95_ms }) if p50_ms > 0 => (f64::from(p95_ms) / f64::from(p50_ms)).ln() / Z95,
        _ => USUAL_SIGMA,
    }
}

#[cfg(test)]
mod tests;
