//! `[providers.NAME]`: accounts, and whose models they offer.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    money::PriceFactor,
    provider::{DialectName, Provider},
};

use super::{Checker, WORD_HINT, connection, is_word, nearest_hint, simulation};
use crate::config::{
    checked::{Account, Connection},
    source::at,
    written,
};

/// Dialects of the field that this version does not speak.
const OTHER_DIALECTS: [&str; 21] = [
    "alibaba",
    "azure",
    "bedrock",
    "bfl",
    "black-forest-labs",
    "fal",
    "gemini",
    "google",
    "ideogram",
    "leonardo",
    "luma",
    "microsoft",
    "recraft",
    "replicate",
    "runway",
    "runware",
    "stability",
    "tencent",
    "together",
    "vertex",
    "xai",
];

pub(super) fn check(checker: &mut Checker<'_>) -> Vec<Account> {
    let written = &checker.written().providers;
    let mut accounts = Vec::with_capacity(written.len());
    for (name, provider) in written {
        let at = at!["providers", name.as_str()];
        if name == "auto" {
            checker.error(&at, "no provider may be called `auto`", "`auto` means that Muxel chooses: use another name");
        } else if !is_word(name) {
            checker.error(&at, format!("`{name}` is not a name for a provider"), WORD_HINT);
        }
        accounts.extend(account(checker, name, provider));
    }
    accounts
}

/// Every account must offer something, once `[[models]]` had their say.
pub(super) fn check_offers(checker: &mut Checker<'_>, accounts: &[Account]) {
    let empty = |account: &&Account| account.models.is_empty();
    // A model that is wrong itself might have been the one.
    if !checker.is_sound("models") || !checker.is_sound("providers") {
        return;
    }
    for account in accounts.iter().filter(empty) {
        let name = account.provider.name.as_str();
        checker.error(
            &at!["providers", name],
            format!("provider `{name}` offers no models"),
            format!("say whose with `vendor`, or describe them with `[[models]]` and `name = \"{name}/MODEL\"`"),
        );
    }
}

fn account(checker: &mut Checker<'_>, name: &str, written: &written::Provider) -> Option<Account> {
    let dialect = dialect(checker, name, &written.dialect);
    let price_factor = price_factor(checker, name, written.price_factor);
    let weight = checker.number(&at!["providers", name, "weight"], written.weight.map(f64::from), 0.0..=1000.0);
    let max_in_flight = checker.count(
        &at!["providers", name, "max-in-flight"],
        written.max_in_flight,
        0,
        1_000_000,
        "leave it out for no limit",
    );
    let tags = tags(checker, name, written.tags.as_deref().unwrap_or_default());
    let connection = match dialect? {
        DialectName::Openai => connection::check(checker, name, written)?,
        DialectName::Simulated => Connection::Simulated(simulation::check(checker, name, written)),
    };
    let vendor = vendor(checker, name, written, &connection);
    let provider = Provider {
        name: name.to_owned(),
        dialect: dialect?,
        tags,
        price_factor,
        weight: weight.map_or(1.0, |weight| weight as f32),
        max_in_flight,
    };
    let models = vendor.map(|vendor| checker.surroundings.catalogue.vendor(vendor).to_vec()).unwrap_or_default();
    Some(Account { provider: Arc::new(provider), models, connection })
}

fn dialect(checker: &mut Checker<'_>, name: &str, written: &str) -> Option<DialectName> {
    let at = at!["providers", name, "dialect"];
    match written {
        "openai" => return Some(DialectName::Openai),
        "simulated" => return Some(DialectName::Simulated),
        other if OTHER_DIALECTS.contains(&other) => checker.error(
            &at,
            format!("dialect `{other}` is not spoken yet: this version speaks `openai` and `simulated`"),
            "if the server has OpenAI's images interface too, use `openai` with its `base-url`",
        ),
        other => {
            let shown: String = other.chars().take(40).collect();
            let known = ["openai", "simulated"];
            let hint = nearest_hint(other, known, "this version speaks `openai` and `simulated`");
            checker.error(&at, format!("dialect `{shown}` is not known"), hint);
        }
    }
    None
}

fn price_factor(checker: &mut Checker<'_>, name: &str, written: Option<f64>) -> PriceFactor {
    let Some(factor) = written else { return PriceFactor::ONE };
    PriceFactor::new(factor).unwrap_or_else(|| {
        checker.error(
            &at!["providers", name, "price-factor"],
            format!("`{factor}` is not a factor for prices"),
            "write 0 to 100, like 0.75 for a discount of 25 %",
        );
        PriceFactor::ONE
    })
}

fn tags(checker: &mut Checker<'_>, name: &str, written: &[String]) -> Vec<String> {
    for (index, tag) in written.iter().enumerate() {
        if !is_word(tag) {
            let at = at!["providers", name, "tags", index];
            checker.error(&at, format!("`{}` is not a tag", tag.chars().take(60).collect::<String>()), WORD_HINT);
        }
    }
    // In one order and once each, so that equal settings have equal digests.
    written.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whose rows of the catalogue it offers.
fn vendor<'w>(
    checker: &mut Checker<'_>,
    name: &'w str,
    written: &'w written::Provider,
    connection: &Connection,
) -> Option<&'w str> {
    let catalogue = checker.surroundings.catalogue;
    let known = |vendor: &str| !catalogue.vendor(vendor).is_empty();
    match (&written.vendor, connection) {
        (Some(vendor), _) if known(vendor) => Some(vendor),
        (Some(vendor), _) => {
            let shown: String = vendor.chars().take(40).collect();
            let vendors: Vec<&str> = catalogue.vendors().map(|(vendor, _)| vendor).collect();
            let hint = nearest_hint(vendor, vendors.iter().copied(), &format!("known here: {}", vendors.join(", ")));
            checker.error(&at!["providers", name, "vendor"], format!("the catalogue has no vendor `{shown}`"), hint);
            None
        }
        (None, Connection::Openai { base_url, .. }) => (base_url == connection::OPENAI).then_some("openai"),
        (None, Connection::Simulated(_)) => known(name).then_some(name),
    }
}
