//! What outlives this process: which components served, and what was decided about each plugin.

use std::time::Instant;

use domain::digest::Digest;

use super::{Inner, lock, slot::Slot};
use crate::{
    archive::Remembered,
    folder,
    history::{Event, What},
    trial::RECORDED,
};

impl Inner {
    pub(super) fn keep(&self, slot: &mut Slot, digest: Digest, bytes: &[u8]) {
        let Some(archive) = &self.setup.archive else { return };
        if slot.kept == Some(digest) {
            return;
        }
        match archive.keep(digest, bytes) {
            Ok(()) => {
                slot.kept = Some(digest);
                slot.not_kept = None;
            }
            Err(reason) => {
                if slot.not_kept.is_none() {
                    tracing::warn!(digest = %digest.short(), reason, "a component cannot be kept: tried again later");
                    slot.history.push(Event::new(What::NotKept).of(digest).because("not-kept", reason.clone()));
                }
                slot.not_kept = Some(reason);
                slot.retry_later(Instant::now());
            }
        }
    }

    pub(super) fn recent(&self) -> Vec<domain::request::Request> {
        self.setup.archive.as_ref().map(|archive| archive.recent(RECORDED)).unwrap_or_default()
    }

    /// Takes up what was remembered of each plugin in an earlier run.
    pub(super) fn recall(&self) {
        let Some(archive) = &self.setup.archive else { return };
        match archive.states() {
            Ok(states) => {
                let mut slots = lock(&self.slots);
                for (name, text) in states.into_iter().filter(|(name, _)| folder::is_name(name)) {
                    let slot = slots.entry(name).or_default();
                    slot.remembered = Remembered::parse(&text);
                    slot.saved = Some(slot.remembered.clone());
                }
            }
            Err(reason) => tracing::warn!(reason, "what was decided about plugins cannot be read"),
        }
    }

    /// Writes down what is to be remembered, if it is not what was written before. A failure is made good with one of the
    /// next looks.
    pub(super) fn save(&self, name: &str) {
        let Some(archive) = &self.setup.archive else { return };
        let _writing = lock(&self.writing);
        let remembered = {
            let slots = lock(&self.slots);
            let Some(slot) = slots.get(name) else { return };
            // Of a name that never meant anything nothing is written.
            let nothing = slot.saved.is_none() && slot.remembered == Remembered::default();
            if nothing || slot.saved.as_ref() == Some(&slot.remembered) {
                return;
            }
            slot.remembered.clone()
        };
        let written = archive.remember(name, &remembered.text());
        let mut slots = lock(&self.slots);
        let Some(slot) = slots.get_mut(name) else { return };
        match written {
            Ok(()) => (slot.saved, slot.unsaved) = (Some(remembered), false),
            Err(reason) => {
                if !slot.unsaved {
                    tracing::warn!(
                        plugin = name,
                        reason,
                        "what was decided about a plugin cannot be written: tried again"
                    );
                }
                slot.unsaved = true;
            }
        }
    }
}
