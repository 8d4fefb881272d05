//! What last month's requests would have cost, had Muxel chosen.
//!
//! Each row of a file is one request that somebody else has served: what was asked for, at which model, and what it cost.
//! Whoever calls says how a request is decided; here rows are read, shared among the machine's processors in batches, and
//! what comes back is added up. No row is kept, so that a million need little memory.
//!
//! What the numbers rest on:
//!
//! - **Nothing is guessed.** A row of which one side is not known is left out of the savings and counted
//!   (`domain::hindsight` has the rules).
//! - **Costs are exact.** Dollars are read digit by digit; sums are whole micro-dollars.
//! - **What would have been chosen is priced as an estimate**, by the cost models, as if its first attempt delivered.
//! - **Qualities are expectations**, of both sides alike: nobody has seen the pictures.

mod fault;
mod read;
mod report;
mod tally;

use std::path::Path;

use domain::hindsight::Hindsight;

pub use read::Row;
pub use report::{Chosen, Figures, Group, LeftOut, OfModel, PaidAndListed, Qualities, Report, Strategy, Unserved};

use crate::{parallel, table_file::TableError};
use read::Rows;
use tally::Tally;

/// Rows that are decided on at a time.
const BATCH: usize = 256;

/// A file of requests that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    #[error(transparent)]
    File(#[from] TableError),
    #[error("nothing in `{file}` can be used: {why}")]
    Nothing { file: String, why: String },
}

impl WhatIfError {
    /// The reader's next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Nothing { .. } => {
                Some("each row is one request: prompt, size, quality, n, model, and its cost in dollars".to_owned())
            }
        }
    }
}

/// Looks back at every request of a file in each of the ways that are named. `look_back` is given the number of one of
/// them. `progress` hears how many rows were read, and which share of the file.
///
/// # Errors
///
/// What makes the file as a whole unusable.
pub fn run(
    path: &Path,
    names: &[String],
    look_back: &(dyn Fn(usize, &Row) -> Hindsight + Sync),
    progress: &mut dyn FnMut(u64, Option<f64>),
) -> Result<Report, WhatIfError> {
    let mut rows = Rows::open(path)?;
    let mut tallies: Vec<Tally> = names.iter().map(|_| Tally::default()).collect();
    let mut used = 0;
    loop {
        let batch = rows.batch(BATCH)?;
        if batch.is_empty() {
            break;
        }
        let in_all_ways = |row: &Row| (0..names.len()).map(|way| look_back(way, row)).collect::<Vec<_>>();
        for (row, ways) in batch.iter().zip(parallel::map(&batch, in_all_ways)) {
            for (tally, hindsight) in tallies.iter_mut().zip(ways) {
                tally.add(row, &hindsight);
            }
        }
        used += batch.len() as u64;
        progress(rows.seen(), rows.share());
    }
    let problems = rows.problems();
    if used == 0 {
        let most = problems.iter().max_by_key(|problem| problem.count);
        let why = most.map_or("it has no rows".to_owned(), |problem| problem.text.clone());
        return Err(WhatIfError::Nothing { file: path.display().to_string(), why });
    }
    Ok(Report::new(&rows, used, problems, names, &tallies))
}
