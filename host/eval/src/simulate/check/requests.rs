//! `[requests]`: prompts, and how often what is asked.

use std::{path::Path, sync::Arc};

use domain::{
    quality::AskedQuality,
    request::{MAX_COUNT, MAX_PROMPT_CHARS, Priority},
    size::Size,
};
use toml::Spanned;

use super::super::{
    mix::{Mix, Weighted},
    problem::Findings,
    workload::{MOST_REQUESTS, Overrides},
    written::{Requests, Shares},
};

/// Largest file of prompts, in bytes.
const MOST_BYTES: u64 = 256 << 20;
/// What is asked for when no prompts are written.
const SAMPLE: [&str; 8] = [
    "a red bicycle leaning against a brick wall, morning light",
    "a watercolor of two foxes under an old oak",
    "a poster that says \"OPEN LATE\" in neon letters",
    "a photograph of an elderly fisherman mending a net, 85mm",
    "an isometric diagram of a solar power plant with labels",
    "a minimalist logo of a lighthouse, two colours, flat",
    "three green apples and one pear on a wooden table",
    "a city at night in the rain, seen from a tram",
];

pub(super) fn check(
    findings: &mut Findings<'_>,
    written: &Requests,
    folder: &Path,
    overrides: &Overrides<'_>,
) -> Option<Mix> {
    let prompts = match (overrides.prompts, &written.prompts) {
        (Some(path), _) => match from_csv(path) {
            Ok(prompts) => Some(prompts),
            Err((message, hint)) => {
                findings.whole(message, hint);
                None
            }
        },
        (None, Some(written)) => prompts(findings, written, folder),
        (None, None) => Some(SAMPLE.map(Arc::from).to_vec()),
    };
    let usual_size = Size::new(1024, 1024);
    let sizes = shares(findings, written.sizes.as_ref(), usual_size, |word| match word {
        "auto" => Ok(None),
        size => size.parse().map(Some).map_err(|_| "write WIDTHxHEIGHT, like \"1024x1024\", or \"auto\"".to_owned()),
    });
    let counts = shares(findings, written.counts.as_ref(), 1, |word| {
        let count = word.parse::<u32>().ok().filter(|count| (1..=MAX_COUNT).contains(count));
        count.ok_or_else(|| format!("write \"1\" to \"{MAX_COUNT}\""))
    });
    let priorities = shares(findings, written.priorities.as_ref(), Priority::Normal, |word| {
        word.parse().map_err(|_| "write low, normal, high or urgent".to_owned())
    });
    let qualities = shares(findings, written.qualities.as_ref(), AskedQuality::Any, |word| {
        word.parse().map_err(|_| format!("write one of {}", AskedQuality::WORDS.join(", ")))
    });
    Some(Mix { prompts: prompts?, once: written.once, sizes, counts, priorities, qualities })
}

fn prompts(findings: &mut Findings<'_>, written: &Spanned<toml::Value>, folder: &Path) -> Option<Vec<Arc<str>>> {
    const HINT: &str = "write a list of prompts, or the name of a CSV file with a column `prompt`";
    let found = match written.get_ref() {
        toml::Value::String(path) => from_csv(&folder.join(path)),
        toml::Value::Array(list) => {
            let texts: Option<Vec<&str>> = list.iter().map(toml::Value::as_str).collect();
            texts.map(usable).unwrap_or_else(|| Err(("a prompt is a text".to_owned(), HINT.to_owned())))
        }
        _ => Err(("these are no prompts".to_owned(), HINT.to_owned())),
    };
    found.map_err(|(message, hint)| findings.at(&written.span(), message, hint)).ok()
}

type Mistake = (String, String);

/// The column `prompt` of a CSV file.
fn from_csv(path: &Path) -> Result<Vec<Arc<str>>, Mistake> {
    let shown = path.display();
    let cannot = |error: &dyn std::fmt::Display| {
        let hint = "name a CSV file whose first line names its columns, `prompt` among them";
        (format!("cannot read the prompts in `{shown}`: {error}"), hint.to_owned())
    };
    let facts = std::fs::metadata(path).map_err(|error| cannot(&error))?;
    if !facts.is_file() || facts.len() > MOST_BYTES {
        return Err(cannot(&"it is no regular file of at most 256 MiB"));
    }
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(|error| cannot(&error))?;
    let headings = rows.headers().map_err(|error| cannot(&error))?;
    let Some(column) = headings.iter().position(|heading| heading.trim() == "prompt") else {
        return Err(cannot(&"it has no column `prompt`"));
    };
    let mut texts = Vec::new();
    for row in rows.records() {
        let row = row.map_err(|error| cannot(&error))?;
        texts.push(row.get(column).unwrap_or_default().to_owned());
    }
    usable(texts.iter().map(String::as_str).collect())
}

/// As many prompts as there may be, none of them empty or too long.
fn usable(texts: Vec<&str>) -> Result<Vec<Arc<str>>, Mistake> {
    if texts.is_empty() || texts.len() as u64 > MOST_REQUESTS {
        return Err((
            format!("{} prompts are too few or too many", texts.len()),
            format!("write 1 to {MOST_REQUESTS}"),
        ));
    }
    let bad = |text: &&str| text.trim().is_empty() || text.chars().count() > MAX_PROMPT_CHARS;
    match texts.iter().position(bad) {
        Some(index) => Err((
            format!("prompt {} is empty or longer than {MAX_PROMPT_CHARS} characters", index + 1),
            "leave it out or mend it".to_owned(),
        )),
        None => Ok(texts.into_iter().map(Arc::from).collect()),
    }
}

/// Words with their weights; `usual` alone when nothing is written.
fn shares<T: Copy>(
    findings: &mut Findings<'_>,
    written: Option<&Spanned<Shares>>,
    usual: T,
    read: impl Fn(&str) -> Result<T, String>,
) -> Weighted<T> {
    let Some(table) = written else { return Weighted(vec![(usual, 1.0)]) };
    let mut weighted = Vec::with_capacity(table.get_ref().len());
    for (word, share) in table.get_ref() {
        let number = *share.get_ref();
        if !(0.0..=1e9).contains(&number) {
            let hint = "write how often against the others, 0 or more: shares need not add up to 1";
            findings.at(&share.span(), format!("the share of `{word}` is `{number}`"), hint);
        }
        match read(word) {
            Ok(value) => weighted.push((value, number)),
            Err(hint) => findings.at(&share.span(), format!("`{word}` is not understood here"), hint),
        }
    }
    let all: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    if all.is_nan() || all <= 0.0 {
        findings.at(&table.span(), "these shares add up to nothing", "let one of them be more than 0");
        return Weighted(vec![(usual, 1.0)]);
    }
    Weighted(weighted)
}
