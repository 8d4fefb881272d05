//! The plugin folder: what lies in it serves, without a restart.
//!
//! An event of the file system only means "look again", so a lost or doubled event costs nothing; a slow poll covers
//! file systems that send none, and a folder that is removed and comes back. A file is read once it has kept still, and
//! loaded when its digest is new. A bad file changes nothing but the list of refusals: the last good version serves on.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use domain::digest::Digest;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::{
    bundled::BUNDLED,
    engine::Sandbox,
    load::LoadError,
    plugin::{Limits, Origin, Plugin},
    roster::{Refused, Roster},
};

/// How long the folder must be quiet before it is read.
const DEBOUNCE: Duration = Duration::from_millis(150);
/// How often to look without an event.
const POLL: Duration = Duration::from_secs(2);
/// Most plugin files in a folder: what is beyond is refused, not loaded.
const MOST_FILES: usize = 256;

type OnSwap = Box<dyn Fn(&Arc<Roster>) + Send + Sync>;

/// The plugins in service, and the thread that watches their folder.
pub struct Plugins {
    inner: Arc<Inner>,
    watcher: Mutex<Option<Watcher>>,
}

struct Inner {
    sandbox: Sandbox,
    folder: Option<PathBuf>,
    bundled: BTreeMap<Arc<str>, Arc<Plugin>>,
    roster: ArcSwap<Roster>,
    /// Serialises scans, and remembers each file between them.
    files: Mutex<BTreeMap<String, File>>,
    on_swap: Mutex<Option<OnSwap>>,
}

/// What a scan knows of one plugin's file.
#[derive(Clone)]
struct File {
    stamp: Stamp,
    digest: Option<Digest>,
    /// The last good version.
    serving: Option<Arc<Plugin>>,
    refused: Option<Refused>,
}

/// What tells that a file may have changed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

struct Watcher {
    stop: mpsc::Sender<Event>,
    thread: thread::JoinHandle<()>,
}

enum Event {
    LookAgain,
    Stop,
}

impl Plugins {
    /// Loads the bundled plugins and what lies in `folder`. Nothing is watched yet.
    ///
    /// # Errors
    ///
    /// When a bundled plugin does not load, which is a defect of this program. Bad files in the folder are no error:
    /// they are listed as refused.
    pub fn load(sandbox: Sandbox, folder: Option<PathBuf>) -> Result<Self, LoadError> {
        let mut bundled = BTreeMap::new();
        for (name, bytes) in BUNDLED {
            let plugin = Arc::new(sandbox.load(name, bytes, Origin::Bundled)?);
            bundled.insert(plugin.name(), plugin);
        }
        let roster = ArcSwap::from_pointee(Roster { revision: 1, plugins: bundled.clone(), refused: BTreeMap::new() });
        let inner =
            Inner { sandbox, folder, bundled, roster, files: Mutex::new(BTreeMap::new()), on_swap: Mutex::new(None) };
        inner.scan();
        Ok(Self { inner: Arc::new(inner), watcher: Mutex::new(None) })
    }

    /// The plugins in service now.
    #[must_use]
    pub fn roster(&self) -> Arc<Roster> {
        self.inner.roster.load_full()
    }

    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.inner.folder.as_deref()
    }

    /// The engine behind these plugins.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.inner.sandbox
    }

    /// Calls `listener` after every swap, from the thread that made it. A second listener replaces the first.
    pub fn on_swap(&self, listener: impl Fn(&Arc<Roster>) + Send + Sync + 'static) {
        *self.inner.on_swap.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(listener));
    }

    /// Looks at the folder now and returns the roster that is in service afterwards.
    pub fn scan(&self) -> Arc<Roster> {
        self.inner.scan();
        self.roster()
    }

    /// Starts watching the folder, if there is one.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn watch(&self) -> std::io::Result<()> {
        let Some(folder) = self.inner.folder.clone() else { return Ok(()) };
        let (events, received) = mpsc::channel();
        let inner = Arc::clone(&self.inner);
        let stop = events.clone();
        let thread = thread::Builder::new()
            .name("muxel-plugins".to_owned())
            .spawn(move || watch(&inner, &folder, &events, &received))?;
        *self.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(Watcher { stop, thread });
        Ok(())
    }
}

impl Drop for Plugins {
    fn drop(&mut self) {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watcher) = watcher {
            // A watcher that has ended already needs no word.
            let _ = watcher.stop.send(Event::Stop);
            let _ = watcher.thread.join();
        }
    }
}

fn watch(inner: &Inner, folder: &Path, events: &mpsc::Sender<Event>, received: &mpsc::Receiver<Event>) {
    let mut eyes: Option<(u64, RecommendedWatcher)> = None;
    loop {
        // A folder that was removed and made again is another folder: look at that one.
        let inode = inode(folder);
        if eyes.as_ref().map(|(watched, _)| *watched) != inode {
            eyes = inode.and_then(|inode| open_eyes(folder, events).map(|watcher| (inode, watcher)));
        }
        match received.recv_timeout(POLL) {
            Ok(Event::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Ok(Event::LookAgain) => loop {
                match received.recv_timeout(DEBOUNCE) {
                    Ok(Event::LookAgain) => {}
                    Ok(Event::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    Err(mpsc::RecvTimeoutError::Timeout) => break,
                }
            },
        }
        inner.scan();
    }
}

fn open_eyes(folder: &Path, events: &mpsc::Sender<Event>) -> Option<RecommendedWatcher> {
    let events = events.clone();
    let look_again = move |event: notify::Result<notify::Event>| {
        // Our own reading is no news.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            // A watcher that has ended needs no word.
            let _ = events.send(Event::LookAgain);
        }
    };
    let watcher = notify::recommended_watcher(look_again).and_then(|mut watcher| {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watcher.inspect_err(|error| tracing::warn!(folder = %folder.display(), %error, "no file events: polling")).ok()
}

impl Inner {
    fn scan(&self) {
        let Some(folder) = &self.folder else { return };
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = list(folder) else {
            // An unreadable folder takes nothing out of service.
            return;
        };
        let before = files.clone();
        files.retain(|name, _| found.contains_key(name));
        for (name, path) in found {
            let known = files.get(&name);
            match read(&name, &path, known) {
                Read::Unchanged | Read::Moving => {}
                Read::Failed(stamp, error) => {
                    let serving = known.and_then(|file| file.serving.clone());
                    files.insert(name, File { stamp, digest: None, serving, refused: Some((&error).into()) });
                }
                Read::Bytes(stamp, bytes) => {
                    let file = self.load_file(&name, &path, stamp, &bytes, known);
                    files.insert(name, file);
                }
            }
        }
        if changed(&before, &files) {
            self.swap(&files);
        }
    }

    fn load_file(&self, name: &str, path: &Path, stamp: Stamp, bytes: &[u8], known: Option<&File>) -> File {
        let digest = Some(Digest::of(bytes));
        if let Some(known) = known.filter(|known| known.digest == digest) {
            return File { stamp, ..known.clone() };
        }
        match self.sandbox.load(name, bytes, Origin::File(path.to_owned())) {
            Ok(plugin) => {
                tracing::info!(plugin = name, digest = %plugin.digest().short(), "plugin loaded");
                File { stamp, digest, serving: Some(Arc::new(plugin)), refused: None }
            }
            Err(error) => {
                tracing::warn!(plugin = name, %error, hint = error.hint(), "plugin refused");
                let serving = known.and_then(|file| file.serving.clone());
                File { stamp, digest, serving, refused: Some((&error).into()) }
            }
        }
    }

    fn swap(&self, files: &BTreeMap<String, File>) {
        let mut plugins = self.bundled.clone();
        plugins.extend(files.values().filter_map(|file| file.serving.clone()).map(|plugin| (plugin.name(), plugin)));
        let refused = files.iter().filter_map(|(name, file)| Some((name.clone(), file.refused.clone()?)));
        let revision = self.roster.load().revision + 1;
        let roster = Arc::new(Roster { revision, plugins, refused: refused.collect() });
        self.roster.store(Arc::clone(&roster));
        if let Some(listener) = &*self.on_swap.lock().unwrap_or_else(PoisonError::into_inner) {
            listener(&roster);
        }
    }
}

/// Whether what serves or what is refused differs.
fn changed(before: &BTreeMap<String, File>, after: &BTreeMap<String, File>) -> bool {
    let serving = |file: &File| (file.serving.as_ref().map(|plugin| plugin.digest()), file.refused.clone());
    !before.keys().eq(after.keys()) || !before.values().map(serving).eq(after.values().map(serving))
}

/// Name and path of each plugin file; `None` when the folder cannot be read. A folder that does not exist is empty.
fn list(folder: &Path) -> Option<BTreeMap<String, PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(BTreeMap::new()),
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "cannot read the plugin folder");
            return None;
        }
    };
    let plugins = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = path.file_stem()?.to_str()?.to_owned();
        (path.extension()? == "wasm" && is_name(&name)).then_some((name, path))
    });
    Some(plugins.take(MOST_FILES).collect())
}

/// Plugin names stand in URLs, headers and settings: lower-case words joined by `-`.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

enum Read {
    Unchanged,
    /// It is still being written: the next look will tell.
    Moving,
    Failed(Stamp, LoadError),
    Bytes(Stamp, Vec<u8>),
}

fn read(name: &str, path: &Path, known: Option<&File>) -> Read {
    let Ok(before) = stamp(path) else { return Read::Moving };
    if known.is_some_and(|file| file.stamp == before) {
        return Read::Unchanged;
    }
    if before.length > Limits::FAST.component as u64 {
        let (bytes, limit) = (before.length as usize, Limits::FAST.component);
        return Read::Failed(before, LoadError::TooLarge { plugin: name.to_owned(), bytes, limit });
    }
    match fs::read(path) {
        Err(source) => Read::Failed(before, LoadError::Read { plugin: name.to_owned(), source }),
        Ok(bytes) if stamp(path).is_ok_and(|after| after == before) => Read::Bytes(before, bytes),
        Ok(_) => Read::Moving,
    }
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let meta = fs::metadata(path)?;
    Ok(Stamp { modified: meta.modified().ok(), length: meta.len(), inode: inode_of(&meta) })
}

fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|meta| inode_of(&meta))
}

#[cfg(unix)]
fn inode_of(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn inode_of(_: &fs::Metadata) -> u64 {
    0
}
