//! Where expectations of quality come from: other folds of the same ratings, or a file that was made before.
//!
//! Cross-validated, the prompts are dealt into folds, equal texts into the same one. What is expected of a fold's prompts
//! was learned from all the others and from nothing of it: neither a rating nor a mean, nor a number that was set by
//! looking at it. How a few hundred prompts happen to be dealt moves the numbers by a point, so they are dealt several times.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use dispatch::SplitMix;
use domain::{
    catalogue::Prior,
    digest::Digest,
    expectation::{Expectations, Learner},
    request::Operation,
};

use super::{read::RatingsError, table::Ratings};

/// What rated pictures are taken for.
pub(super) const OPERATION: Operation = Operation::ImageGenerate;

/// What is expected of each prompt's candidates, in each deal.
pub(super) struct Expected {
    deals: Vec<Deal>,
}

/// One way of dealing prompts into folds.
struct Deal {
    folds: Vec<Arc<Expectations>>,
    /// Of each prompt; empty when there is one for all.
    fold_of: Vec<u16>,
}

impl Expected {
    /// The same for all prompts: fitted elsewhere.
    pub(super) fn given(expectations: Arc<Expectations>) -> Self {
        Self { deals: vec![Deal { folds: vec![expectations], fold_of: Vec::new() }] }
    }

    /// For each fold of each deal what the others say. Deals are shuffled by `seed` and the numbers after it.
    ///
    /// # Errors
    ///
    /// When there are fewer different prompts than folds.
    pub(super) fn cross_validated(ratings: &Ratings, folds: u32, deals: u32, seed: u64) -> Result<Self, RatingsError> {
        let one = |number: u32| {
            let fold_of = deal(ratings, folds, seed.wrapping_add(u64::from(number)))?;
            let learned = (0..folds).map(|fold| learn(ratings, |prompt| u32::from(fold_of[prompt as usize]) != fold));
            let folds = learned.map(|learner| Arc::new(learner.expectations())).collect();
            Ok(Deal { folds, fold_of })
        };
        Ok(Self { deals: (0..deals).map(one).collect::<Result<_, RatingsError>>()? })
    }

    pub(super) fn deals(&self) -> usize {
        self.deals.len()
    }

    pub(super) fn of(&self, prompt: u32, deal: usize) -> &Expectations {
        let Deal { folds, fold_of } = &self.deals[deal];
        let fold = fold_of.get(prompt as usize).copied().unwrap_or(0);
        &folds[usize::from(fold)]
    }
}

/// What the ratings of these prompts say, in the file's order.
pub(super) fn learn(ratings: &Ratings, of_prompt: impl Fn(u32) -> bool) -> Learner {
    let names: Vec<&str> = ratings.models.iter().map(|model| model.candidate.as_str()).collect();
    let priors: HashMap<&str, Option<Prior>> =
        names.iter().copied().zip(ratings.models.iter().map(|model| model.prior)).collect();
    let prior = |name: &str| priors.get(name).copied().flatten();
    let mut learner = Learner::default();
    for mark in ratings.marks.iter().filter(|mark| of_prompt(mark.prompt)) {
        let seen = &ratings.prompts[mark.prompt as usize].seen;
        learner.fit(OPERATION, names[usize::from(mark.model)], seen, (mark.mean - 1.0) / 4.0, &prior);
    }
    learner
}

/// The fold of each prompt: groups of equal text in an order that `seed` shuffles, dealt in turn.
fn deal(ratings: &Ratings, folds: u32, seed: u64) -> Result<Vec<u16>, RatingsError> {
    let groups: BTreeSet<Digest> = ratings.prompts.iter().map(|prompt| prompt.group).collect();
    if groups.len() < folds as usize {
        return Err(RatingsError::Folds { prompts: groups.len(), folds });
    }
    let mut order: Vec<Digest> = groups.into_iter().collect();
    let mut random = SplitMix::of(seed, "folds");
    for last in (1..order.len()).rev() {
        order.swap(last, (random.bits() % (last as u64 + 1)) as usize);
    }
    let fold = |(place, group): (usize, Digest)| (group, (place % folds as usize) as u16);
    let fold_of: HashMap<Digest, u16> = order.into_iter().enumerate().map(fold).collect();
    Ok(ratings.prompts.iter().map(|prompt| fold_of[&prompt.group]).collect())
}
