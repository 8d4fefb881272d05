//! OpenAI's images interface, and every server that speaks it.
//!
//! The published specification is behind the interface, so fields that Muxel does not know are passed on untouched.
//! What Muxel decides itself (model, quality) or answers itself (`response_format`, `stream`) is never passed on.

use bytes::Bytes;
use domain::{candidate::Candidate, request::Request};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::Call;

mod answer;
mod decode;
mod failure;
mod report;
mod retry_after;

pub(crate) use decode::decode;

/// Where OpenAI's own interface is.
pub(crate) const BASE_URL: &str = "https://api.openai.com/v1";

const GENERATIONS: &[&str] = &["images", "generations"];

/// Fields that are written here or nowhere, whatever the caller sent.
const OWN_FIELDS: [&str; 8] = ["muxel", "model", "prompt", "n", "size", "quality", "response_format", "stream"];

/// `request` as a call to `candidate`, with the caller's `extra` fields.
pub(crate) fn encode(request: &Request, candidate: &Candidate, extra: &Map<String, Value>) -> Call {
    let body = Body { request, candidate, extra };
    let body = serde_json::to_vec(&body).expect("text keys and plain values always serialize");
    Call { path: GENERATIONS, body: Bytes::from(body) }
}

struct Body<'a> {
    request: &'a Request,
    candidate: &'a Candidate,
    extra: &'a Map<String, Value>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { request, candidate, extra } = self;
        let model = &candidate.model;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", &model.name)?;
        map.serialize_entry("prompt", &request.prompt)?;
        map.serialize_entry("n", &request.count)?;
        if let Some(size) = &request.size {
            map.serialize_entry("size", size)?;
        }
        if let Some(tier) = &candidate.tier().name {
            map.serialize_entry("quality", tier)?;
        }
        if request.transparent {
            map.serialize_entry("background", "transparent")?;
        }
        if !always_base64(&model.name) {
            map.serialize_entry("response_format", "b64_json")?;
        }
        for (name, value) in extra.iter() {
            let is_own = OWN_FIELDS.contains(&name.as_str()) || (request.transparent && name == "background");
            if !is_own {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

/// Models that only know base64 and reject `response_format`.
fn always_base64(model: &str) -> bool {
    model.starts_with("gpt-image") || model.starts_with("chatgpt-image")
}

#[cfg(test)]
mod tests;
