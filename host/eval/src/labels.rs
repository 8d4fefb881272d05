//! Whether classifiers are right: their answers on prompts that people have labelled.
//!
//! The real plugins are asked, each prompt by itself, as a gateway asks them. A prompt that a classifier does not answer
//! counts as what a gateway goes on with: `general`, with no confidence.
//!
//! What the numbers rest on:
//!
//! - **The file says what is true.** Labels are those that it has; an answer with any other label is wrong. A trait is
//!   scored when the file names it at least once: in an empty cell nothing is present.
//! - **Nothing is trained.** Whoever trained a classifier on these very prompts sees how well they are remembered.
//! - **What a change of words changes** is told by asking again with the same prompt shouted, mistyped, in one of six
//!   polite frames, and with one of six orders to answer something else. The right answer does not change, so the label should not.

mod classifier;
mod disturbed;
mod fault;
mod read;
mod report;
mod score;
mod tally;

use std::path::Path;

pub use classifier::Classifier;
pub use report::{Bin, Disturbed, Group, Label, MostFrequent, Report, Scored, Seen, Work};

use crate::{parallel, table_file::TableError};
use read::{Row, Rows};
use tally::Tally;

/// Prompts that are classified at a time.
const BATCH: usize = 256;

/// A file of labelled prompts that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    #[error(transparent)]
    File(#[from] TableError),
    #[error("`{file}` line 1: there is no column `{name}` to tell groups by")]
    Group { file: String, name: String },
    #[error("`{file}` line {line}: more than {most} different words in the column `{column}`")]
    Words { file: String, line: u64, column: &'static str, most: usize },
    #[error("nothing in `{file}` can be used: {why}")]
    Nothing { file: String, why: String },
}

impl LabelsError {
    /// The reader's next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::File(error) => return error.hint(),
            Self::Group { .. } => "name one of the columns that the first line names",
            Self::Words { .. } => "a label is one word; the traits of a prompt are separated by `|`",
            Self::Nothing { .. } => "each row is one prompt: prompt, label and, where known, traits",
        };
        Some(hint.to_owned())
    }
}

/// Asks every classifier about every prompt of a file. With `by`, prompts are also told apart by what that column says.
/// `progress` hears how many rows were read, and which share of the file.
///
/// # Errors
///
/// What makes the file as a whole unusable.
pub fn run(
    path: &Path,
    by: Option<&str>,
    classifiers: &[Classifier],
    progress: &mut dyn FnMut(u64, Option<f64>),
) -> Result<Report, LabelsError> {
    let mut rows = Rows::open(path, by)?;
    let mut tallies: Vec<Tally> = classifiers.iter().map(|_| Tally::default()).collect();
    loop {
        let batch = rows.batch(BATCH)?;
        if batch.is_empty() {
            break;
        }
        let ask_all = |row: &Row| classifiers.iter().map(|classifier| classifier.ask(row)).collect::<Vec<_>>();
        for (row, answers) in batch.iter().zip(parallel::map(&batch, ask_all)) {
            for (tally, asked) in tallies.iter_mut().zip(&answers) {
                tally.add(row, &rows.words.labels[row.label], asked);
            }
        }
        progress(rows.seen(), rows.share());
    }
    let problems = rows.problems();
    if tallies.iter().all(Tally::is_empty) {
        let most = problems.iter().max_by_key(|problem| problem.count);
        let why = most.map_or("it has no rows".to_owned(), |problem| problem.text.clone());
        return Err(LabelsError::Nothing { file: path.display().to_string(), why });
    }
    Ok(Report::new(&rows, problems, classifiers, &tallies))
}
