//! The plugins in service: those that come with this program, and what lies in the plugin folder over them.
//!
//! A look at the folder ([`Plugins::scan`]) takes each plugin whose files changed through admission and then swaps the
//! whole roster at once. A bad file changes nothing but the list of refusals: the last good version serves on, also after
//! a restart. An unreadable or missing folder takes nothing out of service.
//!
//! Three locks, taken in this order: `work` serialises looks and actions, which may wait for a compiler; `writing` is held
//! while what is to be remembered is written down; `slots` is held for moments only, so that nobody who asks how things
//! are waits for a compiler or a disk, too.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use arc_swap::ArcSwap;
use domain::digest::Digest;

use crate::{
    archive::{Archive, Remembered},
    bundled::BUNDLED,
    engine::{Sandbox, Tier},
    folder::{self, Contents, Files, NotRead, Stamps},
    history::{Event, What},
    load::{LoadError, Submission},
    plugin::{Origin, Plugin},
    roster::{Refused, Roster},
    terms::Terms,
    trial::RECORDED,
    trust::{Trust, TrustError},
};

use slot::{Identity, Slot};

mod actions;
mod slot;
mod status;
mod watch;

pub use actions::{ActionError, RolledBack};
pub use status::PluginStatus;

/// Looks before a folder that keeps changing is taken as it is.
const MOST_LOOKS: usize = 3;

type OnSwap = Box<dyn Fn(&Arc<Roster>) + Send + Sync>;

/// The plugins in service, and the thread that watches their folder.
pub struct Plugins {
    inner: Arc<Inner>,
    watcher: Mutex<Option<watch::Watcher>>,
}

/// Where plugins come from, and who is trusted.
#[derive(Clone, Default)]
pub struct Setup {
    pub folder: Option<PathBuf>,
    pub trust: Trust,
    pub archive: Option<Arc<dyn Archive>>,
}

struct Inner {
    sandbox: Sandbox,
    setup: Setup,
    roster: ArcSwap<Roster>,
    work: Mutex<()>,
    /// Who waits for `work` and should not wait for a compiler.
    waiting: AtomicUsize,
    writing: Mutex<()>,
    slots: Mutex<BTreeMap<String, Slot>>,
    /// What is wrong with the folder as a whole.
    trouble: Mutex<Option<String>>,
    /// Files whose names name no plugin, as of the last look.
    strange: Mutex<BTreeSet<String>>,
    on_swap: Mutex<Option<OnSwap>>,
}

impl Plugins {
    /// Loads the bundled plugins and what lies in the folder. Nothing is watched yet.
    ///
    /// # Errors
    ///
    /// When a bundled plugin does not load, which is a defect of this program. Bad files in the folder are no error:
    /// they are listed as refused.
    pub fn load(sandbox: Sandbox, setup: Setup) -> Result<Self, LoadError> {
        let mut slots: BTreeMap<String, Slot> = BTreeMap::new();
        for (name, bytes) in BUNDLED {
            let plugin = sandbox.load(&Submission::new(name, bytes), Origin::Bundled)?;
            slots.insert(name.to_owned(), Slot::bundled(Arc::new(plugin)));
        }
        let inner = Inner {
            sandbox,
            setup,
            roster: ArcSwap::from_pointee(Roster::default()),
            work: Mutex::new(()),
            waiting: AtomicUsize::new(0),
            writing: Mutex::new(()),
            slots: Mutex::new(slots),
            trouble: Mutex::new(None),
            strange: Mutex::default(),
            on_swap: Mutex::new(None),
        };
        inner.recall();
        inner.scan();
        inner.swap();
        Ok(Self { inner: Arc::new(inner), watcher: Mutex::new(None) })
    }

    /// The plugins in service now.
    #[must_use]
    pub fn roster(&self) -> Arc<Roster> {
        self.inner.roster.load_full()
    }

    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.inner.setup.folder.as_deref()
    }

    /// The engines behind these plugins.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.inner.sandbox
    }

    /// What is wrong with the folder as a whole, if anything is. What served before serves on.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        lock(&self.inner.trouble).clone()
    }

    /// Calls `listener` after every swap, from the thread that made it. A second listener replaces the first.
    pub fn on_swap(&self, listener: impl Fn(&Arc<Roster>) + Send + Sync + 'static) {
        *lock(&self.inner.on_swap) = Some(Box::new(listener));
    }

    /// Looks at the folder now and returns the roster that is in service afterwards. May wait for a compiler.
    pub fn scan(&self) -> Arc<Roster> {
        self.inner.scan();
        self.roster()
    }

    /// Starts watching the folder, and how plugins behave.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn watch(&self) -> std::io::Result<()> {
        *lock(&self.watcher) = Some(watch::start(&self.inner)?);
        Ok(())
    }
}

impl Drop for Plugins {
    fn drop(&mut self) {
        // A compiler under way is not worth waiting for.
        self.inner.sandbox.stop.store(true, Ordering::Relaxed);
        if let Some(watcher) = lock(&self.watcher).take() {
            watcher.stop();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// The turn of somebody who should not wait for the compilers of a whole look.
    fn next_turn(&self) -> MutexGuard<'_, ()> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let turn = lock(&self.work);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        turn
    }

    /// Looks at every plugin's files, and swaps the roster when anything came of it. What changes together is taken
    /// together: when the folder has changed while it was looked at, it is looked at again before the swap.
    fn scan(&self) {
        let _working = lock(&self.work);
        let mut anything = false;
        for _ in 0..MOST_LOOKS {
            let Some(found) = self.list() else { break };
            let seen = stamps(&found);
            anything |= self.look(&found);
            if self.list().is_none_or(|again| stamps(&again) == seen) {
                break;
            }
        }
        if anything {
            self.swap();
        }
    }

    /// Brings every plugin up to what its files say. Whether anything came of it.
    fn look(&self, found: &BTreeMap<String, Files>) -> bool {
        let names: BTreeSet<String> = lock(&self.slots).keys().chain(found.keys()).cloned().collect();
        let mut anything = false;
        for name in names {
            // Somebody does not want to wait for a compiler. What is left is looked at with the next look.
            if self.waiting.load(Ordering::Relaxed) > 0 || self.sandbox.stop.load(Ordering::Relaxed) {
                break;
            }
            let files = found.get(&name).cloned().unwrap_or_default();
            let before = lock(&self.slots).get(&name).cloned().unwrap_or_default();
            let mut slot = before.clone();
            self.look_at(&name, &files, &mut slot);
            anything |= slot.shows_differently(&before);
            {
                let mut slots = lock(&self.slots);
                if let Some(now) = slots.get(&name) {
                    slot.keep_what_happened(now, &before);
                }
                if slot.is_worth_keeping() {
                    slots.insert(name.clone(), slot);
                } else {
                    slots.remove(&name);
                }
            }
            self.save(&name);
        }
        anything
    }

    /// The plugins' files; `None` when the folder cannot be read, which shows as trouble.
    fn list(&self) -> Option<BTreeMap<String, Files>> {
        let found = self.read_folder();
        let mut trouble = lock(&self.trouble);
        match found {
            Ok(found) => {
                *trouble = None;
                Some(found)
            }
            Err(reason) => {
                if trouble.as_ref() != Some(&reason) {
                    tracing::warn!(reason, "the plugin folder cannot be read: what served before serves on");
                }
                *trouble = Some(reason);
                None
            }
        }
    }

    /// A folder that was never there is empty; one that is gone says so.
    fn read_folder(&self) -> Result<BTreeMap<String, Files>, String> {
        let Some(folder) = &self.setup.folder else { return Ok(BTreeMap::new()) };
        match folder::list(folder) {
            Ok((found, strange)) => {
                self.notice(strange);
                Ok(found)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !self.has_files() => Ok(BTreeMap::new()),
            Err(error) => Err(format!("`{}`: {error}", folder.display())),
        }
    }

    /// Says once of each file that its name names no plugin.
    fn notice(&self, strange: BTreeSet<String>) {
        let mut noticed = lock(&self.strange);
        for file in strange.difference(&noticed) {
            let hint = "a plugin's file has lower-case words joined by `-`, and is not called `auto` or `native`";
            tracing::warn!(file, hint, "this file names no plugin, so nobody looks at it");
        }
        *noticed = strange;
    }

    fn has_files(&self) -> bool {
        let is_file = |slot: &Slot| slot.serving.as_ref().is_some_and(|plugin| *plugin.origin() != Origin::Bundled);
        lock(&self.slots).values().any(is_file)
    }

    /// Brings one plugin up to what its files say.
    fn look_at(&self, name: &str, files: &Files, slot: &mut Slot) {
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
    fn load_kept(&self, name: &str, bytes: &[u8], terms: &Terms, remembered: &Remembered) -> Result<Plugin, LoadError> {
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

    fn keep(&self, slot: &mut Slot, digest: Digest, bytes: &[u8]) {
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

    fn recent(&self) -> Vec<domain::request::Request> {
        self.setup.archive.as_ref().map(|archive| archive.recent(RECORDED)).unwrap_or_default()
    }

    /// Takes up what was remembered of each plugin in an earlier run.
    fn recall(&self) {
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
    fn save(&self, name: &str) {
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

    /// Makes a roster of what serves now, and puts it into service as a whole.
    fn swap(&self) {
        let roster = {
            let slots = lock(&self.slots);
            let revision = self.roster.load().revision + 1;
            let mut roster = Roster { revision, ..Roster::default() };
            for (name, slot) in slots.iter() {
                if let Some(plugin) = &slot.serving {
                    if slot.remembered.disabled {
                        roster.disabled.insert(plugin.name(), plugin.digest());
                    } else {
                        roster.plugins.insert(plugin.name(), slot.with_standby(plugin));
                    }
                }
                if let Some(refused) = &slot.refused {
                    roster.refused.insert(name.clone(), refused.clone());
                }
            }
            let is_slow = |plugin: &Plugin| plugin.tier() == Tier::Slow;
            let slow =
                |plugin: &Arc<Plugin>| is_slow(plugin) || plugin.standby().is_some_and(|standby| is_slow(standby));
            roster.slow = roster.plugins.values().any(slow);
            let roster = Arc::new(roster);
            self.roster.store(Arc::clone(&roster));
            roster
        };
        if let Some(listener) = &*lock(&self.on_swap) {
            listener(&roster);
        }
    }
}

fn stamps(found: &BTreeMap<String, Files>) -> Vec<(&String, Stamps)> {
    found.iter().map(|(name, files)| (name, files.stamps())).collect()
}

enum Tried {
    /// What is offered serves already.
    AsBefore,
    Plugin(Plugin),
}

#[cfg(test)]
mod tests;
