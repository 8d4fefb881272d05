//! A way of deciding that looks back at requests which somebody else has served.

use std::sync::Arc;

use domain::{
    baseline,
    candidate::Candidate,
    catalogue::Catalogue,
    decision::{Considered, Decision},
    expectation::Seen,
    hindsight::{Asked, Chosen, Hindsight, Meant, Nobody, meant},
    money::MicroUsd,
    plugin::Classification,
    request::{Moment, Request},
};
use sandbox::{Kind, Plugin, Roster, Verdict};

use super::{Preview, PreviewError, known};
use crate::{refusal, snapshot::Target};

/// A route, with its own strategies or with another one.
pub struct Alternative<'p> {
    preview: &'p Preview,
    roster: Roster,
    target: Target,
    strategy: Option<Arc<str>>,
    /// Every model of the catalogue at its own vendor: what was asked for need not be on offer here.
    listed: Vec<Arc<Candidate>>,
}

/// Who is to decide instead of a route's own strategies.
pub enum Instead {
    /// One in service.
    Named(String),
    /// One from a file.
    Plugin(Plugin),
}

impl Preview {
    /// The route `route`.
    ///
    /// No call is ended by this machine's clock, so that a busy machine comes to the same answers.
    ///
    /// # Errors
    ///
    /// When the route or the strategy does not exist.
    pub fn alternative(&self, route: &str, instead: Option<Instead>) -> Result<Alternative<'_>, PreviewError> {
        let (roster, strategy) = match instead {
            None => (self.roster.unhurried(), None),
            Some(Instead::Named(name)) => (self.roster.unhurried(), Some(known(&self.roster, &name, Kind::Strategy)?)),
            Some(Instead::Plugin(plugin)) if !plugin.is(Kind::Strategy) => {
                let kinds: Vec<&str> = plugin.kinds().into_iter().map(Kind::word).collect();
                return Err(PreviewError::NoStrategy { name: plugin.name().to_string(), is: kinds.join(" and ") });
            }
            Some(Instead::Plugin(plugin)) => {
                let name = plugin.name();
                (self.roster.with(Arc::new(plugin)).unhurried(), Some(name))
            }
        };
        let target = self.offering.resolve(&self.roster, "auto", Some(route), Vec::new())?;
        Ok(Alternative { preview: self, roster, target, strategy, listed: Candidate::listed(&Catalogue::embedded()) })
    }
}

impl Alternative<'_> {
    /// Looks back at `request`, which asked for the model `asked`. Needs a tokio runtime for its clock only.
    #[must_use]
    pub fn look_back(&self, request: &Request, asked: &str, moment: Moment) -> Hindsight {
        let offering = &self.preview.offering;
        let mut panel = self.target.panel_for(moment.seed).into_owned();
        if let Some(strategy) = &self.strategy {
            panel.strategies = vec![Arc::clone(strategy)];
        }
        let decided = self.preview.decided(&self.roster, &self.target, &panel, request, moment);
        let decision = &decided.decision;
        let chosen = match &decided.verdict {
            Verdict::Go => decision.order.first().map(|first| &decision.considered[*first as usize]),
            _ => None,
        };
        let chosen = chosen.map(|row| Chosen {
            candidate: offering.candidates[row.candidate as usize].id.clone(),
            cost: row.cost.map(|cost| cost.expected),
            quality: row.quality.map(|quality| quality.mean),
        });
        let nobody = || match &decided.verdict {
            // An order without anyone in it.
            Verdict::Go => Nobody { why: "nobody was chosen".to_owned(), hint: None },
            verdict => {
                let error = refusal::undecided(verdict, decision, offering).1;
                Nobody { why: error.message.clone(), hint: error.hint.clone() }
            }
        };
        Hindsight {
            label: decision.classification.label.clone(),
            asked: self.asked(asked, decision),
            chosen: chosen.ok_or_else(nobody),
        }
    }

    /// What is known of a model: by what its name stands for here, or else by the catalogue.
    fn asked(&self, name: &str, decision: &Decision) -> Asked {
        let offering = &self.preview.offering;
        let aliased = offering.aliases.get(name).map_or(name, String::as_str);
        // An alias may stand for `auto`, which says nothing of what was served before.
        for name in [aliased, name] {
            for (candidates, is_offered) in [(&offering.candidates, true), (&self.listed, false)] {
                match meant(name, decision.request.quality, candidates) {
                    Meant::Nobody => {}
                    Meant::Several => return Asked::Unclear,
                    Meant::One { candidates, names_provider } => {
                        return self.known(&candidates, is_offered, names_provider, decision);
                    }
                }
            }
        }
        Asked::Unknown
    }

    /// What is known of one model at one tier, of which `candidates` are the providers.
    fn known(
        &self,
        candidates: &[&Arc<Candidate>],
        is_offered: bool,
        names_provider: bool,
        decision: &Decision,
    ) -> Asked {
        let offered = &self.preview.offering.candidates;
        let price = |candidate: &Candidate| {
            let considered = |row: &&Considered| offered[row.candidate as usize].id == candidate.id;
            let row = decision.considered.iter().filter(|_| is_offered).find(considered);
            baseline::price(candidate, &decision.request, row.and_then(|row| row.cost))
        };
        // The least: a saving is not to be overstated.
        let priced = candidates.iter().map(|candidate| (price(candidate), candidate));
        let least = priced.min_by_key(|(price, _)| price.unwrap_or(MicroUsd::MAX));
        let Some((cost, candidate)) = least else { return Asked::Unknown };
        let quality = self.quality(candidate, &decision.classification, &decision.request);
        Asked::Known { candidate: candidate.id.clone(), names_provider, cost, quality }
    }

    fn quality(&self, candidate: &Candidate, classification: &Classification, request: &Request) -> Option<f32> {
        let (seen, prior) = (Seen::of(classification), candidate.tier().quality);
        let expectations = &self.preview.learned.expectations;
        expectations.of(candidate.id.as_str(), request.operation, &seen, prior).map(|quality| quality.mean)
    }
}
