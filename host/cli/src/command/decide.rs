//! `muxel decide`: what would be chosen, and why, without a server.

use std::{fs::File, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::{
    explain::Explanation,
    quality::AskedQuality,
    request::{Priority, Request},
    size::Size,
    weights::Weights,
};
use gateway::{Ask, Preview};
use serde::Serialize;

use super::load;
use crate::{exit::ExitStatus, printer::Printer, table};

/// Explain what would be chosen for a prompt, without calling anyone
///
/// Qualities are the catalogue's and those of `[learning] quality`. What a running gateway has learned since, it tells at
/// `GET /admin/learners/quality`; save its `quality_toml` and name the file there to decide with it.
#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// What to draw
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    prompt: Option<String>,

    /// CSV file with a column `prompt`: one decision for each row
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// WIDTHxHEIGHT in pixels, or `auto`
    #[arg(long, value_name = "SIZE", default_value = "1024x1024", value_parser = size)]
    size: AskedSize,

    /// draft, standard, hd or ultra, or `auto` for any
    #[arg(long, value_name = "QUALITY", default_value = "auto")]
    quality: AskedQuality,

    /// low, normal, high or urgent
    #[arg(long, value_name = "PRIORITY", default_value = "normal")]
    priority: Priority,

    /// Pictures wanted
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10))]
    count: u32,

    /// As in a request: `auto`, `auto/ROUTE`, or a model
    #[arg(long, value_name = "MODEL", default_value = "auto")]
    model: String,

    /// How much a respect counts, 0 to 1, instead of the route's and the strategy's own; may be repeated
    #[arg(long = "weight", value_name = "NAME=VALUE", value_parser = clap::value_parser!(Weights))]
    weights: Vec<Weights>,

    /// Strategy to ask instead of the route's
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,

    /// Classifier to ask instead of the route's
    #[arg(long, value_name = "NAME")]
    classifier: Option<String>,

    /// Config file; without one, the catalogue as it comes
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Folder with plugins, instead of the config's
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,

    /// Print JSON: one object, or one a line with `--file`
    #[arg(long)]
    json: bool,
}

/// `None` is `auto`.
#[derive(Clone, Copy, Debug)]
struct AskedSize(Option<Size>);

fn size(text: &str) -> Result<AskedSize, domain::size::SizeError> {
    if text == "auto" { Ok(AskedSize(None)) } else { text.parse().map(|size| AskedSize(Some(size))) }
}

/// One line of `--file --json`.
#[derive(Serialize)]
struct Line<'a> {
    prompt: &'a str,
    label: &'a str,
    confidence: f64,
    traits: &'a [String],
    complexity: f64,
    model: Option<&'a str>,
    estimate_usd_micros: Option<u64>,
    strategy: &'a str,
    fuel: u64,
    reason: &'a str,
}

impl Decide {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let Some(config) = load::config_or_say(self.config.as_deref(), printer) else {
            return Ok(ExitStatus::Failure);
        };
        let plugins = load::plugins(&config, self.plugins.clone(), printer)?;
        // The preview's clock is the runtime's.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let _entered = runtime.enter();
        sandbox::prepare_thread();
        let preview = Preview::new(&config, &plugins);
        match &self.file {
            Some(file) => self.each(file, &preview, printer),
            None => {
                let prompt = self.prompt.clone().unwrap_or_default();
                if prompt.trim().is_empty() {
                    printer.failure("the prompt is empty", Some("say what to draw"));
                    return Ok(ExitStatus::Failure);
                }
                let Some(explained) = self.explain(&prompt, &preview, printer) else { return Ok(ExitStatus::Failure) };
                if self.json {
                    printer.json(&explained)?;
                } else {
                    printer.data(table::decision(&explained))?;
                }
                Ok(ExitStatus::Success)
            }
        }
    }

    /// `None` when a name is wrong, which has been said.
    fn explain(&self, prompt: &str, preview: &Preview, printer: &Printer) -> Option<Explanation> {
        let pairs = self.weights.iter().flat_map(Weights::iter).map(|(name, value)| (name.to_string(), value));
        let weights = match Weights::of(pairs) {
            Ok(weights) => weights,
            Err(error) => {
                printer.failure(&error, Some(error.hint()));
                return None;
            }
        };
        let ask = Ask {
            request: Request {
                size: self.size.0,
                quality: self.quality,
                priority: self.priority,
                count: self.count,
                ..Request::for_prompt(prompt)
            },
            model: self.model.clone(),
            weights,
            strategy: self.strategy.clone(),
            classifier: self.classifier.clone(),
        };
        match preview.decide(&ask, load::unix_ms(), 0) {
            Ok((explained, _)) => Some(explained),
            Err(error) => {
                printer.failure(&error, error.hint());
                None
            }
        }
    }

    fn each(&self, path: &PathBuf, preview: &Preview, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => {
                printer.failure(format_args!("cannot read `{}`: {error}", path.display()), None::<&str>);
                return Ok(ExitStatus::Failure);
            }
        };
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(std::io::BufReader::new(file));
        let headings = rows.headers().with_context(|| format!("cannot read `{}`", path.display()))?;
        let Some(column) = headings.iter().position(|heading| heading.trim() == "prompt") else {
            let message = format!("`{}` has no column `prompt`", path.display());
            printer.failure(message, Some("the first line of the file names its columns"));
            return Ok(ExitStatus::Failure);
        };
        let mut status = ExitStatus::Success;
        for row in rows.records() {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    printer.failure(format_args!("`{}`: {error}", path.display()), None::<&str>);
                    status = ExitStatus::Failure;
                    continue;
                }
            };
            let line = row.position().map_or(0, csv::Position::line);
            let Some(prompt) = row.get(column) else {
                let message = format!("`{}` line {line}: the row has no column `prompt`", path.display());
                printer.failure(message, None::<&str>);
                status = ExitStatus::Failure;
                continue;
            };
            let Some(explained) = self.explain(prompt, preview, printer) else { return Ok(ExitStatus::Failure) };
            if self.json {
                printer.json_line(&Line {
                    prompt,
                    label: &explained.label,
                    confidence: explained.confidence,
                    traits: &explained.traits,
                    complexity: explained.complexity,
                    model: explained.model.as_deref(),
                    estimate_usd_micros: explained.estimate_usd_micros,
                    strategy: &explained.strategy,
                    fuel: explained.fuel,
                    reason: &explained.reason,
                })?;
            } else {
                let shown: String = prompt.chars().take(60).collect();
                let model = explained.model.as_deref().unwrap_or("nobody");
                printer.data(format_args!("{:<10} {model:<40} {}", explained.label, shown.replace('\n', " ")))?;
            }
        }
        Ok(status)
    }
}
