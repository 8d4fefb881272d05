//! Everything at once, of contract 0.1.0.

use muxel_sdk::{
    Candidate, Classification, Classifier, Column, CostModel, Describe, Estimate, Learner, Manifest, Observation, Offer,
    Outcome, Part, Ranked, Ranking, Refusal, Request, Strategy, Value, export,
};

struct Compat;

impl Describe for Compat {
    fn describe() -> Manifest {
        Manifest::new("compat-full", "0.1.0", "everything of contract 0.1.0")
    }
}

impl Classifier for Compat {
    fn classify(_: Request, _: Vec<Value>) -> Result<Classification, Refusal> {
        Ok(Classification {
            label: "realistic".to_owned(),
            confidence: 1.0,
            complexity: 1.0,
            traits: vec![],
            features: vec![],
        })
    }
}

impl CostModel for Compat {
    fn price(
        _: Request,
        _: Vec<Value>,
        offers: Vec<Offer>,
        _: Vec<Column>,
    ) -> Result<Vec<Option<Estimate>>, Refusal> {
        Ok(vec![Some(Estimate { expected: 11, upper: 12 }); offers.len()])
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

export!(Compat: everything);
