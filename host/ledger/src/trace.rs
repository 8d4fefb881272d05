//! The trace of a record as bytes: compact, versioned, and with what many records share taken out.
//!
//! A trace blob is the version, the digest of its fixed inputs, and the rest in postcard. Taken out are the prompt, kept
//! by its own digest or not at all, and the fixed inputs: plugin settings and conditions, tariffs and quality priors,
//! which are the same for every request of one shape and would be a third of each record. How long the prompt was stays,
//! because every plugin is told.
//!
//! Where what was learned changes the quality that is expected of a candidate from request to request, it is no fixed input:
//! such traces are of version 3, which is version 2 with the qualities left in their places.
//!
//! Postcard has no field names: **a change to any type under [`Trace`] is a new version**, and the old form has to stay
//! readable for as long as records are kept. Tests hold the bytes of all versions still. What they have in common, the
//! decision and the attempts, has not changed its form between them; a variant may be added at the end of an enum.

use std::sync::Arc;

use domain::{
    attempt::Attempt,
    candidate::CandidateId,
    catalogue::Prior,
    decision::Decision,
    digest::Digest,
    plugin::{Conditions, Setting},
    price::Tariff,
    record::{RecordContext, Terms, Trace},
};
use serde::{Deserialize, Serialize};

const VERSION: u8 = 2;
const WITH_QUALITIES: u8 = 3;
const FIRST_VERSION: u8 = 1;
/// The version byte and the digest.
const HEAD: usize = 33;

/// What requests of one shape have in common: kept once, by digest.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FixedInputs {
    settings: Vec<Arc<[Setting]>>,
    conditions: Vec<Conditions>,
    /// Of each shadow.
    shadows: Vec<(Arc<[Setting]>, Conditions)>,
    offers: Offers,
}

/// One for each considered candidate.
type Offers = Vec<(Option<Tariff>, Option<Prior>)>;

/// What version 1 kept of a trace.
#[derive(Serialize, Deserialize)]
struct TraceV1 {
    decision: Decision,
    settings: Vec<Arc<[Setting]>>,
    attempts: Vec<Attempt>,
    warnings: Vec<String>,
}

/// What version 1 kept by digest.
#[derive(Serialize, Deserialize)]
struct FixedInputsV1 {
    settings: Vec<Arc<[Setting]>>,
    offers: Offers,
}

/// A trace ready to be stored.
pub(crate) struct Packed {
    pub(crate) trace: Vec<u8>,
    pub(crate) inputs: Digest,
    pub(crate) inputs_bytes: Vec<u8>,
}

/// A trace put together again.
#[derive(Debug, PartialEq)]
pub(crate) struct Unpacked {
    pub(crate) trace: Trace,
    /// Of the whole prompt, also when it was not kept. Version 1 did not say.
    pub(crate) prompt_chars: Option<u32>,
}

/// Takes the trace apart. The prompt has to be kept elsewhere. `learned`: qualities are those of this very request.
pub(crate) fn pack(mut trace: Trace, learned: bool) -> Result<Packed, postcard::Error> {
    let prompt = std::mem::take(&mut trace.decision.request.prompt);
    let prompt_chars = u32::try_from(prompt.chars().count()).unwrap_or(u32::MAX);
    let shadows = trace.shadows.iter_mut();
    let inputs = FixedInputs {
        settings: std::mem::take(&mut trace.settings),
        conditions: std::mem::take(&mut trace.conditions),
        shadows: shadows
            .map(|shadow| (std::mem::take(&mut shadow.settings), std::mem::take(&mut shadow.conditions)))
            .collect(),
        offers: trace
            .decision
            .considered
            .iter_mut()
            .map(|one| (one.tariff.take(), if learned { None } else { one.quality.take() }))
            .collect(),
    };
    let inputs_bytes = postcard::to_stdvec(&inputs)?;
    let inputs = Digest::of(&inputs_bytes);
    let trace =
        postcard::to_extend(&(trace, prompt_chars), head(if learned { WITH_QUALITIES } else { VERSION }, inputs))?;
    Ok(Packed { trace, inputs, inputs_bytes })
}

fn head(version: u8, inputs: Digest) -> Vec<u8> {
    let mut head = Vec::with_capacity(2048);
    head.push(version);
    head.extend_from_slice(inputs.as_bytes());
    head
}

/// The digest of the fixed inputs that belong to a stored trace.
pub(crate) fn inputs_of(stored: &[u8]) -> Result<Digest, &'static str> {
    match stored.split_first() {
        Some((&(FIRST_VERSION | VERSION | WITH_QUALITIES), rest)) => {
            rest.first_chunk().copied().map(Digest::from_bytes).ok_or("its trace is cut short")
        }
        Some(_) => Err("its trace is of a version that this program does not know"),
        None => Err("its trace is empty"),
    }
}

/// Puts a stored trace together again. `prompt` is empty when it was not kept.
pub(crate) fn unpack(stored: &[u8], inputs: &[u8], prompt: &str) -> Result<Unpacked, &'static str> {
    inputs_of(stored)?;
    let (version, body) = (stored[0], &stored[HEAD..]);
    let (mut trace, offers, prompt_chars) =
        if version == FIRST_VERSION { body_of_version_1(body, inputs)? } else { body_of_version_2(body, inputs)? };
    let considered = &mut trace.decision.considered;
    if offers.len() != considered.len() {
        return Err(OF_ANOTHER);
    }
    let shadowed = trace.shadows.iter().flat_map(|shadow| &shadow.order).map(|place| &place.candidate);
    if trace.decision.order.iter().chain(shadowed).any(|index| *index as usize >= considered.len()) {
        return Err("its order names a candidate that was not considered");
    }
    for (one, (tariff, quality)) in considered.iter_mut().zip(offers) {
        one.tariff = tariff;
        if version != WITH_QUALITIES {
            one.quality = quality;
        }
    }
    trace.decision.request.prompt = prompt.into();
    Ok(Unpacked { trace, prompt_chars })
}

/// A stored trace without its prompt and its fixed inputs: enough to learn from. Those of version 1 are too old for that.
pub(crate) fn peek(stored: &[u8]) -> Option<Trace> {
    if !matches!(stored.first(), Some(&(VERSION | WITH_QUALITIES))) {
        return None;
    }
    let (trace, _): (Trace, u32) = postcard::from_bytes(stored.get(HEAD..)?).ok()?;
    Some(trace)
}

/// What the records of one catalogue share. Records of the first version have the names alone.
pub(crate) fn pack_context(context: &RecordContext) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_extend(&context.terms, postcard::to_stdvec(&context.candidates)?)
}

/// Names and terms, if they can be read.
pub(crate) fn unpack_context(stored: &[u8]) -> Option<(Vec<CandidateId>, Vec<Terms>)> {
    let (names, rest) = postcard::take_from_bytes::<Vec<CandidateId>>(stored).ok()?;
    let terms: Vec<Terms> = if rest.is_empty() { Vec::new() } else { postcard::from_bytes(rest).ok()? };
    (terms.is_empty() || terms.len() == names.len()).then_some((names, terms))
}

const UNREADABLE: &str = "its trace cannot be read";
const UNREADABLE_INPUTS: &str = "its fixed inputs cannot be read";
const OF_ANOTHER: &str = "its fixed inputs are those of another trace";

fn body_of_version_2(body: &[u8], inputs: &[u8]) -> Result<(Trace, Offers, Option<u32>), &'static str> {
    let (mut trace, prompt_chars): (Trace, u32) = postcard::from_bytes(body).map_err(|_| UNREADABLE)?;
    let inputs: FixedInputs = postcard::from_bytes(inputs).map_err(|_| UNREADABLE_INPUTS)?;
    if inputs.shadows.len() != trace.shadows.len() {
        return Err(OF_ANOTHER);
    }
    for (shadow, (settings, conditions)) in trace.shadows.iter_mut().zip(inputs.shadows) {
        (shadow.settings, shadow.conditions) = (settings, conditions);
    }
    (trace.settings, trace.conditions) = (inputs.settings, inputs.conditions);
    Ok((trace, inputs.offers, Some(prompt_chars)))
}

fn body_of_version_1(body: &[u8], inputs: &[u8]) -> Result<(Trace, Offers, Option<u32>), &'static str> {
    let TraceV1 { decision, attempts, warnings, .. } = postcard::from_bytes(body).map_err(|_| UNREADABLE)?;
    let FixedInputsV1 { settings, offers } = postcard::from_bytes(inputs).map_err(|_| UNREADABLE_INPUTS)?;
    let trace = Trace { decision, settings, attempts, warnings, conditions: Vec::new(), shadows: Vec::new() };
    Ok((trace, offers, None))
}

#[cfg(test)]
mod tests {
    use domain::decision::Veto;
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    const PROMPT_CHARS: u32 = sample::PROMPT.len() as u32;

    #[test]
    fn a_trace_is_read_as_it_was_written() {
        for trace in [sample::trace(20), sample::trace_with_every_ending()] {
            let packed = pack(trace.clone(), false).expect("packed");
            assert_eq!(inputs_of(&packed.trace), Ok(packed.inputs));
            let read = unpack(&packed.trace, &packed.inputs_bytes, sample::PROMPT);
            assert_eq!(read, Ok(Unpacked { trace, prompt_chars: Some(PROMPT_CHARS) }));
        }
    }

    /// As the program that wrote version 1 did it.
    fn pack_version_1(trace: Trace) -> Packed {
        let Trace { mut decision, settings, attempts, warnings, .. } = trace;
        decision.request.prompt = Arc::default();
        let offers = decision.considered.iter_mut().map(|one| (one.tariff.take(), one.quality.take())).collect();
        let inputs_bytes = postcard::to_stdvec(&FixedInputsV1 { settings, offers }).expect("packed");
        let inputs = Digest::of(&inputs_bytes);
        let trace = TraceV1 { decision, settings: Vec::new(), attempts, warnings };
        let trace = postcard::to_extend(&trace, head(FIRST_VERSION, inputs)).expect("packed");
        Packed { trace, inputs, inputs_bytes }
    }

    #[test]
    fn version_1_is_still_read() {
        let mut trace = sample::trace_with_every_ending();
        trace.decision.calls.truncate(sample::CALLS_OF_VERSION_1);
        trace.settings.truncate(sample::CALLS_OF_VERSION_1);
        (trace.conditions, trace.shadows) = (Vec::new(), Vec::new());
        let packed = pack_version_1(trace.clone());
        // This is how such records lie on people's disks: when it fails, they would no longer be readable.
        let form = Digest::of(&[&packed.trace[..], &packed.inputs_bytes].concat());
        assert_eq!(form.short(), "7cfb5bce9347");
        assert_eq!(inputs_of(&packed.trace), Ok(packed.inputs));
        let read = unpack(&packed.trace, &packed.inputs_bytes, sample::PROMPT);
        assert_eq!(read, Ok(Unpacked { trace, prompt_chars: None }));
    }

    #[test]
    fn version_3_keeps_the_qualities_of_the_request_and_shares_the_rest() {
        let mut trace = sample::trace(20);
        let before = pack(trace.clone(), true).expect("packed");
        trace.decision.considered[4].quality = Some(Prior { mean: 0.123, deviation: 0.045 });
        let packed = pack(trace.clone(), true).expect("packed");
        assert_eq!(packed.inputs, before.inputs);
        let read = unpack(&packed.trace, &packed.inputs_bytes, sample::PROMPT);
        assert_eq!(read, Ok(Unpacked { trace, prompt_chars: Some(PROMPT_CHARS) }));
    }

    #[test]
    fn a_prompt_is_not_in_the_bytes() {
        let packed = pack(sample::trace(3), false).expect("packed");
        let holds = |bytes: &[u8]| bytes.windows(sample::PROMPT.len()).any(|part| part == sample::PROMPT.as_bytes());
        assert!(!holds(&packed.trace) && !holds(&packed.inputs_bytes));
    }

    #[test]
    fn twenty_candidates_take_little_room() {
        let packed = pack(sample::trace(20), false).expect("packed");
        assert!(packed.trace.len() < 1_400, "{} bytes of trace", packed.trace.len());
        assert!(packed.inputs_bytes.len() < 1_000, "{} bytes of inputs", packed.inputs_bytes.len());
    }

    /// When this fails, a type under `Trace` has changed: records on disk would no longer be readable. Keep the old form
    /// for version 2, make a version 3, and put its digest here.
    #[test]
    fn the_form_of_version_2_stays() {
        let packed = pack(sample::trace_with_every_ending(), false).expect("packed");
        let form = Digest::of(&[packed.trace, packed.inputs_bytes].concat());
        assert_eq!(form.short(), "3b4af602f35c");
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let packed = pack(sample::trace(2), false).expect("packed");
        let other = pack(sample::trace(3), false).expect("packed");
        assert!(unpack(&packed.trace, &other.inputs_bytes, "").is_err());
        assert!(unpack(&packed.trace[..40], &packed.inputs_bytes, "").is_err());
        assert!(unpack(&[], &[], "").is_err());
        let newer = [&[WITH_QUALITIES + 1], &packed.trace[1..]].concat();
        let problem = unpack(&newer, &packed.inputs_bytes, "").expect_err("a newer version");
        assert_eq!(problem, "its trace is of a version that this program does not know");
    }

    #[test]
    fn an_order_beyond_the_candidates_is_refused() {
        let mut trace = sample::trace(2);
        trace.decision.order = vec![2];
        let packed = pack(trace, false).expect("packed");
        assert!(unpack(&packed.trace, &packed.inputs_bytes, "").is_err());
        let mut trace = sample::trace_with_every_ending();
        trace.shadows[0].order[0].candidate = 7;
        let packed = pack(trace, false).expect("packed");
        assert!(unpack(&packed.trace, &packed.inputs_bytes, "").is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..200), inputs: Vec<u8>) {
            let _ = unpack(&bytes, &inputs, "");
            let head = pack(sample::trace(1), false).expect("packed").trace;
            bytes.splice(0..0, head[..HEAD].iter().copied());
            let _ = unpack(&bytes, &inputs, "");
            bytes[0] = FIRST_VERSION;
            let _ = unpack(&bytes, &inputs, "");
        }

        #[test]
        fn every_veto_survives(asked in 0..=u32::MAX, mean in prop::option::of(0.0f32..1.0)) {
            let mut trace = sample::trace(2);
            trace.decision.considered[0].veto = Some(Veto::Count { asked, max: 4 });
            trace.decision.considered[1].veto = Some(Veto::MinQuality { mean, least: 0.5 });
            let packed = pack(trace.clone(), false).expect("packed");
            let read = unpack(&packed.trace, &packed.inputs_bytes, sample::PROMPT);
            prop_assert_eq!(read, Ok(Unpacked { trace, prompt_chars: Some(PROMPT_CHARS) }));
        }
    }
}
