//! The thread that looks at the folder when something happens there, and now and then without it.
//!
//! An event of the file system only means "look again", so a lost or doubled event costs nothing; a slow poll covers
//! file systems that send none, and a folder that is removed and comes back.

use std::{
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::Inner;
use crate::folder::inode;

/// How long the folder must be quiet before it is read.
const DEBOUNCE: Duration = Duration::from_millis(150);
/// Events that may put off a look.
const MOST_EVENTS: usize = 20;
/// How often to look without an event.
const POLL: Duration = Duration::from_secs(2);

pub(super) struct Watcher {
    stop: mpsc::Sender<Event>,
    thread: thread::JoinHandle<()>,
}

enum Event {
    LookAgain,
    Stop,
}

pub(super) fn start(inner: &Arc<Inner>) -> std::io::Result<Watcher> {
    let (events, received) = mpsc::channel();
    let inner = Arc::clone(inner);
    let stop = events.clone();
    let thread =
        thread::Builder::new().name("muxel-plugins".to_owned()).spawn(move || watch(&inner, &events, &received))?;
    Ok(Watcher { stop, thread })
}

impl Watcher {
    pub(super) fn stop(self) {
        // A watcher that has ended already needs no word.
        let _ = self.stop.send(Event::Stop);
        // The last owner may be the watcher itself, and a thread cannot wait for its own end.
        if self.thread.thread().id() != thread::current().id() {
            let _ = self.thread.join();
        }
    }
}

fn watch(inner: &Inner, events: &mpsc::Sender<Event>, received: &mpsc::Receiver<Event>) {
    let mut eyes: Option<(u64, RecommendedWatcher)> = None;
    let mut tended = Instant::now();
    loop {
        if let Some(folder) = inner.setup.folder.as_deref() {
            // A folder that was removed and made again is another folder: look at that one.
            let inode = inode(folder);
            if eyes.as_ref().map(|(watched, _)| *watched) != inode {
                eyes = inode.and_then(|inode| open_eyes(folder, events).map(|watcher| (inode, watcher)));
            }
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
        // A folder that keeps changing must not keep us from the plugins themselves.
        if tended.elapsed() >= POLL {
            inner.tend();
            tended = Instant::now();
        }
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
