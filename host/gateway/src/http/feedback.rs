//! `POST /v1/feedback`: what a caller says of a picture. It is on disk when it is answered, and counts once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{State as Shared, rejection::BytesRejection},
};
use domain::{attempt::DecisionId, expectation::own_name, nearest::nearest};
use ledger::{Feedback, Stored, Taken, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{auth::Key, decisions, error::ApiError, generations::whole};
use crate::{snapshot::Snapshot, state::State};

/// Of one key: so many at once, and so many a second after that.
const AT_ONCE: f64 = 60.0;
const A_SECOND: f64 = 10.0;

/// What callers send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    #[serde(alias = "id")]
    decision: String,
    score: Option<f64>,
    /// A model, or another decision about the same prompt.
    better_than: Option<String>,
    worse_than: Option<String>,
}

/// How often each key may say something.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<HashMap<Option<Arc<str>>, Turns>>);

/// Turns that are left, as of this moment.
type Turns = (f64, Instant);

impl Pace {
    /// Takes one turn, or says how long to wait for it. There are as many entries as configured keys.
    fn take(&self, key: Option<&Key>, now: Instant) -> Result<(), Duration> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, last) = turns.entry(key.map(|key| Arc::clone(&key.name))).or_insert((AT_ONCE, now));
        *left = (*left + now.duration_since(*last).as_secs_f64() * A_SECOND).min(AT_ONCE);
        *last = now;
        if *left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - *left) / A_SECOND));
        }
        *left -= 1.0;
        Ok(())
    }
}

pub(super) async fn give(
    Shared(state): Shared<Arc<State>>,
    Extension(key): Extension<Option<Arc<Key>>>,
    Extension(snapshot): Extension<Arc<Snapshot>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let given = receive(&state, key.as_deref(), &snapshot, body).await;
    if given.is_err() {
        state.counts.refuse();
    }
    given.map(Json)
}

async fn receive(
    state: &State,
    key: Option<&Key>,
    snapshot: &Snapshot,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value, ApiError> {
    state.feedback.take(key, Instant::now()).map_err(|wait| {
        let error = ApiError::with(429, "rate_limit_error", "too_much_feedback", "too much feedback at once");
        error.retry(Some(wait.max(Duration::from_secs(1)))).hint(format!("up to {A_SECOND} a second count"))
    })?;
    let body = whole(body, snapshot)?;
    let said: Said = serde_json::from_slice(&body).map_err(|error| {
        ApiError::malformed(format!("the body is not feedback: {error}"))
            .hint("send `{\"decision\": \"ID\", \"score\": 0.8}`, or `better_than` or `worse_than` instead of `score`")
    })?;
    let stored = own(state, key, "decision", &said.decision).await?;
    let verdict = match (said.score, said.better_than, said.worse_than) {
        (Some(score), None, None) if (0.0..=1.0).contains(&score) => Verdict::Rated(score as f32),
        (Some(_), None, None) => {
            return Err(ApiError::invalid("score", "`score` must be from 0 to 1").hint("0 is useless, 1 is perfect"));
        }
        (None, Some(other), None) => {
            Verdict::BetterThan(other_of(state, key, snapshot, &stored, ("better_than", &other)).await?)
        }
        (None, None, Some(other)) => {
            Verdict::WorseThan(other_of(state, key, snapshot, &stored, ("worse_than", &other)).await?)
        }
        _ => {
            return Err(ApiError::invalid("score", "exactly one of `score`, `better_than` and `worse_than` is needed")
                .hint("a score is a number from 0 to 1; a comparison names a model or another decision"));
        }
    };
    let served = served(&stored, "decision")?;
    let feedback = Feedback { decision: stored.row.id, served: Arc::clone(&served), verdict };
    let taken = state.ledger.give(&feedback).await.map_err(|error| {
        tracing::error!(%error, "feedback could not be written");
        ApiError::with(503, "server_error", "ledger_unwritable", "the feedback could not be written")
            .retry(Some(Duration::from_secs(1)))
            .hint("it does not count; say it again")
    })?;
    match taken {
        Taken::Now { sequence } => {
            state.learning.wake();
            Ok(json!({
                "object": "feedback", "decision": stored.row.id.to_string(), "model": served, "sequence": sequence,
            }))
        }
        Taken::Before { .. } => {
            let message = format!("something was said of decision `{}` before, and that counts", stored.row.id);
            Err(ApiError::with(409, "invalid_request_error", "feedback_given", message).param("decision"))
        }
    }
}

/// A decision that the caller's own key asked for. Whose else it is, is nobody's business.
async fn own(state: &State, key: Option<&Key>, param: &'static str, id: &str) -> Result<Stored, ApiError> {
    let stored = decisions::read(state, id).await.map_err(|error| error.param(param))?;
    let owns = stored.row.key.as_deref() == key.map(|key| &*key.name);
    if owns { Ok(stored) } else { Err(decisions::unknown(id).param(param)) }
}

fn served(stored: &Stored, param: &'static str) -> Result<Arc<str>, ApiError> {
    stored.row.served.clone().ok_or_else(|| {
        let message = format!("decision `{}` delivered no picture", stored.row.id);
        ApiError::with(409, "invalid_request_error", "nothing_delivered", message).param(param)
    })
}

/// The model that a picture is compared with, as a field of the body names it.
async fn other_of(
    state: &State,
    key: Option<&Key>,
    snapshot: &Snapshot,
    stored: &Stored,
    (param, other): (&'static str, &str),
) -> Result<Arc<str>, ApiError> {
    let model = if other.parse::<DecisionId>().is_ok() {
        let compared = own(state, key, param, other).await?;
        if compared.row.prompt.is_none() || stored.row.prompt.is_none() {
            return Err(ApiError::invalid(
                param,
                "prompts are not kept here, so nobody knows whether these two are the same",
            )
            .hint("name the other picture's model, or keep prompts or their hashes: `[data] prompts`"));
        }
        if compared.row.prompt != stored.row.prompt {
            return Err(ApiError::invalid(param, "the two decisions are about different prompts")
                .hint("only pictures of one prompt can be compared"));
        }
        served(&compared, param)?
    } else {
        let names = || snapshot.offering.candidates.iter().map(|candidate| candidate.id.as_str());
        match names().find(|name| *name == other) {
            Some(name) => name.into(),
            None => {
                let shown: String = other.chars().take(80).collect();
                let near = nearest(&shown, names(), 3).join(", ");
                let message = format!("`{shown}` is neither a model here nor a decision of yours");
                return Err(ApiError::invalid(param, message).hint(format!("did you mean {near}?")));
            }
        }
    };
    if stored.row.served.as_deref().map(own_name) == Some(own_name(&model)) {
        return Err(
            ApiError::invalid(param, "both pictures are by the same model").hint("there is nothing to learn from that")
        );
    }
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_own_pace() {
        let pace = Pace::default();
        let key = Key { name: "studio".into(), tenant: None, routes: None, admin: false };
        let now = Instant::now();
        for _ in 0..AT_ONCE as u32 {
            assert_eq!(pace.take(None, now), Ok(()));
        }
        let wait = pace.take(None, now).expect_err("too many");
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
        assert_eq!(pace.take(Some(&key), now), Ok(()));
        assert_eq!(pace.take(None, now + Duration::from_millis(150)), Ok(()));
    }
}
