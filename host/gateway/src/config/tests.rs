//! What all tests of the configuration share: a small catalogue, an environment, and the example file.

use std::path::PathBuf;

use domain::catalogue::Catalogue;

use super::*;

mod hostile;
mod meaning;
mod problems;

const EXAMPLE: &str = include_str!("../../../../examples/muxel.toml");

const OPENAI: &str = r#"
[[models]]
name = "picture-2"
sizes = { listed = ["1024x1024", "1536x1024"] }
max-count = 10
max-prompt-chars = 32000
source = "a price list"
as-of = "2026-11-23"
tiers = [
    { name = "low", rung = 20, price = { per-image = "0.006 USD" } },
    { name = "high", rung = 60, price = { per-image = "0.21 USD" } },
]

[[models]]
name = "picture-mini"
sizes = { listed = ["1024x1024"] }
max-count = 10
max-prompt-chars = 32000
source = "a price list"
as-of = "2026-11-23"
tiers = [{ price = { per-image = "0.01 USD" } }]
"#;

const ACME: &str = r#"
[[models]]
name = "brush"
sizes = { listed = ["1024x1024"] }
max-count = 1
max-prompt-chars = 1000
source = "a price list"
as-of = "2026-11-23"
tiers = [{ price = { per-image = "0.02 USD" } }]
"#;

fn catalogue() -> Catalogue {
    Catalogue::parse(&[("openai", OPENAI), ("acme", ACME)]).expect("a small catalogue")
}

fn environment(name: &str) -> Option<String> {
    matches!(name, "OPENAI_API_KEY" | "OPENAI_EU_API_KEY").then(|| "sk-from-the-environment\n".to_owned())
}

fn parsed_with(catalogue: &Catalogue, text: &str) -> Result<Loaded, Problems> {
    let surroundings = Surroundings {
        catalogue,
        today: "2026-11-30".parse().expect("a day"),
        environment: &environment,
        folder: PathBuf::from("conf"),
        listen: None,
    };
    parse("muxel.toml", text, &surroundings)
}

fn parsed(text: &str) -> Result<Loaded, Problems> {
    parsed_with(&catalogue(), text)
}

fn config(text: &str) -> Config {
    parsed(text).unwrap_or_else(|problems| panic!("{problems}")).config
}

fn account<'c>(config: &'c Config, name: &str) -> &'c checked::Account {
    config.accounts.iter().find(|account| account.provider.name == name).expect("configured")
}

fn model<'c>(config: &'c Config, provider: &str, name: &str) -> &'c domain::catalogue::Model {
    account(config, provider).models.iter().find(|model| model.name == name).expect("offered")
}

/// What an operator would read.
fn complaints(text: &str) -> String {
    match parsed(text) {
        Ok(loaded) => loaded.warnings.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n\n"),
        Err(problems) => problems.to_string(),
    }
}
