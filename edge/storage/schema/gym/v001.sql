-- Version 1 of what the gym keeps.
--
-- Every table of rows mirrors one row struct of edge/domain/gym column by column (a test compares them).
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

CREATE TABLE alarm (
    alarm_id TEXT NOT NULL PRIMARY KEY CHECK (alarm_id <> ''),
    key TEXT NOT NULL CHECK (key <> ''),
    cause TEXT NOT NULL,
    zone TEXT NOT NULL,
    priority TEXT NOT NULL,
    state TEXT NOT NULL,
    standing INTEGER NOT NULL CHECK (standing IN (0, 1)),
    first_at_ns INTEGER NOT NULL,
    last_at_ns INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alarm_standing ON alarm (standing) WHERE standing = 1;

CREATE TABLE alarm_event (
    seq INTEGER NOT NULL,
    n INTEGER NOT NULL,
    alarm_id TEXT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    by TEXT NOT NULL,
    detail TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    at_trusted INTEGER NOT NULL CHECK (at_trusted IN (0, 1)),
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE notification (
    notice_id TEXT NOT NULL PRIMARY KEY CHECK (notice_id <> ''),
    alarm_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    what TEXT NOT NULL,
    state TEXT NOT NULL,
    pending INTEGER NOT NULL CHECK (pending IN (0, 1)),
    tries INTEGER NOT NULL,
    proof TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notification_pending ON notification (pending) WHERE pending = 1;

CREATE TABLE alarm_hour (
    hour INTEGER NOT NULL PRIMARY KEY,
    fire INTEGER NOT NULL,
    high INTEGER NOT NULL,
    medium INTEGER NOT NULL,
    low INTEGER NOT NULL,
    flood_ms INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL,
    ack_wait_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE alarm_clock (
    kind TEXT NOT NULL PRIMARY KEY,
    book_ns INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    mono_ns INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    wall_trusted INTEGER NOT NULL CHECK (wall_trusted IN (0, 1)),
    dropped_notices INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE workout (
    workout_id TEXT NOT NULL PRIMARY KEY CHECK (workout_id <> ''),
    asset TEXT NOT NULL,
    zone TEXT NOT NULL,
    kind TEXT NOT NULL,
    person TEXT NOT NULL,
    identity TEXT NOT NULL,
    day TEXT NOT NULL,
    standing INTEGER NOT NULL CHECK (standing IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('open', 'ended', 'dropped')),
    reason TEXT NOT NULL,
    stop_reason TEXT NOT NULL,
    began_ns INTEGER NOT NULL,
    ended_ns INTEGER NOT NULL,
    clock_trusted INTEGER NOT NULL CHECK (clock_trusted IN (0, 1)),
    active_ms INTEGER NOT NULL CHECK (active_ms >= 0),
    filled_ms INTEGER NOT NULL,
    distance_m REAL NOT NULL,
    strokes REAL NOT NULL,
    energy_kcal REAL NOT NULL,
    climb_m REAL NOT NULL,
    reps INTEGER NOT NULL,
    sets INTEGER NOT NULL,
    work_j REAL NOT NULL,
    peak_torque_nm REAL NOT NULL,
    mean_power_w REAL,
    peak_power_w REAL NOT NULL,
    mean_bpm REAL,
    peak_bpm INTEGER NOT NULL,
    recovery_bpm INTEGER,
    breaks BLOB NOT NULL,
    at_ns INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX workout_by_day ON workout (day, asset);
CREATE INDEX workout_by_person ON workout (person, day) WHERE person <> '';
CREATE INDEX workout_standing ON workout (workout_id) WHERE standing = 1;

CREATE TABLE pulse (
    workout_id TEXT NOT NULL,
    from_s INTEGER NOT NULL,
    bpm BLOB NOT NULL CHECK (length(bpm) BETWEEN 1 AND 300),
    PRIMARY KEY (workout_id, from_s)
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
    person TEXT NOT NULL PRIMARY KEY,
    known INTEGER NOT NULL CHECK (known IN (0, 1)),
    birth_year INTEGER NOT NULL,
    rest_bpm INTEGER NOT NULL,
    ceiling_bpm INTEGER NOT NULL,
    max_bpm INTEGER NOT NULL,
    beta_blocker INTEGER NOT NULL CHECK (beta_blocker IN (0, 1)),
    cards TEXT NOT NULL,
    set_by TEXT NOT NULL,
    day TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE vitals (
    seq INTEGER NOT NULL,
    day TEXT NOT NULL,
    person TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    by TEXT NOT NULL,
    systolic_mmhg INTEGER,
    diastolic_mmhg INTEGER,
    pulse_bpm INTEGER,
    weight_kg REAL,
    irregular INTEGER CHECK (irregular IN (0, 1)),
    decision TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (seq, at_ns)
) STRICT, WITHOUT ROWID;
CREATE INDEX vitals_by_person ON vitals (person, at_ns) WHERE person <> '';
CREATE INDEX vitals_by_day ON vitals (day);

CREATE TABLE heart_alarm (
    seq INTEGER NOT NULL,
    asset TEXT NOT NULL,
    workout_id TEXT NOT NULL,
    person TEXT NOT NULL,
    level TEXT NOT NULL,
    ceiling_bpm INTEGER NOT NULL,
    max_bpm INTEGER NOT NULL,
    source TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    samples BLOB NOT NULL,
    PRIMARY KEY (seq, asset)
) STRICT, WITHOUT ROWID;
CREATE INDEX heart_alarm_by_workout ON heart_alarm (workout_id);

CREATE TABLE use_hour (
    day TEXT NOT NULL,
    hour INTEGER NOT NULL,
    zone TEXT NOT NULL,
    kind TEXT NOT NULL,
    busy_ms INTEGER NOT NULL,
    workouts INTEGER NOT NULL,
    turned_away INTEGER NOT NULL,
    waits INTEGER NOT NULL,
    wait_ms INTEGER NOT NULL,
    longest_wait_ms INTEGER NOT NULL,
    no_shows INTEGER NOT NULL,
    PRIMARY KEY (day, hour, zone, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue_entry (
    entry_id TEXT NOT NULL PRIMARY KEY,
    zone TEXT NOT NULL,
    kind TEXT NOT NULL,
    person TEXT NOT NULL,
    state TEXT NOT NULL,
    waiting INTEGER NOT NULL CHECK (waiting IN (0, 1)),
    asset TEXT NOT NULL,
    joined_ns INTEGER NOT NULL,
    at_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_waiting ON queue_entry (entry_id) WHERE waiting = 1;

CREATE TABLE wear (
    asset TEXT NOT NULL PRIMARY KEY,
    hours_h REAL NOT NULL,
    distance_km REAL NOT NULL,
    starts INTEGER NOT NULL,
    service_day TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE wear_day (
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
    PRIMARY KEY (asset, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE work_order (
    order_id TEXT NOT NULL PRIMARY KEY,
    asset TEXT NOT NULL,
    cause TEXT NOT NULL,
    detail TEXT NOT NULL,
    state TEXT NOT NULL,
    standing INTEGER NOT NULL CHECK (standing IN (0, 1)),
    ticket TEXT NOT NULL,
    opened_by TEXT NOT NULL,
    opened_ns INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    closed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX work_order_standing ON work_order (order_id) WHERE standing = 1;
CREATE INDEX work_order_by_asset ON work_order (asset, opened_ns);

CREATE TABLE work_order_step (
    seq INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    step TEXT NOT NULL,
    by TEXT NOT NULL,
    note TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (seq, order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX work_order_step_by_order ON work_order_step (order_id, seq);

CREATE TABLE inspection (
    seq INTEGER NOT NULL PRIMARY KEY,
    asset TEXT NOT NULL,
    day TEXT NOT NULL,
    by TEXT NOT NULL,
    worst TEXT NOT NULL,
    note TEXT NOT NULL,
    items BLOB NOT NULL,
    at_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX inspection_by_asset ON inspection (asset, day);

CREATE TABLE outing (
    outing_id TEXT NOT NULL PRIMARY KEY,
    trail TEXT NOT NULL,
    tag TEXT NOT NULL,
    person TEXT NOT NULL,
    day TEXT NOT NULL,
    standing INTEGER NOT NULL CHECK (standing IN (0, 1)),
    laps INTEGER NOT NULL,
    distance_m INTEGER NOT NULL,
    began_ns INTEGER NOT NULL,
    ended_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX outing_standing ON outing (outing_id) WHERE standing = 1;
CREATE INDEX outing_by_person ON outing (person, day) WHERE person <> '';

CREATE TABLE lap (
    outing_id TEXT NOT NULL,
    lap INTEGER NOT NULL,
    trail TEXT NOT NULL,
    day TEXT NOT NULL,
    ms INTEGER NOT NULL,
    problem TEXT NOT NULL,
    segments BLOB NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (outing_id, lap)
) STRICT, WITHOUT ROWID;
CREATE INDEX lap_by_day ON lap (day, trail);

CREATE TABLE count_day (
    asset TEXT NOT NULL,
    day TEXT NOT NULL,
    uses INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (asset, day)
) STRICT, WITHOUT ROWID;

