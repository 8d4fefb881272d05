//! The inputs of recorded calls, put together from the record alone.
//!
//! Who was asked about is told by the vetoes: the rules of `domain` come before pricing, the caps between pricing and
//! ranking, and only the strategy's own choice after.

use domain::{
    candidate::CandidateId,
    decision::{Considered, Veto},
    plugin::{Contender, Offer, tag_columns},
    record::{Terms, Trace},
};
use ledger::Stored;
use sandbox::{Source, Subject};

pub(super) struct Inputs<'a> {
    pub(super) trace: &'a Trace,
    stored: &'a Stored,
    prompt_chars: Option<u32>,
    /// Indices into `considered` that cost models were asked about.
    pub(super) priced: Vec<u32>,
    /// Indices into `considered` that strategies were offered.
    pub(super) offered: Vec<u32>,
}

impl<'a> Inputs<'a> {
    pub(super) fn of(stored: &'a Stored, trace: &'a Trace) -> Self {
        let decision = &trace.decision;
        let before = |after: fn(&Veto) -> bool| {
            let rows = decision.considered.iter().enumerate();
            rows.filter(|(_, row)| row.veto.as_ref().is_none_or(after)).map(|(index, _)| index as u32).collect()
        };
        let whole = || decision.request.prompt.chars().count() as u32;
        Self {
            trace,
            stored,
            prompt_chars: stored.prompt_kept.then(whole).or(stored.prompt_chars),
            priced: before(Veto::comes_after_price),
            offered: before(Veto::comes_after_offer),
        }
    }

    pub(super) fn prompt_kept(&self) -> bool {
        self.stored.prompt_kept
    }

    pub(super) fn subject(&self) -> Result<Subject<'a>, &'static str> {
        let decision = &self.trace.decision;
        let prompt_chars = self.prompt_chars.ok_or("its record does not say how long the prompt was")?;
        Ok(Subject { request: &decision.request, moment: &decision.moment, prompt_chars, source: Source::Trial })
    }

    pub(super) fn offers(&self) -> Result<Vec<Offer>, &'static str> {
        let offer = |index: &u32| {
            let row = self.row(*index);
            Ok(Offer { model: self.name(row)?.clone(), tariff: row.tariff.unwrap_or_default() })
        };
        self.priced.iter().map(offer).collect()
    }

    pub(super) fn contenders(&self) -> Result<Vec<Contender>, &'static str> {
        let contender = |index: &u32| {
            let row = self.row(*index);
            let terms = self.terms(row)?;
            Ok(Contender {
                model: self.name(row)?.clone(),
                cost: row.cost,
                quality: row.quality,
                latency: row.latency,
                live: row.live,
                max_in_flight: terms.max_in_flight,
                weight: terms.weight,
            })
        };
        self.offered.iter().map(contender).collect()
    }

    pub(super) fn tags(&self) -> Result<Vec<(String, Vec<bool>)>, &'static str> {
        let tags = self.offered.iter().map(|index| Ok(&*self.terms(self.row(*index))?.tags));
        Ok(tag_columns(&tags.collect::<Result<Vec<&[String]>, &'static str>>()?))
    }

    /// What a considered candidate is called, for people.
    pub(super) fn shown(&self, index: u32) -> String {
        let row = self.trace.decision.considered.get(index as usize);
        row.and_then(|row| self.name(row).ok()).map_or_else(|| "unknown".to_owned(), ToString::to_string)
    }

    /// The indices here are all made from `considered`.
    fn row(&self, index: u32) -> &'a Considered {
        &self.trace.decision.considered[index as usize]
    }

    fn name(&self, row: &Considered) -> Result<&'a CandidateId, &'static str> {
        self.stored.candidates.get(row.candidate as usize).ok_or("the names of its candidates were not kept")
    }

    fn terms(&self, row: &Considered) -> Result<&'a Terms, &'static str> {
        let terms = self.stored.terms.get(row.candidate as usize);
        terms.ok_or("its record does not say what strategies were told of providers")
    }
}
