use std::{fs, sync::mpsc, thread};

use domain::{digest::Digest, request::Request};

use super::*;
use crate::{Compiler, archive::Remembered};

/// An archive on a disk that is full.
struct Full;

impl Archive for Full {
    fn keep(&self, _: Digest, _: &[u8]) -> Result<(), String> {
        Err("no space left on device".to_owned())
    }

    fn fetch(&self, _: Digest) -> Result<Option<Vec<u8>>, String> {
        Err("no space left on device".to_owned())
    }

    fn states(&self) -> Result<Vec<(String, String)>, String> {
        Err("no space left on device".to_owned())
    }

    fn remember(&self, _: &str, _: &str) -> Result<(), String> {
        Err("no space left on device".to_owned())
    }

    fn recent(&self, _: usize) -> Vec<Request> {
        Vec::new()
    }
}

/// A disk that is as slow as a test wants it: it reports each step that is waited at, and waits.
#[derive(Default)]
struct Halting {
    states: Mutex<BTreeMap<String, String>>,
    /// At the requests that a trial asks for.
    trying: Mutex<Option<Halt>>,
    /// Before it is written down that a plugin is disabled.
    disabling: Mutex<Option<Halt>>,
}

struct Halt {
    reached: mpsc::Sender<()>,
    go: mpsc::Receiver<()>,
}

/// Halts once at `place`: resolves when it is reached, and goes on with a word, or when the test is over.
fn halt(place: &Mutex<Option<Halt>>) -> (mpsc::Receiver<()>, mpsc::Sender<()>) {
    let ((reached, is_reached), (goes_on, go)) = (mpsc::channel(), mpsc::channel());
    *lock(place) = Some(Halt { reached, go });
    (is_reached, goes_on)
}

fn wait_at(place: &Mutex<Option<Halt>>) {
    let halt = lock(place).take();
    if let Some(Halt { reached, go }) = halt {
        // A test that is over neither listens nor speaks.
        let _ = reached.send(());
        let _ = go.recv();
    }
}

impl Archive for Halting {
    fn keep(&self, _: Digest, _: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn fetch(&self, _: Digest) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }

    fn states(&self) -> Result<Vec<(String, String)>, String> {
        Ok(lock(&self.states).clone().into_iter().collect())
    }

    fn remember(&self, name: &str, state: &str) -> Result<(), String> {
        if Remembered::parse(state).disabled {
            wait_at(&self.disabling);
        }
        lock(&self.states).insert(name.to_owned(), state.to_owned());
        Ok(())
    }

    fn recent(&self, _: usize) -> Vec<Request> {
        wait_at(&self.trying);
        Vec::new()
    }
}

fn bytes(name: &str) -> &'static [u8] {
    BUNDLED.iter().find(|(bundled, _)| *bundled == name).expect("it is bundled").1
}

fn status(plugins: &Plugins, name: &str) -> PluginStatus {
    plugins.statuses().into_iter().find(|status| status.name == name).expect("it is known")
}

#[test]
fn a_full_disk_takes_nothing_out_of_service_and_nothing_is_promised_that_cannot_be_kept() {
    let sandbox = Sandbox::new(Compiler::Here).expect("an engine");
    let setup = Setup { archive: Some(Arc::new(Full)), ..Setup::default() };
    let plugins = Plugins::load(sandbox, setup).expect("bundled plugins load");
    let hybrid = status(&plugins, "hybrid");
    assert_eq!((hybrid.state, hybrid.not_kept.as_deref()), ("serving", Some("no space left on device")));

    let refused = plugins.disable("hybrid").expect_err("it cannot be remembered");
    assert!(matches!(refused, ActionError::Archive { .. }), "{refused}");
    assert_eq!(status(&plugins, "hybrid").state, "serving");
    assert!(matches!(plugins.rollback("hybrid"), Err(ActionError::Archive { .. } | ActionError::NothingBefore { .. })));
}

#[test]
fn without_an_archive_actions_work_and_last_as_long_as_the_process() {
    let sandbox = Sandbox::new(Compiler::Here).expect("an engine");
    let plugins = Plugins::load(sandbox, Setup::default()).expect("bundled plugins load");
    let before = plugins.roster().revision();
    plugins.disable("hybrid").expect("it is there");
    assert!(plugins.roster().get("hybrid", crate::Kind::Strategy).is_none());
    plugins.enable("hybrid").expect("it is there");
    assert!(plugins.roster().get("hybrid", crate::Kind::Strategy).is_some());
    assert!(plugins.roster().revision() > before);
    assert!(
        matches!(plugins.disable("hybird"), Err(ActionError::NoPlugin { near, .. }) if near.first().is_some_and(|near| near == "hybrid"))
    );
}

#[test]
fn a_plugin_that_is_disabled_while_its_next_version_comes_is_disabled_and_new() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.wasm");
    fs::write(&file, bytes("cheapest")).expect("written");
    let archive = Arc::new(Halting::default());
    let setup = Setup {
        folder: Some(folder.path().to_owned()),
        archive: Some(Arc::clone(&archive) as Arc<dyn Archive>),
        ..Setup::default()
    };
    let plugins = Plugins::load(Sandbox::new(Compiler::Here).expect("an engine"), setup).expect("bundled plugins load");
    let digest = |plugins: &Plugins| status(plugins, "mine").serving.map(|serving| serving.digest);
    let (old, new) = (Digest::of(bytes("cheapest")).to_string(), Digest::of(bytes("fastest")).to_string());
    assert_eq!(digest(&plugins), Some(old));

    let (tried, goes_on_trying) = halt(&archive.trying);
    let (disabled, goes_on_disabling) = halt(&archive.disabling);
    fs::write(folder.path().join("new"), bytes("fastest")).expect("written");
    fs::rename(folder.path().join("new"), &file).expect("renamed");
    thread::scope(|scope| {
        scope.spawn(|| plugins.scan());
        tried.recv().expect("the new version is on trial");
        let disabling = scope.spawn(|| plugins.disable("mine"));
        disabled.recv().expect("it is being written down");
        goes_on_trying.send(()).expect("the trial waits");
        while digest(&plugins).as_ref() != Some(&new) {
            thread::yield_now();
        }
        goes_on_disabling.send(()).expect("the disk waits");
        disabling.join().expect("no panic").expect("it is there");
    });

    assert_eq!((status(&plugins, "mine").state, digest(&plugins)), ("disabled", Some(new.clone())));
    assert!(plugins.roster().get("mine", crate::Kind::Strategy).is_none());
    let remembered = Remembered::parse(&lock(&archive.states)["mine"]);
    assert_eq!((remembered.disabled, remembered.serving), (true, Some(new)));
}
