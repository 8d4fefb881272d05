//! `GET /admin/spend?since=24h&by=provider`: what was spent, what it is compared with, and what is out now.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State as Shared, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use ledger::{Grouping, Period};
use serde_json::{Value, json};

use crate::{
    http::error::ApiError,
    state::{State, unix_ms},
    when::{NotAMoment, When},
};

/// How far back sums go when nothing is said.
const USUAL: &str = "24h";

pub(super) async fn spend(
    Shared(state): Shared<Arc<State>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    match of(&state, query).await {
        Ok(spend) => Json(spend).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn of(state: &State, query: Result<Query<Vec<(String, String)>>, QueryRejection>) -> Result<Value, ApiError> {
    let Query(parameters) = query.map_err(|_| ApiError::malformed("the query cannot be read"))?;
    let (period, by) = read(&parameters, unix_ms())?;
    // Before the sums: what is settled meanwhile is rather counted twice than not at all.
    let reserved = state.ledger.reserved();
    let spend = state.ledger.spend(period, by).await.map_err(|error| {
        tracing::error!(%error, "cannot add up what was spent");
        ApiError::with(500, "server_error", "ledger_unreadable", "the audit log cannot be read")
    })?;
    let mut body = json!(spend);
    body["object"] = json!("spend");
    body["reserved_usd_micros"] = json!(reserved.iter().map(|of| of.reserved_usd_micros).fold(0, u64::saturating_add));
    body["reserved"] = json!(reserved);
    Ok(body)
}

/// From parameters to what is asked: each at most once, none that is not known.
pub(super) fn read(parameters: &[(String, String)], now_ms: u64) -> Result<(Period, Grouping), ApiError> {
    let bad = |param: &'static str, message: String, hint: &str| {
        ApiError::with(400, "invalid_request_error", "invalid_value", message).param(param).hint(hint)
    };
    let (mut since, mut until, mut by) = (None, None, None);
    for (name, value) in parameters {
        let known = match name.as_str() {
            "since" => since.replace(value).is_none(),
            "until" => until.replace(value).is_none(),
            "by" => by.replace(value).is_none(),
            _ => {
                let shown: String = name.chars().take(40).collect();
                let hint = "known here: `since`, `until`, `by`";
                let message = format!("there is no parameter `{shown}`");
                return Err(ApiError::with(400, "invalid_request_error", "unknown_parameter", message).hint(hint));
            }
        };
        if !known {
            let message = format!("`{name}` is there twice");
            return Err(ApiError::with(400, "invalid_request_error", "invalid_value", message).hint("send it once"));
        }
    }
    let moment = |param, text: Option<&String>, otherwise: &str| {
        let text = text.map_or(otherwise, String::as_str);
        let when: Result<When, NotAMoment> = text.parse();
        let when = when.map_err(|error| bad(param, format!("`{param}`: {error}"), NotAMoment::HINT))?;
        Ok(when.unix_ms(now_ms))
    };
    // A moment later than now: what arrived this very millisecond counts.
    let until_ms = if until.is_some() { moment("until", until, USUAL)? } else { now_ms.saturating_add(1) };
    let period = Period { since_ms: moment("since", since, USUAL)?, until_ms };
    if period.since_ms >= period.until_ms {
        return Err(bad("since", "`since` is not before `until`".to_owned(), NotAMoment::HINT));
    }
    let by = by.map_or(Ok(Grouping::default()), |word| word.parse());
    let by = by.map_err(|error: ledger::NotAGrouping| {
        let known = Grouping::ALL.map(Grouping::word).join(", ");
        bad("by", format!("`by`: {error}"), &format!("write one of {known}"))
    })?;
    Ok((period, by))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_795_478_400_000;

    fn asked(query: &[(&str, &str)]) -> Result<(Period, Grouping), ApiError> {
        let parameters: Vec<(String, String)> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        read(&parameters, NOW_MS)
    }

    #[test]
    fn the_last_day_by_provider_is_what_is_meant_by_nothing() {
        let period = Period { since_ms: NOW_MS - 86_400_000, until_ms: NOW_MS + 1 };
        assert_eq!(asked(&[]).ok(), Some((period, Grouping::Provider)));
        let (period, by) = asked(&[("since", "2026-10-01"), ("until", "2026-11-01"), ("by", "tenant")]).expect("read");
        assert_eq!((period.until_ms - period.since_ms, by), (31 * 86_400_000, Grouping::Tenant));
    }

    #[test]
    fn what_is_wrong_is_said_with_a_hint() {
        for (query, param) in [
            (&[("since", "24")][..], Some("since")),
            (&[("until", "soon")], Some("until")),
            (&[("by", "colour")], Some("by")),
            (&[("since", "1h"), ("until", "2h")], Some("since")),
            (&[("group", "provider")], None),
            (&[("by", "key"), ("by", "tenant")], None),
        ] {
            let error = asked(query).expect_err("an error");
            assert_eq!((error.status.as_u16(), error.param.as_deref()), (400, param), "{query:?}");
            assert!(error.hint.is_some(), "{query:?}");
        }
    }
}
