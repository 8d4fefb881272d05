//! Shadows: strategies that are asked as well, and whose answers are recorded and never followed.
//!
//! They see what the route's own strategy saw. That is read back from the decision: what was offered is what has no veto,
//! or only the one that the strategy itself gave it.

use std::{sync::Arc, time::Duration};

use domain::{
    candidate::Candidate,
    decision::Decision,
    plugin::{PluginCall, Ranked, Role, Setting, Shadow},
};

use crate::{
    circumstances::Circumstances,
    decide::{self, Panel, contenders, indices, may_ask, tags},
    plugin::{Kind, Plugin, Subject},
    roster::Roster,
};

/// What each of `names` would have done about `decision`, one after another, by the weights of the `panel` it was made with. Those that are not in service say nothing,
/// and neither does anyone when nothing was offered. `candidates` are those of the decision's snapshot.
#[must_use]
pub fn shadow(
    roster: &Roster,
    names: &[Arc<str>],
    panel: &Panel,
    decision: &Decision,
    candidates: &[Arc<Candidate>],
    circumstances: Circumstances<'_>,
) -> Vec<Shadow> {
    let considered = &decision.considered;
    let offered = indices(considered, |row| row.veto.is_none_or(|veto| veto.comes_after_offer()));
    if offered.is_empty() {
        return Vec::new();
    }
    let contenders = contenders(&offered, considered, candidates);
    let tags = tags(candidates, &offered, considered);
    let prompt_chars = decision.request.prompt.chars().count() as u32;
    let subject =
        Subject { request: &decision.request, moment: &decision.moment, prompt_chars, source: circumstances.source };
    let scope = panel.learn_per.scope(&decision.route, decision.request.tenant.as_ref());
    let ask = |plugin: &Arc<Plugin>| {
        let plugin = match may_ask(plugin, Role::Strategy, &subject, circumstances.slow) {
            Ok(plugin) => plugin,
            Err(reason) => return Some(not_asked(plugin, reason)),
        };
        let (settings, _) = plugin.weighed(&panel.weights);
        let memory = circumstances.learned.memory(plugin, &scope).map_or(&[][..], |memory| &memory.bytes);
        let called = plugin.rank(subject, &settings, memory, &decision.classification, &contenders, &tags)?;
        let mut watched = unanswered(plugin, called.call, settings);
        if let Some(ranking) = called.answer {
            let place = |place: Ranked| Ranked { candidate: offered[place.candidate as usize], ..place };
            watched.order = ranking.order.into_iter().map(place).collect();
            watched.reason = ranking.reason;
            watched.propensity = ranking.propensity;
        }
        Some(watched)
    };
    strategies(roster, names).filter_map(ask).collect()
}

/// The record of shadows that were not asked. `reason` is a stable code.
#[must_use]
pub fn skipped(roster: &Roster, names: &[Arc<str>], reason: &'static str) -> Vec<Shadow> {
    strategies(roster, names).map(|plugin| not_asked(plugin, reason)).collect()
}

fn not_asked(plugin: &Plugin, reason: &'static str) -> Shadow {
    let call = decide::skipped(plugin.name(), plugin.digest(), Role::Strategy, reason);
    unanswered(plugin, call, plugin.settings())
}

/// The most that asking all of `names` may take: their deadlines, one after another.
#[must_use]
pub fn shadow_patience(roster: &Roster, names: &[Arc<str>]) -> Duration {
    strategies(roster, names).map(|plugin| Duration::from_millis(plugin.limits().deadline_ms)).sum()
}

fn strategies<'a>(roster: &'a Roster, names: &'a [Arc<str>]) -> impl Iterator<Item = &'a Arc<Plugin>> {
    names.iter().filter_map(|name| roster.get(name, Kind::Strategy))
}

fn unanswered(plugin: &Plugin, call: PluginCall, settings: Arc<[Setting]>) -> Shadow {
    let conditions = plugin.conditions();
    Shadow { call, settings, conditions, order: Vec::new(), reason: String::new(), propensity: 1.0 }
}
