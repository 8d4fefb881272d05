//! The host's caps, what becomes of unpriced candidates, and the host's own order when no strategy has one.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{Latency, Prior},
    decision::{Considered, Veto},
    plugin::{Contender, Ranked, Ranking},
    price::Estimate,
    request::Caps,
};

/// Why the caps forbid a candidate, if they do. An unknown price or quality never satisfies a cap; an unknown latency
/// does, because the deadline ends what takes too long.
#[must_use]
pub fn veto(cost: Option<Estimate>, latency: Option<Latency>, quality: Option<Prior>, caps: &Caps) -> Option<Veto> {
    if let Some(cap) = caps.max_cost {
        match cost {
            None => return Some(Veto::Unpriced { cap }),
            Some(cost) if cost.upper > cap => return Some(Veto::MaxCost { upper: cost.upper, cap }),
            Some(_) => {}
        }
    }
    if let (Some(cap_ms), Some(Latency { p50_ms, .. })) = (caps.max_latency_ms, latency)
        && p50_ms > cap_ms
    {
        return Some(Veto::MaxLatency { p50_ms, cap_ms });
    }
    if let Some(least) = caps.min_quality {
        let mean = quality.map(|prior| prior.mean);
        if mean.is_none_or(|mean| mean < least) {
            return Some(Veto::MinQuality { mean, least });
        }
    }
    None
}

/// What a route does with candidates whose price nobody knows. Under a cap on cost they are out in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unpriced {
    /// They serve only when nobody with a price is left.
    #[default]
    PreferPriced,
    /// They never serve.
    Skip,
    /// They are offered like any other.
    Allow,
}

impl Unpriced {
    /// The word for it in configurations.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::PreferPriced => "prefer-priced",
            Self::Skip => "skip",
            Self::Allow => "allow",
        }
    }
}

/// Vetoes unpriced candidates as `unpriced` says, once the caps have had their say.
pub fn veto_unpriced(considered: &mut [Considered], unpriced: Unpriced) {
    let priced_is_left = considered.iter().any(|row| row.veto.is_none() && row.cost.is_some());
    let veto = match unpriced {
        Unpriced::Skip => Veto::UnpricedSkipped,
        Unpriced::PreferPriced if priced_is_left => Veto::PricedFirst,
        Unpriced::PreferPriced | Unpriced::Allow => return,
    };
    for row in considered.iter_mut().filter(|row| row.veto.is_none() && row.cost.is_none()) {
        row.veto = Some(veto);
    }
}

/// The order of last resort, when every strategy of a route failed or abstained: not half-open first, then the
/// operator's weight, priced before unpriced, cost, name.
#[must_use]
pub fn native_order(contenders: &[Contender]) -> Ranking {
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    order.sort_by(|a, b| native_cmp(&contenders[*a], &contenders[*b]));
    let ranked = |candidate: usize| Ranked { candidate: candidate as u32, score: 0.0 };
    Ranking {
        order: order.into_iter().map(ranked).collect(),
        parts: Vec::new(),
        reason: "no strategy answered: the operator's weight, then the lowest price".to_owned(),
        propensity: 1.0,
    }
}

fn native_cmp(a: &Contender, b: &Contender) -> Ordering {
    let price = |contender: &Contender| contender.cost.map(|cost| cost.expected);
    a.live
        .half_open
        .cmp(&b.live.half_open)
        .then_with(|| b.weight.total_cmp(&a.weight))
        .then_with(|| price(a).is_none().cmp(&price(b).is_none()))
        .then_with(|| price(a).cmp(&price(b)))
        .then_with(|| a.model.cmp(&b.model))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{candidate::CandidateId, money::MicroUsd, plugin::Live};

    fn contender(name: &str, cost: Option<u64>) -> Contender {
        Contender {
            model: CandidateId::new("p", name, None),
            cost: cost.map(|cost| Estimate { expected: MicroUsd(cost), upper: MicroUsd(cost) }),
            quality: None,
            latency: None,
            live: Live::default(),
            max_in_flight: 0,
            weight: 1.0,
        }
    }

    #[test]
    fn an_unknown_price_never_satisfies_a_cap() {
        let caps = Caps { max_cost: Some(MicroUsd(10)), ..Caps::default() };
        let code = |cost| veto(contender("m", cost).cost, None, None, &caps).map(|veto| veto.code());
        assert_eq!(code(None), Some("unpriced"));
        assert_eq!(code(Some(11)), Some("max-cost"));
        assert_eq!(code(Some(10)), None);
    }

    #[test]
    fn unpriced_candidates_follow_the_routes_policy() {
        let exactly = |micros| Some(Estimate { expected: MicroUsd(micros), upper: MicroUsd(micros) });
        let row = |cost, veto| Considered { cost, veto, ..Considered::new(0) };
        let codes = |policy, rows: &[Considered]| {
            let mut rows = rows.to_vec();
            veto_unpriced(&mut rows, policy);
            rows.iter().map(|row| row.veto.map_or("", |veto| veto.code())).collect::<Vec<_>>()
        };
        let both = [row(exactly(5), None), row(None, None), row(None, Some(Veto::Transparent))];
        assert_eq!(codes(Unpriced::PreferPriced, &both), ["", "priced-first", "transparent"]);
        assert_eq!(codes(Unpriced::Skip, &both), ["", "unpriced-skipped", "transparent"]);
        assert_eq!(codes(Unpriced::Allow, &both), ["", "", "transparent"]);
        // Who has a price and may not serve is no reason to leave out who has none.
        let dear = Veto::MaxCost { upper: MicroUsd(5), cap: MicroUsd(1) };
        let alone = [row(exactly(5), Some(dear)), row(None, None)];
        assert_eq!(codes(Unpriced::PreferPriced, &alone), ["max-cost", ""]);
        assert_eq!(codes(Unpriced::Skip, &alone), ["max-cost", "unpriced-skipped"]);
    }

    #[test]
    fn unknown_quality_never_satisfies_a_floor() {
        let caps = Caps { min_quality: Some(0.5), ..Caps::default() };
        let veto = veto(None, None, None, &caps).expect("a veto");
        assert_eq!(veto.to_string(), "has no known quality, at least 0.50 is asked");
    }

    #[test]
    fn the_native_order_prefers_weight_then_known_then_cheap() {
        let mut dear_but_heavy = contender("heavy", Some(90));
        dear_but_heavy.weight = 2.0;
        let mut probing = contender("probing", Some(1));
        probing.live.half_open = true;
        let contenders =
            [probing, contender("unpriced", None), contender("b", Some(5)), contender("a", Some(5)), dear_but_heavy];
        let order: Vec<u32> = native_order(&contenders).order.iter().map(|ranked| ranked.candidate).collect();
        assert_eq!(order, [4, 3, 2, 1, 0]);
    }
}
