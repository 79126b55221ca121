-- Version 3: the hours of an outdoor point's day, and the mean current of a machine's. SQLite cannot add a column behind
-- the checksum: both tables are made anew. Rows keep their values and go without the checksum that a table has a column
-- for only after the first start (decision 0008). What was not kept then is empty: no hours, no mean.

CREATE TABLE count_day_v3 (
    asset TEXT NOT NULL,
    day TEXT NOT NULL,
    uses INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    hours BLOB NOT NULL,
    PRIMARY KEY (asset, day)
) STRICT, WITHOUT ROWID;

INSERT INTO count_day_v3 (asset, day, uses, counter, at_ns, hours)
SELECT asset, day, uses, counter, at_ns, X'' FROM count_day;

DROP TABLE count_day;
ALTER TABLE count_day_v3 RENAME TO count_day;
CREATE INDEX count_by_day ON count_day (day);

CREATE TABLE wear_day_v3 (
    asset TEXT NOT NULL,
    day TEXT NOT NULL,
    busy_ms INTEGER NOT NULL,
    distance_m REAL NOT NULL,
    starts INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    current_index REAL,
    peak_current_ma INTEGER,
    peak_temperature_c REAL,
    n INTEGER NOT NULL,
    mean_current_ma INTEGER,
    PRIMARY KEY (asset, day)
) STRICT, WITHOUT ROWID;

INSERT INTO wear_day_v3 (
    asset, day, busy_ms, distance_m, starts, uses, current_index, peak_current_ma, peak_temperature_c, n,
    mean_current_ma
)
SELECT asset, day, busy_ms, distance_m, starts, uses, current_index, peak_current_ma, peak_temperature_c, n, NULL
FROM wear_day;

DROP TABLE wear_day;
ALTER TABLE wear_day_v3 RENAME TO wear_day;
