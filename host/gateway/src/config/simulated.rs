//! What serves when nothing is configured: simulated copies of every model of the catalogue.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use domain::{
    catalogue::Catalogue,
    money::PriceFactor,
    provider::{DialectName, Provider},
};

use super::{
    check,
    checked::{Account, Config, Connection, DEFAULT_ROUTE, Learning, Plugins, Route, Simulation},
};

/// A picture that takes a vendor 10 s takes half a second: enough to see who is faster, too little to wait for.
const LATENCY_SCALE: f64 = 0.05;

impl Config {
    /// The configuration of a gateway that was given none.
    #[must_use]
    pub fn simulated(catalogue: &Catalogue) -> Self {
        Self {
            server: check::default_server(),
            data: check::default_data(PathBuf::new()),
            plugins: Plugins::default(),
            learning: Learning::default(),
            accounts: accounts(catalogue),
            aliases: BTreeMap::new(),
            routes: BTreeMap::from([(DEFAULT_ROUTE.to_owned(), Arc::new(Route::named(DEFAULT_ROUTE)))]),
            keys: Vec::new(),
        }
    }
}

/// Every vendor of the catalogue as a simulated provider of its name.
pub(super) fn accounts(catalogue: &Catalogue) -> Vec<Account> {
    let account = |(vendor, models): (&str, &[_])| Account {
        provider: Arc::new(Provider {
            name: vendor.to_owned(),
            dialect: DialectName::Simulated,
            tags: Vec::new(),
            price_factor: PriceFactor::ONE,
            weight: 1.0,
            max_in_flight: 0,
        }),
        models: models.to_vec(),
        connection: Connection::Simulated(Simulation { latency_scale: LATENCY_SCALE, ..Simulation::default() }),
    };
    catalogue.vendors().map(account).collect()
}
