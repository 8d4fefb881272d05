//! How callers and providers are met: who may ask, how much, and how providers are called.
//!
//! What of a configuration a reload may change, besides the offering. It is immutable: a reload makes another.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dispatch::{Dispatcher, OutageKind, ProviderSetup, Secret, SimulationSettings};
use domain::digest::Digest;

use crate::{
    config::{
        Config,
        checked::{Account, Connection, Learning, Outage, Simulation},
    },
    http::auth::{Key, Keyring},
    places::Limits,
};

pub(crate) struct Service {
    pub(crate) keyring: Keyring,
    /// Where callers reach this server, without a slash at the end; from the request's Host when not configured.
    pub(crate) public_url: Option<String>,
    /// Of a request, in bytes.
    pub(crate) max_body: usize,
    /// Requests that may be under way and wait at once.
    pub(crate) limits: Limits,
    /// Longest wait for a place.
    pub(crate) queue_timeout: Duration,
    pub(crate) dispatcher: Dispatcher,
    /// Where learning begins, and how often it goes on.
    pub(crate) learning: Learning,
    /// How each provider is reached, to tell later which of them changed.
    connections: BTreeMap<String, Connection>,
}

impl Service {
    pub(crate) fn new(config: &Config, dispatcher: Dispatcher) -> Self {
        let accounts = config.accounts.iter();
        Self {
            keyring: keyring(config),
            public_url: config.server.public_url.clone(),
            max_body: config.server.max_body,
            limits: limits(config),
            queue_timeout: config.server.queue_timeout,
            dispatcher,
            learning: config.learning.clone(),
            connections: accounts.map(|account| (account.provider.name.clone(), account.connection.clone())).collect(),
        }
    }

    /// The providers that are reached in another way than `before`: by another address, or with another key.
    pub(crate) fn reconnected<'t>(&'t self, before: &'t Self) -> impl Iterator<Item = &'t str> {
        let changed = |(name, connection): &(&String, &Connection)| before.connections.get(*name) != Some(*connection);
        self.connections.iter().filter(changed).map(|(name, _)| name.as_str())
    }
}

/// How many requests `config` allows.
pub(crate) fn limits(config: &Config) -> Limits {
    Limits { places: config.server.max_in_flight, queue: config.server.max_queue }
}

/// The providers of `config`, as dispatch wants them.
pub(crate) fn providers(config: &Config) -> Vec<ProviderSetup> {
    config.accounts.iter().map(provider_setup).collect()
}

fn keyring(config: &Config) -> Keyring {
    Keyring::new(config.keys.iter().map(|key| {
        let known = Key {
            name: Arc::clone(&key.name),
            tenant: key.tenant.clone(),
            routes: key.routes.clone(),
            admin: key.admin,
        };
        (Digest::from_bytes(*key.hash.as_bytes()), known)
    }))
}

fn provider_setup(account: &Account) -> ProviderSetup {
    let provider = Arc::clone(&account.provider);
    match &account.connection {
        Connection::Openai { base_url, keys, result_hosts } => ProviderSetup {
            provider,
            base_url: Some(base_url.parse().expect("the config has checked that it is an address")),
            keys: keys.iter().map(|key| Secret::new(key.expose())).collect(),
            result_hosts: result_hosts.clone(),
            simulate: SimulationSettings::default(),
        },
        Connection::Simulated(simulation) => ProviderSetup {
            provider,
            base_url: None,
            keys: Vec::new(),
            result_hosts: Vec::new(),
            simulate: simulated(simulation),
        },
    }
}

fn simulated(simulation: &Simulation) -> SimulationSettings {
    let outage = |outage: &Outage| dispatch::Outage {
        from: outage.from,
        duration: outage.lasts,
        error_rate: outage.error_rate,
        latency_factor: outage.latency_factor,
        kind: OutageKind::ServerError,
    };
    SimulationSettings {
        latency_scale: simulation.latency_scale,
        sigma: Some(simulation.sigma),
        error_rate: simulation.error_rate,
        hang_rate: simulation.hang_rate,
        refusal_rate: simulation.refusal_rate,
        rate_limited_rate: simulation.rate_limited_rate,
        outages: simulation.outages.iter().map(outage).collect(),
        blank: false,
    }
}
