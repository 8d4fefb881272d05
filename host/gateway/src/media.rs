//! Pictures that are answered as addresses: kept before the answer, and before the record of it.

use base64::Engine as _;
use dispatch::Picture;
use ledger::MediaName;

use crate::{
    http::error::ApiError,
    state::{State, unix_ms},
};

/// Keeps the pictures and says under which names, in their order.
///
/// # Errors
///
/// When one cannot be kept. The pictures were delivered and paid for all the same.
pub(crate) async fn keep(state: &State, pictures: &[Picture]) -> Result<Vec<MediaName>, ApiError> {
    let failed = |what: &str| {
        ApiError::with(502, "server_error", "upstream_failed", format!("a picture was delivered, but {what}"))
            .hint("ask with `response_format: \"b64_json\"`, which needs no place to keep it")
    };
    let mut names = Vec::with_capacity(pictures.len());
    for picture in pictures {
        let decoded = base64::engine::general_purpose::STANDARD.decode(&picture.b64);
        let bytes = decoded.map_err(|_| failed("its base64 is broken"))?;
        let kept = state.ledger.media().keep(bytes, picture.format.word(), unix_ms()).await;
        names.push(kept.map_err(|error| {
            tracing::error!(%error, "cannot keep a picture");
            failed("it cannot be kept here")
        })?);
    }
    Ok(names)
}
