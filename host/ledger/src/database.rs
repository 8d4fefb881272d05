//! The data directory and the connections to its database.
//!
//! One process at a time writes: it holds a lock on `muxel.lock` as long as its one writing connection lives. Readers
//! have connections of their own, and with a write-ahead log they never wait for the writer nor it for them.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, SqliteConnection,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::{DatabaseError, OpenError};

pub(crate) const DATABASE: &str = "ledger.sqlite3";
const LOCK: &str = "muxel.lock";
/// How long to wait for a foreign process, such as a backup, that holds the database.
const BUSY: Duration = Duration::from_secs(2);

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The writing connection. Writer and housekeeping take turns with it.
pub(crate) struct Store {
    connection: Mutex<SqliteConnection>,
    /// Released after the connection is closed: fields are dropped in order.
    _lock: File,
}

impl Store {
    pub(crate) fn new(connection: SqliteConnection, lock: File) -> Self {
        Self { connection: Mutex::new(connection), _lock: lock }
    }

    pub(crate) async fn connection(&self) -> MutexGuard<'_, SqliteConnection> {
        self.connection.lock().await
    }
}

/// Does all of `work` in one transaction, or nothing of it.
///
/// Not with sqlx's transactions: when the disk is full, SQLite rolls back by itself, and sqlx, which counts, would take
/// the connection for one inside a transaction for ever after.
pub(crate) async fn atomically<T>(
    connection: &mut SqliteConnection,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    run_outside(connection, "BEGIN IMMEDIATE").await?;
    let done = match work(connection).await {
        Ok(done) => run(connection, "COMMIT").await.map(|()| done),
        Err(error) => Err(error),
    };
    if done.is_err() {
        // Fails when SQLite has done it already.
        let _ = run(connection, "ROLLBACK").await;
    }
    done
}

/// Like [`atomically`], and on disk when this returns: other transactions are only synced at checkpoints.
pub(crate) async fn durably<T>(
    connection: &mut SqliteConnection,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    run_outside(connection, "PRAGMA synchronous = FULL").await?;
    let done = atomically(connection, work).await;
    // Should this fail, the transactions to come are slower than they need to be.
    let _ = run(connection, "PRAGMA synchronous = NORMAL").await;
    done
}

/// Runs what is not allowed inside a transaction. The last one may have been left in the middle, when its task was
/// aborted.
async fn run_outside(connection: &mut SqliteConnection, sql: &'static str) -> sqlx::Result<()> {
    let Err(error) = run(connection, sql).await else { return Ok(()) };
    run(connection, "ROLLBACK").await.map_err(|_| error)?;
    run(connection, sql).await
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) -> sqlx::Result<()> {
    sqlx::query(sql).execute(connection).await.map(|_| ())
}

/// Makes the directory, for its owner only, and takes its lock.
pub(crate) fn take_directory(dir: &Path) -> Result<File, OpenError> {
    let unusable = |source| OpenError::unusable(dir, source);
    create_private(dir).map_err(unusable)?;
    let lock = File::options().create(true).truncate(false).write(true).open(dir.join(LOCK)).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// A directory that exists already keeps its permissions: its owner may have had reasons.
pub(crate) fn create_private(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Opens the database for writing and brings it up to date.
pub(crate) async fn connect(dir: &Path) -> Result<SqliteConnection, OpenError> {
    let options = SqliteConnectOptions::new()
        .filename(dir.join(DATABASE))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(|source| open_error(dir, source))?;
    match MIGRATIONS.run_direct(None, &mut connection, false).await {
        Ok(()) => Ok(connection),
        Err(MigrateError::VersionMissing(found)) => {
            Err(OpenError::NewerSchema { dir: dir.to_owned(), found, known: known_version() })
        }
        Err(MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)) => Err(open_error(dir, source)),
        Err(other) => Err(open_error(dir, sqlx::Error::Migrate(Box::new(other)))),
    }
}

/// For connections that only read.
pub(crate) fn reading(dir: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(dir.join(DATABASE))
        .read_only(true)
        .busy_timeout(BUSY)
        .disable_statement_logging()
}

/// Whether there is a ledger that this program can read.
pub(crate) async fn check_readable(dir: &Path) -> Result<(), OpenError> {
    if !dir.join(DATABASE).is_file() {
        return Err(OpenError::Missing { dir: dir.to_owned() });
    }
    let error = |source| open_error(dir, source);
    let mut connection = reading(dir).connect().await.map_err(error)?;
    let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
        .fetch_one(&mut connection)
        .await
        .map_err(error)?;
    let (dir, found, known) = (dir.to_owned(), found.unwrap_or(0), known_version());
    match found.cmp(&known) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(OpenError::NewerSchema { dir, found, known }),
        std::cmp::Ordering::Less => Err(OpenError::OlderSchema { dir, found, known }),
    }
}

fn known_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

pub(crate) fn open_error(dir: &Path, source: sqlx::Error) -> OpenError {
    /// SQLite's codes for a file that is corrupt, or no database at all.
    const DAMAGED: [&str; 2] = ["11", "26"];
    /// SQLite's code for a database whose file may not be written.
    const READ_ONLY: &str = "8";
    let code = source.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    match code.as_str() {
        code if DAMAGED.contains(&code) => {
            OpenError::Damaged { file: dir.join(DATABASE), source: DatabaseError(source) }
        }
        READ_ONLY => OpenError::unusable(dir, io::ErrorKind::PermissionDenied.into()),
        _ => OpenError::Database { dir: dir.to_owned(), source: DatabaseError(source) },
    }
}

#[cfg(test)]
mod tests;
