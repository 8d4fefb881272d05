//! What is known of one plugin's name: its files, what serves, what was refused, what happened.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{digest::Digest, quarantine::State};

use crate::{
    archive::Remembered,
    folder::{Contents, Stamps},
    history::{Event, History, What},
    plugin::{Origin, Plugin},
    roster::Refused,
    terms::Terms,
};

/// First pause before what may pass is tried again, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

#[derive(Clone, Default)]
pub(super) struct Slot {
    /// `None` when the next look must read the files again.
    pub(super) stamps: Option<Stamps>,
    /// What the files held when they were last taken through admission.
    pub(super) offered: Option<Identity>,
    /// The last good version.
    pub(super) serving: Option<Arc<Plugin>>,
    /// The one before it.
    pub(super) standby: Option<Arc<Plugin>>,
    /// Of what serves.
    pub(super) terms: Terms,
    pub(super) signature: Option<String>,
    /// Whether what serves went through admission as its files are, signature included: not when it came from the archive.
    pub(super) verified: bool,
    pub(super) refused: Option<Refused>,
    pub(super) retry: Option<Retry>,
    pub(super) remembered: Remembered,
    /// What of it is known to be on disk.
    pub(super) saved: Option<Remembered>,
    /// Whether the last try to put it there failed.
    pub(super) unsaved: bool,
    /// The component that is known to be in the archive.
    pub(super) kept: Option<Digest>,
    pub(super) not_kept: Option<String>,
    /// Whether it was said that what serves cannot be moved to the slow tier.
    pub(super) not_moved: bool,
    pub(super) history: History,
    /// As of the last look.
    pub(super) state: Option<State>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    at: Instant,
    pause: Duration,
}

/// Everything that admission depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) digest: Digest,
    terms: Option<Digest>,
    signature: Option<Digest>,
}

impl Identity {
    pub(super) fn of(component: &[u8], contents: &Contents) -> Self {
        let of = |text: &Option<String>| text.as_ref().map(|text| Digest::of(text.as_bytes()));
        Self { digest: Digest::of(component), terms: of(&contents.terms), signature: of(&contents.signature) }
    }
}

impl Slot {
    pub(super) fn bundled(plugin: Arc<Plugin>) -> Self {
        let mut slot = Self::default();
        slot.history.push(Event::new(What::Loaded).of(plugin.digest()).version(plugin.version()));
        slot.serving = Some(plugin);
        slot.verified = true;
        slot
    }

    /// What was offered serves, or is about to.
    pub(super) fn accept(&mut self) {
        self.refused = None;
        self.retry = None;
    }

    /// Puts `plugin` into service. What served before stands by, when it was another component.
    pub(super) fn serve(&mut self, plugin: Arc<Plugin>) {
        self.accept();
        let before = self.serving.take();
        let same = before.as_ref().is_some_and(|before| before.digest() == plugin.digest());
        let what = if same { What::NewTerms } else { What::Loaded };
        self.history.push(Event::new(what).of(plugin.digest()).version(plugin.version()));
        if !same {
            // When a bundled one comes back, the file over it was taken away: that is not to serve again.
            self.standby = before.filter(|_| *plugin.origin() != Origin::Bundled);
        }
        self.remembered.serve(plugin.digest());
        self.remembered.terms = self.terms.remembered();
        if let Some(key) = plugin.signed_by() {
            self.remembered.highest = Some((plugin.version().to_owned(), plugin.digest().to_string()));
            self.remembered.sign(plugin.digest(), key);
        }
        // What stands by does so on the same terms, or not at all.
        self.standby = self.standby.take().and_then(|standby| standby.with_terms(&self.terms).ok()).map(Arc::new);
        self.not_moved = false;
        self.serving = Some(plugin);
    }

    /// The file is gone, and nothing bundled has its name.
    pub(super) fn remove(&mut self) {
        if let Some(gone) = self.serving.take() {
            tracing::info!(plugin = %gone.name(), "plugin removed");
            self.history.push(Event::new(What::Removed).of(gone.digest()));
        }
        self.remembered.serving = None;
        self.standby = None;
        self.offered = None;
        self.signature = None;
        self.terms = Terms::default();
        self.accept();
    }

    pub(super) fn retry_later(&mut self, now: Instant) {
        let pause = self.retry.map_or(FIRST_PAUSE, |retry| (retry.pause * 2).min(LONGEST_PAUSE));
        self.retry = Some(Retry { at: now + pause, pause });
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.retry.is_some_and(|retry| now >= retry.at)
    }

    /// The plugin with what stands by for it.
    pub(super) fn with_standby(&self, plugin: &Arc<Plugin>) -> Arc<Plugin> {
        match &self.standby {
            Some(standby) if plugin.standby.is_none() => Arc::new(plugin.with_standby(Arc::clone(standby))),
            _ => Arc::clone(plugin),
        }
    }

    /// Whether what should serve does not: nothing does, or the bundled one in the place of a file's.
    pub(super) fn has_lost_its_plugin(&self) -> bool {
        let Some(serving) = &self.serving else { return true };
        let remembered = self.remembered.serving.as_deref();
        *serving.origin() == Origin::Bundled && remembered.is_some_and(|digest| digest != serving.digest().to_string())
    }

    /// Whether a roster of it differs from one of `before`.
    pub(super) fn shows_differently(&self, before: &Self) -> bool {
        let same = match (&self.serving, &before.serving) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        !same || self.refused != before.refused || self.remembered.disabled != before.remembered.disabled
    }

    /// Takes over what an operator did between `before` and `now`, while this was worked on.
    pub(super) fn keep_what_happened(&mut self, now: &Self, before: &Self) {
        self.remembered.disabled = now.remembered.disabled;
        for event in now.history.since(&before.history) {
            self.history.push(event);
        }
    }

    /// Whether anything would be lost by forgetting it.
    pub(super) fn is_worth_keeping(&self) -> bool {
        self.serving.is_some()
            || self.refused.is_some()
            || self.stamps.is_none()
            || self.remembered != Remembered::default()
    }

    pub(super) fn is_bundled(&self) -> bool {
        self.serving.as_ref().is_some_and(|plugin| *plugin.origin() == Origin::Bundled)
    }
}
