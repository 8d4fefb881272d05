//! What makes a test read like a sentence: a gateway process, a provider that does as it is told, and the guests.

mod gateway;
mod guests;
mod provider;

pub(crate) use gateway::{Gateway, Reply, Setup, run, run_in};
pub(crate) use guests::{Guest, TRIGGER};
pub(crate) use provider::{Answer, Provider, png};
