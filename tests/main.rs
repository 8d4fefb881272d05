//! End-to-end tests: the real binary, real sockets, real files.

mod harness;

mod audit;
mod cli;
mod errors;
mod generations;
mod hostile;
mod kit;
mod money;
mod reload;
mod shutdown;
