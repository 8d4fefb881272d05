//! `/admin`: for whoever runs this gateway.
//!
//! A key must say `admin = true`. Without any keys, whoever may ask for pictures may do this, too: the same people, on the
//! same machine. Only a web page must not: what it can send without asking first is refused, even if it hides where it
//! comes from.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{HeaderMap, Method, header};

use super::{auth::Key, error::ApiError};
use crate::state::State;

mod breakers;
mod learners;
mod observed;
mod plugins;
mod reload;
mod routes;
mod spend;

/// What a program sends to show that it is no web page.
const OURS: &str = "x-muxel-admin";

/// Needs the key that came with the request as an extension.
pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/admin/reload", post(reload::reload))
        .route("/admin/routes", get(routes::list))
        .route("/admin/breakers", get(breakers::list))
        .route("/admin/spend", get(spend::spend))
        .route("/admin/observed", get(observed::observed))
        .route("/admin/learners", get(learners::list))
        .route("/admin/learners/{name}", get(learners::one))
        .route("/admin/learners/{name}/reset", post(learners::reset))
        .route("/admin/plugins", get(plugins::list))
        .route("/admin/plugins/{name}/log", get(plugins::log))
        .route("/admin/plugins/{name}/rollback", post(plugins::rollback))
        .route("/admin/plugins/{name}/disable", post(plugins::disable))
        .route("/admin/plugins/{name}/enable", post(plugins::enable))
        .route_layer(middleware::from_fn(only_admins))
}

async fn only_admins(Extension(key): Extension<Option<Arc<Key>>>, request: Request, next: Next) -> Response {
    match check(key.as_deref(), request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(key: Option<&Key>, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    match key {
        Some(key) if key.admin => Ok(()),
        Some(key) => {
            let message = format!("the key `{}` is not for administration", key.name);
            let error = ApiError::with(403, "invalid_request_error", "admin_only", message);
            Err(error.hint("use a key that has `admin = true` in the configuration"))
        }
        None if method.is_safe() || headers.contains_key(OURS) || is_json(headers) => Ok(()),
        None => {
            let message = "a web page could have sent this request";
            let error = ApiError::with(403, "invalid_request_error", "simple_request", message);
            Err(error.hint(format!("send the header `{OURS}: yes`, or `content-type: application/json`")))
        }
    }
}

/// Browsers ask first before a page sends this to another place.
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(admin: bool) -> Key {
        Key { name: "studio".into(), tenant: None, routes: None, admin }
    }

    fn code(result: Result<(), ApiError>) -> Option<String> {
        result.err().map(|error| error.code.to_string())
    }

    #[test]
    fn only_admin_keys_open_it() {
        let none = HeaderMap::new();
        assert_eq!(code(check(Some(&key(true)), &Method::POST, &none)), None);
        assert_eq!(code(check(Some(&key(false)), &Method::GET, &none)), Some("admin_only".to_owned()));
    }

    #[test]
    fn without_keys_a_web_page_cannot_post() {
        let posted = |name: &'static str, value: &'static str| {
            let headers = HeaderMap::from_iter([(name.parse().expect("a name"), value.parse().expect("a value"))]);
            code(check(None, &Method::POST, &headers))
        };
        assert_eq!(posted("content-type", "application/json; charset=utf-8"), None);
        assert_eq!(posted("x-muxel-admin", "yes"), None);
        for simple in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain,application/json"]
        {
            assert_eq!(posted("content-type", simple), Some("simple_request".to_owned()), "{simple}");
        }
        assert_eq!(code(check(None, &Method::GET, &HeaderMap::new())), None);
    }
}
