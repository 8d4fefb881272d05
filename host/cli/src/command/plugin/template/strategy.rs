//! A strategy: which candidate should serve a request, and who if that one fails.
//!
//! This one buys quality while it is worth its price. A candidate's score is the quality one may count on, less what
//! it costs, at a rate that is a setting. Change `score` and it is yours; the tests below tell you when a change has
//! made an answer that a host would reject.

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Manifest, Ranking, Reason, Refusal, Request,
    Strategy, Value, export,
};

/// How much quality (0 to 1) one US cent has to buy.
const QUALITY_PER_CENT: f64 = 0.02;
/// What a candidate without a price is taken to cost. Unknown is not free.
const UNKNOWN_PRICE_CENTS: f32 = 20.0;
/// Micro-dollars in a cent: all amounts of the contract are in millionths of a US dollar.
const MICROS_PER_CENT: f32 = 10_000.0;

struct Plugin;

impl Describe for Plugin {
    /// Called once, when a host takes the plugin in.
    fn describe() -> Manifest {
        let summary = "quality while it is worth its price";
        Manifest::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), summary).number(
            "quality-per-cent",
            "how much quality one US cent has to buy",
            "share",
            QUALITY_PER_CENT,
            0.0,
            1.0,
        )
        // A prompt, a tenant, the time or randomness arrive only when you ask for them: `.reads("prompt")`.
    }
}

impl Strategy for Plugin {
    /// Called for each request, in a fresh sandbox: nothing is kept between two calls.
    fn rank(
        _request: Request,
        settings: Vec<Value>,
        _memory: Vec<u8>,
        _classification: Classification,
        candidates: Vec<Candidate>,
        _columns: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        // Settings come in the order in which `describe` names them.
        let rate = settings
            .first()
            .map_or(QUALITY_PER_CENT, |value| value.number_or(QUALITY_PER_CENT));
        let scores: Vec<f32> = candidates
            .iter()
            .map(|candidate| score(candidate, rate as f32))
            .collect();
        Ok(Ranking::sorted(
            candidates.len(),
            |a, b| scores[b].total_cmp(&scores[a]),
            |index| scores[index],
            |first| reason(&candidates[first]),
        ))
    }
}

/// Higher is better.
fn score(candidate: &Candidate, quality_per_cent: f32) -> f32 {
    // The mean less one standard deviation: what one may count on.
    let quality = candidate
        .quality
        .map_or(0.0, |quality| quality.lower_bound(1.0));
    let cents = candidate.cost.map_or(UNKNOWN_PRICE_CENTS, |cost| {
        cost.expected as f32 / MICROS_PER_CENT
    });
    quality - quality_per_cent * cents
}

/// For people: it stands in the answer of a dry run, in the audit log and on the dashboard.
fn reason(first: &Candidate) -> String {
    // `Reason` is a tenth of the size of `format!`, and as much faster.
    let reason = Reason::new("worth its price: quality ");
    let reason = reason
        .share(first.quality.map_or(0.0, |quality| quality.mean))
        .text(" at ");
    match first.cost {
        Some(cost) => reason.usd(cost.expected).into(),
        None => reason.text("an unknown price").into(),
    }
}

export!(Plugin: strategy);

#[cfg(test)]
mod tests {
    use muxel_sdk::testing;

    use super::*;

    fn rank(settings: Vec<Value>, candidates: &[Candidate]) -> Ranking {
        let (request, general) = (
            Request::for_prompt("a red bicycle"),
            Classification::of("general"),
        );
        Plugin::rank(
            request,
            settings,
            vec![],
            general,
            candidates.to_vec(),
            vec![],
        )
        .expect("a ranking")
    }

    fn order(settings: Vec<Value>, candidates: &[Candidate]) -> Vec<u32> {
        rank(settings, candidates)
            .order
            .iter()
            .map(|ranked| ranked.candidate)
            .collect()
    }

    #[test]
    fn buys_quality_while_it_is_worth_its_price() {
        let candidates = [
            Candidate::new("lab/poor")
                .good(0.3, 0.0)
                .costing(1_000, 1_000),
            Candidate::new("lab/fair")
                .good(0.6, 0.0)
                .costing(20_000, 20_000),
            Candidate::new("lab/dear")
                .good(0.7, 0.0)
                .costing(150_000, 150_000),
            Candidate::new("lab/unknown"),
        ];
        let a_fiftieth = || vec![Value::Number(0.02)];
        assert_eq!(order(a_fiftieth(), &candidates), [1, 2, 0, 3]);
        assert_eq!(
            order(vec![Value::Number(0.0)], &candidates),
            [2, 1, 0, 3],
            "price is nothing"
        );
        assert_eq!(
            order(vec![Value::Number(1.0)], &candidates)[0],
            0,
            "price is everything"
        );
        let reason = rank(a_fiftieth(), &candidates).reason;
        assert_eq!(reason, "worth its price: quality 0.60 at 0.02 USD");
    }

    #[test]
    fn a_host_accepts_what_it_says_of_itself() {
        testing::assert_manifest(&Plugin::describe());
    }

    /// Five hundred requests as a host may send them, from a seed: the same ones each time.
    #[test]
    fn a_host_accepts_every_ranking() {
        testing::each(500, |samples| {
            let candidates = samples.candidates();
            let answer = Plugin::rank(
                samples.request(),
                samples.settings(&Plugin::describe()),
                vec![],
                samples.classification(),
                candidates.clone(),
                samples.columns(candidates.len()),
            );
            testing::assert_ranking(&answer.expect("a ranking"), &candidates);
        });
    }
}
