//! Dispatch against providers that fail in every way they can: over real sockets, and simulated.

mod charges;
mod faults;
mod keys;
mod simulated;
mod stage;
mod upstream;
mod wire;
