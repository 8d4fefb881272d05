//! The words of Muxel and its pure rules.
//!
//! Nothing here does I/O, reads a clock, spawns a task or draws a random number: time and randomness are arguments.
//! So every rule about money, capability, policy, breakers and failures can be tested without waiting.
//!
//! Reading order follows a request: what is asked for, what is on offer, what was decided, what happened.

// What is asked for.
pub mod quality;
pub mod request;
pub mod size;
pub mod weights;

// What is on offer.
pub mod candidate;
pub mod catalogue;
pub mod credits;
pub mod money;
pub mod price;
pub mod provider;

// What was decided.
pub mod baseline;
pub mod capability;
pub mod decision;
pub mod expectation;
pub mod field;
pub mod plugin;
pub mod policy;
pub mod split;

// What happened.
pub mod attempt;
pub mod breaker;
pub mod failure;
pub mod hindsight;
pub mod learning;
pub mod quarantine;
pub mod record;
pub mod tracker;

pub mod explain;

pub mod digest;
pub mod nearest;
pub mod units;
