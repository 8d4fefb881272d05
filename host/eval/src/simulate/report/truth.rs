//! What was delivered, held against how good everybody really is; and how that went on while strategies learned.

use serde::Serialize;

use super::{
    super::{learning::Account, tally::Mark, truth::From, workload::Workload},
    round,
};

/// Stretches of a learning curve, equal in requests.
const BLOCKS: u64 = 20;

/// Means over all requests. A request without a picture has no quality, and is worth 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TruthReport {
    /// True quality of what was delivered.
    pub quality: Option<f64>,
    /// What requests came to: the score that balancing strategies maximise, with the true quality, the list price and the
    /// latency that the workload describes.
    pub value: Option<f64>,
    /// That of an oracle that knows all of it, and for whom everybody is always well.
    pub oracle: Option<f64>,
    /// What is missing to the oracle's.
    pub regret: Option<f64>,
    /// Ratings that callers gave.
    pub ratings: u64,
    /// Outcomes that the strategy's learner failed on.
    pub skipped: u64,
    /// Bytes that the strategy remembers at the end.
    pub memory_bytes: usize,
    /// The same over twenty stretches of equally many requests.
    pub curve: Vec<Block>,
}

/// One stretch of requests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Block {
    /// Requests that came before it.
    pub after: u64,
    pub requests: u64,
    pub quality: Option<f64>,
    pub value: Option<f64>,
    pub regret: Option<f64>,
}

impl TruthReport {
    pub(super) fn of(marks: &[Mark], learned: Account) -> Self {
        let all = Means::of(marks);
        let requests = marks.len() as u64;
        let from = |block: u64| requests * block / BLOCKS;
        let mut blocks = vec![Means::default(); BLOCKS as usize];
        for mark in marks {
            // The inverse of `from`, rounding and all.
            let block = ((mark.n + 1) * BLOCKS - 1) / requests.max(1);
            blocks[block.min(BLOCKS - 1) as usize].add(mark);
        }
        let block = |(index, means): (u64, Means)| Block {
            after: from(index),
            requests: means.requests,
            quality: means.quality(),
            value: means.value(),
            regret: means.regret(),
        };
        Self {
            quality: all.quality(),
            value: all.value(),
            oracle: all.mean(all.best),
            regret: all.regret(),
            ratings: learned.ratings,
            skipped: learned.skipped,
            memory_bytes: learned.memory,
            curve: (0..).zip(blocks).filter(|(_, means)| means.requests > 0).map(block).collect(),
        }
    }
}

/// Where shifts begin, in requests.
pub(super) fn shifts(workload: &Workload) -> Vec<u64> {
    let shifts = workload.truth.iter().flat_map(|truth| &truth.shifts);
    let place = |from: From| match from {
        From::Requests(count) => count,
        From::Time(time) => workload.arrivals.times(workload.seed).take_while(|at| *at < time).count() as u64,
    };
    shifts.map(|shift| place(shift.from)).collect()
}

#[derive(Clone, Copy, Default)]
struct Means {
    requests: u64,
    delivered: u64,
    quality: f64,
    value: f64,
    best: f64,
}

impl Means {
    fn of(marks: &[Mark]) -> Self {
        let mut means = Self::default();
        marks.iter().for_each(|mark| means.add(mark));
        means
    }

    fn add(&mut self, mark: &Mark) {
        let Some(worth) = mark.worth else { return };
        self.requests += 1;
        self.delivered += u64::from(worth.quality.is_some());
        self.quality += worth.quality.unwrap_or_default();
        self.value += worth.value;
        self.best += worth.best;
    }

    fn quality(&self) -> Option<f64> {
        (self.delivered > 0).then(|| round(self.quality / self.delivered as f64))
    }

    fn value(&self) -> Option<f64> {
        self.mean(self.value)
    }

    fn regret(&self) -> Option<f64> {
        self.mean(self.best - self.value)
    }

    fn mean(&self, sum: f64) -> Option<f64> {
        (self.requests > 0).then(|| round(sum / self.requests as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{tally::End, worth::Worth},
        *,
    };

    #[test]
    fn blocks_hold_as_many_requests_each_whatever_the_order_they_ended_in() {
        let worth = |n: u64| Worth { quality: Some(0.5), value: n as f64, best: n as f64 + 1.0 };
        let mark = |n: u64| Mark { n, at_ms: 0, latency_ms: 0, end: End::Delivered, worth: Some(worth(n)) };
        for requests in [20_u64, 23, 100, 999] {
            let marks: Vec<Mark> = (0..requests).rev().map(mark).collect();
            let report = TruthReport::of(&marks, Account::default());
            assert_eq!(report.curve.len(), 20);
            for (block, next) in
                report.curve.iter().zip(report.curve[1..].iter().map(|next| next.after).chain([requests]))
            {
                assert_eq!(block.after + block.requests, next, "{requests}");
                let middle = block.after as f64 + (block.requests as f64 - 1.0) / 2.0;
                assert_eq!(block.value, Some(middle));
            }
            assert_eq!((report.regret, report.quality), (Some(1.0), Some(0.5)));
        }
        assert_eq!(TruthReport::of(&[mark(0)], Account::default()).curve.len(), 1);
        assert_eq!(TruthReport::of(&[], Account::default()).value, None);
    }
}
