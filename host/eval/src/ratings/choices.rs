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
    price::Price,
    request::{Moment, Request},
};
use sandbox::Subject;

use super::{
    contestant::Contestant,
    expected::{Expected, OPERATION},
    judges::{Judges, subject},
    notes::Notes,
    read::{RatingsError, Rows},
    table::Ratings,
};

/// Prompts that are decided on at a time.
const BATCH: usize = 256;
/// The moment at which all of it happens, 2026-01-01: two runs on different days are to say the same.
const NOW_MS: u64 = 1_767_225_600_000;
/// Stands where a prompt was not decided on.
const NOBODY: u16 = u16::MAX;

/// Places among all marks, of each setting of each contestant at each prompt.
pub(super) struct Choices {
    settings: usize,
    /// A model's number for each prompt and setting.
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
        let mut models = vec![NOBODY; settings * ratings.prompts.len()];
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
                for (prompt, chosen) in deciding.all(&batch, settings) {
                    let start = prompt as usize * settings;
                    models[start..start + settings].copy_from_slice(&chosen);
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
        Ok(Self { settings, models, unanswered })
    }

    /// The number of the model that was chosen for `prompt` at the setting of this number, counted over all contestants.
    pub(super) fn of(&self, prompt: u32, setting: usize) -> u16 {
        self.models[prompt as usize * self.settings + setting]
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
    /// A batch, shared by the machine's processors. Nobody's choice depends on when it was made.
    fn all(&self, batch: &[(u32, Arc<str>)], settings: usize) -> Vec<(u32, Vec<u16>)> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = batch.len().div_ceil(threads);
        let one = |(prompt, text): &(u32, Arc<str>)| (*prompt, self.one(*prompt, text, settings));
        std::thread::scope(|scope| {
            let working: Vec<_> = batch
                .chunks(share)
                .map(|chunk| {
                    scope.spawn(move || {
                        sandbox::prepare_thread();
                        chunk.iter().map(one).collect::<Vec<_>>()
                    })
                })
                .collect();
            working
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }

    fn one(&self, prompt: u32, text: &Arc<str>, settings: usize) -> Vec<u16> {
        let request = Request { prompt: Arc::clone(text), ..Request::for_prompt("") };
        let seed = SplitMix::of(self.seed.rotate_left(32) ^ u64::from(prompt), "decisions").bits();
        let moment = Moment { now_ms: NOW_MS, seed, sequence: u64::from(prompt), session: 0 };
        let subject = subject(&request, &moment);
        let classification = self.judges.classify(text);
        let (models, contenders) = self.contenders(prompt, subject);
        let mut chosen = Vec::with_capacity(settings);
        for (contestant, unanswered) in self.contestants.iter().zip(&self.unanswered) {
            for settings in &contestant.settings {
                let first = rank(contestant, subject, settings, &classification, &contenders).unwrap_or_else(|| {
                    unanswered.fetch_add(1, Ordering::Relaxed);
                    // As in a gateway.
                    native_order(&contenders).order.first().map_or(0, |ranked| ranked.candidate)
                });
                chosen.push(models.get(first as usize).copied().unwrap_or(NOBODY));
            }
        }
        chosen
    }

    /// Those who drew this prompt, each with its number among the models.
    fn contenders(&self, prompt: u32, subject: Subject<'_>) -> (Vec<u16>, Vec<Contender>) {
        let marks: Vec<_> = self.ratings.marks_of(prompt).map(|(_, mark)| mark).collect();
        let offer = |mark: &super::table::Mark| Offer {
            model: self.ratings.models[usize::from(mark.model)].candidate.clone(),
            tariff: Price::PerImage(mark.price).tariff(subject.request.size, PriceFactor::ONE),
        };
        let offers: Vec<Offer> = marks.iter().map(offer).collect();
        let prices = self.judges.price(subject, &offers);
        let seen = &self.ratings.prompts[prompt as usize].seen;
        let expectations = self.expected.of(prompt);
        let contender = |((mark, offer), cost): ((&super::table::Mark, Offer), _)| Contender {
            quality: expectations.of(
                offer.model.as_str(),
                OPERATION,
                seen,
                self.ratings.models[usize::from(mark.model)].prior,
            ),
            model: offer.model,
            cost,
            latency: None,
            live: Live::default(),
            max_in_flight: 0,
            weight: 1.0,
        };
        let contenders = marks.iter().zip(offers).zip(prices).map(contender).collect();
        (marks.iter().map(|mark| mark.model).collect(), contenders)
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
