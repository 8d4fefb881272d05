//! Kept answers as files: the length of the head in four bytes, the head, the body. For their owner only, since they hold
//! what the caller was told, pictures and all.
//!
//! A file is written beside its place, synced and moved there, so that the row that is written after it never promises what
//! a power cut took. One that is damaged all the same is as good as gone.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use domain::{attempt::DecisionId, digest::Digest};

use crate::database::create_private;

const DIRECTORY: &str = "answers";
/// Ends the names of files that are being written.
const UNFINISHED: &str = "part";
const LENGTH: usize = 4;

/// Makes the folder and removes whatever is not `wanted`.
pub(super) fn open(data: &Path, wanted: impl Fn(DecisionId) -> bool) -> io::Result<PathBuf> {
    let dir = data.join(DIRECTORY);
    create_private(&dir)?;
    for entry in fs::read_dir(&dir)? {
        let entry = entry?;
        let named = entry.file_name().to_str().and_then(parse);
        if !named.is_some_and(&wanted) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(dir)
}

/// Of the file that holds these.
pub(super) fn length(head: &[u8], body: &[u8]) -> u64 {
    (LENGTH + head.len() + body.len()) as u64
}

/// Writes an answer: on disk when this returns its digest. `None` when it cannot be written, which is logged.
pub(super) async fn write(
    dir: PathBuf,
    decision: DecisionId,
    head: Vec<u8>,
    body: impl AsRef<[u8]> + Send + 'static,
) -> Option<Digest> {
    let written = tokio::task::spawn_blocking(move || {
        let head_length = u32::try_from(head.len()).map_err(io::Error::other)?;
        let bytes = [&head_length.to_be_bytes()[..], &head, body.as_ref()].concat();
        let place = place(&dir, decision);
        let unfinished = place.with_extension(UNFINISHED);
        let written = put(&unfinished, &bytes).and_then(|()| fs::rename(&unfinished, &place)).and_then(|()| sync(&dir));
        if written.is_err() {
            // What is left of it may be what filled the disk.
            let _ = (fs::remove_file(&unfinished), fs::remove_file(&place));
        }
        written.map(|()| Digest::of(&bytes))
    });
    let written = written.await.map_err(io::Error::other).flatten();
    written.inspect_err(|error| tracing::error!(%decision, %error, "an answer cannot be kept")).ok()
}

/// Head and body, if they are there and whole.
pub(super) async fn read(dir: PathBuf, decision: DecisionId, digest: Digest) -> Option<(Vec<u8>, Vec<u8>)> {
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = fs::read(place(&dir, decision)).ok().filter(|bytes| Digest::of(bytes) == digest)?;
        let length = bytes.get(..LENGTH)?.try_into().ok().map(u32::from_be_bytes)?;
        let head = bytes.get(LENGTH..LENGTH + usize::try_from(length).ok()?)?.to_vec();
        bytes.drain(..LENGTH + head.len());
        Some((head, bytes))
    });
    read.await.ok().flatten()
}

/// Removes them, as far as they are there.
pub(super) async fn remove(dir: PathBuf, decisions: Vec<DecisionId>) {
    if decisions.is_empty() {
        return;
    }
    let removed = tokio::task::spawn_blocking(move || {
        for decision in decisions {
            match fs::remove_file(place(&dir, decision)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%decision, %error, "an answer that nobody may ask for cannot be removed");
                }
                _ => {}
            }
        }
    });
    // It does not panic.
    let _ = removed.await;
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename in `dir` last.
fn sync(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(dir)?.sync_all() } else { Ok(()) }
}

fn place(dir: &Path, decision: DecisionId) -> PathBuf {
    dir.join(format!("{:032x}", u128::from_be_bytes(decision.to_bytes())))
}

fn parse(name: &str) -> Option<DecisionId> {
    let plain = name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let number = plain.then(|| u128::from_str_radix(name, 16).ok())??;
    Some(DecisionId::from_bytes(number.to_be_bytes()))
}
