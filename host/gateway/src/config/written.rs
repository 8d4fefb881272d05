//! `muxel.toml` as written: every key there is, and nothing about what it means.
//!
//! Nothing has a default here, so that the second step can tell what was written from what was left out. The comments
//! are the descriptions in the generated JSON schema: they are written for operators. Nothing here has `Debug`,
//! because a key may have been pasted anywhere.

use std::collections::BTreeMap;

use domain::{learning::LearnPer, money::MicroUsd, policy::Unpriced, request::Operation};
use schemars::JsonSchema;
use serde::Deserialize;

use super::units::{Bytes, Money, Period};

pub(super) use names::Names;
pub(super) use price::Price;

mod names;
mod price;

/// The configuration of a Muxel gateway.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(title = "muxel.toml")]
pub(super) struct Written {
    pub(super) server: Server,
    pub(super) data: Data,
    pub(super) plugins: Plugins,
    pub(super) learning: Learning,
    /// Accounts at vendors, by the name that begins their models' names. Without any, Muxel serves simulated pictures.
    pub(super) providers: BTreeMap<String, Provider>,
    /// Models that the catalogue does not know, and what differs from it for those it knows.
    pub(super) models: Vec<Model>,
    /// What else may be sent as `model`, such as `"dall-e-3" = "auto"`.
    pub(super) aliases: BTreeMap<String, String>,
    /// Named ways of deciding. `default` serves `model: "auto"` and exists in any case.
    pub(super) routes: BTreeMap<String, Route>,
    /// Keys that callers present. Without any, only this machine may call.
    pub(super) keys: Vec<Key>,
}

/// Where and how Muxel listens.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Server {
    /// Address and port; `127.0.0.1:8080` when left out.
    pub(super) listen: Option<String>,
    /// Where callers reach this server, for the addresses of kept pictures, such as `https://images.example.com`.
    pub(super) public_url: Option<String>,
    /// Largest request body; `32MiB` when left out.
    pub(super) max_body: Option<Bytes>,
    /// Time a caller has to send a request's headers; `10s` when left out.
    pub(super) header_timeout: Option<Period>,
    /// Time that requests under way get to finish when the server stops; `300s` when left out.
    pub(super) drain: Option<Period>,
    /// Requests that may be under way at once; 4096 when left out.
    pub(super) max_in_flight: Option<u32>,
    /// Requests that may wait when as many are under way, urgent ones first; 256 when left out, 0 for none. Each holds
    /// what was read of it: together at most this many times `max-body`.
    pub(super) max_queue: Option<u32>,
    /// Longest wait of one of them, before it gets a 429; `10s` when left out.
    pub(super) queue_timeout: Option<Period>,
}

/// What is kept, where and for how long.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Data {
    /// Folder, relative to this file; `data` when left out.
    pub(super) dir: Option<String>,
    /// What the audit log keeps of prompts; `store` when left out.
    pub(super) prompts: Option<Prompts>,
    /// How long audit records are kept; `90d` when left out.
    pub(super) retention: Option<Period>,
    /// Most space for pictures that are answered as addresses; `1GiB` when left out.
    pub(super) media: Option<Bytes>,
    /// How long such pictures are kept; `1h` when left out.
    pub(super) media_keep: Option<Period>,
    /// Most space for answers to requests with an `Idempotency-Key`, which are kept for a day, whole: pictures and what
    /// the provider made of the prompt are in them whatever `prompts` says. `1GiB` when left out; with `0B` none is kept,
    /// and who repeats such a request gets a 409 and is not charged again.
    pub(super) answers: Option<Bytes>,
}

/// What the audit log keeps of prompts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Prompts {
    /// The whole prompt: a decision can be explained and replayed.
    #[default]
    Store,
    /// Its SHA-256: equal prompts can be recognised.
    Hash,
    /// Nothing.
    Drop,
}

/// Where plugins are found, and whose are trusted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Plugins {
    /// Folder to watch, relative to this file; `plugins` beside this file, if there is one, when left out.
    pub(super) dir: Option<String>,
    /// Whose signatures count: minisign public keys, such as `["RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"]`.
    pub(super) trusted_keys: Option<Vec<String>>,
    /// Whether plugins without the signature of a trusted key are refused; no when left out.
    pub(super) require_signatures: Option<bool>,
}

/// What is known of quality beforehand, and how it goes on.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Learning {
    /// File of expected qualities, relative to this file, as `muxel eval fit` writes it. Without one, the catalogue's priors
    /// are where learning begins.
    pub(super) quality: Option<String>,
    /// How often outcomes are learned from; `2s` when left out. Feedback is learned from at once.
    pub(super) every: Option<Period>,
}

/// An account at a vendor, or a server of your own.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Provider {
    /// How it is spoken to: `openai` for any server with OpenAI's images interface, `simulated` for pictures drawn here.
    #[schemars(extend("enum" = ["openai", "simulated"]))]
    pub(super) dialect: String,
    /// Whose models of the catalogue it offers.
    pub(super) vendor: Option<String>,
    /// Where its interface is; `https://api.openai.com/v1` when left out.
    pub(super) base_url: Option<String>,
    /// Whether `base-url` may be `http` to another machine, where anyone between can read key and prompts.
    pub(super) allow_http: Option<bool>,
    /// Environment variable that holds its key; a list when the account has several, which then share the calls.
    pub(super) key_env: Option<Names>,
    /// File that holds its key, relative to this file; a list when the account has several.
    pub(super) key_file: Option<Names>,
    /// On every price of it, such as 0.75 for a negotiated discount of 25 %. Not on a cost in dollars that it reports.
    pub(super) price_factor: Option<f64>,
    /// Preference between otherwise equal candidates; 1 when left out.
    pub(super) weight: Option<f32>,
    /// For the candidate filters of routes, such as `["eu"]`.
    pub(super) tags: Option<Vec<String>>,
    /// Attempts that may be under way at once; no limit when left out.
    pub(super) max_in_flight: Option<u32>,
    /// Hosts besides its own from which its pictures may be fetched, with or without port.
    pub(super) result_hosts: Option<Vec<String>>,
    /// How a simulated provider behaves.
    pub(super) simulate: Option<Simulate>,
}

/// How a simulated provider behaves. Rates are shares of calls, 0 to 1.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Simulate {
    /// On the catalogue's latencies; 1 when left out.
    pub(super) latency_scale: Option<f64>,
    /// Spread of the log-normal latencies; 0.35 when left out.
    pub(super) sigma: Option<f64>,
    /// Calls that end with a server error.
    pub(super) error_rate: Option<f64>,
    /// Calls that never answer.
    pub(super) hang_rate: Option<f64>,
    /// Calls refused on content grounds.
    pub(super) refusal_rate: Option<f64>,
    /// Calls answered with 429.
    pub(super) rate_limited_rate: Option<f64>,
    /// Bad times, by time since the start.
    pub(super) outages: Option<Vec<Outage>>,
}

/// A bad time of a simulated provider.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Outage {
    /// When it begins, from the start.
    pub(super) from: Period,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub(super) lasts: Period,
    /// Calls that end with a server error meanwhile; 1 when left out.
    pub(super) error_rate: Option<f64>,
    /// On the latency meanwhile; 1 when left out.
    pub(super) latency_factor: Option<f64>,
}

/// A model of your own, or what differs from the catalogue.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Model {
    /// `provider/model`, or `provider/model@tier` for one tier of a catalogued model.
    pub(super) name: String,
    /// The only sizes it draws, such as `["1024x1024"]`; any size from 64 to 4096 pixels a side when left out.
    pub(super) sizes: Option<Vec<String>>,
    pub(super) price: Option<Price>,
    /// Expected quality, 0 to 1.
    pub(super) quality: Option<f64>,
    /// How long one picture usually takes.
    pub(super) latency: Option<Period>,
    /// Pictures that one call can make, 1 to 10; 10 when left out.
    pub(super) max_count: Option<u32>,
    /// Longest prompt in characters; 32000 when left out.
    pub(super) max_prompt_chars: Option<u32>,
    /// Whether it can leave the background transparent; no when left out.
    pub(super) transparent: Option<bool>,
    /// What it can do; `["image.generate"]` when left out.
    #[schemars(with = "Option<Vec<OperationWord>>")]
    pub(super) operations: Option<Vec<Operation>>,
}

/// The schema of an operation, which `domain` reads.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum OperationWord {
    #[serde(rename = "image.generate")]
    Generate,
    #[serde(rename = "image.edit")]
    Edit,
    #[serde(rename = "image.variation")]
    Variation,
}

/// A named way of deciding.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Route {
    /// Plugin that says what kind of request it is; `context-classifier` when left out.
    pub(super) classifier: Option<String>,
    /// Plugins asked in order, the first that knows a price wins; `["list-price"]` when left out.
    pub(super) cost_models: Option<Vec<String>>,
    /// Plugins asked in order, the first that has an opinion decides; `["hybrid"]` when left out.
    pub(super) strategies: Option<Vec<String>>,
    /// Strategies that share the requests, each user staying with one; `strategies` follow when it has no opinion.
    pub(super) split: Option<Vec<Arm>>,
    /// Strategies whose rankings are recorded and never followed.
    pub(super) shadow: Option<Vec<String>>,
    /// How much respects count, 0 to 1, such as `{ quality = 0.5, cost = 0.3 }`; each strategy's own setting when left out.
    pub(super) weights: Option<BTreeMap<String, f64>>,
    /// Most that one request may cost, over all attempts.
    #[schemars(with = "Option<Money>")]
    pub(super) max_cost: Option<MicroUsd>,
    /// Longest usual latency of a candidate.
    pub(super) max_latency: Option<Period>,
    /// Least expected quality, 0 to 1.
    pub(super) min_quality: Option<f64>,
    /// Time for a whole request, over all attempts; `300s` when left out.
    pub(super) deadline: Option<Period>,
    /// When an attempt that hangs is given up for the next candidate; three times what 19 of 20 take, and at least 30s,
    /// when left out.
    pub(super) attempt_timeout: Option<Period>,
    /// What happens when a plugin of this route fails; `fallback` when left out.
    pub(super) on_fault: Option<OnFault>,
    /// Whether the next candidate is tried when the failed one may charge all the same; yes when left out.
    pub(super) fall_over_after_charge: Option<bool>,
    /// What becomes of candidates whose price nobody knows; `prefer-priced` when left out.
    #[schemars(with = "Option<UnpricedWord>")]
    pub(super) unpriced: Option<Unpriced>,
    /// Whose outcomes the route's learners learn from: those of the whole `route` (the usual), or of each `tenant` apart.
    /// What is said of pictures there changes no expectations of quality from then on, for those are shared by all.
    #[schemars(with = "Option<LearnPerWord>")]
    pub(super) learn_per: Option<LearnPer>,
    /// Whether requests that name a model only watch: what was asked for is served, and what Muxel would have chosen is
    /// recorded with its price. See `GET /admin/observed`. No when left out.
    pub(super) observe: Option<bool>,
    /// The model you use now, as `provider/model@tier`: what savings are measured against. Nothing when left out.
    pub(super) baseline: Option<String>,
    /// Which candidates this route may use; all when left out.
    pub(super) candidates: Option<Candidates>,
}

/// The schema of whose outcomes are learned from, which `domain` reads.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used")]
enum LearnPerWord {
    Route,
    Tenant,
}

/// The schema of a policy for unpriced candidates, which `domain` reads.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used")]
enum UnpricedWord {
    /// They serve only when nobody with a price is left.
    PreferPriced,
    /// They never serve.
    Skip,
    /// They are offered like any other.
    Allow,
}

/// One strategy of a split.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Arm {
    /// The plugin's name.
    pub(super) strategy: String,
    /// Its part of the requests, of the sum of all weights.
    pub(super) weight: f64,
}

/// What happens when a plugin of a route fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFault {
    /// The next strategy of the route decides, at last the host's own order.
    #[default]
    Fallback,
    /// The request is refused: for routes whose plugins carry a policy.
    Refuse,
}

/// Which candidates a route may use. `*` stands for any characters.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Candidates {
    /// Only those of providers that have all these tags.
    pub(super) tags: Option<Vec<String>>,
    /// Only those that one of these names, such as `["openai/*"]`.
    pub(super) only: Option<Vec<String>>,
    /// None that one of these names, such as `["xai/*"]`.
    pub(super) never: Option<Vec<String>>,
}

/// A key that callers present, made with `muxel key new`.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Key {
    /// What the audit log calls it.
    pub(super) name: String,
    /// SHA-256 of the key, 64 hexadecimal digits. Never the key itself.
    #[schemars(extend("pattern" = "^[0-9a-fA-F]{64}$"))]
    pub(super) hash: String,
    /// Whose requests these are.
    pub(super) tenant: Option<String>,
    /// Routes it may use; all when left out.
    pub(super) routes: Option<Vec<String>>,
    /// Whether it may use `/admin`; no when left out.
    pub(super) admin: Option<bool>,
}
