//! One attempt: a call encoded, sent, read, and its pictures looked at.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::{candidate::Candidate, failure::FailureKind, price::Tariff, request::Request};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use url::Url;

use crate::{
    dialect::{Answer, Entry, Report, Source, Told, Usage, openai},
    endpoint::{Endpoint, Place, Reach},
    failure::Failure,
    job::Picture,
    picture::{NotAPicture, check, check_base64},
    simulated::{SimulatedAnswer, SimulationSettings, Sketch, blank, draw, simulate},
    transport::{MAX_ANSWER, Transport},
};

/// What one attempt needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Errand<'a> {
    pub(crate) request: &'a Request,
    pub(crate) extra: &'a Map<String, Value>,
    pub(crate) candidate: &'a Candidate,
    pub(crate) tariff: &'a Tariff,
    /// Which of the provider's keys, by its place in the configuration.
    pub(crate) key: usize,
    pub(crate) seed: u64,
    /// Since the start, for scripted outages.
    pub(crate) elapsed: Duration,
}

/// What one attempt brought home.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) pictures: Vec<Picture>,
    /// Pictures the provider sent, also those that are of no use.
    pub(crate) sent: u32,
    pub(crate) created: Option<u64>,
    pub(crate) report: Report,
    pub(crate) usage_as_sent: Option<Value>,
    pub(crate) other: Map<String, Value>,
    pub(crate) warnings: Vec<String>,
}

/// The means of making attempts.
pub(crate) struct Means {
    /// `None` when every provider is simulated.
    pub(crate) transport: Option<Transport>,
    /// Simulated pictures are drawn this many at a time.
    pub(crate) easels: Arc<Semaphore>,
}

impl Means {
    /// Makes one attempt. Takes as long as it takes: the caller of this function has the clock.
    pub(crate) async fn attempt(&self, endpoint: &Endpoint, errand: Errand<'_>) -> Result<Drawn, Failure> {
        match (&endpoint.reach, &self.transport) {
            (Reach::Simulated(settings), _) => self.simulated(settings, errand).await,
            (Reach::Http(place), Some(transport)) => over_http(transport, place, errand).await,
            (Reach::Http(_), None) => Err(Failure::new(FailureKind::Connect, "there is no HTTP client")),
        }
    }

    async fn simulated(&self, settings: &SimulationSettings, errand: Errand<'_>) -> Result<Drawn, Failure> {
        let Errand { request, candidate, tariff, seed, elapsed, .. } = errand;
        let simulated = simulate(request, candidate, tariff, seed, elapsed, settings);
        tokio::time::sleep(simulated.latency).await;
        match simulated.answer {
            SimulatedAnswer::Pictures { sketches, usage, credits } => {
                let pictures = if settings.blank {
                    sketches.iter().map(|_| blank()).collect()
                } else {
                    self.draw_all(sketches).await?
                };
                let other =
                    credits.map(|credits| ("credits".to_owned(), json!(credits.number()))).into_iter().collect();
                let credits = credits.map_or(Told::Nothing, Told::Amount);
                let usage_as_sent = usage.map(as_openai_sends);
                Ok(Drawn {
                    sent: pictures.len() as u32,
                    pictures,
                    created: None,
                    report: Report { credits, usage, ..Report::default() },
                    usage_as_sent,
                    other,
                    warnings: Vec::new(),
                })
            }
            SimulatedAnswer::Error { status, retry_after, body } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let wait = retry_after.and_then(|wait| HeaderValue::try_from(wait.as_millis().to_string()).ok());
                let headers: HeaderMap =
                    wait.map(|wait| (HeaderName::from_static("retry-after-ms"), wait)).into_iter().collect();
                let answer = openai::decode(status, &headers, &Bytes::from(body), SystemTime::now());
                Err(answer.err().unwrap_or_else(|| Failure::new(FailureKind::Server, "a simulated error")))
            }
            SimulatedAnswer::Unreachable => Err(Failure::new(FailureKind::Connect, "no connection: simulated")),
            SimulatedAnswer::Hang => std::future::pending().await,
        }
    }

    /// Draws on threads made for such work, a few pictures at a time.
    async fn draw_all(&self, sketches: Vec<Sketch>) -> Result<Vec<Picture>, Failure> {
        let failed = |why: &str| Failure::new(FailureKind::Server, &format!("cannot draw: {why}"));
        let easel = Arc::clone(&self.easels).acquire_owned().await.map_err(|error| failed(&error.to_string()))?;
        let drawing = tokio::task::spawn_blocking(move || {
            let _easel = easel;
            let picture = |sketch: &Sketch| {
                let bytes = draw(sketch).map_err(|error| error.to_string())?;
                from_bytes(&bytes, None).map_err(|error| error.to_string())
            };
            sketches.iter().map(picture).collect::<Result<Vec<Picture>, String>>()
        });
        drawing.await.map_err(|error| failed(&error.to_string()))?.map_err(|error| failed(&error))
    }
}

async fn over_http(transport: &Transport, place: &Place, errand: Errand<'_>) -> Result<Drawn, Failure> {
    let call = openai::encode(errand.request, errand.candidate, errand.extra);
    let reply = transport.post(place, errand.key, call).await?;
    let decode = |body: &Bytes| openai::decode(reply.status, &reply.headers, body, SystemTime::now());
    let answer = decode(&reply.body).or_else(|failure| match without_keys(place, &reply.body) {
        // Decoded once more from a text without the key, so that no bound cuts the key into a part that is not found.
        Some(body) => decode(&body),
        None => Err(failure),
    })?;
    let status = reply.status.as_u16();
    drop(reply.body);
    look_at(transport, place, answer, errand.request.count).await.map_err(|failure| failure.with_status(status))
}

/// The body without our keys, when the provider repeated one.
fn without_keys(place: &Place, body: &[u8]) -> Option<Bytes> {
    place.without_keys(&String::from_utf8_lossy(body)).map(Bytes::from)
}

/// Fetches what is elsewhere, and keeps what is a whole picture.
async fn look_at(transport: &Transport, place: &Place, answer: Answer, asked: u32) -> Result<Drawn, Failure> {
    let Answer { entries, created, report, usage_as_sent, other } = answer;
    let (mut pictures, mut warnings, mut problem) = (Vec::new(), Vec::new(), None);
    let sent = entries.len();
    let mut may_fetch = MAX_ANSWER;
    for Entry { source, revised_prompt } in entries.into_iter().take(asked as usize) {
        let picture = match source {
            Source::Base64(text) => from_base64(text, revised_prompt).map_err(|error| no_picture(&error)),
            Source::Url(url) => from_url(transport, place, &url, &mut may_fetch, revised_prompt).await,
        };
        match picture {
            Ok(picture) => pictures.push(picture),
            Err(failure) => problem = Some(failure),
        }
    }
    if pictures.is_empty() {
        let failure = problem.unwrap_or_else(|| Failure::new(FailureKind::Empty, "an answer without a picture"));
        return Err(Failure { report: Box::new(report), ..failure });
    }
    if pictures.len() < asked as usize {
        let why = problem.map_or_else(String::new, |problem| format!(": {}", problem.detail));
        warnings.push(format!("{} of {asked} pictures were delivered{why}", pictures.len()));
    }
    if sent > asked as usize {
        warnings.push(format!("the provider sent {sent} pictures, {asked} were asked for"));
    }
    let sent = u32::try_from(sent).unwrap_or(u32::MAX);
    Ok(Drawn { pictures, sent, created, report, usage_as_sent, other, warnings })
}

async fn from_url(
    transport: &Transport,
    place: &Place,
    url: &str,
    may_fetch: &mut usize,
    revised_prompt: Option<String>,
) -> Result<Picture, Failure> {
    let Ok(url) = Url::parse(url) else {
        return Err(Failure::new(FailureKind::Empty, "a picture's address is not a URL"));
    };
    if !place.may_fetch(&url) {
        let host = url.host_str().unwrap_or("no host").to_owned();
        let detail = format!("a picture is at `{host}`, which is not the provider's own host (see `result-hosts`)");
        return Err(Failure::new(FailureKind::Empty, &detail));
    }
    let bytes = transport.fetch(url, *may_fetch).await?;
    *may_fetch = may_fetch.saturating_sub(bytes.len());
    from_bytes(&bytes, revised_prompt).map_err(|error| no_picture(&error))
}

fn from_base64(text: Bytes, revised_prompt: Option<String>) -> Result<Picture, NotAPicture> {
    let seen = check_base64(&text)?;
    Ok(Picture { b64: text, format: seen.format, size: seen.size, revised_prompt })
}

fn from_bytes(bytes: &[u8], revised_prompt: Option<String>) -> Result<Picture, NotAPicture> {
    let seen = check(bytes)?;
    Ok(Picture { b64: STANDARD.encode(bytes).into(), format: seen.format, size: seen.size, revised_prompt })
}

fn no_picture(error: &NotAPicture) -> Failure {
    Failure::new(FailureKind::Empty, &format!("what was sent is no picture: {error}"))
}

fn as_openai_sends(usage: Usage) -> Value {
    let Usage { text_in, image_in, out } = usage;
    json!({
        "input_tokens": text_in + image_in,
        "input_tokens_details": { "text_tokens": text_in, "image_tokens": image_in },
        "output_tokens": out,
        "total_tokens": text_in + image_in + out,
    })
}
