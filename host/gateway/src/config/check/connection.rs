//! How an account with OpenAI's interface is reached: its address and its keys.
//!
//! Nothing here shows a value: people paste keys into every one of these fields.

use std::io::Read as _;

use url::{Host, Url};

use super::Checker;
use crate::config::{
    checked::{Connection, Secret},
    secret::is_secret_like,
    source::{Path, at},
    written::{self, Names},
};

pub(super) const OPENAI: &str = "https://api.openai.com/v1";
/// More of a key file than any key has, in bytes.
const LARGEST_KEY_FILE: u64 = 16 * 1024;
/// Most keys of one account.
const MOST_KEYS: usize = 64;

pub(super) fn check(checker: &mut Checker<'_>, name: &str, written: &written::Provider) -> Option<Connection> {
    if written.simulate.is_some() {
        checker.error(
            &at!["providers", name, "simulate"],
            "only a provider with `dialect = \"simulated\"` can be simulated",
            "take it out, or change the dialect",
        );
    }
    let keys = keys(checker, name, written);
    let (url, host) = base_url(checker, name, written)?;
    let key_written = ["key-env", "key-file"].iter().any(|key| checker.source.has(&at!["providers", name, *key]));
    if (host == "api.openai.com" || host.ends_with(".api.openai.com")) && !key_written {
        checker.error(
            &at!["providers", name],
            format!("provider `{name}` has no key"),
            "name the environment variable that holds it: `key-env = \"OPENAI_API_KEY\"`",
        );
    }
    let result_hosts = result_hosts(checker, name, written.result_hosts.as_deref().unwrap_or_default());
    Some(Connection::Openai { base_url: url.as_str().trim_end_matches('/').to_owned(), keys, result_hosts })
}

fn base_url(checker: &mut Checker<'_>, name: &str, written: &written::Provider) -> Option<(Url, String)> {
    let at = at!["providers", name, "base-url"];
    let url = Url::parse(written.base_url.as_deref().unwrap_or(OPENAI)).ok();
    let Some((url, host)) = url.and_then(|url| Some((url.clone(), url.host_str()?.to_owned()))) else {
        checker.error(&at, "`base-url` is not a web address", format!("write it like `{OPENAI}`"));
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        checker.error(&at, "`base-url` holds a user or a password", "take it out: a key belongs in `key-env`");
        return None;
    }
    // Some servers want a version in the query.
    if url.fragment().is_some() || url.query_pairs().any(|(name, _)| is_secret_like(&name)) {
        checker.error(&at, "`base-url` has a fragment, or a key in its query", "a key belongs in `key-env`");
        return None;
    }
    match url.scheme() {
        "https" => Some((url, host)),
        "http" if is_loopback(&url) || written.allow_http == Some(true) => Some((url, host)),
        "http" => {
            checker.error(
                &at,
                "`base-url` is `http` to another machine: anyone between can read key and prompts",
                "use `https`, or accept it with `allow-http = true`",
            );
            None
        }
        _ => {
            checker.error(&at, "`base-url` is neither `https` nor `http`", format!("write it like `{OPENAI}`"));
            None
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
        None => false,
    }
}

fn keys(checker: &mut Checker<'_>, name: &str, written: &written::Provider) -> Vec<Secret> {
    match (&written.key_env, &written.key_file) {
        (Some(_), Some(_)) => {
            let at = at!["providers", name, "key-file"];
            checker.error(&at, "`key-env` and `key-file` both say where the key is", "keep one of them");
            Vec::new()
        }
        (Some(variables), None) => {
            let at = at!["providers", name, "key-env"];
            each(checker, &at, variables, key_from_environment)
        }
        (None, Some(files)) => each(checker, &at!["providers", name, "key-file"], files, key_from_file),
        (None, None) => Vec::new(),
    }
}

/// The keys of one name or of a list.
fn each(
    checker: &mut Checker<'_>,
    at: &Path,
    names: &Names,
    read: fn(&mut Checker<'_>, &Path, &str) -> Option<Secret>,
) -> Vec<Secret> {
    let names = match names {
        Names::One(name) => return read(checker, at, name).into_iter().collect(),
        Names::List(names) => names,
    };
    if names.is_empty() {
        checker.error(at, "this list names no key", "name at least one, or take it out");
    } else if names.len() > MOST_KEYS {
        checker.error(at, format!("{} keys are too many", names.len()), format!("name at most {MOST_KEYS}"));
    }
    let mut keys: Vec<Secret> = Vec::with_capacity(names.len().min(MOST_KEYS));
    for (index, name) in names.iter().take(MOST_KEYS).enumerate() {
        let at = at.then([index.into()]);
        let Some(key) = read(checker, &at, name) else { continue };
        if keys.contains(&key) {
            checker.error(&at, "this is the same key as one before it", "keep one of them");
        }
        keys.push(key);
    }
    keys
}

fn key_from_environment(checker: &mut Checker<'_>, at: &Path, variable: &str) -> Option<Secret> {
    // A key pasted in place of a name has small letters or dashes, so this never shows one.
    let is_name = variable.len() <= 100
        && variable.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
        && variable.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let environment = checker.surroundings.environment;
    match (environment(variable), is_name) {
        (Some(text), _) => secret(checker, at, "the key in that environment variable", &text),
        (None, true) => {
            let hint = format!("set it: `export {variable}=...`, or name another one");
            checker.error(at, format!("environment variable `{variable}` is not set"), hint);
            None
        }
        (None, false) => {
            checker.error(
                at,
                "`key-env` does not name an environment variable that is set",
                "write the variable's name, like `OPENAI_API_KEY`, never the key itself",
            );
            None
        }
    }
}

fn key_from_file(checker: &mut Checker<'_>, at: &Path, file: &str) -> Option<Secret> {
    let path = checker.surroundings.folder.join(file);
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LARGEST_KEY_FILE).read_to_string(&mut text));
    if let Err(error) = read {
        let hint = "name a file that holds the key and nothing else, relative to this one";
        checker.error(at, format!("the key file cannot be read: {}", error.kind()), hint);
        return None;
    }
    secret(checker, at, "the key in that file", &text)
}

fn secret(checker: &mut Checker<'_>, at: &Path, which: &str, text: &str) -> Option<Secret> {
    Secret::new(text)
        .map_err(|error| checker.error(at, format!("{which} {error}"), "put the key there, on one line"))
        .ok()
}

fn result_hosts(checker: &mut Checker<'_>, name: &str, written: &[String]) -> Vec<String> {
    let mut hosts = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        match host(text) {
            Some(host) => hosts.push(host),
            None => checker.error(
                &at!["providers", name, "result-hosts", index],
                "this is not the name of a host",
                "write the name alone, like `images.example.com`, or with its port",
            ),
        }
    }
    hosts
}

/// `host` or `host:port` as it stands in an address.
fn host(text: &str) -> Option<String> {
    if text.contains(['/', '\\', '?', '#', '@']) || text.contains(char::is_whitespace) {
        return None;
    }
    let url = Url::parse(&format!("https://{text}")).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}
