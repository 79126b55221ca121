-- Version 2 of what the gym keeps: photos of faults and inspections.
--
-- The picture stands apart from its facts, so that a start reads none. Its table has row ids: rows of 96 kB do not
-- belong into the tree of a key. The largest picture is edge/domain/gym/jpeg.py MAX_BYTES.

CREATE TABLE photo (
    kind TEXT NOT NULL CHECK (kind IN ('order', 'inspection')),
    ref TEXT NOT NULL CHECK (ref <> ''),
    standing INTEGER NOT NULL CHECK (standing IN (0, 1)),
    digest TEXT NOT NULL,
    inspection INTEGER NOT NULL CHECK (inspection >= 0),
    size_bytes INTEGER NOT NULL CHECK (size_bytes BETWEEN 0 AND 98304),
    width_px INTEGER NOT NULL,
    height_px INTEGER NOT NULL,
    by TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (kind, ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX photo_standing ON photo (kind, ref) WHERE standing = 1;

CREATE TABLE photo_data (
    kind TEXT NOT NULL CHECK (kind IN ('order', 'inspection')),
    ref TEXT NOT NULL CHECK (ref <> ''),
    jpeg BLOB NOT NULL CHECK (length(jpeg) <= 98304),
    PRIMARY KEY (kind, ref)
) STRICT;
