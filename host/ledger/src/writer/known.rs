//! Which blobs are on disk already, so that each is written once and not with every record.
//!
//! Two generations bound the memory: when the young one is full the old one is forgotten, and what is forgotten is only
//! written once more. A blob that is still in use is touched again after an eighth of the retention, so that it always
//! outlives the records that refer to it.

use std::collections::HashMap;

use domain::digest::Digest;

use super::batch::BlobKind;

const GENERATION: usize = 16_384;

pub(crate) struct Known {
    young: HashMap<(BlobKind, Digest), u64>,
    old: HashMap<(BlobKind, Digest), u64>,
    touch_after_ms: u64,
}

/// How long a used blob goes without being touched.
pub(crate) fn touch_after_ms(retention_ms: u64) -> u64 {
    retention_ms / 8
}

impl Known {
    pub(crate) fn new(retention_ms: u64) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), touch_after_ms: touch_after_ms(retention_ms) }
    }

    /// Whether the blob needs no writing for a record of this moment.
    pub(crate) fn holds(&self, kind: BlobKind, digest: Digest, at_ms: u64) -> bool {
        let key = (kind, digest);
        let written = self.young.get(&key).or_else(|| self.old.get(&key));
        written.is_some_and(|used_ms| at_ms <= used_ms.saturating_add(self.touch_after_ms))
    }

    /// Notes a blob that was written.
    pub(crate) fn note(&mut self, kind: BlobKind, digest: Digest, used_ms: u64) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert((kind, digest), used_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_written_again_when_it_was_not_used_for_long() {
        let (mut known, digest) = (Known::new(800), Digest::of(b"a prompt"));
        assert!(!known.holds(BlobKind::Prompt, digest, 0));
        known.note(BlobKind::Prompt, digest, 1_000);
        assert!(known.holds(BlobKind::Prompt, digest, 1_100));
        assert!(!known.holds(BlobKind::Prompt, digest, 1_101));
        assert!(!known.holds(BlobKind::Inputs, digest, 1_000));
    }

    #[test]
    fn memory_is_bounded_and_recent_blobs_are_remembered() {
        let mut known = Known::new(800);
        let digest = |number: usize| Digest::of(&number.to_be_bytes());
        for number in 0..GENERATION * 3 {
            known.note(BlobKind::Prompt, digest(number), 0);
        }
        assert!(known.young.len() + known.old.len() <= GENERATION * 2);
        assert!(known.holds(BlobKind::Prompt, digest(GENERATION * 3 - 1), 0));
        assert!(known.holds(BlobKind::Prompt, digest(GENERATION * 2), 0));
        assert!(!known.holds(BlobKind::Prompt, digest(0), 0));
    }
}
