//! `/`: a plain page that says what this is and what to try.

use axum::response::Html;

pub(super) async fn home() -> Html<&'static str> {
    Html(include_str!("page.html"))
}
