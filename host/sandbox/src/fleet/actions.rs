//! What an operator may do with a plugin: take it out of service, put it back, go back to the version before.

use std::sync::Arc;

use domain::digest::Digest;
use serde::Serialize;

use super::{Inner, Plugins, lock, slot::Slot};
use crate::{
    bundled::BUNDLED,
    history::{Event, What},
    load::{LoadError, Submission},
    plugin::{Origin, Plugin},
    terms::Terms,
};

/// A rollback that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RolledBack {
    pub from: String,
    pub to: String,
    pub version: String,
}

/// Why an action was not taken. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    #[error("there is no plugin `{name}`")]
    NoPlugin { name: String, near: Vec<String> },
    #[error("plugin `{name}` has no earlier good version here")]
    NothingBefore { name: String },
    #[error("the version before of plugin `{name}` does not load now")]
    Load { name: String, source: Box<LoadError> },
    #[error("plugin `{name}` cannot be changed: {reason}")]
    Archive { name: String, reason: String },
}

impl ActionError {
    /// The operator's next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoPlugin { near, .. } if near.is_empty() => None,
            Self::NoPlugin { near, .. } => {
                Some(format!("did you mean {}? `muxel plugin list` shows all", near.join(", ")))
            }
            Self::NothingBefore { .. } => Some("drop the version you want into the plugin folder".to_owned()),
            Self::Load { source, .. } => source.hint(),
            Self::Archive { .. } => Some("is the disk full? the audit log says more at GET /readyz".to_owned()),
        }
    }
}

impl Plugins {
    /// Takes a plugin out of service until it is enabled again, also over a restart.
    ///
    /// # Errors
    ///
    /// When there is no such plugin, or this cannot be remembered.
    pub fn disable(&self, name: &str) -> Result<(), ActionError> {
        // Not after a look that may wait for a compiler: this is for emergencies.
        self.change(name, |slot| {
            slot.remembered.disabled = true;
            slot.history.push(Event::new(What::Disabled));
        })
    }

    /// Puts a plugin back into service: one that was disabled, that is quarantined, or that was rolled back.
    ///
    /// # Errors
    ///
    /// When there is no such plugin, or this cannot be remembered.
    pub fn enable(&self, name: &str) -> Result<(), ActionError> {
        {
            let _working = self.inner.next_turn();
            self.change(name, |slot| {
                slot.remembered.disabled = false;
                slot.remembered.held.clear();
                // What is in its file is looked at again, and what it did is forgotten.
                (slot.stamps, slot.offered) = (None, None);
                slot.serving = slot.serving.take().map(|plugin| Arc::new(plugin.afresh()));
                slot.history.push(Event::new(What::Enabled));
            })?;
        }
        self.inner.scan();
        Ok(())
    }

    /// Goes back to the version before, now. The version that served is not taken up again by itself.
    ///
    /// # Errors
    ///
    /// When there is no version before, or it does not load.
    pub fn rollback(&self, name: &str) -> Result<RolledBack, ActionError> {
        let _working = self.inner.next_turn();
        let slot = self.inner.slot(name)?;
        let serving = slot.serving.as_ref().ok_or_else(|| ActionError::NothingBefore { name: name.to_owned() })?;
        let before = self.inner.version_before(name, &slot, serving.digest())?;
        let rolled = RolledBack {
            from: serving.digest().to_string(),
            to: before.digest().to_string(),
            version: before.version().to_owned(),
        };
        self.change(name, |slot| {
            slot.remembered.go_back(serving.digest(), before.digest());
            slot.history.push(Event::new(What::RolledBack).of(before.digest()).version(before.version()));
            slot.serving = Some(Arc::clone(&before));
            slot.standby = None;
            // Its file is looked at again, and refused for what was gone back from.
            (slot.stamps, slot.offered) = (None, None);
            slot.verified = false;
        })?;
        tracing::warn!(plugin = name, from = rolled.from, to = rolled.to, "plugin rolled back");
        Ok(rolled)
    }

    /// Remembers first: what cannot be remembered is not done. `change` is made to the slot as it is afterwards, so that
    /// nothing is lost of what a look found out meanwhile.
    fn change(&self, name: &str, change: impl Fn(&mut Slot)) -> Result<(), ActionError> {
        let inner = &self.inner;
        {
            let _writing = lock(&inner.writing);
            let seen = inner.slot(name)?;
            let mut wanted = seen.clone();
            change(&mut wanted);
            if let Some(archive) = &inner.setup.archive {
                archive
                    .remember(name, &wanted.remembered.text())
                    .map_err(|reason| ActionError::Archive { name: name.to_owned(), reason })?;
            }
            let mut slots = lock(&inner.slots);
            let slot = slots.entry(name.to_owned()).or_insert(seen);
            change(slot);
            slot.saved = Some(wanted.remembered);
        }
        inner.swap();
        Ok(())
    }
}

impl Inner {
    fn slot(&self, name: &str) -> Result<Slot, ActionError> {
        let slots = lock(&self.slots);
        slots.get(name).cloned().ok_or_else(|| {
            let near = domain::nearest::nearest(name, slots.keys().map(String::as_str), 3);
            let near = near.into_iter().map(str::to_owned).collect();
            ActionError::NoPlugin { name: name.chars().take(64).collect(), near }
        })
    }

    /// The last good version before `current`: in memory, in the archive, or the one that comes with this program.
    fn version_before(&self, name: &str, slot: &Slot, current: Digest) -> Result<Arc<Plugin>, ActionError> {
        let load = |source| ActionError::Load { name: name.to_owned(), source: Box::new(source) };
        if let Some(standby) = slot.standby.as_ref().filter(|standby| !slot.remembered.holds(standby.digest())) {
            return standby.with_terms(&slot.terms).map(Arc::new).map_err(load);
        }
        if let Some(archive) = &self.setup.archive {
            for digest in slot.remembered.good.iter().rev().filter_map(|digest| Digest::from_hex(digest)) {
                let kept =
                    archive.fetch(digest).map_err(|reason| ActionError::Archive { name: name.to_owned(), reason })?;
                if let Some(bytes) = kept.filter(|_| digest != current) {
                    return self.load_kept(name, &bytes, &slot.terms, &slot.remembered).map(Arc::new).map_err(load);
                }
            }
        }
        let bundled = BUNDLED.iter().find(|(bundled, _)| *bundled == name && !slot.is_bundled());
        let (_, bytes) = bundled.ok_or_else(|| ActionError::NothingBefore { name: name.to_owned() })?;
        let submission = Submission { terms: &slot.terms, ..Submission::new(name, bytes) };
        self.sandbox.load(&submission, Origin::Bundled).map(Arc::new).map_err(load)
    }

    /// What time does to plugins: rests begin and end, and one that is too slow moves to the slow tier.
    pub(super) fn tend(&self) {
        let _working = lock(&self.work);
        let serving: Vec<(String, Arc<Plugin>, Terms)> = lock(&self.slots)
            .iter_mut()
            .filter_map(|(name, slot)| {
                let plugin = slot.serving.clone()?;
                slot.note_state(plugin.state(), plugin.digest());
                Some((name.clone(), plugin, slot.terms.clone()))
            })
            .collect();
        let mut moved = false;
        for (name, plugin, terms) in serving {
            if !plugin.is_too_slow() || terms.tier().is_some() {
                continue;
            }
            let slowed = plugin.slowed(&self.sandbox, &terms);
            let mut slots = lock(&self.slots);
            let Some(slot) = slots.get_mut(&name) else { continue };
            match slowed {
                Ok(slowed) => {
                    tracing::warn!(plugin = name, "plugin is too slow for the fast tier: moved to the slow one");
                    slot.history.push(Event::new(What::MovedToSlowTier).of(plugin.digest()));
                    slot.serving = Some(Arc::new(slowed));
                    moved = true;
                }
                // Tried again with every look, said once.
                Err(error) if !slot.not_moved => {
                    tracing::warn!(plugin = name, %error, "plugin cannot be moved to the slow tier");
                    slot.not_moved = true;
                }
                Err(_) => {}
            }
        }
        if moved {
            self.swap();
        }
    }
}

impl Slot {
    fn note_state(&mut self, state: domain::quarantine::State, digest: Digest) {
        use domain::quarantine::State;
        let what = match (self.state, state) {
            (Some(State::Quarantined { until }), State::Quarantined { until: now }) if until == now => return,
            (_, State::Quarantined { .. }) => What::Quarantined,
            (Some(State::Probation), State::Probation) => return,
            (_, State::Probation) => What::Probation,
            (Some(State::Quarantined { .. } | State::Probation), State::Serving) => What::Recovered,
            (_, State::Serving) => {
                self.state = Some(state);
                return;
            }
        };
        self.state = Some(state);
        self.history.push(Event::new(what).of(digest));
    }
}
