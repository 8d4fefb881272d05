//! Simulated providers: what a provider would do, without one.
//!
//! They serve the quick start, demos, tests and chaos runs. What happens is a pure function of the request, the
//! candidate, a seed and the time since the start; only the waiting and the drawing happen elsewhere. Errors are made in
//! OpenAI's shape and go through the same decoding as real ones.

use std::time::Duration;

use domain::{candidate::Candidate, credits::Credits, price::Tariff, request::Request};

mod answer;
mod draw;
mod scene;

use crate::{dialect::Usage, random::SplitMix};

pub use draw::draw;

/// Latency of a model whose catalogue row names none.
const USUAL_LATENCY_MS: u32 = 10_000;
/// The longest a simulated answer takes.
const MAX_LATENCY: Duration = Duration::from_secs(3_600);
/// Largest picture that is drawn, in pixels.
const MAX_PIXELS: u64 = 36_000_000;
/// Characters of the prompt in the picture's label.
const CAPTION_CHARS: usize = 200;

/// How a simulated provider behaves. Rates are shares of calls, 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationSettings {
    /// On the catalogue's latencies.
    pub latency_scale: f64,
    /// Spread of the lognormal latencies.
    pub sigma: f64,
    pub error_rate: f64,
    /// Calls that never answer.
    pub hang_rate: f64,
    pub refusal_rate: f64,
    pub rate_limited_rate: f64,
    pub outages: Vec<Outage>,
}

/// A bad time, by time since the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    pub from: Duration,
    pub duration: Duration,
    pub error_rate: f64,
    pub latency_factor: f64,
}

impl Default for SimulationSettings {
    fn default() -> Self {
        Self {
            latency_scale: 1.0,
            sigma: 0.35,
            error_rate: 0.0,
            hang_rate: 0.0,
            refusal_rate: 0.0,
            rate_limited_rate: 0.0,
            outages: Vec::new(),
        }
    }
}

impl SimulationSettings {
    fn outage(&self, elapsed: Duration) -> Option<&Outage> {
        let covers = |outage: &&Outage| elapsed.checked_sub(outage.from).is_some_and(|since| since < outage.duration);
        self.outages.iter().find(covers)
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
    /// An error answer in OpenAI's shape.
    Error { status: u16, retry_after: Option<Duration>, body: String },
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
    let outage = settings.outage(elapsed);
    let whole = latency(candidate, settings, outage, &mut random);
    let error_rate = outage.map_or(settings.error_rate, |outage| outage.error_rate.max(settings.error_rate));
    if random.unit() < settings.hang_rate {
        return Simulated { latency: whole, answer: SimulatedAnswer::Hang };
    }
    // What fails, fails sooner than a picture is ready.
    if random.unit() < settings.rate_limited_rate {
        return Simulated { latency: whole.mul_f64(0.02), answer: answer::rate_limited(&mut random) };
    }
    if random.unit() < error_rate {
        return Simulated { latency: whole.mul_f64(0.3), answer: answer::server_error() };
    }
    if random.unit() < settings.refusal_rate {
        return Simulated { latency: whole.mul_f64(0.2), answer: answer::refusal() };
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
        seed: SplitMix::of(u64::from(index), &request.prompt).next(),
        title: candidate.id.to_string(),
        caption: caption.clone(),
    });
    let sketches = sketches.collect();
    let usage = answer::usage(request, tariff, &mut random);
    let credits = candidate.tier().price.as_ref().and_then(|price| price.credits(request.size, request.count));
    Simulated { latency: whole, answer: SimulatedAnswer::Pictures { sketches, usage, credits } }
}

/// Lognormal around the catalogue's median.
fn latency(
    candidate: &Candidate,
    settings: &SimulationSettings,
    outage: Option<&Outage>,
    random: &mut SplitMix,
) -> Duration {
    let median = candidate.tier().latency.map_or(USUAL_LATENCY_MS, |latency| latency.p50_ms);
    let spread = (settings.sigma * random.normal()).exp();
    let factor = settings.latency_scale * outage.map_or(1.0, |outage| outage.latency_factor);
    let seconds = f64::from(median) / 1_000.0 * spread * factor;
    Duration::try_from_secs_f64(seconds).unwrap_or(MAX_LATENCY).min(MAX_LATENCY)
}

#[cfg(test)]
mod tests;
