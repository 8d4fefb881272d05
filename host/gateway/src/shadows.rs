//! Asking shadow strategies while the request goes on.
//!
//! They run on another thread while a provider works, and are waited for before the record is written: for as long as
//! their own deadlines say, and no longer. Only a few requests at a time have theirs asked; the others record that nobody
//! had the time.

use std::sync::Arc;

use domain::{decision::Decision, plugin::Shadow};
use sandbox::{Circumstances, Panel, Source, shadow, shadow_patience, skipped};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::snapshot::{Route, Snapshot};

/// Requests whose shadows are asked at once: each holds a sandbox and a core.
pub(crate) const AT_ONCE: usize = 4;

/// What the shadows would have done, if there are some.
pub(crate) async fn answers(shadows: Option<Shadows>) -> Vec<Shadow> {
    match shadows {
        Some(shadows) => shadows.answers().await,
        None => Vec::new(),
    }
}

/// The shadows of one request.
pub(crate) struct Shadows {
    snapshot: Arc<Snapshot>,
    route: Arc<Route>,
    /// `None` when nobody had the time.
    asked: Option<JoinHandle<Vec<Shadow>>>,
}

impl Shadows {
    /// Begins to ask the route's shadows about `decision`, if it has some and one of the `places` is free.
    pub(crate) fn ask(
        places: &Arc<Semaphore>,
        snapshot: &Arc<Snapshot>,
        route: &Arc<Route>,
        panel: &Panel,
        decision: &Decision,
        source: Source,
    ) -> Option<Self> {
        if route.shadows.is_empty() {
            return None;
        }
        let place = Arc::clone(places).try_acquire_owned().ok();
        let asked = place.map(|place| {
            let (snapshot, route) = (Arc::clone(snapshot), Arc::clone(route));
            let (panel, decision) = (panel.clone(), decision.clone());
            tokio::task::spawn_blocking(move || {
                // On a thread that serves nobody: slow plugins may take their time.
                let circumstances = Circumstances { source, slow: true, learned: &snapshot.learned };
                let candidates = &snapshot.offering.candidates;
                let watched = shadow(&snapshot.roster, &route.shadows, &panel, &decision, candidates, circumstances);
                drop(place);
                watched
            })
        });
        Some(Self { snapshot: Arc::clone(snapshot), route: Arc::clone(route), asked })
    }

    async fn answers(self) -> Vec<Shadow> {
        let (roster, names) = (&self.snapshot.roster, &self.route.shadows);
        let answered = match self.asked {
            Some(asked) => tokio::time::timeout(shadow_patience(roster, names), asked).await.ok(),
            None => None,
        };
        // A panic of the task is a defect of ours, and as good as no answer.
        answered.and_then(Result::ok).unwrap_or_else(|| skipped(roster, names, "busy"))
    }
}
