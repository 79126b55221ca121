-- Version 1 of samples.db: column chunks, roll-ups, and what sinks remember (edge/storage/sample_db.py). Written by the
-- history process alone. Times are UTC ns; every blob has a CRC-32 over itself and the key that it stands under.

CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- last_*: the newest sealed sample, so that a start need not look for it.
CREATE TABLE series (
    id INTEGER NOT NULL PRIMARY KEY,
    device TEXT NOT NULL,
    point TEXT NOT NULL,
    quantity TEXT NOT NULL,
    unit TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('number', 'state')),
    resolution_ns INTEGER NOT NULL CHECK (resolution_ns >= 1),
    last_ns INTEGER,
    last_value REAL,
    last_flags INTEGER,
    UNIQUE (device, point, quantity)
) STRICT;

-- The words of a state series; a sample holds the code.
CREATE TABLE word (
    series INTEGER NOT NULL,
    code INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (series, code)
) STRICT, WITHOUT ROWID;

-- One stretch of the log, sealed in one transaction. late = 1: only samples far behind the rest of their stretch, kept
-- apart so that the time span of the others stays short.
CREATE TABLE slab (
    id INTEGER NOT NULL PRIMARY KEY,
    seq_first INTEGER NOT NULL,
    seq_last INTEGER NOT NULL,
    t_first INTEGER NOT NULL,
    t_last INTEGER NOT NULL,
    n INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    late INTEGER NOT NULL CHECK (late IN (0, 1))
) STRICT;
CREATE INDEX slab_by_time ON slab (t_last);
CREATE INDEX slab_by_seq ON slab (seq_last);

-- Times, flags and seqs; series that were read together share one.
CREATE TABLE time_column (
    slab INTEGER NOT NULL,
    id INTEGER NOT NULL,
    crc32 INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (slab, id)
) STRICT, WITHOUT ROWID;

-- Keyed by slab first: a seal appends, instead of touching a page of every series.
CREATE TABLE chunk (
    slab INTEGER NOT NULL,
    series INTEGER NOT NULL,
    part INTEGER NOT NULL,
    seq_first INTEGER NOT NULL,
    seq_last INTEGER NOT NULL,
    t_first INTEGER NOT NULL,
    t_last INTEGER NOT NULL,
    n INTEGER NOT NULL,
    n_nan INTEGER NOT NULL,
    min REAL,
    max REAL,
    first REAL,
    last REAL,
    sum REAL,
    time_column INTEGER NOT NULL,
    crc32 INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (slab, series, part)
) STRICT, WITHOUT ROWID;

-- level: width of a bin in seconds (60, 3600); block: number of the stretch of bins since 1970.
CREATE TABLE rollup (
    level INTEGER NOT NULL,
    block INTEGER NOT NULL,
    series INTEGER NOT NULL,
    crc32 INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (level, block, series)
) STRICT, WITHOUT ROWID;

-- Hours (since 1970) whose roll-ups are to be computed (again); series 0: all.
CREATE TABLE due (
    hour INTEGER NOT NULL,
    series INTEGER NOT NULL,
    PRIMARY KEY (hour, series)
) STRICT, WITHOUT ROWID;

-- Spans of seq whose samples are lost for good, and why.
CREATE TABLE gap (
    seq_first INTEGER NOT NULL PRIMARY KEY,
    seq_last INTEGER NOT NULL,
    t_first INTEGER NOT NULL,
    t_last INTEGER NOT NULL,
    reason TEXT NOT NULL,
    wall_ns INTEGER NOT NULL
) STRICT;

-- How far each sink has come, and the lines that a sink refused for good (edge/storage/sinks).
CREATE TABLE cursor (
    sink TEXT NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    id INTEGER NOT NULL PRIMARY KEY,
    sink TEXT NOT NULL,
    seq INTEGER NOT NULL,
    line TEXT NOT NULL,
    reason TEXT NOT NULL,
    wall_ns INTEGER NOT NULL
) STRICT;
