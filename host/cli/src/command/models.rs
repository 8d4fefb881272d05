//! `muxel models`: the catalogue, with prices, priors and where they are from.

use std::path::PathBuf;

use clap::Args;
use domain::{candidate::Candidate, catalogue::Date, size::SizeRule};
use serde::Serialize;

use super::load;
use crate::{exit::ExitStatus, printer::Printer, table};

/// List the models, with quality tiers, prices and where the figures are from
#[derive(Debug, Args)]
pub(crate) struct Models {
    /// Only names that contain this
    filter: Option<String>,

    /// Config file; without one, the catalogue as it comes
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// With models that their vendors have withdrawn
    #[arg(long)]
    all: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One candidate.
#[derive(Serialize)]
struct Line {
    id: String,
    /// The vendor's word for the tier.
    tier: Option<String>,
    /// Muxel's word for it.
    quality_word: Option<&'static str>,
    /// Of one picture of the usual size, after the provider's factor.
    price_usd_micros: Option<u64>,
    quality: Option<f64>,
    quality_deviation: Option<f64>,
    p50_ms: Option<u32>,
    p95_ms: Option<u32>,
    operations: Vec<&'static str>,
    sizes: SizeRule,
    max_count: u32,
    transparent: bool,
    retires: Option<Date>,
    source: String,
    as_of: Date,
}

impl Models {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let Some(config) = load::config_or_say(self.config.as_deref(), printer) else {
            return Ok(ExitStatus::Failure);
        };
        let today = Date::of_unix_ms(load::unix_ms());
        let candidates = config.candidates();
        let wanted = |candidate: &&Candidate| {
            (self.all || !candidate.model.retired(today))
                && self.filter.as_deref().is_none_or(|part| candidate.id.as_str().contains(part))
        };
        let lines: Vec<Line> = candidates.iter().filter(wanted).map(line).collect();
        if self.json {
            printer.json(&lines)?;
            return Ok(ExitStatus::Success);
        }
        let unknown = || "?".to_owned();
        let rows = lines.iter().map(|line| {
            vec![
                line.id.clone(),
                line.quality_word.unwrap_or("any").to_owned(),
                line.price_usd_micros.map_or_else(unknown, |micros| domain::money::MicroUsd(micros).to_string()),
                line.quality.map_or_else(unknown, |mean| format!("{mean:.2}")),
                line.p50_ms.map_or_else(unknown, |ms| format!("{:.1} s", f64::from(ms) / 1e3)),
                line.retires.map(|day| day.to_string()).unwrap_or_default(),
                line.as_of.to_string(),
            ]
        });
        let headings = ["model@tier", "quality word", "price", "quality", "p50", "retires", "as of"];
        printer.data(table::plain(&headings, 2, rows))?;
        printer.say(format_args!("\n{} candidates; price of one 1024x1024 picture; sources with --json", lines.len()));
        Ok(ExitStatus::Success)
    }
}

fn line(candidate: &Candidate) -> Line {
    let (model, tier) = (&candidate.model, candidate.tier());
    let picture = domain::request::Request::for_prompt("");
    let price = tier.price.as_ref().and_then(|price| {
        domain::price::list_price(&price.tariff(picture.size, candidate.provider.price_factor), &picture)
    });
    Line {
        id: candidate.id.to_string(),
        tier: tier.name.clone(),
        quality_word: model.has_tiers().then(|| tier.rung.word()),
        price_usd_micros: price.map(|estimate| estimate.expected.0),
        quality: tier.quality.map(|prior| short(prior.mean)),
        quality_deviation: tier.quality.map(|prior| short(prior.deviation)),
        p50_ms: tier.latency.map(|latency| latency.p50_ms),
        p95_ms: tier.latency.map(|latency| latency.p95_ms),
        operations: model.operations.iter().map(|operation| operation.word()).collect(),
        sizes: model.sizes.clone(),
        max_count: model.max_count,
        transparent: model.transparent,
        retires: model.retires,
        source: model.source.clone(),
        as_of: model.as_of,
    }
}

/// Three decimals, as the catalogue gives them.
fn short(share: f32) -> f64 {
    (f64::from(share) * 1e3).round() / 1e3
}
