//! Measuring and repeating decisions: the benchmark of the sandbox against the same functions called natively, the
//! replay of recorded decisions, simulated workloads, evaluation on ratings, and what last month would have cost.

mod bench;
mod decimal;
mod faults;
pub mod labels;
mod parallel;
mod plot;
mod prompt_row;
pub mod ratings;
mod replay;
pub mod simulate;
mod table_file;
pub mod what_if;

pub use bench::{BenchError, DecisionRun, bench_decision};
pub use faults::Problem;
pub use replay::{Comparison, Finding, Replayed, ReplayedCall, Replayer};
pub use table_file::TableError;
