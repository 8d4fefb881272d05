//! Where a provider is reached, checked once when the config is read.

use domain::provider::{DialectName, Provider};
use http::HeaderValue;
use std::sync::Arc;
use tokio::sync::Semaphore;
use url::Url;

use crate::{dialect::openai, secret::Secret, simulated::SimulationSettings};

/// A provider as configured.
#[derive(Clone, Debug)]
pub struct ProviderSetup {
    pub provider: Arc<Provider>,
    /// `None` is the dialect's own place. A query, as Azure needs one, is kept.
    pub base_url: Option<Url>,
    /// Which of them an attempt uses is decided by how busy they are. Empty for servers that ask for none.
    pub keys: Vec<Secret>,
    /// Hosts besides its own from which its pictures may be fetched: `host` or `host:port`.
    pub result_hosts: Vec<String>,
    /// For the simulated dialect.
    pub simulate: SimulationSettings,
}

/// A provider that cannot be called as configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    #[error("provider `{provider}` is set up twice")]
    Twice { provider: String },
    #[error("base URL `{url}` of provider `{provider}` is not an http or https address")]
    BaseUrl { provider: String, url: String },
    #[error("the base URL of provider `{provider}` holds a user name or password")]
    CredentialsInUrl { provider: String },
    #[error("the key of provider `{provider}` has characters that no HTTP header can hold")]
    Key { provider: String },
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

impl SetupError {
    /// The operator's next step, when there is an obvious one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Twice { .. } => None,
            Self::BaseUrl { .. } => Some("write it like \"https://api.openai.com/v1\"".to_owned()),
            Self::CredentialsInUrl { .. } => Some("name the key with `key-env` or `key-file`".to_owned()),
            Self::Key { .. } => Some("look for line breaks and typographic quotes in it".to_owned()),
            Self::Client(_) => Some("are CA certificates installed on this machine?".to_owned()),
        }
    }
}

/// A provider that can be called.
pub(crate) struct Endpoint {
    pub(crate) reach: Reach,
    /// Attempts that may be under way at once; `None` when there is no limit.
    pub(crate) permits: Option<Arc<Semaphore>>,
    limit: usize,
}

/// How a provider is reached.
pub(crate) enum Reach {
    Http(Box<Place>),
    Simulated(SimulationSettings),
}

/// An address on the network, with what opens it.
pub(crate) struct Place {
    base: Url,
    keys: Vec<Key>,
    result_hosts: Vec<String>,
}

/// A key, and how it is shown. Sent to `base` and nowhere else.
struct Key {
    secret: Secret,
    authorization: HeaderValue,
}

impl Endpoint {
    /// With the places of the one `before`, when their number stays.
    pub(crate) fn new(setup: ProviderSetup, before: Option<&Self>) -> Result<Self, SetupError> {
        let limit = setup.provider.max_in_flight as usize;
        let permits = match before.filter(|before| before.limit == limit) {
            Some(before) => before.permits.clone(),
            None => (limit > 0).then(|| Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)))),
        };
        let reach = match setup.provider.dialect {
            DialectName::Simulated => Reach::Simulated(setup.simulate),
            DialectName::Openai => Reach::Http(Box::new(Place::new(setup)?)),
        };
        Ok(Self { reach, permits, limit })
    }
}

impl Place {
    fn new(setup: ProviderSetup) -> Result<Self, SetupError> {
        let provider = || setup.provider.name.clone();
        let base = match setup.base_url {
            Some(url) => url,
            None => Url::parse(openai::BASE_URL).expect("a fixed address"),
        };
        if !base.username().is_empty() || base.password().is_some() {
            return Err(SetupError::CredentialsInUrl { provider: provider() });
        }
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(SetupError::BaseUrl { provider: provider(), url: base.into() });
        }
        let key = |secret: Secret| secret.bearer().map(|authorization| Key { secret, authorization });
        let keys = setup.keys.into_iter().map(key).collect::<Result<Vec<Key>, _>>();
        let keys = keys.map_err(|_| SetupError::Key { provider: setup.provider.name.clone() })?;
        Ok(Self { base, keys, result_hosts: setup.result_hosts })
    }

    /// What opens it: the key in this place of the configuration. `None` for servers that ask for none.
    pub(crate) fn authorization(&self, key: usize) -> Option<&HeaderValue> {
        // A key that a reload has taken away is answered by another one.
        self.keys.get(key).or(self.keys.first()).map(|key| &key.authorization)
    }

    /// `text` without our keys; `None` when it holds none.
    pub(crate) fn without_keys(&self, text: &str) -> Option<String> {
        let held: Vec<&Key> = self.keys.iter().filter(|key| key.secret.is_in(text)).collect();
        (!held.is_empty()).then(|| held.into_iter().fold(text.to_owned(), |text, key| key.secret.redact(&text)))
    }

    /// The address of a call, below the base URL.
    pub(crate) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// Whether a picture may be fetched from `url`, which the provider named: only from its own hosts, and never less
    /// protected than the call itself.
    pub(crate) fn may_fetch(&self, url: &Url) -> bool {
        let is_protected = url.scheme() == "https" || url.scheme() == self.base.scheme();
        let is_own = url.host() == self.base.host()
            && (url.port() == self.base.port() || (url.scheme() == "https" && url.port().is_none()));
        let host = url.host_str().unwrap_or_default();
        let with_port = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let is_named = || self.result_hosts.iter().any(|named| named.eq_ignore_ascii_case(&with_port));
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        matches!(url.scheme(), "http" | "https") && is_protected && !has_credentials && (is_own || is_named())
    }
}

#[cfg(test)]
mod tests {
    use domain::money::PriceFactor;

    use super::*;

    fn setup(base: &str) -> ProviderSetup {
        let provider = Provider {
            name: "lab".to_owned(),
            dialect: DialectName::Openai,
            tags: Vec::new(),
            price_factor: PriceFactor::ONE,
            weight: 1.0,
            max_in_flight: 0,
        };
        ProviderSetup {
            provider: Arc::new(provider),
            base_url: Some(base.parse().expect("a URL")),
            keys: Vec::new(),
            result_hosts: vec!["cdn.example.com".to_owned(), "other.example.com:8443".to_owned()],
            simulate: SimulationSettings::default(),
        }
    }

    fn place(base: &str) -> Place {
        Place::new(setup(base)).expect("a place")
    }

    #[test]
    fn a_base_url_may_end_with_a_slash_and_keep_a_query() {
        for (base, url) in [
            ("https://x.com/v1", "https://x.com/v1/images/generations"),
            ("https://x.com/v1/", "https://x.com/v1/images/generations"),
            ("https://x.com", "https://x.com/images/generations"),
            ("https://x.com/d?api-version=1", "https://x.com/d/images/generations?api-version=1"),
        ] {
            assert_eq!(place(base).url(&["images", "generations"]).as_str(), url);
        }
    }

    #[test]
    fn pictures_are_fetched_from_the_providers_own_hosts_only() {
        let place = place("https://api.example.com/v1");
        let may = |url: &str| place.may_fetch(&url.parse().expect("a URL"));
        for yes in ["https://api.example.com/a.png", "https://CDN.example.com/a", "https://other.example.com:8443/a"] {
            assert!(may(yes), "{yes}");
        }
        for no in [
            "http://api.example.com/a.png",
            "https://api.example.com:22/a.png",
            "https://evil.com/a.png",
            "https://api.example.com.evil.com/",
            "https://api.example.com@evil.com/",
            "https://user@api.example.com/",
            "https://other.example.com/a",
            "file:///etc/passwd",
            "http://169.254.169.254/latest",
        ] {
            assert!(!may(no), "{no}");
        }
    }

    #[test]
    fn a_base_url_must_be_plain_http_or_https() {
        let error = |base: &str| Place::new(setup(base)).err().map(|error| error.to_string());
        assert!(error("https://u:p@x.com").is_some_and(|error| !error.contains("u:p")));
        assert!(error("ftp://x.com").is_some_and(|error| error.contains("`ftp://x.com/`")));
        assert!(error("http://127.0.0.1:8000/v1").is_none());
    }

    #[test]
    fn a_key_with_a_line_break_inside_is_refused_without_showing_it() {
        let setup =
            ProviderSetup { keys: vec![Secret::new("sk-1"), Secret::new("sk-secret\nx")], ..setup("https://x.com") };
        let error = Place::new(setup).err().expect("an error");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}
