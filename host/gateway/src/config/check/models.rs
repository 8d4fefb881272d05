//! `[[models]]`: models of the operator's own, and what differs from the catalogue.
//!
//! For a model that the catalogue knows, only what is written changes. Its tiers differ in price up to 36 times, so a
//! price, quality or latency for a model with several tiers has to say which one it is for.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    catalogue::{self, Latency, Model, Prior, Tier},
    quality::Rung,
    request::{MAX_COUNT, MAX_PROMPT_CHARS, Operation},
    size::{Size, SizeError, SizeRule},
};

use super::{Checker, nearest_hint};
use crate::config::{
    checked::Account,
    source::{Path, at},
    units::Period,
    written,
};

/// Deviation of a quality that an operator states: a good guess, no measurement.
const STATED_DEVIATION: f32 = 0.15;
/// Of a model whose sizes are not stated: its server says what it cannot draw.
const ANY_SIZE: SizeRule = SizeRule::Range {
    min_side: 64,
    max_side: 4096,
    multiple: 1,
    min_pixels: 0,
    max_pixels: 4096 * 4096,
    max_aspect: 64.0,
};
/// What the slowest of 20 pictures takes, when only the usual time is stated.
const TAIL: u32 = 2;

pub(super) fn check(checker: &mut Checker<'_>, accounts: &mut [Account]) {
    let mut seen = BTreeSet::new();
    for (index, row) in checker.written().models.iter().enumerate() {
        let at = at!["models", index, "name"];
        let Some((provider, name)) =
            row.name.split_once('/').filter(|(provider, name)| !provider.is_empty() && !name.is_empty())
        else {
            let message = format!("`{}` does not say which provider has the model", short(&row.name));
            checker.error(&at, message, "write `provider/model`");
            continue;
        };
        if !seen.insert(row.name.as_str()) {
            checker.error(&at, format!("`{}` is described twice", short(&row.name)), "keep one of the two");
            continue;
        }
        let (name, tier) = name.split_once('@').map_or((name, None), |(name, tier)| (name, Some(tier)));
        let place = Place { row, index, tier };
        let Some(account) = accounts.iter_mut().find(|account| account.provider.name == provider) else {
            unknown_provider(checker, &at, provider);
            // The row has values of its own that may be wrong. Nothing is known about its tiers.
            let _ = Place { tier: None, ..place }.own(checker, name);
            continue;
        };
        match account.models.iter_mut().find(|model| model.name == name) {
            Some(model) => {
                let mut changed = Model::clone(model);
                place.change(checker, &mut changed);
                *model = Arc::new(changed);
            }
            None => account.models.extend(place.own(checker, name).map(Arc::new)),
        }
    }
}

fn unknown_provider(checker: &mut Checker<'_>, at: &Path, provider: &str) {
    let mut names = checker.source.keys_of("providers");
    if names.contains(&provider) {
        return;
    }
    if !checker.source.has(&at!["providers"]) {
        names = checker.surroundings.catalogue.vendors().map(|(vendor, _)| vendor).collect();
    }
    let otherwise = format!("configure it: `[providers.{}]`", short(provider));
    let hint = nearest_hint(provider, names, &otherwise);
    checker.error(at, format!("there is no provider `{}`", short(provider)), hint);
}

/// One row and where it stands.
struct Place<'r> {
    row: &'r written::Model,
    index: usize,
    tier: Option<&'r str>,
}

impl Place<'_> {
    fn at(&self, key: &str) -> Path {
        at!["models", self.index, key]
    }

    /// A model that the catalogue does not know.
    fn own(&self, checker: &mut Checker<'_>, name: &str) -> Option<Model> {
        if self.tier.is_some() {
            checker.error(
                &self.at("name"),
                format!("the catalogue does not know `{}`, so it has no tiers", short(name)),
                "leave out `@` and what follows",
            );
            return None;
        }
        let mut model = Model {
            name: name.to_owned(),
            operations: vec![Operation::ImageGenerate],
            sizes: ANY_SIZE,
            max_count: MAX_COUNT,
            max_prompt_chars: MAX_PROMPT_CHARS as u32,
            transparent: false,
            tiers: vec![Tier { name: None, rung: Rung(40), price: None, quality: None, latency: None }],
            retires: None,
            source: "the configuration".to_owned(),
            as_of: checker.surroundings.today,
        };
        self.change(checker, &mut model);
        Some(model)
    }

    /// Puts what was written in the place of what `model` has.
    fn change(&self, checker: &mut Checker<'_>, model: &mut Model) {
        self.change_whole(checker, model);
        if let Some(tier) = self.named_tier(checker, model) {
            self.change_tier(checker, tier);
            if self.row.price.is_some() {
                model.source = "the configuration".to_owned();
                model.as_of = checker.surroundings.today;
            }
        }
        if let Err(problem) = catalogue::check(model) {
            let message = format!("`{}` {problem}", short(&self.row.name));
            checker.error(&self.at("name"), message, "mend the row, or take it out");
        }
    }

    fn change_whole(&self, checker: &mut Checker<'_>, model: &mut Model) {
        let row = self.row;
        let of_whole = [
            ("sizes", row.sizes.is_some()),
            ("operations", row.operations.is_some()),
            ("max-count", row.max_count.is_some()),
            ("max-prompt-chars", row.max_prompt_chars.is_some()),
            ("transparent", row.transparent.is_some()),
        ];
        if self.tier.is_some() {
            for (key, _) in of_whole.iter().filter(|(_, written)| *written) {
                let message = format!("`{key}` belongs to the whole model, not to one tier");
                checker.error(&self.at(key), message, "write it in a row whose name has no `@`");
            }
            return;
        }
        match row.sizes.as_deref() {
            Some([]) => checker.error(&self.at("sizes"), "a model that draws no size is no use", EMPTY_HINT),
            Some(sizes) => model.sizes = SizeRule::Listed(self.sizes(checker, sizes)),
            None => {}
        }
        match row.operations.as_deref() {
            Some([]) => checker.error(&self.at("operations"), "a model that does nothing is no use", EMPTY_HINT),
            Some(operations) => model.operations = operations.to_vec(),
            None => {}
        }
        let (count, chars) = (model.max_count, model.max_prompt_chars);
        model.max_count = checker.count(&self.at("max-count"), row.max_count, count, MAX_COUNT, "leave it out");
        model.max_prompt_chars = checker.count(
            &self.at("max-prompt-chars"),
            row.max_prompt_chars,
            chars,
            MAX_PROMPT_CHARS as u32,
            "leave it out",
        );
        model.transparent = row.transparent.unwrap_or(model.transparent);
    }

    fn sizes(&self, checker: &mut Checker<'_>, written: &[String]) -> Vec<Size> {
        let mut sizes = Vec::with_capacity(written.len());
        for (index, text) in written.iter().enumerate() {
            match text.parse() {
                Ok(size) => sizes.push(size),
                Err(error) => {
                    let hint = "write sizes like `sizes = [\"1024x1024\"]`";
                    checker.error(&at!["models", self.index, "sizes", index], SizeError::to_string(&error), hint);
                }
            }
        }
        sizes
    }

    /// The tier this row is about, if it says anything about one.
    fn named_tier<'m>(&self, checker: &mut Checker<'_>, model: &'m mut Model) -> Option<&'m mut Tier> {
        let known = || model.tiers.iter().filter_map(|tier| tier.name.as_deref());
        if let Some(asked) = self.tier {
            let index = model.tiers.iter().position(|tier| tier.name.as_deref() == Some(asked));
            if index.is_none() {
                let listed = known().collect::<Vec<_>>().join(", ");
                let otherwise = if listed.is_empty() { "it has none".to_owned() } else { format!("it has {listed}") };
                let hint = nearest_hint(asked, known(), &otherwise);
                checker.error(&self.at("name"), format!("`{}` has no tier `{}`", model.name, short(asked)), hint);
            }
            return index.and_then(|index| model.tiers.get_mut(index));
        }
        let of_tier = [
            ("price", self.row.price.is_some()),
            ("quality", self.row.quality.is_some()),
            ("latency", self.row.latency.is_some()),
        ];
        let (first, _) = of_tier.iter().find(|(_, written)| *written)?;
        if model.tiers.len() > 1 {
            let listed = known().map(|tier| format!("@{tier}")).collect::<Vec<_>>().join(", ");
            checker.error(
                &self.at(first),
                format!("`{}` has several tiers: whose `{first}` is this?", model.name),
                format!("end the name with one of {listed}"),
            );
            return None;
        }
        model.tiers.first_mut()
    }

    fn change_tier(&self, checker: &mut Checker<'_>, tier: &mut Tier) {
        if let Some(price) = &self.row.price {
            let at = self.at("price");
            if price.has_no_rows() && !checker.is_wrong(&at) {
                checker.error(&at, "a price by size needs at least one size", EMPTY_HINT);
            }
            tier.price = Some(price.into());
        }
        if let Some(mean) =
            checker.share(&self.at("quality"), self.row.quality).filter(|mean| (0.0..=1.0).contains(mean))
        {
            tier.quality = Some(Prior { mean: mean as f32, deviation: STATED_DEVIATION });
        }
        if let Some(usual) = self.row.latency {
            let usual = checker.period(&self.at("latency"), Some(usual), Period::duration(usual), ("1ms", "1d"));
            let p50_ms = milliseconds(usual);
            tier.latency = Some(Latency { p50_ms, p95_ms: p50_ms.saturating_mul(TAIL) });
        }
    }
}

const EMPTY_HINT: &str = "name at least one, or leave it out";

pub(super) fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
