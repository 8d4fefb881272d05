//! Reading what a caller asks for: the body of `POST /v1/images/generations` and of a dry run.
//!
//! Fields that Muxel does not know are kept for providers that speak the same dialect: published interfaces lag behind
//! the real ones, and a gateway that drops a field in silence spoils pictures.

use std::sync::Arc;

use domain::{
    money::MicroUsd,
    quality::AskedQuality,
    request::{Caps, Inputs, MAX_COUNT, MAX_PROMPT_CHARS, Operation, Priority, Request},
    size::Size,
    weights::{WeightError, Weights},
};
use http::HeaderMap;
use serde_json::{Map, Value};

use super::error::ApiError;

/// How the pictures are to be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handover {
    B64Json,
    Url,
}

/// A request as its caller wrote it, checked but not yet decided.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) request: Request,
    /// `model` as written; `auto` when left out.
    pub(crate) model: Arc<str>,
    pub(crate) handover: Handover,
    pub(crate) route: Option<String>,
    /// Only providers that carry all of these.
    pub(crate) tags: Vec<String>,
    /// In the place of the route's.
    pub(crate) weights: Weights,
    /// OpenAI's `user`, for sticky choices.
    pub(crate) user: Option<String>,
    /// Fields Muxel does not know, for providers that may.
    pub(crate) extra: Map<String, Value>,
}

/// Reads one request.
///
/// # Errors
///
/// The first field that is wrong, by name.
pub(crate) fn read(body: &[u8], headers: &HeaderMap) -> Result<Ask, ApiError> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        ApiError::malformed(format!("the body is not JSON: {error}"))
            .hint("send a JSON object with `prompt` and the header `content-type: application/json`")
    })?;
    let Value::Object(mut fields) = value else {
        return Err(ApiError::malformed("the body is not a JSON object").hint("send a JSON object with `prompt`"));
    };
    let muxel = muxel_fields(&mut fields, headers)?;
    let prompt = prompt(&mut fields)?;
    let stream = flag(&mut fields, "stream")?;
    if stream {
        return Err(ApiError::invalid("stream", "`stream` is not supported here yet")
            .hint("leave it out: the answer comes whole"));
    }
    let request = Request {
        operation: Operation::ImageGenerate,
        prompt: prompt.into(),
        size: size(&mut fields)?,
        count: count(&mut fields)?,
        quality: quality(&mut fields)?,
        priority: muxel.priority,
        inputs: Inputs::default(),
        transparent: transparent(&mut fields)?,
        streaming: false,
        tenant: None,
        caps: muxel.caps,
    };
    Ok(Ask {
        request,
        model: text(&mut fields, "model")?.unwrap_or_else(|| "auto".to_owned()).into(),
        handover: handover(&mut fields)?,
        route: muxel.route,
        tags: muxel.tags,
        weights: muxel.weights,
        user: fields.get("user").and_then(Value::as_str).map(str::to_owned),
        extra: fields,
    })
}

fn prompt(fields: &mut Map<String, Value>) -> Result<String, ApiError> {
    let Some(prompt) = text(fields, "prompt")? else {
        return Err(ApiError::invalid("prompt", "`prompt` is missing").hint("say what to draw"));
    };
    if prompt.trim().is_empty() {
        return Err(ApiError::invalid("prompt", "`prompt` is empty").hint("say what to draw"));
    }
    let chars = prompt.chars().count();
    if chars > MAX_PROMPT_CHARS {
        let message = format!("`prompt` has {chars} characters, at most {MAX_PROMPT_CHARS} are allowed");
        return Err(ApiError::invalid("prompt", message));
    }
    Ok(prompt)
}

fn size(fields: &mut Map<String, Value>) -> Result<Option<Size>, ApiError> {
    match text(fields, "size")?.as_deref() {
        None | Some("auto") => Ok(None),
        Some(size) => size.parse().map(Some).map_err(|error: domain::size::SizeError| {
            ApiError::invalid("size", error.to_string()).hint("`auto` leaves the size to the model")
        }),
    }
}

fn count(fields: &mut Map<String, Value>) -> Result<u32, ApiError> {
    let count = match fields.remove("n") {
        None | Some(Value::Null) => return Ok(1),
        Some(Value::Number(number)) => number.as_u64(),
        Some(_) => None,
    };
    let in_range = count.and_then(|count| u32::try_from(count).ok()).filter(|count| (1..=MAX_COUNT).contains(count));
    in_range.ok_or_else(|| ApiError::invalid("n", format!("`n` is a whole number from 1 to {MAX_COUNT}")))
}

fn quality(fields: &mut Map<String, Value>) -> Result<AskedQuality, ApiError> {
    match text(fields, "quality")? {
        None => Ok(AskedQuality::Any),
        Some(word) => word
            .parse()
            .map_err(|error: domain::quality::UnknownQuality| ApiError::invalid("quality", error.to_string())),
    }
}

fn transparent(fields: &mut Map<String, Value>) -> Result<bool, ApiError> {
    match text(fields, "background")?.as_deref() {
        None | Some("auto") => Ok(false),
        // Only transparency is a matter of capability; this word is the provider's to read.
        Some("opaque") => {
            fields.insert("background".to_owned(), Value::from("opaque"));
            Ok(false)
        }
        Some("transparent") => Ok(true),
        Some(_) => Err(ApiError::invalid("background", "`background` is one of auto, opaque, transparent")),
    }
}

fn handover(fields: &mut Map<String, Value>) -> Result<Handover, ApiError> {
    match text(fields, "response_format")?.as_deref() {
        None | Some("b64_json") => Ok(Handover::B64Json),
        Some("url") => Ok(Handover::Url),
        Some(_) => Err(ApiError::invalid("response_format", "`response_format` is `b64_json` or `url`")),
    }
}

/// Takes a string field; `null` is as good as none.
fn text(fields: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, ApiError> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::invalid(name, format!("`{name}` is a string"))),
    }
}

fn flag(fields: &mut Map<String, Value>, name: &'static str) -> Result<bool, ApiError> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(flag),
        Some(_) => Err(ApiError::invalid(name, format!("`{name}` is true or false"))),
    }
}

/// What a request says to Muxel itself. It never reaches a provider.
#[derive(Default)]
struct MuxelFields {
    route: Option<String>,
    priority: Priority,
    caps: Caps,
    tags: Vec<String>,
    weights: Weights,
}

const KNOWN: [&str; 7] = ["route", "priority", "max_cost_usd", "max_latency_ms", "min_quality", "tags", "weights"];

/// Headers that say what fields of `muxel` say.
pub(crate) fn header_names() -> impl Iterator<Item = String> {
    KNOWN.iter().map(|name| header_name(name))
}

fn header_name(field: &str) -> String {
    format!("x-muxel-{}", field.replace('_', "-"))
}

/// From the object `muxel`, or from headers `x-muxel-...` where the object does not say.
fn muxel_fields(fields: &mut Map<String, Value>, headers: &HeaderMap) -> Result<MuxelFields, ApiError> {
    let mut object = match fields.remove("muxel") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(object)) => object,
        Some(_) => return Err(ApiError::invalid("muxel", "`muxel` is an object")),
    };
    if let Some(unknown) = object.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        let near = domain::nearest::nearest(unknown, KNOWN, 1);
        let shown: String = unknown.chars().take(40).collect();
        let error = ApiError::invalid("muxel", format!("`muxel` has no field `{shown}`"));
        return Err(match near.first() {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("its fields are {}", KNOWN.join(", "))),
        });
    }
    for name in KNOWN {
        let header = header_name(name);
        let Some(value) = headers.get(&header) else { continue };
        // A cap that cannot be read must not be dropped: the request would cost what its sender forbade.
        let value = value
            .to_str()
            .map_err(|_| ApiError::invalid(name, format!("the header `{header}` is not plain ASCII text")))?;
        object.entry(name).or_insert_with(|| header_value(name, value));
    }
    Ok(MuxelFields {
        route: text(&mut object, "route")?,
        priority: match text(&mut object, "priority")? {
            None => Priority::Normal,
            Some(word) => word
                .parse()
                .map_err(|error: domain::request::UnknownPriority| ApiError::invalid("priority", error.to_string()))?,
        },
        caps: Caps {
            max_cost: number(&mut object, "max_cost_usd", 0.0..=1e6)?.map(|usd| MicroUsd((usd * 1e6).round() as u64)),
            max_latency_ms: number(&mut object, "max_latency_ms", 0.0..=4e9)?.map(|ms| ms as u32),
            min_quality: number(&mut object, "min_quality", 0.0..=1.0)?.map(|share| share as f32),
        },
        tags: tags(&mut object)?,
        weights: weights(&mut object)?,
    })
}

/// A header's text as the JSON it stands for.
fn header_value(name: &str, value: &str) -> Value {
    match name {
        "max_cost_usd" | "max_latency_ms" | "min_quality" => {
            serde_json::from_str(value.trim()).unwrap_or_else(|_| Value::String(value.to_owned()))
        }
        "tags" => {
            let tags = value.split(',').map(str::trim).filter(|tag| !tag.is_empty());
            tags.map(|tag| Value::String(tag.to_owned())).collect()
        }
        _ => Value::String(value.to_owned()),
    }
}

fn number(
    object: &mut Map<String, Value>,
    name: &'static str,
    range: std::ops::RangeInclusive<f64>,
) -> Result<Option<f64>, ApiError> {
    let number = match object.remove(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value.as_f64(),
    };
    let in_range = number.filter(|number| range.contains(number));
    let message = || format!("`{name}` is a number from {} to {}", range.start(), range.end());
    in_range.map(Some).ok_or_else(|| ApiError::invalid(name, message()))
}

/// An object of numbers, or text as in a header.
fn weights(object: &mut Map<String, Value>) -> Result<Weights, ApiError> {
    let weights = match object.remove("weights") {
        None | Some(Value::Null) => return Ok(Weights::default()),
        Some(Value::String(text)) => text.parse(),
        Some(Value::Object(pairs)) => {
            let number = |(name, value): (String, Value)| match value.as_f64() {
                Some(number) => Ok((name, number)),
                // A bad name is the better thing to say where both are bad.
                None => Weights::check(&name, 0.0).and(Err(WeightError::not_a_number(&name, &value.to_string()))),
            };
            pairs.into_iter().map(number).collect::<Result<Vec<_>, _>>().and_then(Weights::of)
        }
        Some(_) => {
            let error = ApiError::invalid("weights", "`weights` is an object");
            return Err(error.hint("write it like {\"quality\": 0.5, \"cost\": 0.3}"));
        }
    };
    weights.map_err(|error| ApiError::invalid("weights", error.to_string()).hint(error.hint()))
}

fn tags(object: &mut Map<String, Value>) -> Result<Vec<String>, ApiError> {
    let wrong = || ApiError::invalid("tags", "`tags` is a list of at most 16 strings");
    match object.remove("tags") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(tags)) if tags.len() <= 16 => tags
            .into_iter()
            .map(|tag| match tag {
                Value::String(tag) => Ok(tag),
                _ => Err(wrong()),
            })
            .collect(),
        Some(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests;
