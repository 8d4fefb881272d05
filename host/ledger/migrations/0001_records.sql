-- One line for every request that got an id. What is null was not known: a line that was recovered after a crash knows
-- little more than what the request may have cost. No column holds a key, a token or anything made from one.
CREATE TABLE records (
    id                 BLOB    NOT NULL PRIMARY KEY,
    at_ms              INTEGER NOT NULL,
    tenant             TEXT,
    key_name           TEXT,
    route              TEXT,
    asked              TEXT,
    label              TEXT,
    strategy           TEXT,
    outcome            TEXT    NOT NULL,
    status             INTEGER,
    error              TEXT,
    served             TEXT,
    provider           TEXT,
    cost_usd_micros    INTEGER NOT NULL,
    cost_is            TEXT    NOT NULL,
    estimate_usd_micros INTEGER,
    attempts           INTEGER NOT NULL,
    latency_ms         INTEGER NOT NULL,
    decide_us          INTEGER,
    revision           INTEGER,
    prompt             BLOB,
    settings           BLOB,
    catalogue          BLOB,
    -- A version byte, then the trace.
    trace              BLOB
) STRICT;

CREATE INDEX records_by_time ON records (at_ms);
CREATE INDEX records_by_tenant ON records (tenant, at_ms);

-- One line for every attempt. It is written when the attempt starts, unless the request is over a moment later.
CREATE TABLE attempts (
    record          BLOB    NOT NULL,
    number          INTEGER NOT NULL,
    candidate       TEXT    NOT NULL,
    at_ms           INTEGER NOT NULL,
    latency_ms      INTEGER,
    -- `delivered` or the kind of failure; null while it is out.
    ended           TEXT,
    cost_usd_micros INTEGER NOT NULL,
    cost_is         TEXT    NOT NULL,
    -- 1 as soon as its request has a record.
    recorded        INTEGER NOT NULL,
    PRIMARY KEY (record, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_without_record ON attempts (record) WHERE recorded = 0;

-- What many records share, once: prompts, the names of candidates, the fixed inputs of decisions.
CREATE TABLE blobs (
    kind    TEXT    NOT NULL,
    digest  BLOB    NOT NULL,
    bytes   BLOB    NOT NULL,
    -- About when a record last referred to it.
    used_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, digest)
) STRICT;

CREATE INDEX blobs_by_use ON blobs (used_ms);
