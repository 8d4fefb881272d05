//! `GET /admin/routes`: who decides on each route, and which of them are in service.

use std::sync::{Arc, atomic::Ordering};

use axum::{Extension, Json};
use domain::split::Split;
use sandbox::{Kind, Roster};
use serde_json::{Value, json};

use crate::snapshot::{Route, Snapshot};

pub(super) async fn list(Extension(snapshot): Extension<Arc<Snapshot>>) -> Json<Value> {
    let routes: Vec<Value> = snapshot.offering.routes.values().map(|route| describe(&snapshot, route)).collect();
    Json(json!({"object": "list", "snapshot": snapshot.number, "revision": snapshot.roster.revision(), "data": routes}))
}

fn describe(snapshot: &Snapshot, route: &Route) -> Value {
    let Route { panel, split, shadows, caps, filter, .. } = route;
    let roster = &*snapshot.roster;
    let all = |names: &[Arc<str>], kind| names.iter().map(|name| plugin(roster, name, kind)).collect::<Vec<_>>();
    let candidates = snapshot.offering.candidates.iter().filter(|candidate| filter.admits(candidate)).count();
    json!({
        "name": &*panel.route,
        "classifier": plugin(roster, &panel.classifier, Kind::Classifier),
        "cost_models": all(&panel.cost_models, Kind::CostModel),
        "strategies": all(&panel.strategies, Kind::Strategy),
        "split": split.as_ref().map(|split| arms(roster, split)),
        "shadow": all(shadows, Kind::Strategy),
        "weights": panel.weights,
        "on_fault": if panel.refuse_on_fault { "refuse" } else { "fallback" },
        "max_cost_usd": caps.max_cost.map(|most| most.usd()),
        "max_latency_ms": caps.max_latency_ms,
        "min_quality": caps.min_quality,
        "deadline_ms": u64::try_from(route.deadline.as_millis()).unwrap_or(u64::MAX),
        "fall_over_after_charge": route.fall_over_after_charge,
        "observe": route.observe,
        "unpriced": panel.unpriced.word(),
        "baseline": route.baseline,
        "candidates": {"tags": filter.tags, "only": filter.only, "never": filter.never, "count": candidates},
        "requests": route.sequence.load(Ordering::Relaxed),
    })
}

/// `serving` is false for a plugin that nobody has, or that is of another kind.
fn plugin(roster: &Roster, name: &str, kind: Kind) -> Value {
    let serving = roster.get(name, kind);
    json!({
        "name": name,
        "serving": serving.is_some(),
        "digest": serving.map(|plugin| plugin.digest().to_string()),
        "version": serving.map(|plugin| plugin.version()),
    })
}

fn arms(roster: &Roster, split: &Split) -> Vec<Value> {
    let arm = |arm: &domain::split::Arm| {
        let mut told = plugin(roster, &arm.strategy, Kind::Strategy);
        told["weight"] = json!(arm.weight);
        told["share"] = json!(split.share(arm));
        told
    };
    split.arms().iter().map(arm).collect()
}
