//! A strategy of contract 0.1.0 that learns: it counts deliveries.

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Learner, Manifest, Observation, Outcome, Part, Ranked, Ranking, Refusal,
    Request, Strategy, Value, export,
};

struct Compat;

impl Describe for Compat {
    fn describe() -> Manifest {
        Manifest { memory_format: 1, ..Manifest::new("compat-learning-strategy", "0.1.0", "a learner of contract 0.1.0") }
    }
}

impl Strategy for Compat {
    fn rank(
        _: Request,
        _: Vec<Value>,
        _: Vec<u8>,
        classification: Classification,
        candidates: Vec<Candidate>,
        _: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        // The last one first: nobody else would.
        let order: Vec<Ranked> = (0..candidates.len() as u32).rev().map(|candidate| Ranked { candidate, score: 0.5 }).collect();
        let values = order.iter().map(|place| candidates[place.candidate as usize].weight).collect();
        Ok(Ranking {
            order,
            parts: vec![Part { name: "weight".to_owned(), values }],
            reason: format!("the last of {} for a {} request", candidates.len(), classification.label),
            propensity: 0.5,
        })
    }
}

impl Learner for Compat {
    fn learn(memory: Vec<u8>, _: Vec<Value>, outcomes: Vec<Outcome>) -> Result<Vec<u8>, Refusal> {
        let delivered = outcomes.iter().filter(|outcome| matches!(outcome.observed, Observation::Delivered(_))).count();
        Ok(vec![memory.first().copied().unwrap_or(0).saturating_add(delivered as u8)])
    }
}

export!(Compat: learner);
