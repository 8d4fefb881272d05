//! Attempts: one call to one candidate each, and what it may cost.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::{candidate::CandidateId, failure::FailureKind, money::MicroUsd};

/// Names one request everywhere: in its answer's headers, in the ledger, at `GET /v1/decisions/{id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DecisionId(u128);

impl DecisionId {
    /// From the moment of the request and 80 random bits, so that ids sort by time.
    #[must_use]
    pub fn new(unix_ms: u64, random: u128) -> Self {
        Self(Ulid::from_parts(unix_ms, random).0)
    }

    /// The moment of the request, in milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn unix_ms(self) -> u64 {
        Ulid(self.0).timestamp_ms()
    }

    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dec_{}", Ulid(self.0))
    }
}

/// Text that is no decision id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decision id: they look like `dec_01KAWZ5X4Y0000000000000000`")]
pub struct NotADecisionId;

impl FromStr for DecisionId {
    type Err = NotADecisionId;

    fn from_str(text: &str) -> Result<Self, NotADecisionId> {
        let ulid = text.strip_prefix("dec_").ok_or(NotADecisionId)?;
        Ulid::from_string(ulid).map(|ulid| Self(ulid.0)).map_err(|_| NotADecisionId)
    }
}

/// What an attempt cost, and how sure that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Charge {
    #[default]
    None,
    /// From the provider's own report (usage, cost or credits).
    Reported(MicroUsd),
    /// The provider does not say: our estimate.
    Estimated(MicroUsd),
    /// It failed after it was accepted: it may have been charged, up to this.
    Possible(MicroUsd),
    /// It was or may have been charged, and a price is not known. The amount is the part that is.
    Unknown(MicroUsd),
}

impl Charge {
    #[must_use]
    pub fn amount(self) -> MicroUsd {
        match self {
            Self::None => MicroUsd::ZERO,
            Self::Reported(amount) | Self::Estimated(amount) | Self::Possible(amount) | Self::Unknown(amount) => amount,
        }
    }

    /// The amount, unless a part of it is not known.
    #[must_use]
    pub fn known(self) -> Option<MicroUsd> {
        (!matches!(self, Self::Unknown(_))).then(|| self.amount())
    }

    /// The stable word of `cost_is`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Reported(_) => "reported",
            Self::Estimated(_) => "estimated",
            Self::Possible(_) => "possible",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Two charges together: their sum, as sure as the less sure of them.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let sum = self.amount().plus(other.amount());
        match (self, other) {
            (Self::None, charge) | (charge, Self::None) => charge,
            (Self::Unknown(_), _) | (_, Self::Unknown(_)) => Self::Unknown(sum),
            (Self::Possible(_), _) | (_, Self::Possible(_)) => Self::Possible(sum),
            (Self::Estimated(_), _) | (_, Self::Estimated(_)) => Self::Estimated(sum),
            (Self::Reported(_), Self::Reported(_)) => Self::Reported(sum),
        }
    }
}

/// An attempt that is about to go out.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptStarted {
    pub decision: DecisionId,
    /// 1 for the first attempt of a request.
    pub number: u32,
    pub candidate: CandidateId,
    pub at_ms: u64,
    /// The most it is expected to cost; what stays on the books if nothing more is ever heard of it.
    pub upper: Option<MicroUsd>,
}

/// An attempt that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first attempt of a request.
    pub number: u32,
    pub candidate: CandidateId,
    /// Milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    pub latency_ms: u32,
    pub end: AttemptEnd,
    pub charge: Charge,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptEnd {
    Delivered { pictures: u32 },
    Failed { kind: FailureKind, status: Option<u16>, detail: Arc<str> },
}

/// Who is told about attempts as they go out and come back. Never blocks.
pub trait Journal: Send + Sync {
    fn started(&self, attempt: AttemptStarted);
    fn ended(&self, decision: DecisionId, attempt: &Attempt);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_add_up_to_the_less_sure() {
        let (reported, possible) = (Charge::Reported(MicroUsd(3)), Charge::Possible(MicroUsd(4)));
        assert_eq!(reported.and(possible), Charge::Possible(MicroUsd(7)));
        assert_eq!(Charge::None.and(reported), reported);
        assert_eq!(Charge::Unknown(MicroUsd::ZERO).and(reported), Charge::Unknown(MicroUsd(3)));
    }

    #[test]
    fn ids_are_read_as_they_are_shown() {
        let id = DecisionId::new(1_795_478_400_000, 7);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.unix_ms(), 1_795_478_400_000);
        assert_eq!("dec_!".parse::<DecisionId>(), Err(NotADecisionId));
        assert_eq!("".parse::<DecisionId>(), Err(NotADecisionId));
    }
}
