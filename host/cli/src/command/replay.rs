//! `muxel replay`: recorded decisions made again, and whether they come to the same. Works while a server runs.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use domain::{attempt::DecisionId, digest::Digest};
use eval::{Comparison, Finding, Replayed, Replayer};
use ledger::{ComponentError, Filter, Ledger, Reader};
use serde::Serialize;

use crate::{exit::ExitStatus, printer::Printer};

/// Most records that the ledger lists at once.
const PAGE: u32 = 1000;

/// Make recorded decisions again, in fresh sandboxes, and compare
///
/// Every plugin call is made with the component, the inputs and the limits of its record, and must come to the same
/// answer with the same fuel. Nobody is called and nothing is written.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// A decision's id, from the header `x-muxel-decision`; without one, the newest decisions
    #[arg(value_name = "DECISION")]
    decision: Option<DecisionId>,

    /// Data folder
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,

    /// How many of the newest decisions
    #[arg(long, value_name = "COUNT", default_value_t = 20, conflicts_with = "decision", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    last: u32,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How many decisions came to what.
#[derive(Debug, Default, Serialize)]
struct Summary {
    decisions: u32,
    same: u32,
    different: u32,
    not_replayable: u32,
}

#[derive(Serialize)]
struct Report {
    summary: Summary,
    decisions: Vec<Replayed>,
}

impl Replay {
    /// Exits with 1 when a decision differs, or when the one that was asked for is not there.
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let reader = match Ledger::open_read_only(&self.data).await {
                Ok(reader) => reader,
                Err(error) => {
                    printer.failure(&error, error.hint());
                    return Ok(ExitStatus::Failure);
                }
            };
            let mut replayer = Replayer::new()?;
            let mut summary = Summary::default();
            let mut decisions = Vec::new();
            for id in self.ids(&reader).await? {
                let Some(replayed) = replay(&reader, &mut replayer, id, printer).await? else {
                    // One of a list may have been deleted meanwhile.
                    if self.decision.is_some() {
                        let hint = "list them with `muxel audit list`; old records are deleted";
                        printer.failure(format_args!("there is no record of {id}"), Some(hint));
                        return Ok(ExitStatus::Failure);
                    }
                    continue;
                };
                summary.add(replayed.finding);
                if self.json {
                    decisions.push(replayed);
                } else {
                    printer.data(shown(&replayed))?;
                }
            }
            let different = summary.different > 0;
            if self.json {
                printer.json(&Report { summary, decisions })?;
            } else {
                let Summary { decisions, same, different, not_replayable } = summary;
                printer.data(format_args!(
                    "\n{decisions} decisions: {same} same, {different} different, {not_replayable} not replayable"
                ))?;
            }
            Ok(if different { ExitStatus::Failure } else { ExitStatus::Success })
        })
    }

    /// Newest first.
    async fn ids(&self, reader: &Reader) -> anyhow::Result<Vec<DecisionId>> {
        if let Some(id) = self.decision {
            return Ok(vec![id]);
        }
        let mut ids: Vec<DecisionId> = Vec::new();
        loop {
            let limit = (self.last - ids.len() as u32).min(PAGE);
            let filter = Filter { limit, before: ids.last().copied(), ..Filter::default() };
            let page = reader.list(&filter).await?;
            ids.extend(page.iter().map(|row| row.id));
            if page.len() < limit as usize || ids.len() >= self.last as usize {
                return Ok(ids);
            }
        }
    }
}

impl Summary {
    fn add(&mut self, finding: Finding) {
        self.decisions += 1;
        match finding {
            Finding::Same => self.same += 1,
            Finding::Different => self.different += 1,
            Finding::NotReplayable => self.not_replayable += 1,
        }
    }
}

/// One decision, if there is a record of it.
async fn replay(
    reader: &Reader,
    replayer: &mut Replayer,
    id: DecisionId,
    printer: &Printer,
) -> anyhow::Result<Option<Replayed>> {
    let Some(stored) = reader.find(id).await? else { return Ok(None) };
    for digest in replayer.wants(&stored) {
        let component = component(reader, digest, printer).await?;
        replayer.offer(digest, component);
    }
    for digest in replayer.wants_memories(&stored) {
        replayer.offer_memory(digest, reader.memory(digest).await?);
    }
    Ok(Some(replayer.replay(&stored)))
}

/// A component as the ledger keeps it, or one that comes with this program.
async fn component(reader: &Reader, digest: Digest, printer: &Printer) -> anyhow::Result<Option<Vec<u8>>> {
    let kept = match reader.component(digest).await {
        Err(error @ ComponentError::Damaged { .. }) => {
            printer.say(format_args!("warning: {error}"));
            None
        }
        kept => kept?,
    };
    Ok(kept.or_else(|| sandbox::bundled_component(digest).map(<[u8]>::to_vec)))
}

/// A line for the decision, and one for each call that has something to be said about it.
fn shown(replayed: &Replayed) -> String {
    let word = match replayed.finding {
        Finding::Same => "same",
        Finding::Different => "DIFFERENT",
        Finding::NotReplayable => "not replayable",
    };
    let mut text = format!("{}  {word}", replayed.decision);
    if replayed.calls.is_empty() {
        text.push_str(": no plugin was called");
    }
    for call in &replayed.calls {
        let said = match &call.comparison {
            Comparison::Same => continue,
            Comparison::Different { differences } => differences.join("\n      "),
            Comparison::NotReplayable { reason } => format!("not replayable: {reason}"),
            Comparison::NotCalled { reason } => format!("was not called: {reason}"),
        };
        let shadow = if call.shadow { ", watched" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {}{shadow} ({}): {said}", call.plugin, &call.digest[..12]);
    }
    text
}
