//! What was learned before and went into a record's decision, as bytes: versioned, as the trace is.

use domain::learning::Judgement;

const VERSION: u8 = 1;

/// `None` when nothing that was learned had a part in it.
pub(crate) fn pack(judgement: &Judgement) -> Option<Vec<u8>> {
    if judgement.is_empty() {
        return None;
    }
    postcard::to_extend(judgement, vec![VERSION]).ok()
}

/// What [`pack`] made.
pub(crate) fn unpack(stored: Option<&[u8]>) -> Result<Judgement, &'static str> {
    match stored.map(<[u8]>::split_first) {
        None => Ok(Judgement::default()),
        Some(Some((&VERSION, body))) => {
            postcard::from_bytes(body).map_err(|_| "what was learned before it cannot be read")
        }
        Some(_) => Err("what was learned before it is of a version that this program does not know"),
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        candidate::CandidateId, catalogue::Prior, digest::Digest, learning::Observed, money::MicroUsd, price::Estimate,
    };

    use super::*;

    fn judgement() -> Judgement {
        Judgement {
            memories: vec![(Digest::of(b"component"), Digest::of(b"memory"))],
            observed: Some(Observed {
                model: CandidateId::new("openai", "gpt-image-2", Some("low")),
                strategy: "hybrid".into(),
                cost: Some(Estimate { expected: MicroUsd(5_300), upper: MicroUsd(6_000) }),
                quality: Some(Prior { mean: 0.6, deviation: 0.05 }),
                reason: "best balance".to_owned(),
            }),
            expected: vec![(3, "0.71 ± 0.05 = 0.62 prior + 0.09 text, from 304 ratings".to_owned())],
        }
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        for judgement in [Judgement::default(), judgement()] {
            assert_eq!(unpack(pack(&judgement).as_deref()), Ok(judgement));
        }
        assert!(unpack(Some(&[])).is_err() && unpack(Some(&[9, 9])).is_err() && unpack(Some(&[VERSION, 9])).is_err());
    }

    /// This is how it lies on people's disks: when it fails, keep the old form and make a version 2.
    #[test]
    fn the_form_of_version_1_stays() {
        let form = Digest::of(&pack(&judgement()).expect("packed"));
        assert_eq!(form.short(), "f2fb2e502979");
    }
}
