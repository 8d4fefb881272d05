//! Providers that fail in every way, and a gateway that is killed: what was paid for is always written down, once.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Answer, Gateway, Provider, Reply, Setup, run_in};

/// What providers do in these tests, each with its share of a hundred calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Picture,
    ServerError,
    RateLimited,
    HangUp,
    CutBody,
    NoPicture,
    Refuse,
}

const ACTS: [(Act, u64); 7] = [
    (Act::Picture, 64),
    (Act::ServerError, 8),
    (Act::RateLimited, 6),
    (Act::HangUp, 6),
    (Act::CutBody, 6),
    (Act::NoPicture, 5),
    (Act::Refuse, 5),
];

impl Act {
    /// The same for the same call, in whatever order calls come.
    fn of(seed: u64, call: &str) -> Self {
        let mut dice = dice(seed, call) % 100;
        for (act, share) in ACTS {
            if dice < share {
                return act;
            }
            dice -= share;
        }
        unreachable!("the shares are a hundred together")
    }

    fn answer(self) -> Answer {
        match self {
            Self::Picture => Answer::Picture,
            Self::ServerError => Answer::error(500, "server_error"),
            Self::RateLimited => {
                let body = json!({"error": {"message": "slow down", "type": "t", "code": "rate_limit_exceeded"}});
                Answer::Status(429, vec![("retry-after-ms", "1".to_owned())], body)
            }
            Self::HangUp => Answer::HangUp,
            Self::CutBody => Answer::CutBody,
            Self::NoPicture => Answer::NoPicture,
            Self::Refuse => Answer::error(400, "moderation_blocked"),
        }
    }

    /// How the attempt must have ended, and what its charge may be called.
    fn attempt(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Picture => ("delivered", &["estimated"]),
            Self::ServerError => ("server", &["possible"]),
            Self::RateLimited => ("rate-limited", &["none"]),
            Self::HangUp | Self::CutBody => ("timeout", &["possible"]),
            Self::NoPicture => ("empty", &["possible"]),
            Self::Refuse => ("refused", &["none", "possible"]),
        }
    }
}

/// FNV-1a, then SplitMix64's finish.
fn dice(seed: u64, text: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut mixed = text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), fold);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value:#}"))
}

/// What was asked of whom.
fn call(body: &Value, provider: &str) -> String {
    format!("{} {provider}/{}", text(body, "prompt"), text(body, "model"))
}

async fn faulty(seed: u64, name: &'static str) -> Provider {
    Provider::deciding(move |body| Act::of(seed, &call(body, name)).answer()).await
}

/// Waits until everything so far is on disk: looking for a decision that is not there does.
async fn flushed(gateway: &Gateway) {
    assert_eq!(gateway.get("/v1/decisions/dec_01KAWZ5X4Y0000000000000000").await.status, 404);
}

/// Nothing is out, and what was spent is what the records say together.
async fn assert_settled(gateway: &Gateway, records: impl Iterator<Item = &Value>) {
    let spend = gateway.get("/admin/spend").await.body;
    assert_eq!((&spend["reserved"], &spend["reserved_usd_micros"]), (&json!([]), &json!(0)), "{spend:#}");
    let sum: u64 = records.map(|row| row["cost_usd_micros"].as_u64().expect("a number")).sum();
    assert_eq!(spend["total"]["cost_usd_micros"], sum, "{spend:#}");
}

/// Every record there is, oldest first.
async fn records(gateway: &Gateway) -> Vec<Value> {
    flushed(gateway).await;
    let data = gateway.data();
    let data = data.to_str().expect("UTF-8");
    let mut all: Vec<Value> = Vec::new();
    loop {
        let mut arguments = vec!["audit", "list", "--json", "--limit", "1000", "--data", data];
        let last = all.last().map(|row| text(row, "id").to_owned());
        if let Some(last) = &last {
            arguments.extend(["--before", last]);
        }
        let listed = run_in(gateway.folder.path(), &arguments);
        let mut page: Vec<Value> = serde_json::from_slice(&listed.stdout).expect("JSON");
        if page.is_empty() {
            all.reverse();
            return all;
        }
        all.append(&mut page);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_faulty_calls_end_with_one_answer_one_record_and_a_charge_each() {
    const SEED: u64 = 20_261_124;
    const REQUESTS: usize = 1_000;
    const AT_ONCE: usize = 32;
    let names = ["one", "two", "three"];
    let mut providers = Vec::new();
    // Nobody listens there: connections are refused.
    let gone = Provider::start(Answer::Picture).await;
    let mut setup = Setup::new().provider("gone", &gone, &[("cheapest", 1_000)]);
    drop(gone);
    for (index, name) in names.into_iter().enumerate() {
        let provider = faulty(SEED, name).await;
        let price = 10_000 * (index as u64 + 1);
        setup = setup.provider(name, &provider, &[("small", price), ("large", price + 5_000)]);
        providers.push((name, provider));
    }
    let gateway = Arc::new(setup.start().await);

    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (gateway, next) = (Arc::clone(&gateway), Arc::clone(&next));
        workers.spawn(async move {
            let mut answers = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= REQUESTS {
                    return answers;
                }
                // Every order there is: the refused connection first, the dear ones first, whoever is next.
                let model = ["auto/cheapest", "auto/hybrid", "auto/fastest", "auto"][number % 4];
                answers.push(gateway.ask(json!({"model": model, "prompt": format!("request {number}")})).await);
            }
        });
    }
    let answers: Vec<Reply> = workers.join_all().await.into_iter().flatten().collect();
    assert_eq!(answers.len(), REQUESTS);

    // One record each, and it says what the caller was told.
    let rows: HashMap<String, Value> =
        records(&gateway).await.into_iter().map(|row| (text(&row, "id").to_owned(), row)).collect();
    assert_eq!(rows.len(), REQUESTS, "one record each");
    assert_settled(&gateway, rows.values()).await;
    let mut attempts: HashMap<String, Vec<Value>> = HashMap::new();
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in &answers {
        *statuses.entry(answer.status).or_default() += 1;
        let row = rows.get(answer.decision()).unwrap_or_else(|| panic!("no record of {answer:#?}"));
        assert_eq!(row["status"], answer.status, "{row:#}");
        let decision = gateway.get(&format!("/v1/decisions/{}", answer.decision())).await.body;
        let tried = decision["attempts"].as_array().expect("a list").clone();
        let sum: u64 = tried.iter().map(|attempt| attempt["cost_usd_micros"].as_u64().expect("a number")).sum();
        assert_eq!(row["cost_usd_micros"], sum, "{decision:#}");
        let was_charged = tried.iter().any(|attempt| attempt["cost_is"] != "none");
        if answer.status == 200 {
            assert!(was_charged, "{decision:#}");
        } else {
            let should_retry = answer.header("x-should-retry").expect("on every error") == "true";
            assert!(!(should_retry && was_charged), "charged twice if repeated: {decision:#}");
        }
        for attempt in tried {
            let call = format!("{} {}", text(&decision, "prompt"), text(&attempt, "model"));
            attempts.entry(call).or_default().push(attempt);
        }
    }
    assert!(statuses[&200] > REQUESTS / 2, "{statuses:?}");

    // Every call that a provider accepted is one attempt of one record, with the charge that the table of failures says.
    let mut acts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut accepted: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for (name, provider) in &providers {
        for body in provider.calls() {
            let call = call(&body, name);
            let (ended, charges) = Act::of(SEED, &call).attempt();
            let Some(tried) = attempts.remove(&call) else {
                // Sent once more than before, each an attempt of that record.
                let (left, ended) = accepted.get_mut(&call).unwrap_or_else(|| panic!("{call} is in no record"));
                *left -= 1;
                assert!(*left > 0 && *ended == "rate-limited", "{call} was sent more often than its record says");
                continue;
            };
            // Only what costs nothing is sent again, when nobody else is left.
            assert!(tried.len() == 1 || ended == "rate-limited", "{call} was sent once: {tried:#?}");
            accepted.insert(call.clone(), (tried.len(), ended));
            for attempt in tried {
                assert_eq!(attempt["ended"], ended, "{call}: {attempt:#}");
                assert!(charges.contains(&text(&attempt, "cost_is")), "{call}: {attempt:#}");
            }
            *acts.entry(ended).or_default() += 1;
        }
    }
    assert_eq!(acts.len(), 6, "all of it happened: {acts:?}");
    // What is left was never accepted by anyone.
    assert!(!attempts.is_empty());
    for attempt in attempts.values().flatten() {
        assert_eq!((&attempt["ended"], &attempt["cost_is"]), (&json!("connect"), &json!("none")), "{attempt:#}");
        assert_eq!(attempt["model"], "gone/cheapest");
    }
    say(format_args!("answers {statuses:?}, accepted calls {acts:?}"));
}

/// Answers that were heard, by the names of their requests.
type Heard = Vec<(String, Reply)>;

/// Callers that ask until the gateway is gone: those named `keyed` with an idempotency key, those named `plain` without.
struct Load {
    gateway: Arc<Gateway>,
    /// Names that were asked for, and the answers that were heard.
    callers: JoinSet<(Vec<String>, Heard)>,
}

/// One request; `None` when its connection ends before its answer.
async fn ask(gateway: &Gateway, name: &str) -> Option<Reply> {
    let model = if name.starts_with("keyed") { "lab/keyed" } else { "lab/plain" };
    let mut request = gateway.request(Method::POST, "/v1/images/generations");
    if model == "lab/keyed" {
        request = request.header("idempotency-key", name);
    }
    let response = request.body(json!({"model": model, "prompt": name}).to_string()).send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.ok()?.to_vec();
    Some(Reply { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default(), bytes })
}

impl Load {
    /// `again` is asked for first, shared by all callers.
    fn new(gateway: Gateway, round: usize, callers: usize, again: &[String]) -> Self {
        let mut load = Self { gateway: Arc::new(gateway), callers: JoinSet::new() };
        for caller in 0..callers {
            let gateway = Arc::clone(&load.gateway);
            let again: Vec<String> = again.iter().skip(caller).step_by(callers).cloned().collect();
            load.callers.spawn(async move {
                let (mut asked, mut heard) = (Vec::new(), Vec::new());
                let kind = if caller % 2 == 0 { "keyed" } else { "plain" };
                let fresh = (0..).map(|number| format!("{kind}-{round}.{caller}.{number}"));
                for name in again.into_iter().chain(fresh) {
                    asked.push(name.clone());
                    let Some(reply) = ask(&gateway, &name).await else { break };
                    heard.push((name, reply));
                }
                (asked, heard)
            });
        }
        load
    }

    /// Kills the gateway under load: what was asked and heard, and the next gateway.
    async fn killed(self) -> (Vec<String>, Vec<(String, Reply)>, Gateway) {
        let Self { gateway, callers } = self;
        gateway.kill_now();
        let (mut asked, mut heard) = (Vec::new(), Vec::new());
        for (names, replies) in callers.join_all().await {
            asked.extend(names);
            heard.extend(replies);
        }
        let gateway = Arc::into_inner(gateway).expect("its callers are gone");
        (asked, heard, gateway.restarted().await)
    }
}

/// How often each of `model` was asked for so far.
fn accepted(provider: &Provider, model: &str) -> HashMap<String, usize> {
    let mut accepted = HashMap::new();
    for call in provider.calls().iter().filter(|call| call["model"] == model) {
        *accepted.entry(text(call, "prompt").to_owned()).or_default() += 1;
    }
    accepted
}

#[allow(clippy::print_stderr, reason = "the figures are worth reading")]
fn say(figures: std::fmt::Arguments<'_>) {
    eprintln!("{figures}");
}

/// How long before the last call of `model` the `count` newest of them began to arrive.
fn age_of_newest(provider: &Provider, model: &str, count: usize) -> Duration {
    let calls = provider.calls().into_iter().zip(provider.arrivals());
    let arrivals: Vec<Instant> = calls.filter(|(call, _)| call["model"] == model).map(|(_, at)| at).collect();
    let oldest = arrivals.get(arrivals.len().saturating_sub(count));
    oldest.zip(arrivals.last()).map_or(Duration::ZERO, |(oldest, newest)| newest.duration_since(*oldest))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_leave_one_record_each_and_charge_nobody_twice() {
    const SEED: u64 = 17;
    const ROUNDS: usize = 20;
    const CALLERS: usize = 16;
    let provider = Provider::deciding(|body| match dice(SEED, text(body, "prompt")) % 20 {
        0 => Answer::Hold,
        1 | 2 => Answer::error(500, "server_error"),
        3 => Answer::HangUp,
        _ => Answer::Picture,
    })
    .await;
    let mut gateway = Setup::with_provider(&provider, &[("keyed", 10_000), ("plain", 10_000)]).start().await;
    let mut seen: HashSet<String> = HashSet::new();
    // Keyed requests of which no answer was heard.
    let mut open: Vec<String> = Vec::new();
    let mut answers: HashMap<String, Reply> = HashMap::new();
    let (mut plain_calls, mut lost, mut interrupted, mut unheard) = (0, 0, 0, 0);
    let mut last_moment = Duration::ZERO;
    for round in 0..ROUNDS {
        let before = provider.calls().len();
        // Whoever heard nothing asks again, while others come.
        let load = Load::new(gateway, round, CALLERS, &open);
        let moment = dice(SEED, &format!("round {round}")) as usize;
        provider.called(before + 1 + moment % 24).await;
        let sure = accepted(&provider, "plain").len() - plain_calls;
        flushed(&load.gateway).await;
        provider.called(before + 1 + moment % 61).await;
        let (asked, heard, next) = load.killed().await;
        gateway = next;
        answers.extend(heard);
        open = asked.into_iter().filter(|name| name.starts_with("keyed") && !answers.contains_key(name)).collect();
        unheard += open.len();

        // Calls without a key: in the records of this round, but for the last moment.
        let mut recorded = 0;
        for row in records(&gateway).await {
            if !seen.insert(text(&row, "id").to_owned()) {
                continue;
            }
            interrupted += usize::from(row["outcome"] == "interrupted");
            let decision = gateway.get(&format!("/v1/decisions/{}", text(&row, "id"))).await.body;
            let attempts = decision["attempts"].as_array().expect("a list");
            recorded += attempts.iter().filter(|attempt| attempt["model"] == "lab/plain").count();
            for attempt in attempts {
                assert_ne!(attempt["cost_is"], "none", "each of these calls may be charged: {decision:#}");
            }
        }
        let calls = accepted(&provider, "plain");
        assert!(calls.values().all(|count| *count == 1), "{calls:?}");
        let now = calls.len() - plain_calls;
        plain_calls = calls.len();
        assert!(recorded >= sure, "round {round}: {sure} calls were on disk, {recorded} are in records");
        let missing = now.saturating_sub(recorded);
        lost += missing;
        last_moment = last_moment.max(age_of_newest(&provider, "plain", missing));
        assert!(accepted(&provider, "keyed").values().all(|count| *count == 1), "charged twice in round {round}");
    }

    // Whoever has a key and still heard nothing learns how it ended, and nobody pays twice for that either.
    provider.always(Answer::Picture);
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for name in open {
        let reply = ask(&gateway, &name).await.expect("an answer");
        let end = if reply.status == 200 { "delivered".to_owned() } else { reply.code().to_owned() };
        assert!(["delivered", "interrupted", "upstream_failed"].contains(&&*end), "{name}: {:#}", reply.body);
        *ends.entry(end).or_default() += 1;
        answers.insert(name, reply);
    }
    let keyed = accepted(&provider, "keyed");
    assert!(keyed.values().all(|count| *count == 1), "{keyed:?}");
    assert!(unheard > 0 && interrupted > 0);
    // Every call with a key is in a record, also of the last moment before a kill.
    for name in keyed.keys() {
        let decision = answers[name].decision();
        let found = gateway.get(&format!("/v1/decisions/{decision}")).await;
        assert_eq!(found.status, 200, "{name} {decision}");
        assert_ne!(found.body["cost_is"], "none", "{:#}", found.body);
    }

    // Nothing was left open: another start finds nothing to settle.
    let before = records(&gateway).await;
    let ids: HashSet<&str> = before.iter().map(|row| text(row, "id")).collect();
    assert_eq!(ids.len(), before.len(), "no record twice");
    let gateway = gateway.restarted().await;
    assert_eq!(records(&gateway).await.len(), before.len());
    assert_settled(&gateway, before.iter()).await;
    say(format_args!(
        "{} records, {interrupted} interrupted; {lost} of {plain_calls} calls without a key were lost, of the last \
         {last_moment:?} before a kill; {} with one, {unheard} times asked again, the last of them: {ends:?}",
        before.len(),
        keyed.len()
    ));
}
