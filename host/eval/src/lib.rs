//! Measuring and repeating decisions: the benchmark of the sandbox against the same functions called natively, the
//! replay of recorded decisions, simulated workloads, and evaluation on ratings.

mod bench;
pub mod ratings;
mod replay;
pub mod simulate;

pub use bench::{BenchError, DecisionRun, bench_decision};
pub use replay::{Comparison, Finding, Replayed, ReplayedCall, Replayer};
