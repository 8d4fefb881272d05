//! Compiled code on disk, so that a large component is compiled once and not at every start.
//!
//! Code is trusted when it is taken in, so nothing else may get in here. The folder is its owner's alone. An entry's name
//! is made of the component's digest, the engine's fingerprint and the sandbox's policy; what follows the code is a MAC
//! over that name and the code, with a key that never leaves this machine. An entry that is not exactly what was written
//! is deleted and compiled again. It is read whole, verified in memory and taken from there: a file that is changed after
//! that changes nothing. Entries are written under another name, synced and renamed, and never rewritten.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use domain::digest::Digest;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::engine::POLICY;

/// Most entries, the latest used stay.
const ENTRIES: usize = 64;
/// Most bytes of all entries together.
const BYTES: u64 = 1 << 30;
const KEY: usize = 32;
const MAC: usize = 32;
const SUFFIX: &str = "code";

#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; KEY],
    written: AtomicU64,
}

impl Cache {
    /// Opens the cache in `folder`, which is made when it is not there.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        make_private(folder)?;
        let key = key(&folder.join("key"))?;
        Ok(Self { folder: folder.to_owned(), key, written: AtomicU64::new(0) })
    }

    /// The code of a component for an engine, if it is here as it was written.
    pub(crate) fn get(&self, component: Digest, fingerprint: Digest) -> Option<Vec<u8>> {
        let name = name(component, fingerprint);
        let path = self.path(&name);
        let mut bytes = fs::read(&path).ok()?;
        let code = bytes.len().checked_sub(MAC);
        let whole = code.is_some_and(|code| self.mac(&name, &bytes[..code]).verify_slice(&bytes[code..]).is_ok());
        if !whole {
            tracing::warn!(component = %component.short(), "an entry of compiled code is not what was written: deleted");
            // What is left is deleted at the next try, and never used.
            let _ = fs::remove_file(&path);
            return None;
        }
        // Tells which entries are in use; without it, the oldest go first.
        let _ = fs::File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        bytes.truncate(bytes.len() - MAC);
        Some(bytes)
    }

    /// Keeps `code`. A failure only costs time later.
    pub(crate) fn put(&self, component: Digest, fingerprint: Digest, code: &[u8]) {
        let name = name(component, fingerprint);
        let mac = self.mac(&name, code).finalize().into_bytes();
        let turn = self.written.fetch_add(1, Ordering::Relaxed);
        let part = self.folder.join(format!("{name}.{}.{turn}.part", std::process::id()));
        let write = || {
            let mut file = private_file(&part)?;
            file.write_all(code)?;
            file.write_all(&mac)?;
            file.sync_all()?;
            fs::rename(&part, self.path(&name))
        };
        if let Err(error) = write() {
            tracing::warn!(%error, "compiled code is not kept: it is compiled again at the next start");
            // It may not even be there.
            let _ = fs::remove_file(&part);
        }
        self.prune();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.{SUFFIX}"))
    }

    fn mac(&self, name: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a MAC takes a key of any length");
        mac.update(name.as_bytes());
        mac.update(code);
        mac
    }

    /// Forgets what was not used for longest, and what a crash left half written.
    fn prune(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut kept: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(facts) = entry.metadata() else { continue };
            let used = facts.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            match path.extension().and_then(|extension| extension.to_str()) {
                Some(SUFFIX) => kept.push((used, facts.len(), path)),
                Some("part") if used.elapsed().is_ok_and(|age| age.as_secs() > 600) => {
                    // Somebody else may have been quicker.
                    let _ = fs::remove_file(path);
                }
                _ => {}
            }
        }
        kept.sort_by_key(|(used, ..)| std::cmp::Reverse(*used));
        let mut bytes = 0;
        for (index, (_, length, path)) in kept.into_iter().enumerate() {
            bytes += length;
            if index >= ENTRIES || bytes > BYTES {
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn name(component: Digest, fingerprint: Digest) -> String {
    let parts = [&component.as_bytes()[..], &fingerprint.as_bytes()[..], &POLICY.to_be_bytes()[..]];
    Digest::of(&parts.concat()).to_string()
}

fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// This machine's key: made at the first start. A damaged one is replaced, which makes every entry invalid.
fn key(path: &Path) -> io::Result<[u8; KEY]> {
    let mut key = [0; KEY];
    if let Ok(mut file) = fs::File::open(path)
        && file.metadata()?.len() == KEY as u64
    {
        file.read_exact(&mut key)?;
        return Ok(key);
    }
    getrandom::fill(&mut key).map_err(|_| io::Error::other("the operating system has no random bits"))?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private_file(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &[u8] = b"as if it were code";

    fn digests() -> (Digest, Digest) {
        (Digest::of(b"a component"), Digest::of(b"an engine"))
    }

    fn entry(folder: &Path) -> PathBuf {
        let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        paths.into_iter().find(|path| path.extension().is_some_and(|extension| extension == SUFFIX)).expect("an entry")
    }

    #[test]
    fn code_is_found_by_all_that_it_depends_on_and_by_nothing_less() {
        let folder = tempfile::tempdir().expect("a folder");
        let (component, fingerprint) = digests();
        let cache = Cache::open(folder.path()).expect("a cache");
        assert_eq!(cache.get(component, fingerprint), None);
        cache.put(component, fingerprint, CODE);
        assert_eq!(cache.get(component, fingerprint).as_deref(), Some(CODE));
        assert_eq!(cache.get(component, component), None);
        // Another process with the same key.
        assert_eq!(Cache::open(folder.path()).expect("a cache").get(component, fingerprint).as_deref(), Some(CODE));
    }

    #[test]
    fn a_poisoned_entry_is_deleted_whichever_byte_was_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (component, fingerprint) = digests();
        let cache = Cache::open(folder.path()).expect("a cache");
        for index in 0..CODE.len() + MAC {
            cache.put(component, fingerprint, CODE);
            let path = entry(folder.path());
            let mut bytes = fs::read(&path).expect("readable");
            bytes[index] ^= 1;
            fs::write(&path, bytes).expect("writable");
            assert_eq!(cache.get(component, fingerprint), None, "byte {index}");
            assert!(!path.exists());
        }
        cache.put(component, fingerprint, CODE);
        fs::write(entry(folder.path()), b"short").expect("writable");
        assert_eq!(cache.get(component, fingerprint), None);
    }

    #[test]
    fn an_entry_under_another_name_or_from_another_machine_is_none() {
        let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let (component, fingerprint) = digests();
        let (cache, other) = (Cache::open(here.path()).expect("a cache"), Cache::open(there.path()).expect("a cache"));
        other.put(component, fingerprint, CODE);
        let foreign = entry(there.path());
        fs::copy(&foreign, here.path().join(foreign.file_name().expect("a name"))).expect("copied");
        assert_eq!(cache.get(component, fingerprint), None);

        cache.put(component, fingerprint, CODE);
        let renamed = here.path().join(format!("{}.{SUFFIX}", name(fingerprint, component)));
        fs::rename(entry(here.path()), renamed).expect("renamed");
        assert_eq!(cache.get(fingerprint, component), None);
    }

    #[test]
    fn only_so_many_entries_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(folder.path()).expect("a cache");
        for number in 0..ENTRIES + 10 {
            cache.put(Digest::of(&number.to_be_bytes()), digests().1, CODE);
        }
        let entries = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(entries, ENTRIES + 1, "and the key");
    }
}
