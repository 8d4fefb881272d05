//! The trace of a record as bytes: compact, versioned, and with what many records share taken out.
//!
//! A trace blob is the version, the digest of its fixed inputs, and the rest in postcard. Taken out are the prompt, kept
//! by its own digest or not at all, and the fixed inputs: plugin settings, tariffs and quality priors, which are the
//! same for every request of one shape and would be a third of each record.
//!
//! Postcard has no field names: **a change to any type under [`Trace`] is a new version**, and the old form has to stay
//! readable for as long as records are kept. A test holds the bytes of version 1 still.

use std::sync::Arc;

use domain::{catalogue::Prior, digest::Digest, plugin::Setting, price::Tariff, record::Trace};
use serde::{Deserialize, Serialize};

const VERSION: u8 = 1;
/// The version byte and the digest.
const HEAD: usize = 33;

/// What requests of one shape have in common: kept once, by digest.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FixedInputs {
    settings: Vec<Arc<[Setting]>>,
    /// One for each considered candidate.
    offers: Vec<(Option<Tariff>, Option<Prior>)>,
}

/// A trace ready to be stored.
pub(crate) struct Packed {
    pub(crate) trace: Vec<u8>,
    pub(crate) inputs: Digest,
    pub(crate) inputs_bytes: Vec<u8>,
}

/// Takes the trace apart. The prompt has to be kept elsewhere.
pub(crate) fn pack(mut trace: Trace) -> Result<Packed, postcard::Error> {
    trace.decision.request.prompt = Arc::default();
    let inputs = FixedInputs {
        settings: std::mem::take(&mut trace.settings),
        offers: trace.decision.considered.iter_mut().map(|one| (one.tariff.take(), one.quality.take())).collect(),
    };
    let inputs_bytes = postcard::to_stdvec(&inputs)?;
    let inputs = Digest::of(&inputs_bytes);
    let mut head = Vec::with_capacity(2048);
    head.push(VERSION);
    head.extend_from_slice(inputs.as_bytes());
    Ok(Packed { trace: postcard::to_extend(&trace, head)?, inputs, inputs_bytes })
}

/// The digest of the fixed inputs that belong to a stored trace.
pub(crate) fn inputs_of(stored: &[u8]) -> Result<Digest, &'static str> {
    match stored.split_first() {
        Some((&VERSION, rest)) => rest.first_chunk().copied().map(Digest::from_bytes).ok_or("its trace is cut short"),
        Some(_) => Err("its trace is of a version that this program does not know"),
        None => Err("its trace is empty"),
    }
}

/// Puts a stored trace together again. `prompt` is empty when it was not kept.
pub(crate) fn unpack(stored: &[u8], inputs: &[u8], prompt: &str) -> Result<Trace, &'static str> {
    inputs_of(stored)?;
    let mut trace: Trace = postcard::from_bytes(&stored[HEAD..]).map_err(|_| "its trace cannot be read")?;
    let inputs: FixedInputs = postcard::from_bytes(inputs).map_err(|_| "its fixed inputs cannot be read")?;
    let considered = &mut trace.decision.considered;
    if inputs.offers.len() != considered.len() {
        return Err("its fixed inputs are those of another trace");
    }
    if trace.decision.order.iter().any(|index| *index as usize >= considered.len()) {
        return Err("its order names a candidate that was not considered");
    }
    for (one, (tariff, quality)) in considered.iter_mut().zip(inputs.offers) {
        (one.tariff, one.quality) = (tariff, quality);
    }
    trace.settings = inputs.settings;
    trace.decision.request.prompt = prompt.into();
    Ok(trace)
}

#[cfg(test)]
mod tests {
    use domain::decision::Veto;
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    #[test]
    fn a_trace_is_read_as_it_was_written() {
        for trace in [sample::trace(20), sample::trace_with_every_ending()] {
            let packed = pack(trace.clone()).expect("packed");
            assert_eq!(inputs_of(&packed.trace), Ok(packed.inputs));
            assert_eq!(unpack(&packed.trace, &packed.inputs_bytes, sample::PROMPT), Ok(trace));
        }
    }

    #[test]
    fn a_prompt_is_not_in_the_bytes() {
        let packed = pack(sample::trace(3)).expect("packed");
        let holds = |bytes: &[u8]| bytes.windows(sample::PROMPT.len()).any(|part| part == sample::PROMPT.as_bytes());
        assert!(!holds(&packed.trace) && !holds(&packed.inputs_bytes));
    }

    #[test]
    fn twenty_candidates_take_little_room() {
        let packed = pack(sample::trace(20)).expect("packed");
        assert!(packed.trace.len() < 1_400, "{} bytes of trace", packed.trace.len());
        assert!(packed.inputs_bytes.len() < 1_000, "{} bytes of inputs", packed.inputs_bytes.len());
    }

    /// When this fails, a type under `Trace` has changed: records on disk would no longer be readable. Keep the old form
    /// for version 1, make a version 2, and put its digest here.
    #[test]
    fn the_form_of_version_1_stays() {
        let packed = pack(sample::trace_with_every_ending()).expect("packed");
        let form = Digest::of(&[packed.trace, packed.inputs_bytes].concat());
        assert_eq!(form.short(), "7cfb5bce9347");
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let packed = pack(sample::trace(2)).expect("packed");
        let other = pack(sample::trace(3)).expect("packed");
        assert!(unpack(&packed.trace, &other.inputs_bytes, "").is_err());
        assert!(unpack(&packed.trace[..40], &packed.inputs_bytes, "").is_err());
        assert!(unpack(&[], &[], "").is_err());
        let newer = [&[VERSION + 1], &packed.trace[1..]].concat();
        let problem = unpack(&newer, &packed.inputs_bytes, "").expect_err("a newer version");
        assert_eq!(problem, "its trace is of a version that this program does not know");
    }

    #[test]
    fn an_order_beyond_the_candidates_is_refused() {
        let mut trace = sample::trace(2);
        trace.decision.order = vec![2];
        let packed = pack(trace).expect("packed");
        assert!(unpack(&packed.trace, &packed.inputs_bytes, "").is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..200), inputs: Vec<u8>) {
            let _ = unpack(&bytes, &inputs, "");
            let head = pack(sample::trace(1)).expect("packed").trace;
            bytes.splice(0..0, head[..HEAD].iter().copied());
            let _ = unpack(&bytes, &inputs, "");
        }

        #[test]
        fn every_veto_survives(asked in 0..=u32::MAX, mean in prop::option::of(0.0f32..1.0)) {
            let mut trace = sample::trace(2);
            trace.decision.considered[0].veto = Some(Veto::Count { asked, max: 4 });
            trace.decision.considered[1].veto = Some(Veto::MinQuality { mean, least: 0.5 });
            let packed = pack(trace.clone()).expect("packed");
            prop_assert_eq!(unpack(&packed.trace, &packed.inputs_bytes, sample::PROMPT), Ok(trace));
        }
    }
}
