-- What was learned before and went into a record's decision: a version byte, then the rest. Null when nothing was.
ALTER TABLE records ADD COLUMN judgement BLOB;
-- On a route that only observes: whom it would have chosen, and what that was expected to cost. Null where nobody knows.
ALTER TABLE records ADD COLUMN observed TEXT;
ALTER TABLE records ADD COLUMN observed_usd_micros INTEGER;
CREATE INDEX records_observed ON records (at_ms) WHERE observed IS NOT NULL;

-- What learners learn from, in the order in which it was written down: a number is never given twice. One line for every
-- attempt of a recorded request, and one for what its caller said of it.
CREATE TABLE outcomes (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_ms    INTEGER NOT NULL,
    record   BLOB    NOT NULL,
    -- `attempt`, `rated`, `preferred`.
    kind     TEXT    NOT NULL,
    -- Of the attempt.
    number   INTEGER,
    -- Its place in the decision's order.
    place    INTEGER NOT NULL,
    -- Whom feedback is about.
    model    TEXT,
    -- Of `rated`.
    rating   REAL,
    -- Of `preferred`: who did worse.
    other    TEXT
) STRICT;

CREATE INDEX outcomes_by_record ON outcomes (record);
CREATE INDEX outcomes_of_feedback ON outcomes (sequence) WHERE kind <> 'attempt';

-- What callers said, once for each request.
CREATE TABLE feedback (
    record   BLOB    NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What learners made of them. `sequence` is the last outcome that is in it.
CREATE TABLE memories (
    learner   TEXT    NOT NULL,
    scope     TEXT    NOT NULL,
    format    INTEGER NOT NULL,
    sequence  INTEGER NOT NULL,
    bytes     BLOB    NOT NULL,
    -- The component that folded last. Null for the gateway's own learner.
    component BLOB,
    -- Outcomes that are in it, and outcomes that it could not take.
    folded    INTEGER NOT NULL,
    skipped   INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    PRIMARY KEY (learner, scope, format)
) STRICT, WITHOUT ROWID;

-- Who may fold, and until when.
CREATE TABLE leases (
    name     TEXT    NOT NULL PRIMARY KEY,
    holder   TEXT    NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
