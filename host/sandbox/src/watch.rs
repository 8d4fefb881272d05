//! The plugin folder: what lies in it serves, without a restart.
//!
//! An event of the file system only means "look again", so a lost or doubled event costs nothing; a slow poll covers
//! file systems that send none, and a folder that is removed and comes back. A file is read once it has kept still, and
//! loaded when its digest is new. A bad file changes nothing but the list of refusals: the last good version serves on.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
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
/// Events that may put off a look.
const MOST_EVENTS: usize = 20;
/// How often to look without an event.
const POLL: Duration = Duration::from_secs(2);
/// Most plugin files in a folder: what is beyond, by name, is left out.
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
    /// `None` when the next look must read it again.
    stamp: Option<Stamp>,
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
    device: u64,
    inode: u64,
    changed: (i64, i64),
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
            // The last owner may be the watcher itself, and a thread cannot wait for its own end.
            if watcher.thread.thread().id() != thread::current().id() {
                let _ = watcher.thread.join();
            }
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
            // A folder in which something else keeps moving is looked at all the same.
            Ok(Event::LookAgain) => {
                for _ in 0..MOST_EVENTS {
                    match received.recv_timeout(DEBOUNCE) {
                        Ok(Event::LookAgain) => {}
                        Ok(Event::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
                        Err(mpsc::RecvTimeoutError::Timeout) => break,
                    }
                }
            }
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
                Read::Failed(error) => {
                    let serving = known.and_then(|file| file.serving.clone());
                    let refused = Some(Refused::from(&error));
                    if known.is_none_or(|file| file.refused != refused) {
                        tracing::warn!(plugin = name, %error, hint = error.hint(), "plugin refused");
                    }
                    files.insert(name, File { stamp: None, digest: None, serving, refused });
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
            return File { stamp: Some(stamp), ..known.clone() };
        }
        match self.sandbox.load(name, bytes, Origin::File(path.to_owned())) {
            Ok(plugin) => {
                tracing::info!(plugin = name, digest = %plugin.digest().short(), "plugin loaded");
                File { stamp: Some(stamp), digest, serving: Some(Arc::new(plugin)), refused: None }
            }
            Err(error) => {
                tracing::warn!(plugin = name, %error, hint = error.hint(), "plugin refused");
                let serving = known.and_then(|file| file.serving.clone());
                // What this machine's state may have caused is tried again at the next look.
                let is_final = !error.may_pass();
                let (stamp, digest) = (is_final.then_some(stamp), digest.filter(|_| is_final));
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
        if path.extension()? != "wasm" {
            return None;
        }
        if !is_name(&name) {
            tracing::debug!(file = %path.display(), "not a plugin's name: lower-case words joined by `-`");
            return None;
        }
        Some((name, path))
    });
    // By name, so that a new file does not push out one that serves by the whim of the folder's order.
    let mut plugins: Vec<(String, PathBuf)> = plugins.collect();
    plugins.sort();
    if plugins.len() > MOST_FILES {
        tracing::warn!(
            files = plugins.len(),
            most = MOST_FILES,
            "too many plugin files: the last ones by name are left out"
        );
        plugins.truncate(MOST_FILES);
    }
    Some(plugins.into_iter().collect())
}

/// Plugin names stand in URLs, headers and settings: lower-case words joined by `-`, and none that means something else.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let reserved = [domain::decision::NATIVE, "auto"];
    (1..=64).contains(&name.len()) && name.bytes().all(plain) && !reserved.contains(&name)
}

enum Read {
    Unchanged,
    /// It is still being written: the next look will tell.
    Moving,
    Failed(LoadError),
    Bytes(Stamp, Vec<u8>),
}

fn read(name: &str, path: &Path, known: Option<&File>) -> Read {
    let failed = |reason: String| Read::Failed(LoadError::Read { plugin: name.to_owned(), reason });
    let facts = match fs::metadata(path) {
        Ok(facts) => facts,
        // Gone since the folder was listed, unless something dangles.
        Err(_) if fs::symlink_metadata(path).is_err() => return Read::Moving,
        Err(error) => return failed(error.to_string()),
    };
    // Opening a pipe would wait for its writer, and a device has no end.
    if !facts.is_file() {
        return failed("it is no regular file".to_owned());
    }
    let before = stamp(&facts);
    if known.is_some_and(|file| file.stamp == Some(before)) {
        return Read::Unchanged;
    }
    let limit = Limits::FAST.component;
    if before.length > limit as u64 {
        let bytes = usize::try_from(before.length).unwrap_or(usize::MAX);
        return Read::Failed(LoadError::TooLarge { plugin: name.to_owned(), bytes, limit });
    }
    let mut bytes = Vec::new();
    let whole = fs::File::open(path).and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes));
    match whole {
        Err(error) => failed(error.to_string()),
        Ok(_) if fs::metadata(path).is_ok_and(|after| stamp(&after) == before) => Read::Bytes(before, bytes),
        Ok(_) => Read::Moving,
    }
}

fn stamp(facts: &fs::Metadata) -> Stamp {
    let (device, inode, changed) = identity_of(facts);
    Stamp { modified: facts.modified().ok(), length: facts.len(), device, inode, changed }
}

fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|facts| identity_of(&facts).1)
}

/// Device, inode and the time of the last change of either content or attributes: a copy may preserve the modification
/// time and the length, never this one.
#[cfg(unix)]
fn identity_of(facts: &fs::Metadata) -> (u64, u64, (i64, i64)) {
    use std::os::unix::fs::MetadataExt as _;
    (facts.dev(), facts.ino(), (facts.ctime(), facts.ctime_nsec()))
}

#[cfg(not(unix))]
fn identity_of(_: &fs::Metadata) -> (u64, u64, (i64, i64)) {
    (0, 0, (0, 0))
}
