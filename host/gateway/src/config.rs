//! `muxel.toml`: one file, read in two steps.
//!
//! `written` is what an operator wrote, key by key. `checked` is what is meant: plain values, every default filled in,
//! every reference resolved. Between them stand the checks, and all that is wrong is reported at once, with line and
//! hint: an operator who mends one problem a run gives up before the last.
//!
//! ## Invariants
//!
//! - A [`Config`] that exists can be served: nothing in it is checked a second time.
//! - No error shows the value of a key that may hold a secret, and no `Debug` shows a secret.
//! - Paths in the file are relative to the file.

use std::{
    fs::File,
    io::Read as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use domain::catalogue::{Catalogue, Date};

use problem::Findings;

pub mod checked;
pub mod problem;
pub mod units;

mod check;
mod explain;
mod reading;
mod schema;
mod secret;
mod settings;
mod shape;
mod simulated;
mod source;
mod syntax;
mod written;

pub use check::objection_to;
pub use checked::Config;
pub use problem::{Problem, Problems, Severity};
pub use schema::schema;

#[cfg(test)]
mod tests;

/// Largest configuration file, in bytes. A larger one is not a configuration.
const LARGEST_FILE: u64 = 1 << 20;

/// What a configuration is checked against, besides itself.
pub struct Surroundings<'s> {
    pub catalogue: &'s Catalogue,
    /// The day that prices of the configuration are said to be from.
    pub today: Date,
    /// Reads an environment variable.
    pub environment: &'s dyn Fn(&str) -> Option<String>,
    /// The folder that relative paths start at.
    pub folder: PathBuf,
    /// What the command line says instead of `server.listen`.
    pub listen: Option<SocketAddr>,
}

/// A configuration without errors.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Problem>,
}

/// Reads the file at `path`. Its folder takes the place of `surroundings.folder`.
///
/// # Errors
///
/// Everything that is wrong with it, at most [`problem::MOST`] problems.
pub fn load(path: &Path, mut surroundings: Surroundings<'_>) -> Result<Loaded, Problems> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return Err(Problem::of_file(&name, &format!("cannot read the configuration: {error}"), None).into());
    }
    let Ok(text) = str::from_utf8(&bytes) else {
        return Err(Problem::of_file(&name, "the configuration is not text in UTF-8", None).into());
    };
    surroundings.folder = path.parent().map(Path::to_owned).unwrap_or_default();
    parse(&name, text, &surroundings)
}

/// Reads `text`, calling it `file` in problems.
///
/// # Errors
///
/// Everything that is wrong with it, at most [`problem::MOST`] problems.
pub fn parse(file: &str, text: &str, surroundings: &Surroundings<'_>) -> Result<Loaded, Problems> {
    if text.len() as u64 > LARGEST_FILE {
        let hint = Some("a configuration has at most 1 MiB");
        return Err(Problem::of_file(file, "the configuration is too large", hint).into());
    }
    let mut findings = Findings::default();
    let config = syntax::parse(file, text, &mut findings).and_then(|source| {
        let read = reading::read(&source, &mut findings)?;
        Some(check::check(&source, &read, surroundings, &mut findings))
    });
    let warnings = findings.into_result()?;
    // Without a configuration there was an error, so this is the same as above.
    config
        .map(|config| Loaded { config, warnings })
        .ok_or_else(|| Problem::of_file(file, "the configuration cannot be read", None).into())
}
