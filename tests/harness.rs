//! What makes a test read like a sentence: a gateway process, a provider that does as it is told, and the guests.

mod gateway;
mod guests;
mod process;
mod provider;

pub(crate) use gateway::{Gateway, Reply, Setup, run, run_in};
pub(crate) use guests::{Ends, FIXTURES, Fixture, Guest, TRIGGER, Theme};
pub(crate) use process::Footprint;
pub(crate) use provider::{Answer, Provider, png};
