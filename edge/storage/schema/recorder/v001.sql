-- Version 1 of the flight recorder and its neighbours, the same in every vertical's store (edge/storage/log.py,
-- snapshots.py). It is applied together with the vertical's file of the same number.

CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- bytes_total: compressed bytes of this row and all before it, so that retention by size needs no scan.
CREATE TABLE log (
    seq_last INTEGER NOT NULL PRIMARY KEY,
    seq_first INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    wall_ns INTEGER NOT NULL,
    count INTEGER NOT NULL,
    crc32 INTEGER NOT NULL,
    format INTEGER NOT NULL,
    bytes_total INTEGER NOT NULL,
    data BLOB NOT NULL,
    CHECK (seq_first >= 1 AND count = seq_last - seq_first + 1 AND count >= 1)
) STRICT;

CREATE TABLE snapshot (
    seq INTEGER NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL CHECK (reason IN ('start', 'hourly', 'rebuild')),
    build TEXT NOT NULL,
    wall_ns INTEGER NOT NULL,
    crc32 INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE set_aside (
    seq INTEGER NOT NULL PRIMARY KEY,
    boot_id TEXT NOT NULL,
    mono_ns INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    wall_trusted INTEGER NOT NULL CHECK (wall_trusted IN (0, 1)),
    input BLOB NOT NULL,
    error TEXT NOT NULL
) STRICT;
