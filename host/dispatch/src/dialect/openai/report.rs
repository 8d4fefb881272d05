//! What an answer says of its cost: `usage` in tokens as OpenAI has it, `usage.cost` in dollars as OpenRouter and servers
//! like it have it, `cost` in dollars and `credits` at the top as Recraft and others have them.
//!
//! A provider may write anything. An amount counts only as a number that is finite, not negative and not absurd.

use domain::{credits::Credits, money::MicroUsd};
use serde_json::{Map, Value};

use crate::{
    dialect::{Report, Told, Usage},
    text::bounded,
};

/// Most characters shown of what is no amount.
const SHOWN: usize = 40;

pub(super) fn report(fields: &Map<String, Value>) -> Report {
    let top = told(fields.get("cost"), MicroUsd::from_usd);
    let cost = match top {
        Told::Nothing => told(fields.get("usage").and_then(|usage| usage.get("cost")), MicroUsd::from_usd),
        top => top,
    };
    let credits = told(fields.get("credits"), Credits::new);
    Report { cost, credits, usage: fields.get("usage").and_then(usage) }
}

fn told<T>(written: Option<&Value>, amount: fn(f64) -> Option<T>) -> Told<T> {
    match written {
        None | Some(Value::Null) => Told::Nothing,
        Some(value) => match value.as_f64().and_then(amount) {
            Some(amount) => Told::Amount(amount),
            None => Told::Absurd(bounded(&value.to_string(), SHOWN)),
        },
    }
}

/// Tokens of OpenAI's `usage`. Without details all input is text.
fn usage(usage: &Value) -> Option<Usage> {
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_u64);
    let out = number(usage, "output_tokens")?;
    let input = number(usage, "input_tokens").unwrap_or(0);
    let details = usage.get("input_tokens_details");
    let detail = |name| details.and_then(|details| number(details, name));
    let image_in = detail("image_tokens").unwrap_or(0);
    Some(Usage { text_in: detail("text_tokens").unwrap_or(input.saturating_sub(image_in)), image_in, out })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(fields: Value) -> Report {
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        report(&fields)
    }

    #[test]
    fn costs_and_credits_are_read_where_servers_write_them() {
        assert_eq!(of(json!({ "cost": 0.0345 })).cost, Told::Amount(MicroUsd(34_500)));
        assert_eq!(of(json!({ "usage": { "cost": 0.0345 } })).cost, Told::Amount(MicroUsd(34_500)));
        assert_eq!(of(json!({ "cost": 0.02, "usage": { "cost": 1 } })).cost, Told::Amount(MicroUsd(20_000)));
        assert_eq!(of(json!({ "cost": 0 })).cost, Told::Amount(MicroUsd::ZERO));
        assert_eq!(
            Told::Amount(of(json!({ "credits": 35 })).credits),
            Told::Amount(told(Some(&json!(35)), Credits::new))
        );
        assert_eq!(of(json!({ "cost": null, "credits": null, "usage": null })), Report::default());
        let usage = of(json!({ "usage": { "output_tokens": 7, "cost": 0.5 } }));
        assert_eq!((usage.usage.map(|usage| usage.out), usage.cost), (Some(7), Told::Amount(MicroUsd(500_000))));
    }

    #[test]
    fn what_cannot_be_an_amount_is_none() {
        for absurd in [json!(-0.01), json!("NaN"), json!("0.04"), json!(1e300), json!(true), json!([1]), json!({})] {
            let told = of(json!({ "cost": absurd, "credits": absurd }));
            assert!(matches!(told.cost, Told::Absurd(_)) && matches!(told.credits, Told::Absurd(_)), "{absurd}");
        }
        let Told::Absurd(shown) = of(json!({ "cost": "x".repeat(1_000) })).cost else { panic!("absurd") };
        assert!(shown.chars().count() <= SHOWN + 3, "{shown}");
    }
}
