//! End-to-end tests: the real binary, real sockets, real files.

mod harness;

mod audit;
mod cli;
mod compat;
mod errors;
mod generations;
mod hostile;
mod money;
mod reload;
mod shutdown;
