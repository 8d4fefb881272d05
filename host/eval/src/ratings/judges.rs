//! The plugins that all strategies have in common: who says what a prompt is, and what a picture costs.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::{
    plugin::{Classification, Offer},
    price::{Estimate, list_price},
    request::{Moment, Request},
};
use sandbox::{Kind, Plugin, Roster, Source, Subject};

const CLASSIFIER: &str = "context-classifier";
const COST_MODEL: &str = "list-price";

/// The classifier and the cost model in service.
pub struct Judges {
    classifier: Option<Arc<Plugin>>,
    cost_model: Option<Arc<Plugin>>,
    faults: AtomicU64,
}

impl Judges {
    /// Those of `roster`, whose calls the clock does not end: equal files are to give equal numbers.
    #[must_use]
    pub fn of(roster: &Roster) -> Self {
        let roster = roster.unhurried();
        Self {
            classifier: roster.get(CLASSIFIER, Kind::Classifier).cloned(),
            cost_model: roster.get(COST_MODEL, Kind::CostModel).cloned(),
            faults: AtomicU64::new(0),
        }
    }

    /// What kind of request this prompt is; as in a gateway, a middling nothing when the classifier fails.
    #[must_use]
    pub fn classify(&self, prompt: &str) -> Classification {
        let request = Request::for_prompt(prompt);
        let called = self.classifier.as_ref().and_then(|plugin| plugin.classify(subject(&request, &Moment::default())));
        called.and_then(|called| called.answer).unwrap_or_else(|| {
            self.faults.fetch_add(1, Ordering::Relaxed);
            Classification::default()
        })
    }

    /// What each offer would cost; as in a gateway, the list price where the cost model has none.
    pub(super) fn price(&self, subject: Subject<'_>, offers: &[Offer]) -> Vec<Option<Estimate>> {
        let called = self.cost_model.as_ref().and_then(|plugin| plugin.price(subject, offers));
        let mut prices = called.and_then(|called| called.answer).unwrap_or_else(|| {
            self.faults.fetch_add(1, Ordering::Relaxed);
            vec![None; offers.len()]
        });
        for (price, offer) in prices.iter_mut().zip(offers) {
            *price = price.or_else(|| list_price(&offer.tariff, subject.request));
        }
        prices
    }

    /// Calls without an answer so far.
    pub(super) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }
}

/// What a call is about. Trials count neither for nor against a plugin.
pub(crate) fn subject<'a>(request: &'a Request, moment: &'a Moment) -> Subject<'a> {
    let prompt_chars = u32::try_from(request.prompt.chars().count()).unwrap_or(u32::MAX);
    Subject { request, moment, prompt_chars, source: Source::Trial }
}
