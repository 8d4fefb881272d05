//! Folding outcomes into a learner's memory, batch by batch.
//!
//! A batch that a plugin fails on is halved until it is one outcome; that one is left out: a learner cannot be stopped by
//! what it does not understand.

use domain::{learning::Outcome, plugin::CallEnd};

use crate::plugin::Plugin;

/// Outcomes in one call.
const BATCH: usize = 64;
/// Calls for one batch that this machine, and not the plugin, ended.
const TRIES: usize = 3;

/// What a learner made of outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    pub bytes: Vec<u8>,
    /// Outcomes that are in it now.
    pub folded: u64,
    /// Outcomes that it could not take.
    pub skipped: u64,
}

/// Folds `outcomes`, in order, into the memory `bytes`. `left_out` hears of every outcome that was skipped, and why.
pub fn fold(plugin: &Plugin, bytes: &[u8], outcomes: &[Outcome], left_out: impl Fn(&Outcome, &str)) -> Folded {
    let mut now = Folded { bytes: bytes.to_vec(), folded: 0, skipped: 0 };
    let (mut at, mut size) = (0, BATCH);
    while at < outcomes.len() {
        let batch = &outcomes[at..outcomes.len().min(at + size)];
        match learn(plugin, &now.bytes, batch) {
            Ok(learned) => {
                now.bytes = learned;
                now.folded += batch.len() as u64;
                at += batch.len();
                size = (size * 2).min(BATCH);
            }
            Err(why) if batch.len() == 1 => {
                left_out(&batch[0], &why);
                now.skipped += 1;
                at += 1;
            }
            Err(_) => size = batch.len() / 2,
        }
    }
    now
}

fn learn(plugin: &Plugin, memory: &[u8], batch: &[Outcome]) -> Result<Vec<u8>, String> {
    let mut why = "it is no learner".to_owned();
    for _ in 0..TRIES {
        let Some(called) = plugin.learn(memory, batch) else { break };
        if let Some(learned) = called.answer {
            return Ok(learned);
        }
        let replayable = match called.call.ended {
            CallEnd::Faulted { code, detail, replayable } => {
                why = format!("{code}: it {detail}");
                replayable
            }
            CallEnd::Abstained { reason } | CallEnd::Denied { reason } => {
                why = reason;
                true
            }
            CallEnd::Answered | CallEnd::Skipped { .. } => true,
        };
        if replayable {
            break;
        }
    }
    Err(why)
}
