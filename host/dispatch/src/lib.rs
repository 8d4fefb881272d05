//! Carrying a decision out: attempts at providers, what their answers mean, and how each candidate is doing.
//!
//! The request comes with an order of candidates and a cap. Dispatch calls them one after another, obeying the table of
//! `domain::failure`, and never sends twice what may already have been paid for unless the route allows it. It knows
//! neither plugins nor HTTP servers nor the database: whoever wants to hear of attempts implements
//! `domain::attempt::Journal`.
//!
//! Reading order follows a request: what is to be done, who walks the order, one attempt, what went over the wire.

// What is to be done, and by whom it is asked.
mod caller;
mod job;

// Walking the order.
mod dispatcher;
mod next;
mod settle;

// One attempt.
mod attempt;
mod endpoint;
mod failure;
mod secret;
mod transport;

// What providers say, without I/O.
mod dialect;
mod picture;
mod text;

// Providers that are not there.
mod random;
mod simulated;

// How candidates are doing.
mod health;

pub use caller::{CallerGuard, CallerPresence};
pub use dialect::Usage;
pub use dispatcher::Dispatcher;
pub use domain::field::View;
pub use endpoint::{ProviderSetup, SetupError};
pub use failure::ProviderError;
pub use health::{Cell, Clock, Health, KeyView, Probe, Report, Rest, SavedHealth};
pub use job::{Delivery, DispatchFailure, Dispatched, Job, Picture, Step, Stopped};
pub use picture::{Format, NotAPicture, Seen, check, check_base64};
pub use random::SplitMix;
pub use secret::Secret;
pub use simulated::{Outage, OutageKind, Simulated, SimulatedAnswer, SimulationSettings, Sketch, draw, simulate};
