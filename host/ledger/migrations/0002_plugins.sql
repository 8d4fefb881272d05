-- What the sandbox remembers of each plugin over a restart: disabled, held back, known to be good. The text is the
-- sandbox's own.
CREATE TABLE plugins (
    name  TEXT    NOT NULL PRIMARY KEY,
    state TEXT    NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
