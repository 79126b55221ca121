-- Version 2: the journal of the doors also tells when the interlock released them ('released'), and is read by door.
-- SQLite cannot change a CHECK: the table is made anew. Its rows keep their values and go without the checksum that a
-- table has a column for only after the first start (decision 0008), as rows of before that decision do.

CREATE TABLE access_event_v2 (
    seq INTEGER NOT NULL,
    door TEXT NOT NULL CHECK (door <> ''),
    what TEXT NOT NULL CHECK (what IN ('granted', 'denied', 'forced', 'held', 'closed', 'relocked', 'released')),
    why TEXT NOT NULL,
    holder TEXT NOT NULL,
    card_end TEXT NOT NULL CHECK (length(card_end) <= 4),
    at_ns INTEGER NOT NULL,
    at_trusted INTEGER NOT NULL CHECK (at_trusted IN (0, 1)),
    PRIMARY KEY (seq, door, what)
) STRICT, WITHOUT ROWID;

INSERT INTO access_event_v2 (seq, door, what, why, holder, card_end, at_ns, at_trusted)
SELECT seq, door, what, why, holder, card_end, at_ns, at_trusted FROM access_event;

DROP TABLE access_event;
ALTER TABLE access_event_v2 RENAME TO access_event;
CREATE INDEX access_event_by_door ON access_event (door, seq);
