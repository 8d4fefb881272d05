-- How candidates were doing when this was written: one line, which a later run begins with. The text is dispatch's own.
CREATE TABLE health (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    saved BLOB    NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
