//! What goes into one transaction: events, brought down to the rows that are left of them.
//!
//! A request that starts, ends and is recorded within one batch leaves its record and its finished attempts: the
//! attempt that was out is never written.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use domain::{
    attempt::{Attempt, AttemptEnd, AttemptStarted, Charge, DecisionId},
    digest::Digest,
    learning::Observed,
    record::Record,
};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{Event, known::Known};
use crate::{judgement, outcomes::OutcomeRow, row::Row, settings::PromptPolicy, trace};

/// What a blob holds; a part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BlobKind {
    /// Text.
    Prompt,
    /// The names and terms of a catalogue's candidates, under the catalogue's digest.
    Candidates,
    /// See [`crate::trace`].
    Inputs,
    /// See [`crate::components`].
    Component,
    /// See [`crate::memories`].
    Memory,
}

impl BlobKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Candidates => "candidates",
            Self::Inputs => "inputs",
            Self::Component => "component",
            Self::Memory => "memory",
        }
    }
}

/// A row of `records`.
pub(super) struct RecordRow {
    pub(super) row: Row,
    pub(super) trace: Option<Vec<u8>>,
    pub(super) judgement: Option<Vec<u8>>,
    pub(super) observed: Option<Observed>,
    pub(super) attempts: Vec<AttemptRow>,
    pub(super) outcomes: Vec<OutcomeRow>,
}

/// A row of `attempts`.
pub(super) struct AttemptRow {
    pub(super) record: DecisionId,
    pub(super) number: u32,
    pub(super) candidate: Arc<str>,
    pub(super) at_ms: u64,
    pub(super) latency_ms: Option<u32>,
    pub(super) ended: Option<&'static str>,
    pub(super) charge: Charge,
    pub(super) recorded: bool,
}

/// A row of `blobs`.
pub(super) struct BlobRow {
    pub(super) bytes: Vec<u8>,
    pub(super) used_ms: u64,
}

/// One transaction in the making.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) records: Vec<RecordRow>,
    /// Attempts of requests that are not recorded yet.
    pub(super) open: HashMap<DecisionId, Vec<AttemptRow>>,
    pub(super) blobs: HashMap<(BlobKind, Digest), BlobRow>,
    /// Components and memories that records name, each with when it was used. They are kept already.
    pub(super) renewed: HashMap<(BlobKind, Digest), u64>,
    pub(super) duplicates: u64,
    pub(super) barriers: Vec<oneshot::Sender<()>>,
    /// Whether the ledger is to close after this batch.
    pub(super) last: bool,
    ids: HashSet<DecisionId>,
    /// Given back when the batch is written.
    places: Vec<OwnedSemaphorePermit>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.open.is_empty()
    }

    pub(super) fn add(&mut self, event: Event, prompts: PromptPolicy, known: &Known) {
        match event {
            Event::Started(attempt, place) => {
                self.places.push(place);
                self.note_attempt(AttemptRow::out(attempt));
            }
            Event::Ended(decision, attempt, place) => {
                self.places.push(place);
                self.note_attempt(AttemptRow::ended(decision, &attempt, false));
            }
            Event::Record(record, place) => {
                self.places.push(place);
                self.add_record(*record, prompts, known);
            }
            Event::Barrier(written) => self.barriers.push(written),
            Event::Close => self.last = true,
        }
    }

    fn note_attempt(&mut self, row: AttemptRow) {
        // An event that comes after the record says nothing new.
        if self.ids.contains(&row.record) {
            return;
        }
        let rows = self.open.entry(row.record).or_default();
        match rows.iter_mut().find(|known| known.number == row.number) {
            Some(known) => *known = row,
            None => rows.push(row),
        }
    }

    fn add_record(&mut self, mut record: Record, prompts: PromptPolicy, known: &Known) {
        if !self.ids.insert(record.id) {
            self.refuse(record.id);
            return;
        }
        self.open.remove(&record.id);
        let at_ms = record.at_ms;
        let text = &record.trace.decision.request.prompt;
        let prompt = (prompts != PromptPolicy::Drop).then(|| Digest::of(text.as_bytes()));
        if let (PromptPolicy::Store, Some(digest)) = (prompts, prompt) {
            self.keep(known, BlobKind::Prompt, digest, at_ms, || Some(text.as_bytes().to_vec()));
        }
        let context = &record.context;
        self.keep(known, BlobKind::Candidates, context.catalogue, at_ms, || trace::pack_context(context).ok());
        let shadows = record.trace.shadows.iter().map(|shadow| &shadow.call);
        let calls = record.trace.decision.calls.iter().chain(shadows);
        let components = calls.map(|call| (BlobKind::Component, call.digest));
        let memories = record.judgement.memories.iter().map(|(_, memory)| (BlobKind::Memory, *memory));
        for (kind, digest) in components.chain(memories) {
            if !known.holds(kind, digest, at_ms) {
                let used_ms = self.renewed.entry((kind, digest)).or_default();
                *used_ms = at_ms.max(*used_ms);
            }
        }
        let row = Row::of(&record, prompt);
        let attempts =
            record.trace.attempts.iter().map(|attempt| AttemptRow::ended(record.id, attempt, true)).collect();
        let outcomes = OutcomeRow::of(&record);
        let judgement = judgement::pack(&record.judgement);
        let learned = !record.judgement.expected.is_empty();
        let observed = record.judgement.observed.take();
        let trace = match trace::pack(record.trace, learned) {
            Ok(packed) => {
                self.keep(known, BlobKind::Inputs, packed.inputs, at_ms, || Some(packed.inputs_bytes));
                Some(packed.trace)
            }
            Err(error) => {
                tracing::error!(decision = %record.id, %error, "a trace could not be packed: its record has none");
                None
            }
        };
        self.records.push(RecordRow { row, trace, judgement, observed, attempts, outcomes });
    }

    fn keep(
        &mut self,
        known: &Known,
        kind: BlobKind,
        digest: Digest,
        used_ms: u64,
        bytes: impl FnOnce() -> Option<Vec<u8>>,
    ) {
        if !known.holds(kind, digest, used_ms)
            && !self.blobs.contains_key(&(kind, digest))
            && let Some(bytes) = bytes()
        {
            self.blobs.insert((kind, digest), BlobRow { bytes, used_ms });
        }
    }

    /// Drops the records that are already written: there is exactly one for each id, and the first one stays.
    pub(super) fn refuse_written(&mut self, written: &[DecisionId]) {
        self.records.retain(|record| !written.contains(&record.row.id));
        for id in written {
            self.refuse(*id);
        }
    }

    fn refuse(&mut self, id: DecisionId) {
        self.duplicates += 1;
        tracing::error!(decision = %id, "a second record for one request was refused");
    }
}

impl AttemptRow {
    fn out(attempt: AttemptStarted) -> Self {
        Self {
            record: attempt.decision,
            number: attempt.number,
            candidate: attempt.candidate.as_str().into(),
            at_ms: attempt.at_ms,
            latency_ms: None,
            ended: None,
            charge: attempt.upper.map_or(Charge::Unknown(domain::money::MicroUsd::ZERO), Charge::Possible),
            recorded: false,
        }
    }

    fn ended(record: DecisionId, attempt: &Attempt, recorded: bool) -> Self {
        Self {
            record,
            number: attempt.number,
            candidate: attempt.candidate.as_str().into(),
            at_ms: attempt.at_ms,
            latency_ms: Some(attempt.latency_ms),
            ended: Some(match &attempt.end {
                AttemptEnd::Delivered { .. } => "delivered",
                AttemptEnd::Failed { kind, .. } => kind.code(),
            }),
            charge: attempt.charge,
            recorded,
        }
    }
}
