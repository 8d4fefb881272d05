//! Dialects: one provider's request and response form. No I/O, no clock, no keys.
//!
//! Answers are megabytes of base64 inside JSON. They are read in place: a picture is a slice of the received bytes, and
//! nothing builds a tree of the whole answer.

use bytes::Bytes;
use domain::{credits::Credits, money::MicroUsd};
use serde_json::{Map, Value};

pub(crate) mod openai;

/// One call, ready to be sent: always a POST of JSON.
#[derive(Debug)]
pub(crate) struct Call {
    /// Below the provider's base URL.
    pub(crate) path: &'static [&'static str],
    pub(crate) body: Bytes,
}

/// An answer with something in it that claims to be a picture.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) entries: Vec<Entry>,
    /// Seconds since 1970-01-01 UTC.
    pub(crate) created: Option<u64>,
    pub(crate) report: Report,
    /// The provider's own usage, for the caller.
    pub(crate) usage_as_sent: Option<Value>,
    /// Other fields of the answer that the caller may want: `background`, `output_format`, `quality`, `size`.
    pub(crate) other: Map<String, Value>,
}

/// One picture of an answer.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) source: Source,
    pub(crate) revised_prompt: Option<String>,
}

/// Where a picture is.
#[derive(Debug, PartialEq)]
pub(crate) enum Source {
    /// Here, as base64 text.
    Base64(Bytes),
    /// At an address that the provider names. Not to be trusted.
    Url(String),
}

/// What a provider says that its answer cost, in whatever it counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Report {
    /// Dollars that it charged.
    pub(crate) cost: Told<MicroUsd>,
    /// The vendor's credits. Other servers mean other things by that word.
    pub(crate) credits: Told<Credits>,
    pub(crate) usage: Option<Usage>,
}

/// An amount in a provider's answer: not to be trusted before it was looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Told<T> {
    #[default]
    Nothing,
    Amount(T),
    /// What was written cannot be an amount: the start of it.
    Absurd(String),
}

/// Tokens as the provider counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub text_in: u64,
    pub image_in: u64,
    pub out: u64,
}
