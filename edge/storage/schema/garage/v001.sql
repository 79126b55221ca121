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

-- Charging (edge/domain/garage/session_rows.py).

CREATE TABLE charging_session (
    session_id TEXT NOT NULL PRIMARY KEY CHECK (session_id <> ''),
    port TEXT NOT NULL,
    zone TEXT NOT NULL,
    payer TEXT NOT NULL,
    card TEXT NOT NULL,
    day TEXT NOT NULL CHECK (length(day) = 10),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'charging', 'ended')),
    reason TEXT NOT NULL,
    started_ns INTEGER NOT NULL,
    ended_ns INTEGER NOT NULL,
    charging_ms INTEGER NOT NULL CHECK (charging_ms >= 0),
    energy_mwh INTEGER NOT NULL CHECK (energy_mwh >= 0),
    cost_fen INTEGER NOT NULL CHECK (cost_fen >= 0),
    limit_fen INTEGER NOT NULL CHECK (limit_fen >= 0),
    limit_min INTEGER NOT NULL CHECK (limit_min >= 0),
    tariff_version TEXT NOT NULL,
    parts BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX charging_session_by_day ON charging_session (day, port);
CREATE INDEX charging_session_by_start ON charging_session (started_ns, session_id);
CREATE INDEX charging_session_by_payer ON charging_session (payer, day) WHERE payer <> '';

CREATE TABLE port_charging (
    port TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    open INTEGER NOT NULL CHECK (open IN (0, 1)),
    armed INTEGER NOT NULL CHECK (armed IN (0, 1)),
    at_ns INTEGER NOT NULL,
    charging BLOB NOT NULL,
    bill BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cut_record (
    seq INTEGER NOT NULL,
    port TEXT NOT NULL,
    session_id TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason <> ''),
    phase TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    age_ms INTEGER NOT NULL,
    detail TEXT NOT NULL,
    samples BLOB NOT NULL,
    PRIMARY KEY (seq, port)
) STRICT, WITHOUT ROWID;

CREATE TABLE charge_outbox (
    session_id TEXT NOT NULL PRIMARY KEY CHECK (session_id <> ''),
    member TEXT NOT NULL CHECK (member <> ''),
    fen INTEGER NOT NULL CHECK (fen > 0),
    state TEXT NOT NULL CHECK (state IN ('pending', 'paid', 'owed')),
    code TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    answered_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX charge_outbox_open ON charge_outbox (state, at_ns) WHERE state <> 'paid';

CREATE TABLE purse_copy (
    kind TEXT NOT NULL PRIMARY KEY CHECK (kind = 'purses'),
    as_of_ns INTEGER NOT NULL,
    received_ns INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE load_queue (
    zone TEXT NOT NULL PRIMARY KEY,
    at_ns INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Alarms (edge/domain/alarm_rows.py).
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

-- The interlock: zones, why they were latched, and what every switched thing was last told.

CREATE TABLE zone (
    zone TEXT NOT NULL PRIMARY KEY CHECK (zone <> ''),
    mode TEXT NOT NULL CHECK (mode IN (
        'normal', 'watch', 'blind', 'dark', 'pre_alarm', 'fire', 'latched', 'latched_fire', 'resettable',
        'resettable_fire'
    )),
    trips INTEGER NOT NULL CHECK (trips >= 0),
    since_ns INTEGER NOT NULL,
    silenced INTEGER NOT NULL CHECK (silenced IN (0, 1)),
    water_asked INTEGER NOT NULL CHECK (water_asked IN (0, 1)),
    feed_asked INTEGER NOT NULL CHECK (feed_asked IN (0, 1)),
    test_left_min INTEGER NOT NULL CHECK (test_left_min >= 0),
    blind_min INTEGER NOT NULL CHECK (blind_min >= 0),
    noted_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE zone_cause (
    zone TEXT NOT NULL,
    trip INTEGER NOT NULL,
    n INTEGER NOT NULL CHECK (n >= 1),
    what TEXT NOT NULL CHECK (what <> ''),
    ref TEXT NOT NULL,
    weight INTEGER NOT NULL CHECK (weight IN (1, 2)),
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    standing INTEGER NOT NULL CHECK (standing IN (0, 1)),
    seq INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (zone, trip, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX zone_cause_standing ON zone_cause (standing) WHERE standing = 1;

CREATE TABLE switch (
    role TEXT NOT NULL CHECK (role IN ('port', 'contactor', 'feed', 'siren', 'door', 'water')),
    name TEXT NOT NULL CHECK (name <> ''),
    zone TEXT NOT NULL,
    wanted INTEGER NOT NULL CHECK (wanted IN (0, 1)),
    armed INTEGER NOT NULL CHECK (armed IN (0, 1)),
    cut TEXT NOT NULL CHECK (cut IN ('none', 'commanded', 'proven', 'unproven', 'welded')),
    urgent INTEGER NOT NULL CHECK (urgent IN (0, 1)),
    reason TEXT NOT NULL,
    bad TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (role, name)
) STRICT, WITHOUT ROWID;

-- --- access doors --------------------------------------------------------------------------------------------------------

CREATE TABLE access_event (
    seq INTEGER NOT NULL,
    door TEXT NOT NULL CHECK (door <> ''),
    what TEXT NOT NULL CHECK (what IN ('granted', 'denied', 'forced', 'held', 'closed', 'relocked')),
    why TEXT NOT NULL,
    holder TEXT NOT NULL,
    card_end TEXT NOT NULL CHECK (length(card_end) <= 4),
    at_ns INTEGER NOT NULL,
    at_trusted INTEGER NOT NULL CHECK (at_trusted IN (0, 1)),
    PRIMARY KEY (seq, door, what)
) STRICT, WITHOUT ROWID;
