//! Providers: configured accounts at a vendor. Never their keys.

use serde::{Deserialize, Serialize};

use crate::money::PriceFactor;

/// A provider's request and response form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DialectName {
    /// Any server that speaks OpenAI's images interface.
    Openai,
    /// Drawn here, calling nobody.
    Simulated,
}

/// A configured account at a vendor. Several may share a dialect and a vendor.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// As configured: the first part of its candidates' names.
    pub name: String,
    pub dialect: DialectName,
    pub tags: Vec<String>,
    /// On every price of this provider.
    pub price_factor: PriceFactor,
    /// The operator's preference, 1 unless configured.
    pub weight: f32,
    /// Attempts that may be under way at once; 0 when there is no limit.
    pub max_in_flight: u32,
}
