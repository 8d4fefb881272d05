//! `[providers.NAME]`: who there is, what they offer, and how they behave.

use std::{collections::BTreeSet, sync::Arc};

use dispatch::SimulationSettings;
use domain::{
    catalogue::{self, Catalogue, Date, Latency, Model, Prior, Tier},
    money::PriceFactor,
    provider::{DialectName, Provider},
    quality::{AskedQuality, Rung},
    request::{MAX_COUNT, MAX_PROMPT_CHARS, Operation},
    size::SizeRule,
};
use toml::Spanned;

use super::{
    super::{problem::Findings, workload::Account, written},
    Offering, factor, millis, near, number, share,
};

/// Deviation of a quality that is stated without one.
const STATED_DEVIATION: f32 = 0.15;
/// Spread of latencies that are stated without one.
const USUAL_SIGMA: f64 = 0.35;
/// The 95th percentile of the normal distribution.
const Z95: f64 = 1.644_853_626_951_472_2;
/// Of a model whose sizes are not stated.
const ANY_SIZE: SizeRule = SizeRule::Range {
    min_side: 1,
    max_side: 16_384,
    multiple: 1,
    min_pixels: 0,
    max_pixels: 36_000_000,
    max_aspect: 64.0,
};

/// What one table comes to, with what it takes over from others.
#[derive(Clone)]
struct Behaviour {
    models: Vec<Arc<Model>>,
    price_factor: PriceFactor,
    weight: f32,
    max_in_flight: u32,
    settings: SimulationSettings,
}

/// Every provider with its models, by name.
pub(super) fn check(findings: &mut Findings<'_>, written: &written::Written, catalogue: &Catalogue) -> Vec<Offering> {
    let vendors = catalogue.vendors().map(|(vendor, _)| vendor).filter(|_| written.catalogue);
    let names: BTreeSet<&str> = vendors.chain(written.providers.keys().map(String::as_str)).collect();
    if names.is_empty() {
        let hint = "write `catalogue = true` for today's vendors, or describe some with `[providers.NAME]`";
        findings.whole("there are no providers", hint);
    }
    let resolver = Resolver { written, catalogue };
    let mut accounts = Vec::with_capacity(names.len());
    for name in names {
        let Some(behaviour) = resolver.resolve(findings, name, &mut Vec::new()) else { continue };
        let provider = Provider {
            name: name.to_owned(),
            dialect: DialectName::Simulated,
            tags: Vec::new(),
            price_factor: behaviour.price_factor,
            weight: behaviour.weight,
            max_in_flight: behaviour.max_in_flight,
        };
        accounts.push((Account { provider: Arc::new(provider), settings: behaviour.settings }, behaviour.models));
    }
    accounts
}

struct Resolver<'w> {
    written: &'w written::Written,
    catalogue: &'w Catalogue,
}

impl<'w> Resolver<'w> {
    /// `None` when it cannot be resolved, which has been said. `way` is who is like whom so far.
    fn resolve(&self, findings: &mut Findings<'_>, name: &'w str, way: &mut Vec<&'w str>) -> Option<Behaviour> {
        let Some(entry) = self.written.providers.get(name) else {
            // A vendor of the catalogue, as it comes.
            return Some(Behaviour::new(self.catalogue.vendor(name).to_vec()));
        };
        let (written, span) = (entry.get_ref(), entry.span());
        if !is_word(name) {
            let hint = "use lower-case letters, digits and `-`, but not `auto`";
            findings.at(&span, format!("`{name}` is not a name for a provider"), hint);
        }
        way.push(name);
        let base = match (&written.like, &written.vendor) {
            (Some(like), Some(_)) => {
                findings.at(&like.span(), "`like` and `vendor` exclude each other", "keep one of the two");
                None
            }
            (Some(like), None) => self.alike(findings, like, way),
            (None, Some(vendor)) => self.of_vendor(findings, vendor),
            (None, None) if self.written.catalogue => Some(Behaviour::new(self.catalogue.vendor(name).to_vec())),
            (None, None) => Some(Behaviour::new(Vec::new())),
        };
        way.pop();
        let mut behaviour = base?;
        behaviour.change(findings, written);
        self.add_models(findings, &mut behaviour.models, &written.models);
        if behaviour.models.is_empty() && written.models.is_empty() {
            let hint = "give it `[[providers.NAME.models]]`, or `vendor = \"openai\"`, or `like = \"OTHER\"`";
            findings.at(&span, format!("provider `{name}` offers no models"), hint);
        }
        Some(behaviour)
    }

    fn alike(
        &self,
        findings: &mut Findings<'_>,
        like: &'w Spanned<String>,
        way: &mut Vec<&'w str>,
    ) -> Option<Behaviour> {
        let other = like.get_ref().as_str();
        if way.contains(&other) {
            // Said once, at the provider that closes the circle on itself.
            if way.first() == Some(&other) {
                let circle: Vec<String> = way.iter().chain([&other]).map(|name| format!("`{name}`")).collect();
                let hint = "one of them has to be described by itself";
                findings.at(&like.span(), format!("{} are like each other in a circle", circle.join(" -> ")), hint);
            }
            return None;
        }
        let is_vendor = self.written.catalogue && !self.catalogue.vendor(other).is_empty();
        if !self.written.providers.contains_key(other) && !is_vendor {
            let names = self.written.providers.keys().map(String::as_str);
            let hint = near(other, names.filter(|name| Some(name) != way.last()));
            findings.at(&like.span(), format!("there is no provider `{other}` to be like"), hint);
            return None;
        }
        self.resolve(findings, other, way)
    }

    fn of_vendor(&self, findings: &mut Findings<'_>, vendor: &Spanned<String>) -> Option<Behaviour> {
        let models = self.catalogue.vendor(vendor.get_ref());
        if models.is_empty() {
            let hint = near(
                vendor.get_ref(),
                self.catalogue.vendors().map(|(vendor, _)| vendor).collect::<Vec<_>>().into_iter(),
            );
            findings.at(&vendor.span(), format!("the catalogue has no vendor `{}`", vendor.get_ref()), hint);
            return None;
        }
        Some(Behaviour::new(models.to_vec()))
    }

    /// Own models beside those there are; one of the same name takes the other's place.
    fn add_models(
        &self,
        findings: &mut Findings<'_>,
        models: &mut Vec<Arc<Model>>,
        written: &[Spanned<written::Model>],
    ) {
        let mut own: Vec<(Model, std::ops::Range<usize>)> = Vec::new();
        let mut seen = BTreeSet::new();
        for row in written {
            let (row, span) = (row.get_ref(), row.get_ref().name.span());
            let name = row.name.get_ref().as_str();
            if !seen.insert(name) {
                findings.at(&span, format!("model `{name}` is described twice"), "keep one of the two");
                continue;
            }
            let (base, tier_name) = name.split_once('@').map_or((name, None), |(base, tier)| (base, Some(tier)));
            let tier = tier(findings, row, tier_name);
            match own.iter_mut().find(|(model, _)| model.name == base) {
                Some((model, _)) => model.tiers.push(tier),
                None => own.push((self.model(findings, row, base, tier), span)),
            }
        }
        for (model, span) in own {
            if let Err(problem) = catalogue::check(&model) {
                findings.at(&span, format!("model `{}` {problem}", model.name), "mend the row, or take it out");
            }
            models.retain(|other| other.name != model.name);
            models.push(Arc::new(model));
        }
    }

    fn model(&self, findings: &mut Findings<'_>, row: &written::Model, name: &str, tier: Tier) -> Model {
        if row.sizes.as_ref().is_some_and(Vec::is_empty) {
            let hint = "name at least one, or leave it out";
            findings.at(&row.name.span(), format!("`{name}` draws no size, which is no use"), hint);
        }
        Model {
            name: name.to_owned(),
            operations: vec![Operation::ImageGenerate],
            sizes: row.sizes.clone().map_or(ANY_SIZE, SizeRule::Listed),
            max_count: row.max_count.as_ref().map_or(MAX_COUNT, |count| *count.get_ref()),
            max_prompt_chars: MAX_PROMPT_CHARS as u32,
            transparent: true,
            tiers: vec![tier],
            retires: None,
            source: "the workload".to_owned(),
            as_of: Date::of_unix_ms(0),
        }
    }
}

impl Behaviour {
    fn new(models: Vec<Arc<Model>>) -> Self {
        // Latencies follow each row's own p50 and p95, and nobody wants to see the pictures.
        let settings = SimulationSettings { sigma: None, blank: true, ..SimulationSettings::default() };
        Self { models, price_factor: PriceFactor::ONE, weight: 1.0, max_in_flight: 0, settings }
    }

    /// Puts what was written in the place of what there is.
    fn change(&mut self, findings: &mut Findings<'_>, written: &written::Provider) {
        if let Some(factor) = &written.price_factor {
            match PriceFactor::new(*factor.get_ref()) {
                Some(factor) => self.price_factor = factor,
                None => {
                    let hint = "write 0 to 100, like 0.75 for a discount of 25 %";
                    findings.at(&factor.span(), format!("`price-factor` is `{}`", factor.get_ref()), hint);
                }
            }
        }
        if let Some(weight) = factor(findings, "weight", written.weight.as_ref()) {
            self.weight = weight as f32;
        }
        self.max_in_flight = written.max_in_flight.unwrap_or(self.max_in_flight);
        let settings = &mut self.settings;
        let scale = factor(findings, "latency-scale", written.latency_scale.as_ref());
        settings.latency_scale = scale.unwrap_or(settings.latency_scale);
        settings.sigma = number(findings, "sigma", written.sigma.as_ref(), 3.0).or(settings.sigma);
        let rates = [
            (&mut settings.error_rate, "error-rate", &written.error_rate),
            (&mut settings.hang_rate, "hang-rate", &written.hang_rate),
            (&mut settings.refusal_rate, "refusal-rate", &written.refusal_rate),
            (&mut settings.rate_limited_rate, "rate-limited-rate", &written.rate_limited_rate),
        ];
        let (mut sum, mut first) = (0.0, None);
        for (rate, key, written) in rates {
            *rate = share(findings, key, written.as_ref()).unwrap_or(*rate);
            sum += *rate;
            first = first.or(written.as_ref().map(Spanned::span));
        }
        if sum > 1.0 + 1e-9 {
            let hint = "a call ends in one way: let them add up to at most 1";
            findings.at(&first.unwrap_or(0..0), format!("the rates add up to {sum:.2}"), hint);
        }
    }
}

fn tier(findings: &mut Findings<'_>, row: &written::Model, name: Option<&str>) -> Tier {
    let rung = match name.map(|name| (name, name.parse())) {
        None => Rung(40),
        Some((_, Ok(AskedQuality::Within { from, .. }))) => from,
        Some((name, _)) => {
            let hint = format!("end the name with one of @{}", AskedQuality::WORDS[1..].join(", @"));
            findings.at(&row.name.span(), format!("`{name}` is no quality tier"), hint);
            Rung(40)
        }
    };
    Tier {
        name: name.map(str::to_owned),
        rung,
        price: row.price.as_ref().map(|price| {
            if !price.get_ref().tariff(None, PriceFactor::ONE).known {
                findings.at(
                    &price.span(),
                    "a price by size needs at least one size",
                    "add one, or leave the price out",
                );
            }
            price.get_ref().clone()
        }),
        quality: row.quality.as_ref().and_then(|quality| prior(findings, quality)),
        latency: row.latency.as_ref().map(|latency| times(findings, latency)),
    }
}

fn prior(findings: &mut Findings<'_>, written: &Spanned<toml::Value>) -> Option<Prior> {
    let float = |value: &toml::Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
    let (mean, deviation) = match written.get_ref() {
        toml::Value::Table(table) if table.keys().all(|key| key == "mean" || key == "deviation") => {
            let deviation = table.get("deviation").map_or(Some(f64::from(STATED_DEVIATION)), float);
            (table.get("mean").and_then(float), deviation)
        }
        value => (float(value), Some(f64::from(STATED_DEVIATION))),
    };
    let within = |number: &f64| (0.0..=1.0).contains(number);
    match (mean.filter(within), deviation.filter(within)) {
        (Some(mean), Some(deviation)) => Some(Prior { mean: mean as f32, deviation: deviation as f32 }),
        _ => {
            let hint = "write 0 to 1, like `quality = 0.6` or `quality = { mean = 0.6, deviation = 0.1 }`";
            findings.at(&written.span(), "this is no quality", hint);
            None
        }
    }
}

fn times(findings: &mut Findings<'_>, written: &Spanned<written::Latency>) -> Latency {
    let latency = written.get_ref();
    let (p50_ms, span) = millis(&latency.p50);
    if p50_ms == 0 || p50_ms > 86_400_000 {
        findings.at(&span, "a picture takes between 1ms and 1d", "write it like `p50 = \"8s\"`");
    }
    if let (Some(p95), Some(_)) = (&latency.p95, &latency.sigma) {
        findings.at(&p95.span(), "`p95` and `sigma` say the same thing", "keep one of the two");
    }
    let p95_ms = match &latency.p95 {
        Some(p95) => {
            let (p95_ms, span) = millis(p95);
            if p95_ms < p50_ms {
                findings.at(&span, "the p95 is under the p50", "one call in twenty takes longer than the p95");
            }
            p95_ms
        }
        None => {
            let sigma = number(findings, "sigma", latency.sigma.as_ref(), 3.0).unwrap_or(USUAL_SIGMA);
            (f64::from(p50_ms) * (Z95 * sigma).exp()) as u32
        }
    };
    Latency { p50_ms, p95_ms: p95_ms.max(p50_ms) }
}

fn is_word(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= 64 && name != "auto" && name.bytes().all(plain)
}
