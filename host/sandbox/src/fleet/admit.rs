//! One plugin's files through admission: it serves from then on, or is refused and the last good version serves.

use std::{sync::Arc, time::Instant};

use domain::digest::Digest;

use super::{
    Inner,
    slot::{Identity, Slot},
};
use crate::{
    archive::Remembered,
    bundled::BUNDLED,
    folder::{Contents, Files, NotRead},
    history::{Event, What},
    load::{LoadError, Submission},
    plugin::{Origin, Plugin},
    roster::Refused,
    terms::Terms,
    trust::TrustError,
};

enum Tried {
    /// What is offered serves already.
    AsBefore,
    Plugin(Plugin),
}

impl Inner {
    /// Brings one plugin up to what its files say.
    pub(super) fn look_at(&self, name: &str, files: &Files, slot: &mut Slot) {
        let now = Instant::now();
        let unchanged = slot.stamps == Some(files.stamps());
        if unchanged && !slot.is_due(now) {
            return;
        }
        let contents = match files.read() {
            Ok(contents) => contents,
            Err(NotRead::Moving) => {
                slot.stamps = None;
                return;
            }
            Err(NotRead::Failed { file, reason }) => {
                let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let reason = format!("`{file}`: {reason}");
                let error = LoadError::Read { plugin: name.to_owned(), reason };
                slot.stamps = Some(files.stamps());
                return self.refuse_and_fall_back(name, slot, &error, None, None, now);
            }
            Err(NotRead::TooLarge { bytes, limit }) => {
                let error = LoadError::TooLarge { plugin: name.to_owned(), bytes, limit };
                slot.stamps = Some(files.stamps());
                return self.refuse_and_fall_back(name, slot, &error, None, None, now);
            }
        };
        slot.stamps = Some(contents.stamps);
        let bundled = BUNDLED.iter().find(|(bundled, _)| *bundled == name).map(|(_, bytes)| *bytes);
        let (bytes, origin): (&[u8], Origin) = match (&contents.component, &files.component, bundled) {
            (Some(bytes), Some(path), _) => (bytes, Origin::File(path.clone())),
            (_, _, Some(bytes)) => (bytes, Origin::Bundled),
            _ => return slot.remove(),
        };
        let identity = Identity::of(bytes, &contents);
        if slot.offered == Some(identity) && !slot.is_due(now) {
            return;
        }
        self.admit(name, slot, bytes, origin, &contents, identity, now);
        if slot.serving.as_ref().is_some_and(|plugin| plugin.digest() == identity.digest) {
            self.keep(slot, identity.digest, bytes);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what is offered, and what is known")]
    fn admit(
        &self,
        name: &str,
        slot: &mut Slot,
        bytes: &[u8],
        origin: Origin,
        contents: &Contents,
        identity: Identity,
        now: Instant,
    ) {
        slot.offered = Some(identity);
        match self.try_on(name, slot, bytes, origin, contents, identity.digest) {
            Ok(Tried::AsBefore) => {
                slot.accept();
                slot.remembered.serve(identity.digest);
            }
            Ok(Tried::Plugin(plugin)) => {
                tracing::info!(plugin = name, digest = %plugin.digest().short(), "plugin loaded");
                slot.serve(Arc::new(plugin));
            }
            Err(error) => {
                let terms = contents.terms.as_deref().map(Terms::parse);
                let terms = terms.map_or_else(|| Some(Terms::default()), Result::ok);
                self.refuse_and_fall_back(name, slot, &error, Some(identity.digest), terms, now);
            }
        }
    }

    fn try_on(
        &self,
        name: &str,
        slot: &mut Slot,
        bytes: &[u8],
        origin: Origin,
        contents: &Contents,
        digest: Digest,
    ) -> Result<Tried, LoadError> {
        let terms = match &contents.terms {
            None => Terms::default(),
            Some(text) => Terms::parse(text).map_err(|error| LoadError::Terms { plugin: name.to_owned(), error })?,
        };
        if slot.remembered.holds(digest) {
            // The version that serves in its place goes on under its operator's terms.
            let serving = slot.serving.as_ref().filter(|_| slot.terms.text != terms.text);
            if let Some(Ok(plugin)) = serving.map(|serving| serving.with_terms(&terms)) {
                slot.terms = terms;
                slot.remembered.terms = slot.terms.remembered();
                slot.serving = Some(Arc::new(plugin));
            }
            return Err(LoadError::HeldBack { plugin: name.to_owned(), digest });
        }
        // Nothing is compiled when only the terms are new, and nothing is done when nothing is.
        if let Some(serving) = slot.serving.as_ref().filter(|serving| serving.digest() == digest) {
            let same_tier = terms.tier().is_none_or(|tier| tier == serving.tier());
            let same_signature = slot.signature == contents.signature;
            if slot.verified && same_tier && same_signature && *serving.origin() == origin {
                if slot.terms.text == terms.text {
                    return Ok(Tried::AsBefore);
                }
                let plugin = serving.with_terms(&terms)?;
                slot.terms = terms;
                return Ok(Tried::Plugin(plugin));
            }
        }
        let served = slot.remembered.highest.clone();
        let served = served.as_ref().and_then(|(version, digest)| Some((version.as_str(), Digest::from_hex(digest)?)));
        let recorded = self.recent();
        let submission = Submission {
            name,
            bytes,
            signature: contents.signature.as_deref(),
            terms: &terms,
            trust: &self.setup.trust,
            served,
            recorded: &recorded,
        };
        let plugin = self.sandbox.load(&submission, origin)?;
        slot.terms = terms;
        slot.signature.clone_from(&contents.signature);
        slot.verified = true;
        Ok(Tried::Plugin(plugin))
    }

    fn refuse(&self, name: &str, slot: &mut Slot, error: &LoadError, digest: Option<Digest>, now: Instant) {
        let refused = Refused::from(error);
        // Once for each thing that is wrong, not once for each look.
        if slot.refused.as_ref() != Some(&refused) {
            tracing::warn!(plugin = name, %error, hint = error.hint(), "plugin refused");
            let event = Event::new(What::Refused).because(error.code(), error.to_string());
            slot.history.push(match digest {
                Some(digest) => event.of(digest),
                None => event,
            });
        }
        slot.refused = Some(refused);
        if error.may_pass() {
            slot.retry_later(now);
        } else {
            slot.retry = None;
        }
    }

    /// Refuses what is offered, and brings back what served before the last restart when nothing else does. `terms` are
    /// those of the file, when it can be read.
    fn refuse_and_fall_back(
        &self,
        name: &str,
        slot: &mut Slot,
        error: &LoadError,
        digest: Option<Digest>,
        terms: Option<Terms>,
        now: Instant,
    ) {
        self.refuse(name, slot, error, digest, now);
        if !slot.has_lost_its_plugin() {
            return;
        }
        let remembered = slot.remembered.terms.as_deref().map_or_else(|| Ok(Terms::default()), Terms::parse).ok();
        for terms in terms.into_iter().chain(remembered) {
            if let Some(plugin) = self.last_good(name, slot, &terms) {
                tracing::warn!(plugin = name, digest = %plugin.digest().short(), "the last good version serves");
                slot.history.push(Event::new(What::Loaded).of(plugin.digest()).version(plugin.version()));
                slot.serving = Some(Arc::new(plugin));
                slot.terms = terms;
                slot.verified = false;
                return;
            }
        }
    }

    /// What served before the last restart, or before that, from the archive.
    fn last_good(&self, name: &str, slot: &Slot, terms: &Terms) -> Option<Plugin> {
        let archive = self.setup.archive.as_ref()?;
        // Of a plugin that was taken away, nothing comes back.
        let serving = slot.remembered.serving.as_ref()?;
        let candidates = std::iter::once(serving).chain(slot.remembered.good.iter().rev());
        for digest in candidates.filter_map(|digest| Digest::from_hex(digest)) {
            match archive.fetch(digest) {
                Ok(Some(bytes)) => match self.load_kept(name, &bytes, terms, &slot.remembered) {
                    Ok(plugin) => return Some(plugin),
                    Err(error) => tracing::warn!(plugin = name, %error, "the last good version does not load"),
                },
                Ok(None) => {}
                Err(error) => tracing::warn!(plugin = name, error, "the last good version cannot be read"),
            }
        }
        None
    }

    /// A component that was admitted once, if whoever signed it then is trusted still.
    pub(super) fn load_kept(
        &self,
        name: &str,
        bytes: &[u8],
        terms: &Terms,
        remembered: &Remembered,
    ) -> Result<Plugin, LoadError> {
        let key = remembered.signed.get(&Digest::of(bytes).to_string());
        if !self.setup.trust.accepts(key.map(String::as_str), remembered.highest.is_some()) {
            let error = if key.is_some() { TrustError::UnknownKey } else { TrustError::Unsigned };
            return Err(LoadError::Trust { plugin: name.to_owned(), error });
        }
        let path = self.setup.folder.clone().unwrap_or_default().join(format!("{name}.wasm"));
        let submission = Submission { terms, ..Submission::new(name, bytes) };
        let plugin = self.sandbox.load(&submission, Origin::File(path))?;
        Ok(Plugin { signed_by: key.map(|key| key.as_str().into()), ..plugin })
    }
}
