//! What every contestant chooses for every prompt: the second time the file is read, because prompts are not kept.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dispatch::SplitMix;
use domain::{
    money::PriceFactor,
    plugin::{Classification, Contender, Live, Offer},
    policy::native_order,
    price::{Estimate, Price},
    request::{Moment, Request},
};
use sandbox::Subject;

use super::{
    contestant::Contestant,
    expected::{Expected, OPERATION},
    judges::{Judges, subject},
    notes::Notes,
    read::{RatingsError, Rows},
    table::{Mark, Ratings},
};
use crate::parallel;

/// Prompts that are decided on at a time.
const BATCH: usize = 256;
/// The moment at which all of it happens, 2026-01-01: two runs on different days are to say the same.
const NOW_MS: u64 = 1_767_225_600_000;
/// Stands where a prompt was not decided on.
const NOBODY: u16 = u16::MAX;

/// Whom each setting of each contestant takes for each prompt, in each deal.
pub(super) struct Choices {
    settings: usize,
    pub(super) deals: usize,
    /// A model's number for each prompt, setting and deal.
    models: Vec<u16>,
    /// Decisions of each contestant to which its strategy had no answer.
    pub(super) unanswered: Vec<u64>,
}

impl Choices {
    /// Lets every contestant decide on the prompts that `counts`. `progress` hears how many prompts are done.
    ///
    /// # Errors
    ///
    /// When the file cannot be read again, or is another one by now.
    pub(super) fn make(
        ratings: &Ratings,
        counts: &[bool],
        expected: &Expected,
        judges: &Judges,
        contestants: &[Contestant],
        seed: u64,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Self, RatingsError> {
        let settings = contestants.iter().map(|contestant| contestant.settings.len()).sum();
        let deciding = Deciding { ratings, expected, judges, contestants, seed, unanswered: zeros(contestants.len()) };
        let deals = expected.deals();
        let mut models = vec![NOBODY; settings * deals * ratings.prompts.len()];
        let mut open = counts.to_vec();
        let mut rows = Rows::open(&ratings.path)?;
        let mut batch: Vec<(u32, Arc<str>)> = Vec::with_capacity(BATCH);
        let mut done = 0;
        loop {
            // What is wrong with the file was noted the first time.
            let row = rows.next(&mut Notes::default())?;
            let is_last = row.is_none();
            if let Some(row) = row
                && let Some(prompt) = ratings.prompt_of(&row)
                && std::mem::take(&mut open[prompt as usize])
            {
                batch.push((prompt, row.prompt.into()));
            }
            if batch.len() == BATCH || (is_last && !batch.is_empty()) {
                let one = |(prompt, text): &(u32, Arc<str>)| (*prompt, deciding.one(*prompt, text, settings));
                for (prompt, chosen) in parallel::map(&batch, one) {
                    let start = prompt as usize * settings * deals;
                    models[start..start + settings * deals].copy_from_slice(&chosen);
                }
                done += batch.len() as u64;
                batch.clear();
                progress(done);
            }
            if is_last {
                break;
            }
        }
        if rows.digest() != ratings.digest {
            return Err(RatingsError::Changed { file: ratings.path.display().to_string() });
        }
        let unanswered = deciding.unanswered.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Ok(Self { settings, deals, models, unanswered })
    }

    /// The numbers of the models that were chosen for `prompt`, one a deal, at the setting of this number, counted over all
    /// contestants.
    pub(super) fn of(&self, prompt: u32, setting: usize) -> &[u16] {
        let start = (prompt as usize * self.settings + setting) * self.deals;
        &self.models[start..start + self.deals]
    }
}

fn zeros(count: usize) -> Vec<AtomicU64> {
    std::iter::repeat_with(|| AtomicU64::new(0)).take(count).collect()
}

struct Deciding<'a> {
    ratings: &'a Ratings,
    expected: &'a Expected,
    judges: &'a Judges,
    contestants: &'a [Contestant],
    seed: u64,
    unanswered: Vec<AtomicU64>,
}

impl Deciding<'_> {
    /// Nobody's choice depends on when it was made.
    fn one(&self, prompt: u32, text: &Arc<str>, settings: usize) -> Vec<u16> {
        let deals = self.expected.deals();
        let request = Request { prompt: Arc::clone(text), ..Request::for_prompt("") };
        let classification = self.judges.classify(text);
        let marks: Vec<Mark> = self.ratings.marks_of(prompt).map(|(_, mark)| mark).collect();
        let offers = self.offers(&marks, &request);
        let prices = self.judges.price(subject(&request, &Moment::default()), &offers);
        let mut chosen = vec![NOBODY; settings * deals];
        for deal in 0..deals {
            let seed = self.seed.wrapping_add(deal as u64).rotate_left(32) ^ u64::from(prompt);
            let seed = SplitMix::of(seed, "decisions").bits();
            let moment = Moment { now_ms: NOW_MS, seed, sequence: u64::from(prompt), session: 0 };
            let subject = subject(&request, &moment);
            let contenders = self.contenders(prompt, deal, &marks, &offers, &prices);
            let all = self.contestants.iter().zip(&self.unanswered);
            let ways = all.flat_map(|(contestant, unanswered)| {
                contestant.settings.iter().map(move |settings| (contestant, unanswered, settings))
            });
            for (place, (contestant, unanswered, settings)) in ways.enumerate() {
                let first = rank(contestant, subject, settings, &classification, &contenders).unwrap_or_else(|| {
                    unanswered.fetch_add(1, Ordering::Relaxed);
                    // As in a gateway.
                    native_order(&contenders).order.first().map_or(0, |ranked| ranked.candidate)
                });
                chosen[place * deals + deal] = marks.get(first as usize).map_or(NOBODY, |mark| mark.model);
            }
        }
        chosen
    }

    fn offers(&self, marks: &[Mark], request: &Request) -> Vec<Offer> {
        let offer = |mark: &Mark| Offer {
            model: self.ratings.models[usize::from(mark.model)].candidate.clone(),
            tariff: Price::PerImage(mark.price).tariff(request.size, PriceFactor::ONE),
        };
        marks.iter().map(offer).collect()
    }

    /// Those who drew this prompt, with what is expected of them in this deal.
    fn contenders(
        &self,
        prompt: u32,
        deal: usize,
        marks: &[Mark],
        offers: &[Offer],
        prices: &[Option<Estimate>],
    ) -> Vec<Contender> {
        let seen = &self.ratings.prompts[prompt as usize].seen;
        let expectations = self.expected.of(prompt, deal);
        let contender = |((mark, offer), cost): ((&Mark, &Offer), &Option<Estimate>)| Contender {
            quality: expectations.of(
                offer.model.as_str(),
                OPERATION,
                seen,
                self.ratings.models[usize::from(mark.model)].prior,
            ),
            model: offer.model.clone(),
            cost: *cost,
            latency: None,
            live: Live::default(),
            max_in_flight: 0,
            weight: 1.0,
        };
        marks.iter().zip(offers).zip(prices).map(contender).collect()
    }
}

/// The first of the strategy's ranking.
fn rank(
    contestant: &Contestant,
    subject: Subject<'_>,
    settings: &[domain::plugin::Setting],
    classification: &Classification,
    contenders: &[Contender],
) -> Option<u32> {
    let called = contestant.plugin.rank(subject, settings, &[], classification, contenders, &[])?;
    called.answer?.order.first().map(|ranked| ranked.candidate)
}
