//! `GET /v1/models` and `GET /v1/models/{id}`, as the SDKs read them, with what Muxel knows beside it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::Path,
    response::{IntoResponse as _, Response},
};
use domain::{candidate::Candidate, catalogue::Date};
use serde_json::{Value, json};

use crate::{snapshot::Snapshot, state::unix_ms};

pub(super) async fn list(Extension(snapshot): Extension<Arc<Snapshot>>) -> Json<Value> {
    let today = Date::of_unix_ms(unix_ms());
    let models: Vec<Value> =
        snapshot.offering.names(&snapshot.roster).iter().filter_map(|name| model(&snapshot, name, today)).collect();
    Json(json!({"object": "list", "data": models}))
}

pub(super) async fn one(Extension(snapshot): Extension<Arc<Snapshot>>, Path(id): Path<String>) -> Response {
    match model(&snapshot, &id, Date::of_unix_ms(unix_ms())) {
        Some(model) => Json(model).into_response(),
        None => snapshot.offering.unknown_model(&snapshot.roster, &id).into_response(),
    }
}

/// One entry; `None` for a name that stands for nothing, or for a model that its vendor has withdrawn.
fn model(snapshot: &Snapshot, name: &str, today: Date) -> Option<Value> {
    let target = snapshot.offering.resolve(&snapshot.roster, name, None, Vec::new()).ok()?;
    let candidates: Vec<&Candidate> = snapshot
        .offering
        .candidates
        .iter()
        .map(|candidate| &**candidate)
        .filter(|candidate| target.admits(candidate))
        .collect();
    let decided = name == "auto" || name.starts_with("auto/") || snapshot.offering.aliases.contains_key(name);
    if decided {
        return Some(json!({
            "id": name, "object": "model", "created": 0, "owned_by": "muxel",
            "muxel": {"route": &*target.panel.route, "strategies": target.panel.strategies.iter().map(|name| &**name).collect::<Vec<_>>()},
        }));
    }
    let first = candidates.iter().find(|candidate| !candidate.model.retired(today))?;
    let tiers: Vec<Value> = candidates
        .iter()
        .filter(|candidate| !candidate.model.retired(today))
        .map(|candidate| {
            let tier = candidate.tier();
            json!({
                "id": candidate.id.as_str(),
                "tier": tier.name,
                "quality_word": tier.rung.word(),
                "price_usd_micros": tier.price.as_ref().and_then(|price| price.per_usual_picture()),
                "quality": tier.quality.map(|prior| (f64::from(prior.mean) * 1e4).round() / 1e4),
                "p50_ms": tier.latency.map(|latency| latency.p50_ms),
            })
        })
        .collect();
    Some(json!({
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": first.provider.name,
        "shutdown_date": first.model.retires,
        "muxel": {
            "operations": first.model.operations,
            "sizes": first.model.sizes,
            "max_count": first.model.max_count,
            "transparent": first.model.transparent,
            "tiers": tiers,
            "source": first.model.source,
            "as_of": first.model.as_of,
        },
    }))
}
