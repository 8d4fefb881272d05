//! Expectations as a file that people read, compare and keep: `quality.toml`.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Entry, Expectations, Name, TERMS, Term, learner::ADJUSTMENT};
use crate::{catalogue::Prior, request::Operation};

const FORMAT: u32 = 1;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("it is not written as a quality file")]
    Malformed(#[from] toml::de::Error),
    #[error("it is of format {0}, and this program reads format {FORMAT}")]
    Format(u32),
    #[error("`{model}`: {problem}")]
    Entry { model: String, problem: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    #[serde(default)]
    models: Vec<Written>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// `model` or `model@tier`, without a provider.
    model: Arc<str>,
    operation: Operation,
    ratings: f32,
    prior: Prior,
    terms: BTreeMap<String, Prior>,
}

/// The file's text.
#[must_use]
pub fn write(expectations: &Expectations) -> String {
    let models = expectations.entries().map(|(operation, model, entry)| Written {
        model: Arc::clone(model),
        operation,
        ratings: entry.ratings,
        prior: rounded(entry.prior),
        terms: Term::ALL.iter().map(|term| (term.word().to_owned(), rounded(entry.terms[*term as usize]))).collect(),
    });
    let file = File { format: FORMAT, models: models.collect() };
    toml::to_string(&file).unwrap_or_default()
}

/// Reads what [`write()`] wrote, or what somebody made of it.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn read(text: &str) -> Result<Expectations, FileError> {
    let file: File = toml::from_str(text)?;
    if file.format != FORMAT {
        return Err(FileError::Format(file.format));
    }
    let mut entries = BTreeMap::new();
    for written in file.models {
        let model = Arc::clone(&written.model);
        let (name, entry) =
            check(written).map_err(|problem| FileError::Entry { model: model.chars().take(80).collect(), problem })?;
        if entries.insert(name, entry).is_some() {
            return Err(FileError::Entry { model: model.to_string(), problem: "it is there twice".to_owned() });
        }
    }
    Ok(entries.into_iter().collect())
}

fn check(written: Written) -> Result<(Name, Entry), String> {
    if written.model.is_empty() {
        return Err("a model needs a name".to_owned());
    }
    if !(written.ratings.is_finite() && written.ratings > 0.0) {
        return Err(format!("`ratings` must be over 0, not {}", written.ratings));
    }
    let is_share = |value: f32| (0.0..=1.0).contains(&value);
    if !(is_share(written.prior.mean) && is_share(written.prior.deviation)) {
        return Err("its prior must have a mean and a deviation from 0 to 1".to_owned());
    }
    let mut terms = [Prior { mean: 0.0, deviation: ADJUSTMENT as f32 }; TERMS];
    for (word, adjustment) in written.terms {
        let Some(term) = Term::of(&word) else {
            let words = Term::ALL.map(Term::word).join(", ");
            return Err(format!("there is no term `{word}`: there are {words}"));
        };
        if !((-1.0..=1.0).contains(&adjustment.mean) && is_share(adjustment.deviation)) {
            return Err(format!("`{word}` must have a mean from -1 to 1 and a deviation from 0 to 1"));
        }
        terms[term as usize] = adjustment;
    }
    Ok(((written.operation, written.model), Entry { prior: written.prior, terms, ratings: written.ratings }))
}

/// Four decimals: a rating's noise is a hundred times as much as the rest.
fn rounded(prior: Prior) -> Prior {
    let short = |value: f32| ((f64::from(value) * 1e4).round() / 1e4) as f32;
    Prior { mean: short(prior.mean), deviation: short(prior.deviation) }
}
