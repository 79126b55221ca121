-- Version 1 of what the garage keeps.
--
-- Every table of rows mirrors one row struct of edge/domain/garage column by column (a test compares them).
-- All tables are STRICT; tables with a text or compound key are WITHOUT ROWID.

CREATE TABLE config (
    kind TEXT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE business_day (
    day TEXT NOT NULL PRIMARY KEY CHECK (length(day) = 10)
) STRICT, WITHOUT ROWID;

CREATE TABLE command_reply (
    day TEXT NOT NULL,
    command_id TEXT NOT NULL CHECK (command_id <> ''),
    digest BLOB NOT NULL,
    code TEXT NOT NULL CHECK (code <> ''),
    body BLOB NOT NULL,
    PRIMARY KEY (day, command_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seq INTEGER NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    user TEXT NOT NULL,
    action TEXT NOT NULL,
    ref TEXT NOT NULL,
    at_ns INTEGER NOT NULL
) STRICT;
