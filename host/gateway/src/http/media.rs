//! `GET /media/{name}`: pictures that were answered as addresses. Whoever has the name may read it.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shared},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use ledger::MediaName;

use super::error::ApiError;
use crate::state::State;

pub(super) async fn one(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    let gone = || {
        ApiError::with(404, "invalid_request_error", "not_found", "there is no such picture")
            .hint("pictures are kept for an hour")
    };
    let Ok(name) = name.parse::<MediaName>() else { return gone().into_response() };
    match state.ledger.media().read(name).await {
        Ok(Some((bytes, mime))) => {
            let mut response = bytes.into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600, immutable"));
            response
        }
        Ok(None) => gone().into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot read a kept picture");
            ApiError::with(500, "server_error", "internal", "the picture cannot be read").into_response()
        }
    }
}
