//! From `serde`'s errors to problems that an operator can act on.
//!
//! The messages taken apart here are those of `serde`'s derives, which are stable, and our own from the units. What is
//! not recognised is shown as it is, unless its key may hold a secret.

use toml::de::DeValue;

use super::{secret::is_secret_like, shape::article, source::Path};

/// A problem in words, and what it says about the tree.
pub(super) struct Explained {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) kind: Kind,
}

/// What is wrong with an entry.
pub(super) enum Kind {
    /// Its key is not known; perhaps another one was meant.
    Unknown { meant: Option<String> },
    /// It lacks this key.
    Lacks { key: String },
    /// It is a table that should have one entry, and has none.
    Empty,
    /// Its value is not understood.
    Value,
}

/// Keys that other programs have, or that will come: table (`*` is any one), key, hint.
const OTHER_KEYS: [(&[&str], &str, &str); 31] = [
    (&["server"], "port", "address and port go together: `listen = \"127.0.0.1:8080\"`"),
    (&["server"], "host", "address and port go together: `listen = \"127.0.0.1:8080\"`"),
    (&["server"], "bind", "address and port go together: `listen = \"127.0.0.1:8080\"`"),
    (&["server"], "address", "address and port go together: `listen = \"127.0.0.1:8080\"`"),
    (&["server"], "timeout", "time for a whole request is set per route: `deadline` in `[routes.default]`"),
    (&["server"], "request-timeout", "time for a whole request is set per route: `deadline` in `[routes.default]`"),
    (&["providers", "*"], "key", KEY_ELSEWHERE),
    (&["providers", "*"], "api-key", KEY_ELSEWHERE),
    (&["providers", "*"], "api_key", KEY_ELSEWHERE),
    (&["providers", "*"], "apikey", KEY_ELSEWHERE),
    (&["providers", "*"], "token", KEY_ELSEWHERE),
    (&["providers", "*"], "secret", KEY_ELSEWHERE),
    (&["providers", "*"], "url", "did you mean `base-url`?"),
    (&["providers", "*"], "endpoint", "did you mean `base-url`?"),
    (&["providers", "*"], "api-base", "did you mean `base-url`?"),
    (&["providers", "*"], "type", "did you mean `dialect`?"),
    (&["providers", "*"], "timeout", "time for a whole request is set per route: `deadline`"),
    (&["providers", "*"], "models", "describe each of its models with `[[models]]` and `name = \"provider/model\"`"),
    (&["models", "*"], "provider", "the provider is part of the name: `name = \"provider/model\"`"),
    (&["models", "*"], "model", "did you mean `name`, with `provider/model`?"),
    (&["models", "*"], "size", "did you mean `sizes`, with a list?"),
    (&["routes", "*"], "strategy", "name it in a list: `strategies = [\"hybrid\"]`"),
    (&["routes", "*"], "timeout", "did you mean `deadline`?"),
    (&["routes", "*"], "splits", "did you mean `split`?"),
    (&["routes", "*"], "weight", "did you mean `weights`, like `weights = { quality = 0.5, cost = 0.3 }`?"),
    (&["routes", "*"], "shadows", "did you mean `shadow`?"),
    (&["routes", "*", "split", "*"], "share", "did you mean `weight`?"),
    (&["plugins"], "folder", "did you mean `dir`?"),
    (&["plugins"], "keys", "did you mean `trusted-keys`?"),
    (&["keys", "*"], "key", "only a key's SHA-256 is written here: `hash`, from `muxel key new`"),
    (&["keys", "*"], "route", "did you mean `routes`, with a list?"),
];

const KEY_ELSEWHERE: &str = "keys are never written here: name the environment variable that holds it with `key-env`, or a file with `key-file`";

/// Explains `error`, which `serde` gave for the entry at `path`. `written` is that entry's value.
pub(super) fn explain(error: &str, path: &Path, written: Option<&DeValue<'_>>) -> Explained {
    let secret = path.last_key().is_some_and(is_secret_like);
    let value = |message: String, hint: Option<String>| Explained { message, hint, kind: Kind::Value };

    if error.starts_with("unknown field ") {
        return unknown_key(error, path);
    }
    if let Some(rest) = error.strip_prefix("missing field `") {
        let key = rest.trim_end_matches('`').to_owned();
        let hint = hint_for_missing(&key);
        return Explained { message: format!("`{path}` needs `{key}`"), hint, kind: Kind::Lacks { key } };
    }
    if let Some(rest) = error.strip_prefix("wanted exactly 1 element") {
        let problem =
            if rest.contains("found 0") { "needs a form" } else { "has several forms, but needs exactly one" };
        return Explained {
            message: format!("`{path}` {problem}"),
            hint: Some("write it like `price = { per-image = \"0.04 USD\" }`".to_owned()),
            kind: if rest.contains("found 0") { Kind::Empty } else { Kind::Value },
        };
    }
    if error.starts_with("unknown variant ") {
        let word = word_at_fault(error, path, written);
        return value(unknown_word(&word, path, secret), Some(choices(error, &word)));
    }
    if error.starts_with("wanted string or table") {
        return value(format!("`{path}` must be a word in quotes{}", found(written, secret)), None);
    }
    if let Some((_, expected)) = error.split_once(", expected ").filter(|_| error.starts_with("invalid ")) {
        return wrong_type(expected, path, written, secret);
    }
    if secret {
        return value(format!("`{path}` is not as expected"), None);
    }
    match error.split_once(": write ") {
        Some((message, hint)) => value(message.to_owned(), Some(format!("write {hint}"))),
        None => value(error.to_owned(), None),
    }
}

fn unknown_key(error: &str, path: &Path) -> Explained {
    let key = path.last_key().unwrap_or_default();
    // The written key could hold anything, also backticks; what follows it is ours.
    let known = backticked(error.get(format!("unknown field `{key}`").len()..).unwrap_or_default());
    let message = format!("unknown key `{key}`");
    if let Some(hint) = other_key(path, key) {
        let meant = known.iter().find(|name| hint.contains(&format!("`{name}`"))).map(|name| (*name).to_owned());
        return Explained { message, hint: Some(hint.to_owned()), kind: Kind::Unknown { meant } };
    }
    let near = nearest(&key.replace('_', "-"), known.iter().copied()).map(str::to_owned);
    let hint = match &near {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known here: {}", listed(&known)),
    };
    Explained { message, hint: Some(hint), kind: Kind::Unknown { meant: near } }
}

fn other_key(path: &Path, key: &str) -> Option<&'static str> {
    let table = &path.0[..path.0.len().saturating_sub(1)];
    let matches = |pattern: &[&str]| {
        pattern.len() == table.len()
            && pattern.iter().zip(table).all(|(name, step)| *name == "*" || *step == (*name).into())
    };
    OTHER_KEYS.iter().find(|(pattern, other, _)| *other == key && matches(pattern)).map(|(_, _, hint)| *hint)
}

fn hint_for_missing(key: &str) -> Option<String> {
    let example = match key {
        "dialect" => "`dialect = \"openai\"`, or `\"simulated\"`",
        "name" => "a name tells it from the others",
        "hash" => "make a key and its hash with `muxel key new`",
        "from" | "for" => "an outage is written like `{ from = \"10s\", for = \"60s\" }`",
        "price" | "further" | "out" | "text-in" => "money is written with its unit, like \"0.10 USD\"",
        "per-picture" => "how many credits a picture takes, like `per-picture = 3.5`",
        "expected-out" => "output tokens of one picture by size, like `{ \"1024x1024\" = 1000 }`",
        _ => return None,
    };
    Some(example.to_owned())
}

/// The key, where the words are keys, or else the value.
fn word_at_fault(error: &str, path: &Path, written: Option<&DeValue<'_>>) -> String {
    let key = path.last_key().unwrap_or_default();
    match written {
        Some(DeValue::String(word)) if !error.starts_with(&format!("unknown variant `{key}`")) => word.to_string(),
        _ => key.to_owned(),
    }
}

fn unknown_word(word: &str, path: &Path, secret: bool) -> String {
    if secret {
        return format!("`{path}` has a word that is not known here");
    }
    let shown: String = word.chars().take(40).collect();
    match path.last_key() {
        Some(key) if key != word => format!("`{shown}` is not known as `{key}`"),
        _ => format!("`{shown}` is not known here"),
    }
}

/// A hint from the names after `expected`.
fn choices(error: &str, word: &str) -> String {
    let known = backticked(error.rsplit_once(", expected ").map(|(_, known)| known).unwrap_or_default());
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? known here: {}", listed(&known)),
        None => format!("known here: {}", listed(&known)),
    }
}

fn wrong_type(expected: &str, path: &Path, written: Option<&DeValue<'_>>, secret: bool) -> Explained {
    let whole = |most: &str| format!("a whole number from 0 to {most}");
    let must_be = match expected {
        "f32" | "f64" => "a number".to_owned(),
        "u32" => whole("4294967295"),
        "a string" | "string" => "text in quotes".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" if path.last_key() == Some("split") => {
            "a list, like [{ strategy = \"hybrid\", weight = 95 }]".to_owned()
        }
        "a sequence" => "a list, like [\"one\", \"two\"]".to_owned(),
        "a map" => "a table".to_owned(),
        other => other.to_owned(),
    };
    let key = path.last_key().unwrap_or_default();
    let hint = expected.split_once("like ").map(|(_, example)| format!("write it like `{key} = {example}`"));
    Explained { message: format!("`{path}` must be {must_be}{}", found(written, secret)), hint, kind: Kind::Value }
}

/// `, not the integer 300`; the value itself only where it can be no secret and no text.
fn found(written: Option<&DeValue<'_>>, secret: bool) -> String {
    match written {
        Some(DeValue::Integer(number)) if !secret => format!(", not the integer {number}"),
        Some(DeValue::Float(number)) if !secret => format!(", not the number {number}"),
        Some(DeValue::Boolean(flag)) if !secret => format!(", not `{flag}`"),
        Some(other) => format!(", not {}", article(other.type_str())),
        None => String::new(),
    }
}

/// The one of `known` that was probably meant: near, and with the same first letter or a part of the other.
pub(super) fn nearest<'n>(asked: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let near = *domain::nearest::nearest(asked, known, 1).first()?;
    let part = asked.len().min(near.len()) >= 3 && (near.contains(asked) || asked.contains(near));
    (part || asked.chars().next() == near.chars().next()).then_some(near)
}

/// The parts of `text` between backticks.
fn backticked(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
