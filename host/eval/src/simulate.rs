//! Simulation: a workload run through the real plugins, breakers and dispatcher, against providers that are not there,
//! on a clock that does not wait.
//!
//! Every strategy meets the same requests at the same moments, and a provider does the same with the same request at the
//! same attempt: what differs between two strategies is what they decided. Equal seeds give equal numbers, unless the
//! machine's clock ends a plugin call, which the report says.
//!
//! The file's form is documented in `examples/workloads/README.md`.

mod arrivals;
mod check;
mod contestant;
mod feedback;
mod learning;
mod mix;
mod plot;
mod problem;
mod report;
mod run;
mod tally;
mod truth;
mod watch;
mod workload;
mod worth;
mod written;

pub use contestant::{Contestant, NoContestant, PINNED};
pub use plot::plot;
pub use problem::{Problem, Problems};
pub use report::{About, Block, Load, OutageReport, Outcome, Percentiles, Report, StrategyReport, TruthReport};
pub use run::{SimulationError, run};
pub use workload::{Overrides, Workload};

#[cfg(test)]
mod tests;
