//! Requests with an idempotency key that are being answered: one of each name at a time, the others wait for its answer.
//!
//! This is only about the moment; what was answered before is in the ledger.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::digest::Digest;
use tokio::sync::watch;

/// What is being answered, by name.
#[derive(Debug)]
pub(crate) struct Claims<A> {
    held: Mutex<HashMap<Digest, Held<A>>>,
}

#[derive(Debug)]
struct Held<A> {
    asks: Digest,
    answer: watch::Receiver<Option<A>>,
}

/// What became of a claim.
#[derive(Debug)]
pub(crate) enum Claimed<A> {
    Mine(Claim<A>),
    /// Somebody else asks the same.
    Others(Answer<A>),
    /// Somebody else asks something different under this name.
    Conflict,
}

/// The sole right to answer a name. Dropping it gives that back; who waited then tries for itself.
#[derive(Debug)]
pub(crate) struct Claim<A> {
    claims: Arc<Claims<A>>,
    name: Digest,
    answer: watch::Sender<Option<A>>,
}

/// An answer to come.
#[derive(Debug)]
pub(crate) struct Answer<A>(watch::Receiver<Option<A>>);

impl<A> Default for Claims<A> {
    fn default() -> Self {
        Self { held: Mutex::default() }
    }
}

impl<A> Claims<A> {
    /// `name` is claimed for a request that asks `asks`.
    pub(crate) fn claim(self: &Arc<Self>, name: Digest, asks: Digest) -> Claimed<A> {
        match self.held().entry(name) {
            Entry::Occupied(held) if held.get().asks == asks => Claimed::Others(Answer(held.get().answer.clone())),
            Entry::Occupied(_) => Claimed::Conflict,
            Entry::Vacant(free) => {
                let (sender, answer) = watch::channel(None);
                free.insert(Held { asks, answer });
                Claimed::Mine(Claim { claims: Arc::clone(self), name, answer: sender })
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Digest, Held<A>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Claim<A> {
    /// Answers everyone who waits.
    pub(crate) fn answer(self, answer: A) {
        self.answer.send_replace(Some(answer));
    }
}

impl<A> Drop for Claim<A> {
    fn drop(&mut self) {
        // Before the channel ends: who hears of that finds the name free.
        self.claims.held().remove(&self.name);
    }
}

impl<A: Clone> Answer<A> {
    /// The answer; `None` when the one who was to give it has left.
    pub(crate) async fn given(mut self) -> Option<A> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mine(claims: &Arc<Claims<&'static str>>, name: &[u8]) -> Claim<&'static str> {
        match claims.claim(Digest::of(name), Digest::of(b"asks")) {
            Claimed::Mine(claim) => claim,
            other => panic!("{other:?}"),
        }
    }

    fn others(claims: &Arc<Claims<&'static str>>, name: &[u8]) -> Answer<&'static str> {
        match claims.claim(Digest::of(name), Digest::of(b"asks")) {
            Claimed::Others(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn everyone_who_waits_gets_the_answer() {
        let claims = Arc::new(Claims::default());
        let claim = mine(&claims, b"one");
        let _another = mine(&claims, b"two");
        let waiting = [others(&claims, b"one"), others(&claims, b"one")];
        assert!(matches!(claims.claim(Digest::of(b"one"), Digest::of(b"something else")), Claimed::Conflict));
        claim.answer("a picture");
        for answer in waiting {
            assert_eq!(answer.given().await, Some("a picture"));
        }
        mine(&claims, b"one");
    }

    #[tokio::test]
    async fn a_claim_that_is_given_up_is_free_when_others_hear_of_it() {
        let claims = Arc::new(Claims::default());
        let claim = mine(&claims, b"one");
        let waiting = others(&claims, b"one");
        drop(claim);
        assert_eq!(waiting.given().await, None);
        mine(&claims, b"one");
        assert_eq!(claims.held().len(), 0);
    }
}
