//! A classifier that is asked: one in service, or a component from a file.

use std::sync::Arc;

use domain::{
    plugin::Classification,
    request::{Moment, Request},
};
use sandbox::{Kind, Plugin, Roster};

use super::{disturbed, read::Row};
use crate::{ratings::subject, simulate::NoContestant};

/// One of those that are scored.
pub struct Classifier {
    /// As asked for.
    pub name: String,
    plugin: Arc<Plugin>,
}

/// What a classifier answered.
pub(super) struct Asked {
    pub(super) plain: Answer,
    /// The label of each of [`disturbed::WAYS`].
    pub(super) disturbed: [String; disturbed::WAYS.len()],
    /// How long a call takes that has one letter to read, in microseconds.
    pub(super) empty_us: u32,
}

/// One answer, and what it took.
pub(super) struct Answer {
    pub(super) said: Classification,
    pub(super) is_answered: bool,
    pub(super) fuel: u64,
    pub(super) us: u32,
}

impl Classifier {
    /// A classifier in service.
    ///
    /// # Errors
    ///
    /// When there is none of that name, with those that there are.
    pub fn named(name: &str, roster: &Roster) -> Result<Self, NoContestant> {
        match roster.unhurried().get(name, Kind::Classifier) {
            Some(plugin) => Ok(Self { name: name.to_owned(), plugin: Arc::clone(plugin) }),
            None => {
                let classifiers = roster.plugins().filter(|plugin| plugin.is(Kind::Classifier));
                let near = classifiers.map(|plugin| plugin.name().to_string()).collect();
                Err(NoContestant::Classifier { name: name.to_owned(), near })
            }
        }
    }

    /// A component that was admitted from a file. `shown` is what it is called in the results.
    ///
    /// # Errors
    ///
    /// When it is no classifier.
    pub fn of_plugin(shown: &str, plugin: Plugin, roster: &Roster) -> Result<Self, NoContestant> {
        if !plugin.is(Kind::Classifier) {
            let kinds: Vec<&str> = plugin.kinds().into_iter().map(Kind::word).collect();
            return Err(NoContestant::NoClassifier { name: shown.to_owned(), is: kinds.join(" and ") });
        }
        let name = plugin.name();
        Self::named(&name, &roster.with(Arc::new(plugin))).map(|found| Self { name: shown.to_owned(), ..found })
    }

    /// Fuel that one call may take.
    pub(super) fn fuel_limit(&self) -> u64 {
        self.plugin.limits().fuel
    }

    pub(super) fn ask(&self, row: &Row) -> Asked {
        let plain = self.answer(Arc::clone(&row.prompt));
        let disturbed = disturbed::all(&row.prompt).map(|prompt| self.answer(prompt.into()).said.label);
        Asked { plain, disturbed, empty_us: self.answer("a".into()).us }
    }

    fn answer(&self, prompt: Arc<str>) -> Answer {
        let request = Request { prompt, ..Request::for_prompt("") };
        let called = self.plugin.classify(subject(&request, &Moment::default()));
        let (fuel, us) = called.as_ref().map_or((0, 0), |called| (called.call.fuel, called.call.micros));
        let answer = called.and_then(|called| called.answer);
        Answer { is_answered: answer.is_some(), said: answer.unwrap_or_default(), fuel, us }
    }
}
