-- Requests with an idempotency key, for a day. `name` is the SHA-256 of whose key it is and of the key, `asks` that of what
-- was asked. The answer itself is a file, named by the decision.
CREATE TABLE answers (
    name     BLOB    NOT NULL PRIMARY KEY,
    asks     BLOB    NOT NULL,
    decision BLOB    NOT NULL,
    at_ms    INTEGER NOT NULL,
    -- `begun`: somebody may have been asked and nothing is known of the end; `kept`: there is a file; `dropped`: there was
    -- an answer, and no room for it.
    state    TEXT    NOT NULL,
    bytes    INTEGER NOT NULL,
    -- SHA-256 of the file.
    digest   BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_by_time ON answers (at_ms);
CREATE INDEX answers_kept ON answers (at_ms, bytes) WHERE state = 'kept';
CREATE INDEX answers_begun ON answers (decision) WHERE state = 'begun';
