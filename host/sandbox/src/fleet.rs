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
};

use arc_swap::ArcSwap;

use crate::{
    archive::Archive,
    bundled::BUNDLED,
    engine::{Sandbox, Tier},
    folder::{self, Files, Stamps},
    load::{LoadError, Submission},
    plugin::{Origin, Plugin},
    roster::Roster,
    trust::Trust,
};

use slot::Slot;

mod actions;
mod admit;
mod remember;
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

#[cfg(test)]
mod tests;
