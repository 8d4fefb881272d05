//! End-to-end tests: the real binary, real sockets, real files.

mod harness;

mod audit;
mod breakers;
mod chaos;
mod cli;
mod compat;
mod config_reload;
mod errors;
mod feedback;
mod generations;
mod hostile;
mod idempotency;
mod kit;
mod labels;
mod lifecycle;
mod manners;
mod money;
mod queue;
mod ratings;
mod reload;
mod replay;
mod shutdown;
mod simulate;
mod split;
mod weights;
mod what_if;
