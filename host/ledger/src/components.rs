//! Components of plugins, kept by their digest, so that the calls in a record can be made again.
//!
//! A component is a blob like a prompt: every record that names it, as the plugin of a call or of a shadow, renews it,
//! and it goes when the last of these records has gone. What is in service but decides nothing has to be renewed by
//! [`touch`].

use std::sync::Arc;

use domain::digest::Digest;
use tokio::task::spawn_blocking;

use crate::{
    database::{Store, atomically, durably},
    error::{ComponentError, DatabaseError},
    read::Reader,
    row::integer,
    writer::BlobKind,
};

/// Largest component that is kept, in bytes: the largest that any sandbox takes.
pub const MAX_COMPONENT: usize = 64 << 20;

/// Keeps a component, on disk when this returns. One that is there already, and whole, is only renewed.
pub(crate) async fn keep(
    store: &Arc<Store>,
    reader: &Reader,
    digest: Digest,
    bytes: Vec<u8>,
    now_ms: u64,
) -> Result<(), ComponentError> {
    if bytes.len() > MAX_COMPONENT {
        return Err(ComponentError::TooLarge { bytes: bytes.len(), limit: MAX_COMPONENT });
    }
    let bytes = verified(digest, bytes).await.ok_or(ComponentError::Another { digest })?;
    match reader.component(digest).await {
        Ok(Some(_)) => return Ok(touch(store, &[digest], now_ms).await?),
        // One that is damaged is replaced.
        Ok(None) | Err(ComponentError::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut connection = store.connection().await;
    let kept = durably(&mut connection, async |connection| {
        sqlx::query(
            "INSERT INTO blobs (kind, digest, bytes, used_ms) VALUES (?, ?, ?, ?) ON CONFLICT (kind, digest) \
             DO UPDATE SET bytes = excluded.bytes, used_ms = max(used_ms, excluded.used_ms)",
        )
        .bind(BlobKind::Component.word())
        .bind(&digest.as_bytes()[..])
        .bind(bytes)
        .bind(integer(now_ms))
        .execute(connection)
        .await
    });
    kept.await.map(drop).map_err(|source| DatabaseError(source).into())
}

/// Renews components as if a record of this moment named them.
pub(crate) async fn touch(store: &Store, digests: &[Digest], now_ms: u64) -> Result<(), DatabaseError> {
    let mut connection = store.connection().await;
    let touched = atomically(&mut connection, async |connection| {
        for digest in digests {
            touch_one(connection, BlobKind::Component, *digest, now_ms).await?;
        }
        Ok(())
    });
    Ok(touched.await?)
}

/// Renews one component or memory, in a transaction of the caller's. Nothing happens when it is not kept.
pub(crate) async fn touch_one(
    connection: &mut sqlx::SqliteConnection,
    kind: BlobKind,
    digest: Digest,
    now_ms: u64,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE blobs SET used_ms = ?3 WHERE kind = ?1 AND digest = ?2 AND used_ms < ?3")
        .bind(kind.word())
        .bind(&digest.as_bytes()[..])
        .bind(integer(now_ms))
        .execute(connection)
        .await
        .map(drop)
}

/// The bytes, if they are those of `digest`. Hashing megabytes takes too long for a thread that serves requests.
pub(crate) async fn verified(digest: Digest, bytes: Vec<u8>) -> Option<Vec<u8>> {
    let hashed = spawn_blocking(move || (Digest::of(&bytes) == digest).then_some(bytes));
    hashed.await.ok().flatten()
}

#[cfg(test)]
mod tests;
