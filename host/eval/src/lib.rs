//! Measuring and repeating decisions: the benchmark of the sandbox against the same functions called natively, and the
//! replay of recorded decisions.
//!
//! Evaluation on ratings and simulation belong here too.

mod bench;
mod replay;

pub use bench::{BenchError, DecisionRun, bench_decision};
pub use replay::{Comparison, Finding, Replayed, ReplayedCall, Replayer};
