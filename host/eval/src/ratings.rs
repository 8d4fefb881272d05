//! Evaluation on ratings: the real plugins choose among pictures that people have rated, and are scored by what they chose.
//!
//! A file of ratings says for each prompt what several models' pictures of it got and cost. For every prompt the bundled
//! classifier says what it is, the bundled cost model what each picture costs, and each strategy which model it would have
//! taken. Nobody waits and nobody fails here: quality and cost are all that differs.
//!
//! What the numbers rest on:
//!
//! - **Nothing of what is scored was used before.** Expectations of quality for one fold of the prompts are learned from
//!   the other folds (`expected.rs`). How strongly the model holds on to its priors is a constant of the program.
//! - **A frontier is read by cost.** A strategy's weights are swept over a fixed grid, and at a saving of 20 % the two
//!   settings are mixed whose *cost* lies around it. No setting is picked for the quality that it turned out to have.
//! - **The baseline is the luckiest one.** The best single model is chosen with the ratings that it is scored with, and so are
//!   the mixes that look at no prompt (`mixes.rs`). Models that drew other prompts are compared as if they had drawn the same
//!   ones (`effects.rs`).
//! - **The comparison is paired**: the interval comes from drawing prompts again, for both at once (`bootstrap.rs`).
//! - **The oracle is honest**: chosen with all raters but one, scored with that one (`oracle.rs`).
//!
//! The file is read twice and no prompt is kept, so that a million rows need little memory.

mod bootstrap;
mod cautions;
mod choices;
mod choices_file;
mod contestant;
mod effects;
mod expected;
mod field;
mod fit;
mod judges;
mod mixes;
mod names;
mod notes;
mod oracle;
mod plot;
mod read;
mod report;
mod run;
mod scale;
mod score;
mod table;

pub use contestant::{Contestant, Weights};
pub use fit::{fit, fitted_on, quality_file};
pub use judges::Judges;
pub(crate) use judges::subject;
pub use names::Model;
pub use notes::Warning;
pub use plot::plot;
pub use read::RatingsError;
pub use report::{
    About, AtSaving, BestMix, InSample, Oracle, Outcome, Point, RandomMix, Report, Setting, Share, Single, Strategy,
};
pub use run::{Quality, run};
pub use table::Ratings;
