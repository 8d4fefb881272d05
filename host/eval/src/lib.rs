//! Measuring decisions: the benchmark of the sandbox against the same functions called natively.
//!
//! Evaluation on ratings, simulation and replay belong here too.

mod bench;

pub use bench::{BenchError, DecisionRun, bench_decision};
