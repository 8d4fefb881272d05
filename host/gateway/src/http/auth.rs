//! Who may ask: keys, and without keys only this machine.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use domain::digest::Digest;
use http::{HeaderMap, Uri, header};

use super::error::ApiError;

/// One configured key. Only its hash is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) name: Arc<str>,
    pub(crate) tenant: Option<Arc<str>>,
    /// Routes it may use; all of them when there is no list.
    pub(crate) routes: Option<Vec<String>>,
    pub(crate) admin: bool,
}

/// All keys, by the SHA-256 of their text. Looking a guess up by its hash tells nothing about the keys by its timing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keyring {
    keys: HashMap<Digest, Arc<Key>>,
}

impl Keyring {
    pub(crate) fn new(keys: impl IntoIterator<Item = (Digest, Key)>) -> Self {
        Self { keys: keys.into_iter().map(|(hash, key)| (hash, Arc::new(key))).collect() }
    }

    /// Every tenant that somebody may ask for, and nobody.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = Option<Arc<str>>> {
        let named: BTreeSet<&Arc<str>> = self.keys.values().filter_map(|key| key.tenant.as_ref()).collect();
        std::iter::once(None).chain(named.into_iter().cloned().map(Some).collect::<Vec<_>>())
    }

    /// Whose key came with these headers; `None` when no keys are configured.
    ///
    /// # Errors
    ///
    /// 401 without a known key; 403 when there are no keys and the request came by way of a web page.
    pub(crate) fn admit(&self, headers: &HeaderMap, uri: &Uri) -> Result<Option<Arc<Key>>, ApiError> {
        if self.keys.is_empty() {
            return only_this_machine(headers, uri).map(|()| None);
        }
        let Some(secret) = bearer(headers) else {
            return Err(unauthorized("no key came with the request")
                .hint("send the header `authorization: Bearer YOUR_KEY`, or set `api_key` in your SDK"));
        };
        let key = self.keys.get(&Digest::of(secret.as_bytes()));
        let unknown = || unauthorized("the key is not known here").hint("ask the operator for one: `muxel key new`");
        key.cloned().map(Some).ok_or_else(unknown)
    }
}

fn unauthorized(message: &str) -> ApiError {
    ApiError::with(401, "invalid_request_error", "invalid_api_key", message)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim()).filter(|secret| !secret.is_empty())
}

/// Without keys, a web page that somebody visits must not be able to spend money: its requests carry its own Origin, or,
/// by DNS rebinding, its own Host.
fn only_this_machine(headers: &HeaderMap, uri: &Uri) -> Result<(), ApiError> {
    let foreign = |what: &str| {
        ApiError::with(403, "invalid_request_error", "foreign_origin", format!("{what} is not this machine"))
            .hint("without keys only this machine may ask; make a key with `muxel key new`")
    };
    let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or("?"));
    let host = host.or_else(|| uri.authority().map(|authority| authority.as_str()));
    if host.is_none_or(|host| !is_loopback(host)) {
        return Err(foreign("the request's Host"));
    }
    match headers.get(header::ORIGIN) {
        None => Ok(()),
        Some(origin) => {
            let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
            if authority.is_some_and(is_loopback) { Ok(()) } else { Err(foreign("the request's Origin")) }
        }
    }
}

/// Whether `host`, with or without a port, names this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    fn admit(keyring: &Keyring, pairs: &[(&'static str, &str)]) -> Result<Option<Arc<str>>, String> {
        let admitted = keyring.admit(&headers(pairs), &Uri::from_static("/v1/models"));
        admitted.map(|key| key.map(|key| Arc::clone(&key.name))).map_err(|error| error.code.to_string())
    }

    #[test]
    fn without_keys_only_this_machine_is_served() {
        let none = Keyring::default();
        for host in ["127.0.0.1:8080", "localhost", "LOCALHOST:8080", "[::1]:8080", "127.0.0.2"] {
            assert_eq!(admit(&none, &[("host", host)]), Ok(None), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "192.168.1.7:8080", ""] {
            assert_eq!(admit(&none, &[("host", host)]), Err("foreign_origin".to_owned()), "{host}");
        }
        assert_eq!(admit(&none, &[]), Err("foreign_origin".to_owned()));
        let page = [("host", "127.0.0.1:8080"), ("origin", "https://evil.example")];
        assert_eq!(admit(&none, &page), Err("foreign_origin".to_owned()));
        assert_eq!(admit(&none, &[("host", "127.0.0.1"), ("origin", "null")]), Err("foreign_origin".to_owned()));
        assert_eq!(admit(&none, &[("host", "127.0.0.1"), ("origin", "http://localhost:3000")]), Ok(None));
    }

    #[test]
    fn with_keys_only_a_known_one_is_served() {
        let key = Key { name: "studio".into(), tenant: None, routes: None, admin: false };
        let keyring = Keyring::new([(Digest::of(b"mux-secret"), key)]);
        let with = |value| admit(&keyring, &[("authorization", value)]);
        assert_eq!(with("Bearer mux-secret"), Ok(Some("studio".into())));
        assert_eq!(with("bearer  mux-secret "), Ok(Some("studio".into())));
        for wrong in ["Bearer mux-other", "Bearer ", "Basic mux-secret", "mux-secret"] {
            assert_eq!(with(wrong), Err("invalid_api_key".to_owned()), "{wrong}");
        }
        assert_eq!(admit(&keyring, &[("host", "127.0.0.1")]), Err("invalid_api_key".to_owned()));
    }
}
