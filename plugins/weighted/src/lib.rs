//! By the operator's weights, drawn by lot.
//!
//! 1. The host has taken out what the caps forbid before this is asked.
//! 2. Each provider's `weight` is its share of the requests. A provider's candidates share it evenly, so that its share
//!    does not grow with the number of its models and tiers.
//! 3. The first candidate is drawn by those shares, the rest of the order by further draws among who is left.
//! 4. Weight 0 comes behind all that have some, half open last: neither is ever drawn first while another one is there.
//!
//! `propensity` is the share of the one that was drawn first. Where the operator withholds `seed`, nothing is random: the
//! largest share goes first, and `propensity` is 1.

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Draws, Manifest, Ranked, Ranking, Reason, Refusal, Request, Strategy,
    Value, export,
};

/// The plugin.
pub struct Weighted;

impl Describe for Weighted {
    fn describe() -> Manifest {
        let summary = "each provider's weight is its share of the requests";
        Manifest::new("weighted", env!("CARGO_PKG_VERSION"), summary).reads("seed")
    }
}

impl Strategy for Weighted {
    fn rank(
        request: Request,
        _: Vec<Value>,
        _: Vec<u8>,
        _: Classification,
        candidates: Vec<Candidate>,
        _: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        if candidates.is_empty() {
            return Err(Refusal::Abstain("there is no candidate".to_owned()));
        }
        let weights = weights(&candidates);
        let mut draws = Draws::new(request.seed, "weighted");
        let mut order: Vec<usize> = Vec::with_capacity(candidates.len());
        let mut chance = None;
        for (half_open, has_weight) in [(false, true), (false, false), (true, true), (true, false)] {
            let begin = order.len();
            let here = |index: &usize| (candidates[*index].half_open, weights[*index] > 0.0) == (half_open, has_weight);
            order.extend((0..candidates.len()).filter(here));
            let group = &mut order[begin..];
            if group.is_empty() {
                continue;
            }
            let first =
                if request.seed == 0 { largest_first(group, &weights) } else { lot(&mut draws, group, &weights) };
            chance.get_or_insert(first);
        }
        let place = |(place, index): (usize, &usize)| Ranked { candidate: *index as u32, score: -(place as f32) };
        let mut ranking = Ranking {
            order: order.iter().enumerate().map(place).collect(),
            parts: Vec::new(),
            reason: String::new(),
            propensity: chance.unwrap_or(1.0),
        };
        ranking.reason = reason(&request, &ranking, &candidates[ranking.order[0].candidate as usize]);
        Ok(ranking)
    }
}

/// Puts the one with the largest weight first, without any chance.
fn largest_first(group: &mut [usize], weights: &[f64]) -> f32 {
    let heavier = |a: usize, b: usize| if weights[group[b]] > weights[group[a]] { b } else { a };
    let largest = (0..group.len()).reduce(heavier).unwrap_or_default();
    group[..=largest].rotate_right(1);
    1.0
}

/// Orders one group by lot and says with what chance the first one became the first.
fn lot(draws: &mut Draws, group: &mut [usize], weights: &[f64]) -> f32 {
    // Those without a weight are as likely as each other.
    let weight = |index: &usize| if weights[*index] > 0.0 { weights[*index] } else { 1.0 };
    let leaves = group.len().next_power_of_two();
    // The weights, and above each two of them their sum: whoever is drawn is found and taken out in a few steps.
    let mut sums = vec![0.0; 2 * leaves];
    for (sum, index) in sums[leaves..].iter_mut().zip(group.iter()) {
        *sum = weight(index);
    }
    for at in (1..leaves).rev() {
        sums[at] = sums[2 * at] + sums[2 * at + 1];
    }
    let all = sums[1];
    let offered = group.to_vec();
    for drawn in group.iter_mut() {
        let mut left = draws.share() * sums[1];
        let mut at = 1;
        while at < leaves {
            at *= 2;
            // Never to where nobody is left, however the sums were rounded.
            if sums[at] <= 0.0 || (left >= sums[at] && sums[at + 1] > 0.0) {
                left -= sums[at];
                at += 1;
            }
        }
        *drawn = offered[at - leaves];
        sums[at] = 0.0;
        while at > 1 {
            at /= 2;
            sums[at] = sums[2 * at] + sums[2 * at + 1];
        }
    }
    group.first().map_or(1.0, |first| (weight(first) / all) as f32)
}

/// Each candidate's part of its provider's weight.
fn weights(candidates: &[Candidate]) -> Vec<f64> {
    let mut providers: Vec<(&str, f64)> = Vec::new();
    let mut of: Vec<usize> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let end = candidate.model.bytes().position(|byte| byte == b'/').unwrap_or(candidate.model.len());
        let name = &candidate.model[..end];
        // Who is half open is not drawn with the others, and takes nothing from them.
        let counts = if candidate.half_open { 0.0 } else { 1.0 };
        let known = providers.iter().rposition(|(provider, _)| *provider == name);
        let index = known.unwrap_or_else(|| {
            providers.push((name, 0.0));
            providers.len() - 1
        });
        providers[index].1 += counts;
        of.push(index);
    }
    let weight = |(candidate, provider): (&Candidate, &usize)| {
        let weight = f64::from(candidate.weight);
        let weight = if weight.is_finite() && weight > 0.0 { weight } else { 0.0 };
        weight / if candidate.half_open { 1.0 } else { providers[*provider].1 }
    };
    candidates.iter().zip(&of).map(weight).collect()
}

fn reason(request: &Request, ranking: &Ranking, first: &Candidate) -> String {
    let reason = match request.seed {
        0 => Reason::new("largest weight, as nothing may be drawn"),
        _ => Reason::new("drawn by weight, a share of ").share(ranking.propensity).text(" of the requests"),
    };
    match first.cost {
        Some(cost) => reason.text("; at ").usd(cost.expected).into(),
        None => reason.text("; at an unknown price").into(),
    }
}

export!(Weighted: strategy);

#[cfg(test)]
mod tests;
