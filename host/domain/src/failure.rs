//! How an attempt can fail, and what may be done about it. The one table everything else obeys.
//!
//! | kind | same again | next | breaker | charge |
//! |---|---|---|---|---|
//! | connect | once | yes | counts | none |
//! | rate limited | alone and in time | yes | pause | none |
//! | credential, quota | no | yes | opens the account | none |
//! | server | no | if policy allows | counts | possible |
//! | timeout | no | if policy allows and time is left | counts | possible |
//! | empty | no | if policy allows | counts | possible |
//! | refused | no | no | never | per provider |
//! | capability | no | yes | never | none |
//! | caller | no | no | never | none |

use serde::{Deserialize, Serialize};

/// What went wrong with one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// No connection was made, so nothing was sent.
    Connect,
    RateLimited,
    /// The provider does not accept our key.
    Credential,
    /// The account has no money or no allowance left.
    Quota,
    /// A server error after the request was sent.
    Server,
    /// No whole answer in time, or a connection cut after the request was sent.
    Timeout,
    /// An answer without a picture, or one that cannot be read.
    Empty,
    /// Refused on content grounds.
    Refused,
    /// The provider says it cannot do what the catalogue says it can.
    Capability,
    /// The request itself is wrong, and would be anywhere.
    Caller,
}

/// What a failure does to the candidate's breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerEffect {
    Nothing,
    /// One more failure.
    Counts,
    /// No attempts until the provider's Retry-After, but no failure either.
    Pauses,
    /// The whole account is closed.
    OpensAccount,
}

impl FailureKind {
    /// In the order in which they are declared.
    pub const ALL: [Self; 10] = [
        Self::Connect,
        Self::RateLimited,
        Self::Credential,
        Self::Quota,
        Self::Server,
        Self::Timeout,
        Self::Empty,
        Self::Refused,
        Self::Capability,
        Self::Caller,
    ];

    /// Stable word for records, metrics and answers.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::RateLimited => "rate-limited",
            Self::Credential => "credential",
            Self::Quota => "quota",
            Self::Server => "server",
            Self::Timeout => "timeout",
            Self::Empty => "empty",
            Self::Refused => "refused",
            Self::Capability => "capability",
            Self::Caller => "caller",
        }
    }

    /// Whether the provider may charge for the attempt although it failed.
    #[must_use]
    pub fn may_be_charged(self) -> bool {
        matches!(self, Self::Server | Self::Timeout | Self::Empty)
    }

    /// Whether another candidate may be tried, given the route's word on paying twice.
    #[must_use]
    pub fn may_fall_over(self, fall_over_after_charge: bool) -> bool {
        match self {
            Self::Connect | Self::RateLimited | Self::Credential | Self::Quota | Self::Capability => true,
            Self::Server | Self::Timeout | Self::Empty => fall_over_after_charge,
            Self::Refused | Self::Caller => false,
        }
    }

    #[must_use]
    pub fn breaker(self) -> BreakerEffect {
        match self {
            Self::Connect | Self::Server | Self::Timeout | Self::Empty => BreakerEffect::Counts,
            Self::RateLimited => BreakerEffect::Pauses,
            Self::Credential | Self::Quota => BreakerEffect::OpensAccount,
            Self::Refused | Self::Capability | Self::Caller => BreakerEffect::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_charged_falls_over_only_where_the_route_allows_paying_twice() {
        for kind in FailureKind::ALL {
            if kind.may_be_charged() {
                assert!(kind.may_fall_over(true) && !kind.may_fall_over(false), "{kind:?}");
            } else {
                assert_eq!(kind.may_fall_over(true), kind.may_fall_over(false), "{kind:?}");
            }
        }
    }

    #[test]
    fn refusals_never_touch_a_breaker_and_never_fall_over() {
        assert_eq!(FailureKind::Refused.breaker(), BreakerEffect::Nothing);
        assert!(!FailureKind::Refused.may_fall_over(true));
    }
}
