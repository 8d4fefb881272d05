//! A decision: the route's plugins asked in turn, each answer checked, the host's rules around them.
//!
//! ```text
//! classify -> offers -> price -> caps -> rank -> follow
//! ```
//!
//! A plugin's failure never fails a request, unless its route says so: a faulting classifier means `general` with
//! confidence 0, a faulting cost model the catalogue's list price, a faulting strategy the next one and at last the
//! host's own order. A plugin that may not be asked, because it was put aside or taken out of service, is passed over in
//! the same way, and the record says so.

use std::{sync::Arc, time::Instant};

use domain::{
    candidate::Candidate,
    decision::{Considered, Decision, NATIVE, follow},
    digest::Digest,
    field::Field,
    learning::{Judgement, LearnPer},
    plugin::{CallEnd, Classification, Conditions, Contender, Offer, PluginCall, Ranking, Role, Setting, tag_columns},
    policy::{self, Unpriced},
    price::{HOST_PRICE, list_price},
    quarantine::Admission,
    request::{Moment, Request},
    weights::Weights,
};

use crate::{
    circumstances::Circumstances,
    engine::Tier,
    learned::Learned,
    plugin::{Kind, Plugin, Subject},
    roster::Roster,
};

/// Who decides on a route.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    pub route: Arc<str>,
    pub classifier: Arc<str>,
    /// Asked in order; the first that knows a price wins.
    pub cost_models: Vec<Arc<str>>,
    /// Asked in order; the first that neither abstains nor fails decides.
    pub strategies: Vec<Arc<str>>,
    /// The route's and the request's weights, for every strategy that is asked.
    pub weights: Weights,
    /// What becomes of candidates whose price nobody knows.
    pub unpriced: Unpriced,
    /// Whose outcomes learners of this route learn from.
    pub learn_per: LearnPer,
    /// Whether a failing plugin fails the request. For routes that carry a brand or region policy.
    pub refuse_on_fault: bool,
}

impl Panel {
    /// Whether anyone of this panel may run in the slow tier.
    #[must_use]
    pub fn is_slow(&self, roster: &Roster) -> bool {
        let names = std::iter::once(&self.classifier).chain(&self.cost_models).chain(&self.strategies);
        names.into_iter().any(|name| roster.is_slow(name))
    }
}

/// What a decision comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try the decision's `order`.
    Go,
    /// A strategy denied the request, with this reason for the caller.
    Denied { reason: String },
    /// Nobody can do it: every candidate is vetoed.
    NoCandidate,
    /// A plugin failed on a route that does not go on without it.
    PluginFailed { plugin: Arc<str> },
}

/// A decision with what is needed to replay it.
#[derive(Debug)]
pub struct Decided {
    pub decision: Decision,
    pub verdict: Verdict,
    /// Settings given to each call, in the order of `decision.calls`.
    pub settings: Vec<Arc<[Setting]>>,
    /// What each call was allowed, in the same order.
    pub conditions: Vec<Conditions>,
    /// Weights that counted for nothing, for the caller and the record.
    pub warnings: Vec<String>,
    /// What was learned before and had a part in it.
    pub judgement: Judgement,
    /// Whose price each candidate has, in the order of `decision.considered`: a cost model's name, or [`HOST_PRICE`].
    pub priced_by: Vec<Option<Arc<str>>>,
}

/// Decides on one request. `take_probe` is asked, at most once, whether this request may be the probe that is due.
pub fn decide(
    roster: &Roster,
    panel: &Panel,
    request: &Arc<Request>,
    moment: Moment,
    field: Field<'_>,
    circumstances: Circumstances<'_>,
    take_probe: impl FnOnce(u32) -> bool,
) -> Decided {
    let began = Instant::now();
    let prompt_chars = request.prompt.chars().count() as u32;
    let subject = Subject { request, moment: &moment, prompt_chars, source: circumstances.source };
    let mut asking = Asking {
        roster,
        panel,
        subject,
        slow: circumstances.slow,
        learned: circumstances.learned,
        memories: Vec::new(),
        calls: Vec::with_capacity(3),
        settings: Vec::with_capacity(3),
        conditions: Vec::with_capacity(3),
        warnings: Vec::new(),
    };
    let mut considered = field.considered;

    let classification = asking.classify();
    circumstances.learned.expect(&classification, request.operation, field.candidates, &mut considered);
    let priced_by = asking.price(field.candidates, &mut considered);
    veto_by_caps(&mut considered, request);
    policy::veto_unpriced(&mut considered, panel.unpriced);
    let offered: Vec<u32> = indices(&considered, |candidate| candidate.veto.is_none());
    let (ranking, strategy, verdict) = if offered.is_empty() {
        (None, Arc::from(NATIVE), Verdict::NoCandidate)
    } else {
        asking.rank(
            &classification,
            &contenders(&offered, &considered, field.candidates),
            field.candidates,
            &offered,
            &considered,
        )
    };
    let verdict = match asking.failed() {
        Some(plugin) if panel.refuse_on_fault => Verdict::PluginFailed { plugin },
        _ => verdict,
    };
    let go = verdict == Verdict::Go;
    let probe = field.due.filter(|due| go && offered.contains(due) && take_probe(*due));
    let followed = match &ranking {
        Some(ranking) if go => follow(ranking, &offered, &mut considered, probe),
        _ => domain::decision::Order::default(),
    };
    let Ranking { parts, reason, propensity, .. } = ranking.unwrap_or_else(|| Ranking {
        order: Vec::new(),
        parts: Vec::new(),
        reason: String::new(),
        propensity: 1.0,
    });
    let decision = Decision {
        request: Request::clone(request),
        moment,
        route: Arc::clone(&panel.route),
        strategy,
        classification,
        considered,
        order: followed.order,
        parts,
        reason,
        propensity,
        probe: followed.probe,
        last_resort: field.last_resort,
        calls: std::mem::take(&mut asking.calls),
        revision: roster.revision(),
        micros: u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX),
    };
    let expected = circumstances.learned.explain(&decision, field.candidates);
    let Asking { settings, conditions, warnings, memories, .. } = asking;
    let judgement = Judgement { memories, expected, observed: None };
    Decided { decision, verdict, settings, conditions, warnings, judgement, priced_by }
}

/// The calls of one decision.
struct Asking<'a> {
    roster: &'a Roster,
    panel: &'a Panel,
    subject: Subject<'a>,
    slow: bool,
    learned: &'a Learned,
    memories: Vec<(Digest, Digest)>,
    calls: Vec<PluginCall>,
    settings: Vec<Arc<[Setting]>>,
    conditions: Vec<Conditions>,
    warnings: Vec<String>,
}

impl<'a> Asking<'a> {
    /// The plugin of this name that may be asked now: it, or the version before while it is put aside. Who is passed
    /// over is noted.
    fn able(&mut self, name: &Arc<str>, kind: Kind, role: Role) -> Option<&'a Arc<Plugin>> {
        let Some(plugin) = self.roster.get(name, kind) else {
            if let Some(digest) = self.roster.disabled.get(name) {
                let call = skipped(Arc::clone(name), *digest, role, "disabled");
                self.note(call, Arc::default(), Conditions::default());
            }
            return None;
        };
        match may_ask(plugin, role, &self.subject, self.slow) {
            Ok(plugin) => Some(plugin),
            Err(reason) => {
                let call = skipped(Arc::clone(name), plugin.digest(), role, reason);
                self.note(call, plugin.settings(), plugin.conditions());
                None
            }
        }
    }

    fn note(&mut self, call: PluginCall, settings: Arc<[Setting]>, conditions: Conditions) {
        self.calls.push(call);
        self.settings.push(settings);
        self.conditions.push(conditions);
    }

    fn classify(&mut self) -> Classification {
        let answer = self.able(&self.panel.classifier, Kind::Classifier, Role::Classifier).and_then(|plugin| {
            let called = plugin.classify(self.subject)?;
            self.note(called.call, plugin.settings(), plugin.conditions());
            called.answer
        });
        answer.unwrap_or_default()
    }

    /// Fills in the price of every candidate that is still in. What is open because a model failed or had no opinion gets
    /// the list price; a price that a model says is unknown stays unknown. Says whose price each has.
    fn price(&mut self, candidates: &[Arc<Candidate>], considered: &mut [Considered]) -> Vec<Option<Arc<str>>> {
        let mut priced_by = vec![None; considered.len()];
        let priced = indices(considered, |candidate| candidate.veto.is_none());
        let offer = |index: &u32| {
            let candidate = &considered[*index as usize];
            let model = candidates[candidate.candidate as usize].id.clone();
            Offer { model, tariff: candidate.tariff.unwrap_or_default() }
        };
        let offers: Vec<Offer> = priced.iter().map(offer).collect();
        if offers.is_empty() {
            return priced_by;
        }
        let mut open = true;
        let mut unanswered = self.panel.cost_models.is_empty();
        for name in &self.panel.cost_models {
            if !open {
                break;
            }
            let Some(plugin) = self.able(name, Kind::CostModel, Role::CostModel) else {
                unanswered = true;
                continue;
            };
            let Some(called) = plugin.price(self.subject, &offers) else { continue };
            unanswered |= called.call.ended != CallEnd::Answered;
            self.note(called.call, plugin.settings(), plugin.conditions());
            for (index, estimate) in priced.iter().zip(called.answer.into_iter().flatten()) {
                let row = &mut considered[*index as usize];
                if row.cost.is_none() && estimate.is_some() {
                    row.cost = estimate;
                    priced_by[*index as usize] = Some(Arc::clone(name));
                }
            }
            open = priced.iter().any(|index| considered[*index as usize].cost.is_none());
        }
        if open && unanswered {
            for (index, offer) in priced.iter().zip(&offers) {
                let row = &mut considered[*index as usize];
                if row.cost.is_none() {
                    row.cost = list_price(&offer.tariff, self.subject.request);
                    priced_by[*index as usize] = row.cost.map(|_| HOST_PRICE.into());
                }
            }
        }
        priced_by
    }

    fn rank(
        &mut self,
        classification: &Classification,
        contenders: &[Contender],
        candidates: &[Arc<Candidate>],
        offered: &[u32],
        considered: &[Considered],
    ) -> (Option<Ranking>, Arc<str>, Verdict) {
        let tags = tags(candidates, offered, considered);
        let request = self.subject.request;
        let scope = self.panel.learn_per.scope(&self.panel.route, request.tenant.as_ref());
        for name in &self.panel.strategies {
            let Some(plugin) = self.able(name, Kind::Strategy, Role::Strategy) else { continue };
            let (settings, unheeded) = plugin.weighed(&self.panel.weights);
            let memory = self.learned.memory(plugin, &scope);
            self.memories.extend(memory.map(|memory| (plugin.digest(), memory.digest)));
            let memory = memory.map_or(&[][..], |memory| &memory.bytes);
            let called = plugin.rank(self.subject, &settings, memory, classification, contenders, &tags);
            let Some(called) = called else { continue };
            let denied = match &called.call.ended {
                CallEnd::Denied { reason } => Some(reason.clone()),
                _ => None,
            };
            self.note(called.call, settings, plugin.conditions());
            if let Some(reason) = denied {
                return (None, Arc::clone(name), Verdict::Denied { reason });
            }
            if let Some(ranking) = called.answer {
                self.warnings.extend(unheeded.iter().map(|unheeded| unheeded.by(name)));
                return (Some(ranking), Arc::clone(name), Verdict::Go);
            }
        }
        if !self.panel.weights.is_empty() {
            self.warnings.push("no strategy answered, so the weights count for nothing".to_owned());
        }
        (Some(policy::native_order(contenders)), Arc::from(NATIVE), Verdict::Go)
    }

    /// The first plugin that failed, or that the route names and nobody has.
    fn failed(&self) -> Option<Arc<str>> {
        let call =
            self.calls.iter().find(|call| matches!(call.ended, CallEnd::Faulted { .. } | CallEnd::Skipped { .. }));
        let missing = || {
            let classifier = std::iter::once((&self.panel.classifier, Kind::Classifier));
            let models = self.panel.cost_models.iter().map(|name| (name, Kind::CostModel));
            let strategies = self.panel.strategies.iter().map(|name| (name, Kind::Strategy));
            classifier.chain(models).chain(strategies).find(|(name, kind)| self.roster.get(name, *kind).is_none())
        };
        call.map(|call| Arc::clone(&call.plugin)).or_else(|| missing().map(|(name, _)| Arc::clone(name)))
    }
}

/// `plugin`, or the version before it while it is put aside; else the word for why not.
pub(crate) fn may_ask<'p>(
    plugin: &'p Arc<Plugin>,
    role: Role,
    subject: &Subject<'_>,
    slow: bool,
) -> Result<&'p Arc<Plugin>, &'static str> {
    let reason = match plugin.admission(role, subject) {
        Admission::Ask if slow || plugin.tier() == Tier::Fast => return Ok(plugin),
        Admission::Ask => return Err("busy"),
        Admission::Quarantined { .. } => "quarantined",
        Admission::InputBlocked { .. } => "input-blocked",
    };
    let before = plugin.standby().filter(|before| before.kinds().iter().any(|kind| kind.answers(role)));
    match before {
        Some(before) if before.admission(role, subject) == Admission::Ask && (slow || before.tier() == Tier::Fast) => {
            Ok(before)
        }
        _ => Err(reason),
    }
}

pub(crate) fn skipped(plugin: Arc<str>, digest: Digest, role: Role, reason: &'static str) -> PluginCall {
    let ended = CallEnd::Skipped { reason: reason.into() };
    PluginCall { role, plugin, digest, fuel: 0, memory: 0, micros: 0, ended }
}

fn veto_by_caps(considered: &mut [Considered], request: &Request) {
    for candidate in considered.iter_mut().filter(|candidate| candidate.veto.is_none()) {
        candidate.veto = policy::veto(candidate.cost, candidate.latency, candidate.quality, &request.caps);
    }
}

pub(crate) fn indices(considered: &[Considered], of: impl Fn(&Considered) -> bool) -> Vec<u32> {
    considered.iter().enumerate().filter(|(_, candidate)| of(candidate)).map(|(index, _)| index as u32).collect()
}

pub(crate) fn contenders(offered: &[u32], considered: &[Considered], candidates: &[Arc<Candidate>]) -> Vec<Contender> {
    let contender = |index: &u32| {
        let considered = &considered[*index as usize];
        let candidate = &candidates[considered.candidate as usize];
        Contender {
            model: candidate.id.clone(),
            cost: considered.cost,
            quality: considered.quality,
            latency: considered.latency,
            live: considered.live,
            max_in_flight: candidate.provider.max_in_flight,
            weight: candidate.provider.weight,
        }
    };
    offered.iter().map(contender).collect()
}

/// The columns strategies get: one for each tag that a provider of an offered candidate carries.
pub(crate) fn tags(
    candidates: &[Arc<Candidate>],
    offered: &[u32],
    considered: &[Considered],
) -> Vec<(String, Vec<bool>)> {
    let of = |index: &u32| &candidates[considered[*index as usize].candidate as usize].provider.tags[..];
    tag_columns(&offered.iter().map(of).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
