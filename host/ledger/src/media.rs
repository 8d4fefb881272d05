//! Pictures that wait to be fetched: a caller that asked for a URL gets one of ours.
//!
//! Files under `media/` in the data directory, for an hour unless configured, and within a bound: when the bound is reached the oldest
//! go first. Whoever has the name may read the picture, so names are 128 random bits. A picture is written beside its
//! place and moved there, so that nobody ever reads half of one.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

mod name;

pub use name::{MediaName, NotAMediaName};

use crate::database::create_private;
use name::Extension;

/// What the smallest file takes on a usual disk: many tiny pictures may not crowd memory and disk either.
const LEAST_BYTES: u64 = 4096;
const DIRECTORY: &str = "media";
/// Ends the names of pictures that are being written.
const UNFINISHED: &str = "part";

/// The pictures of one data directory. Clones share it.
#[derive(Clone)]
pub struct Media {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    most_bytes: u64,
    keep_for: Duration,
    kept: Mutex<Kept>,
}

/// What is on disk, oldest first.
#[derive(Default)]
struct Kept {
    pictures: VecDeque<Picture>,
    bytes: u64,
}

struct Picture {
    name: MediaName,
    bytes: u64,
    at_ms: u64,
}

/// Why a picture was not kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    #[error("`{0}` is not the extension of a picture: png, jpg, jpeg, webp or gif")]
    Extension(String),
    #[error("a picture of {bytes} bytes is larger than all pictures may be together, {most} bytes")]
    TooLarge { bytes: u64, most: u64 },
    #[error("the picture could not be written")]
    Write(#[from] io::Error),
}

impl Media {
    /// Takes over what the last run left, and removes what it did not finish.
    pub(crate) fn open(data: &Path, most_bytes: u64, keep_for: Duration) -> io::Result<Self> {
        let dir = data.join(DIRECTORY);
        create_private(&dir)?;
        let mut pictures = Vec::new();
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == UNFINISHED) {
                fs::remove_file(&path)?;
            } else if let Some(name) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                let facts = entry.metadata()?;
                let since = facts.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
                let at_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
                pictures.push(Picture { name, bytes: facts.len().max(LEAST_BYTES), at_ms });
            }
        }
        pictures.sort_by_key(|picture| picture.at_ms);
        let bytes = pictures.iter().map(|picture| picture.bytes).sum();
        let kept = Mutex::new(Kept { pictures: pictures.into(), bytes });
        Ok(Self { shared: Arc::new(Shared { dir, most_bytes, keep_for, kept }) })
    }

    /// Keeps a picture and says under which name. `extension` is without its dot.
    ///
    /// # Errors
    ///
    /// When it is no picture we serve, does not fit, or cannot be written.
    pub async fn keep(&self, bytes: Vec<u8>, extension: &str, now_ms: u64) -> Result<MediaName, MediaError> {
        let extension: Extension =
            extension.parse().map_err(|_| MediaError::Extension(extension.chars().take(20).collect()))?;
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.keep(&bytes, extension, now_ms)).await?
    }

    /// A kept picture and its media type.
    ///
    /// # Errors
    ///
    /// When the file cannot be read although it is there.
    pub async fn read(&self, name: MediaName) -> io::Result<Option<(Vec<u8>, &'static str)>> {
        let path = self.shared.dir.join(name.to_string());
        match blocking(move || fs::read(path)).await? {
            Ok(bytes) => Ok(Some((bytes, name.mime()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes what was kept long enough, and says how many that were. Also done with the ledger's housekeeping.
    ///
    /// # Errors
    ///
    /// When a file cannot be removed; it is forgotten until the next start all the same.
    pub async fn sweep(&self, now_ms: u64) -> io::Result<u64> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.sweep(now_ms)).await?
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

impl Shared {
    fn keep(&self, bytes: &[u8], extension: Extension, now_ms: u64) -> Result<MediaName, MediaError> {
        let size = (bytes.len() as u64).max(LEAST_BYTES);
        if size > self.most_bytes {
            return Err(MediaError::TooLarge { bytes: size, most: self.most_bytes });
        }
        let name = MediaName::random(extension).map_err(|error| io::Error::other(error.to_string()))?;
        // Room is made before the file is written, so that two at once cannot both take the last of it.
        let evicted = {
            let mut kept = self.lock();
            kept.bytes += size;
            kept.pictures.push_back(Picture { name, bytes: size, at_ms: now_ms });
            kept.take_oldest_while(|kept, _| kept.bytes > self.most_bytes)
        };
        self.remove(&evicted)?;
        let place = self.dir.join(name.to_string());
        let unfinished = place.with_extension(UNFINISHED);
        let written = fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &place));
        if let Err(error) = written {
            self.lock().forget(name);
            // What is left of it may be what filled the disk.
            let _ = fs::remove_file(&unfinished);
            return Err(error.into());
        }
        if !self.lock().holds(name) {
            // Others needed its room before it was there.
            self.remove(&[name])?;
        }
        Ok(name)
    }

    fn sweep(&self, now_ms: u64) -> io::Result<u64> {
        let kept_for_ms = u64::try_from(self.keep_for.as_millis()).unwrap_or(u64::MAX);
        let oldest_ms = now_ms.saturating_sub(kept_for_ms);
        let expired = self.lock().take_oldest_while(|_, oldest| oldest.at_ms < oldest_ms);
        self.remove(&expired)?;
        Ok(expired.len() as u64)
    }

    /// Tries them all, also when one fails.
    fn remove(&self, names: &[MediaName]) -> io::Result<()> {
        let mut outcome = Ok(());
        for name in names {
            match fs::remove_file(self.dir.join(name.to_string())) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => outcome = Err(error),
                _ => {}
            }
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take_oldest_while(&mut self, more: impl Fn(&Self, &Picture) -> bool) -> Vec<MediaName> {
        let mut taken = Vec::new();
        while let Some(oldest) = self.pictures.front()
            && more(self, oldest)
        {
            self.bytes -= oldest.bytes;
            taken.extend(self.pictures.pop_front().map(|picture| picture.name));
        }
        taken
    }

    /// New ones are at the back.
    fn holds(&self, name: MediaName) -> bool {
        self.pictures.iter().rev().any(|picture| picture.name == name)
    }

    fn forget(&mut self, name: MediaName) {
        if let Some(at) = self.pictures.iter().rposition(|picture| picture.name == name) {
            self.bytes -= self.pictures.remove(at).map_or(0, |picture| picture.bytes);
        }
    }
}

#[cfg(test)]
mod tests;
