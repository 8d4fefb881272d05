//! Walks a job's steps until someone delivers or nobody may.

use std::{collections::HashMap, sync::Arc, thread};

use domain::attempt::Journal;
use tokio::sync::Semaphore;

use crate::{
    attempt::Means,
    caller::CallerPresence,
    endpoint::{Endpoint, ProviderSetup, Reach, SetupError},
    health::Health,
    job::{Dispatched, Job},
    transport::Transport,
};

mod walk;

/// Carries decisions out. One for each configuration; health and journal outlive it.
pub struct Dispatcher {
    endpoints: HashMap<String, Endpoint>,
    means: Means,
    health: Arc<Health>,
    journal: Arc<dyn Journal>,
}

impl Dispatcher {
    /// Checks the providers and sets up the HTTP client, if one of them needs it.
    ///
    /// # Errors
    ///
    /// The first provider that cannot be called as configured.
    pub fn new(
        providers: Vec<ProviderSetup>,
        health: Arc<Health>,
        journal: Arc<dyn Journal>,
    ) -> Result<Self, SetupError> {
        let easels = thread::available_parallelism().map_or(2, Into::into);
        let means = Means { transport: None, easels: Arc::new(Semaphore::new(easels)) };
        Self { endpoints: HashMap::new(), means, health, journal }.renewed(providers)
    }

    /// The next one, for a changed configuration. Connections stay open, and a provider whose limit is as before keeps
    /// its places: else attempts of both could be twice as many as it allows.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn renewed(&self, providers: Vec<ProviderSetup>) -> Result<Self, SetupError> {
        let mut endpoints = HashMap::with_capacity(providers.len());
        let mut key_counts = Vec::with_capacity(providers.len());
        for setup in providers {
            let name = setup.provider.name.clone();
            if endpoints.contains_key(&name) {
                return Err(SetupError::Twice { provider: name });
            }
            let keys = setup.keys.len();
            let endpoint = Endpoint::new(setup, self.endpoints.get(&name))?;
            key_counts.push((name.clone(), keys));
            endpoints.insert(name, endpoint);
        }
        let needs_http = endpoints.values().any(|endpoint| matches!(endpoint.reach, Reach::Http(_)));
        let transport = match &self.means.transport {
            Some(transport) => Some(transport.clone()),
            None => needs_http.then(Transport::new).transpose()?,
        };
        let means = Means { transport, easels: Arc::clone(&self.means.easels) };
        for (name, keys) in key_counts {
            self.health.set_keys(&name, keys);
        }
        Ok(Self { endpoints, means, health: Arc::clone(&self.health), journal: Arc::clone(&self.journal) })
    }

    /// Carries one decision out: candidate after candidate, within the job's deadline and cap.
    ///
    /// When `caller` leaves, the attempt under way is finished and settled, and no other begins.
    pub async fn run(&self, job: Job, caller: &CallerPresence) -> Dispatched {
        walk::Walk::new(self, job, caller).run().await
    }
}

#[cfg(test)]
mod tests;
