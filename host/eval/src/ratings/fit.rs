//! Expectations of quality from ratings, as a file: `quality.toml`.

use std::fmt::Write as _;

use domain::{
    digest::Digest,
    expectation::{Expectations, write},
};

use super::{expected::learn, table::Ratings};

/// What the line with the digest of the ratings begins with.
const FITTED_ON: &str = "# ratings sha256: ";
/// Lines of a file's head that are looked at.
const HEAD: usize = 40;

/// What all of `ratings` say, in the file's order.
#[must_use]
pub fn fit(ratings: &Ratings) -> Expectations {
    learn(ratings, |_| true).expectations()
}

/// The file's text: what it is and where it is from, then the expectations. `command` is what made it.
#[must_use]
pub fn quality_file(ratings: &Ratings, expectations: &Expectations, command: &str) -> String {
    let mut text = String::from("# How good each model is expected to be, learned from ratings.\n#\n");
    let plain: String = command.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let raters = if ratings.raters == 1 { "rater" } else { "raters" };
    let _ = write!(
        text,
        "# made by: {plain}\n{FITTED_ON}{}\n# {} of {} rows used: {} prompts, {} models, {} {raters}\n#\n",
        ratings.digest,
        ratings.used(),
        ratings.rows,
        ratings.prompts(),
        ratings.models.len(),
        ratings.raters,
    );
    text.push_str(MEANING);
    text.push_str(&write(expectations));
    text
}

const MEANING: &str = "\
# Quality is from 0 (all raters gave 1) to 1 (all gave 5). What is expected of a request is the prior's mean and, for
# each term, its mean times what the classifier saw: 1 for `base`, the confidence of the label and of each trait, and
# complexity less 0.5. Every mean has its standard deviation. `ratings` are the pictures behind it.

";

/// The ratings that a quality file says it was fitted on.
#[must_use]
pub fn fitted_on(text: &str) -> Option<Digest> {
    let lines = text.lines().take(HEAD).take_while(|line| line.starts_with('#'));
    lines.filter_map(|line| line.strip_prefix(FITTED_ON)).find_map(|digest| Digest::from_hex(digest.trim()))
}
