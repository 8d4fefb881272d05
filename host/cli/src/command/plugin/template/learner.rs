//! A strategy that learns: it ranks by what people said of earlier pictures.
//!
//! A sandbox keeps nothing between two calls. So learning is a fold: a host hands the outcomes of requests to `learn`
//! in the order they happened, keeps the bytes it returns, and hands them to every `rank`. Equal memory and equal
//! outcomes must give equal memory; there is no other rule for what the bytes mean.

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Learner, Manifest, Observation, Outcome, Ranking,
    Reason, Refusal, Request, Strategy, Value, export,
};

/// How many marks weigh as much as the quality that the host expects of a model.
const PRIOR_MARKS: f32 = 5.0;
/// Models that memory has room for, far under its limit of 16 KiB. The first ones seen stay.
const MOST_MODELS: usize = 1_000;
/// Bytes of one entry: who, how many marks, and their sum in thousandths.
const ENTRY: usize = 12;

struct Plugin;

impl Describe for Plugin {
    /// Called once, when a host takes the plugin in.
    fn describe() -> Manifest {
        let summary = "the model whose pictures people liked best";
        let mut manifest =
            Manifest::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), summary);
        // Raise it when old memory cannot be read any more: it is then not handed over.
        manifest.memory_format = 1;
        manifest
    }
}

impl Strategy for Plugin {
    /// Called for each request. `memory` is what `learn` returned last, and empty on the first day.
    fn rank(
        _request: Request,
        _settings: Vec<Value>,
        memory: Vec<u8>,
        _classification: Classification,
        candidates: Vec<Candidate>,
        _columns: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        let marks = Marks::read(&memory);
        let likes: Vec<f32> = candidates
            .iter()
            .map(|candidate| marks.of(candidate))
            .collect();
        Ok(Ranking::sorted(
            candidates.len(),
            |a, b| likes[b].total_cmp(&likes[a]),
            |index| likes[index],
            |first| Reason::new("liked best: ").share(likes[first]).into(),
        ))
    }
}

impl Learner for Plugin {
    /// Called off the path of requests, with every outcome once.
    fn learn(
        memory: Vec<u8>,
        _settings: Vec<Value>,
        outcomes: Vec<Outcome>,
    ) -> Result<Vec<u8>, Refusal> {
        let mut marks = Marks::read(&memory);
        for outcome in &outcomes {
            match &outcome.observed {
                Observation::Rated(mark) => marks.add(&outcome.model, *mark),
                Observation::PreferredOver(other) => {
                    marks.add(&outcome.model, 1.0);
                    marks.add(other, 0.0);
                }
                // A failure or a refusal says nothing of how good a picture is.
                Observation::Delivered(_) | Observation::Refused | Observation::Failed(_) => {}
            }
        }
        Ok(marks.write())
    }
}

/// All marks so far, for each model.
struct Marks(Vec<Mark>);

struct Mark {
    model: u32,
    count: u32,
    thousandths: u32,
}

impl Marks {
    fn read(memory: &[u8]) -> Self {
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap_or_default());
        let mark = |entry: &[u8]| Mark {
            model: number(&entry[..4]),
            count: number(&entry[4..8]),
            thousandths: number(&entry[8..]),
        };
        Self(memory.chunks_exact(ENTRY).map(mark).collect())
    }

    fn write(&self) -> Vec<u8> {
        let numbers = self
            .0
            .iter()
            .flat_map(|mark| [mark.model, mark.count, mark.thousandths]);
        numbers.flat_map(u32::to_le_bytes).collect()
    }

    fn add(&mut self, model: &str, mark: f32) {
        let model = short_name(model);
        let thousandths = (mark.clamp(0.0, 1.0) * 1_000.0) as u32;
        if let Some(known) = self.0.iter_mut().find(|known| known.model == model) {
            known.count = known.count.saturating_add(1);
            known.thousandths = known.thousandths.saturating_add(thousandths);
        } else if self.0.len() < MOST_MODELS {
            self.0.push(Mark {
                model,
                count: 1,
                thousandths,
            });
        }
    }

    /// The mean of the marks and of what the host expects. Few marks move it little.
    fn of(&self, candidate: &Candidate) -> f32 {
        let expected = candidate.quality.map_or(0.5, |quality| quality.mean);
        let model = short_name(&candidate.model);
        let (sum, count) = match self.0.iter().find(|mark| mark.model == model) {
            Some(mark) => (mark.thousandths as f32 / 1_000.0, mark.count as f32),
            None => (0.0, 0.0),
        };
        (PRIOR_MARKS * expected + sum) / (PRIOR_MARKS + count)
    }
}

/// Four bytes for a name of any length (FNV-1a).
fn short_name(model: &str) -> u32 {
    model.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

export!(Plugin: learner);

#[cfg(test)]
mod tests {
    use muxel_sdk::testing;

    use super::*;

    fn learn(memory: Vec<u8>, outcomes: &[Outcome]) -> Vec<u8> {
        Plugin::learn(memory, vec![], outcomes.to_vec()).expect("a memory")
    }

    fn first(memory: Vec<u8>, candidates: &[Candidate]) -> u32 {
        let (request, general) = (
            Request::for_prompt("a red bicycle"),
            Classification::of("general"),
        );
        let ranking = Plugin::rank(
            request,
            vec![],
            memory,
            general,
            candidates.to_vec(),
            vec![],
        );
        ranking.expect("a ranking").order[0].candidate
    }

    #[test]
    fn what_people_like_comes_first() {
        let candidates = [
            Candidate::new("lab/one").good(0.7, 0.1),
            Candidate::new("lab/two").good(0.6, 0.1),
        ];
        assert_eq!(
            first(vec![], &candidates),
            0,
            "on the first day, what the host expects"
        );
        let marks: Vec<Outcome> = (0..5)
            .map(|sequence| Outcome::rated(sequence, "lab/two", 1.0))
            .collect();
        assert_eq!(first(learn(vec![], &marks), &candidates), 1);
        let better = Observation::PreferredOver("lab/two".to_owned());
        let wins: Vec<Outcome> = (5..25)
            .map(|sequence| Outcome::of(sequence, "lab/one", better.clone()))
            .collect();
        assert_eq!(first(learn(learn(vec![], &marks), &wins), &candidates), 0);
    }

    #[test]
    fn failures_are_no_marks() {
        let outcomes = [
            Outcome::failed(1, "lab/one", "transient"),
            Outcome::of(2, "lab/one", Observation::Refused),
            Outcome::delivered(3, "lab/one", 4_000, 20_000),
        ];
        assert_eq!(learn(vec![], &outcomes), Vec::<u8>::new());
    }

    #[test]
    fn a_host_accepts_what_it_says_of_itself() {
        testing::assert_manifest(&Plugin::describe());
    }

    /// Outcomes as a host may send them, from a seed. In one batch or in two, memory comes out the same.
    #[test]
    fn learning_is_a_fold_within_bounds_and_every_ranking_is_accepted() {
        testing::each(200, |samples| {
            let outcomes = samples.outcomes(60);
            let memory = learn(vec![], &outcomes);
            assert_eq!(
                memory,
                learn(learn(vec![], &outcomes[..20]), &outcomes[20..])
            );
            testing::assert_memory(&memory);
            let candidates = samples.candidates();
            let columns = samples.columns(candidates.len());
            let (request, classification) = (samples.request(), samples.classification());
            let ranking = Plugin::rank(
                request,
                vec![],
                memory,
                classification,
                candidates.clone(),
                columns,
            );
            testing::assert_ranking(&ranking.expect("a ranking"), &candidates);
        });
    }

    #[test]
    fn memory_stays_within_its_limit() {
        let many: Vec<Outcome> = (0..5_000)
            .map(|sequence| Outcome::rated(sequence, &format!("lab/model-{sequence}"), 0.5))
            .collect();
        testing::assert_memory(&learn(vec![], &many));
    }
}
