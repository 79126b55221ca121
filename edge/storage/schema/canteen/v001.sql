-- Version 1 of what the canteen keeps.
--
-- Every table of rows mirrors one struct of edge/domain/canteen/rows.py column by column (a test compares them). The
-- CHECKs are the last line of defence for money: a kernel that breaks one loses that commit, not the books.
-- All tables are STRICT; tables with a text or compound key are WITHOUT ROWID (one page less per row written).

-- --- canteen: configuration, day, plates, lanes ------------------------------------------------------------------------

CREATE TABLE config (
    kind TEXT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE business_day (
    day TEXT NOT NULL PRIMARY KEY CHECK (length(day) = 10),
    orders INTEGER NOT NULL CHECK (orders >= 0),
    paid_fen INTEGER NOT NULL,
    cash_fen INTEGER NOT NULL,
    subsidy_fen INTEGER NOT NULL,
    discount_fen INTEGER NOT NULL,
    refunded_fen INTEGER NOT NULL,
    plates_sold INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE plate (
    uid TEXT NOT NULL PRIMARY KEY,
    label TEXT NOT NULL,
    kind TEXT NOT NULL,
    tare_g INTEGER NOT NULL CHECK (tare_g >= 0),
    dish_id TEXT,
    grams INTEGER CHECK (grams > 0),
    fill_epoch INTEGER NOT NULL CHECK (fill_epoch >= 0),
    sold_epoch INTEGER NOT NULL CHECK (sold_epoch BETWEEN 0 AND fill_epoch),
    bound_day TEXT NOT NULL,
    retired INTEGER NOT NULL CHECK (retired IN (0, 1)),
    reads INTEGER NOT NULL CHECK (reads >= 0),
    passes INTEGER NOT NULL CHECK (passes >= reads)
) STRICT, WITHOUT ROWID;

CREATE TABLE dish_day (
    day TEXT NOT NULL,
    dish_id TEXT NOT NULL,
    bound INTEGER NOT NULL,
    sold INTEGER NOT NULL,
    PRIMARY KEY (day, dish_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE lane_stats (
    lane TEXT NOT NULL PRIMARY KEY,
    beta_a REAL NOT NULL CHECK (beta_a > 0),
    beta_b REAL NOT NULL CHECK (beta_b > 0),
    mean_plates_json TEXT NOT NULL CHECK (json_valid(mean_plates_json))
) STRICT, WITHOUT ROWID;

-- --- canteen: members and their money ----------------------------------------------------------------------------------

CREATE TABLE member (
    token TEXT NOT NULL PRIMARY KEY,
    card TEXT NOT NULL,
    born TEXT NOT NULL,
    district TEXT NOT NULL,
    hukou INTEGER NOT NULL CHECK (hukou IN (0, 1)),
    low_income INTEGER NOT NULL CHECK (low_income IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE purse (
    member TEXT NOT NULL PRIMARY KEY,
    balance_fen INTEGER NOT NULL CHECK (balance_fen >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE purse_entry (
    seq INTEGER NOT NULL,
    member TEXT NOT NULL,
    fen INTEGER NOT NULL,
    balance_fen INTEGER NOT NULL CHECK (balance_fen >= 0),
    kind TEXT NOT NULL CHECK (kind IN ('top_up', 'pay', 'refund', 'void', 'charge')),
    ref TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (seq, member)
) STRICT, WITHOUT ROWID;

CREATE INDEX purse_entry_member ON purse_entry (member, seq);

CREATE TABLE session_charge (
    day TEXT NOT NULL,
    session_id TEXT NOT NULL CHECK (session_id <> ''),
    member TEXT NOT NULL,
    fen INTEGER NOT NULL CHECK (fen >= 0),
    PRIMARY KEY (day, session_id)
) STRICT, WITHOUT ROWID;

-- --- canteen: sales ----------------------------------------------------------------------------------------------------

CREATE TABLE orders (
    order_id TEXT NOT NULL PRIMARY KEY CHECK (order_id <> ''),
    seq INTEGER NOT NULL,
    business_day TEXT NOT NULL CHECK (length(business_day) = 10),
    meal TEXT NOT NULL,
    lane TEXT NOT NULL,
    tray_id TEXT NOT NULL,
    member TEXT,
    category TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('paid', 'refunded_part', 'refunded', 'voided')),
    list_fen INTEGER NOT NULL CHECK (list_fen >= 0),
    discount_fen INTEGER NOT NULL,
    subsidy_fen INTEGER NOT NULL CHECK (subsidy_fen <= 0),
    rounding_fen INTEGER NOT NULL,
    payable_fen INTEGER NOT NULL CHECK (payable_fen >= 0),
    refunded_fen INTEGER NOT NULL CHECK (refunded_fen BETWEEN 0 AND payable_fen),
    config_version TEXT NOT NULL,
    assurance_json TEXT NOT NULL CHECK (json_valid(assurance_json)),
    at_ns INTEGER NOT NULL,
    at_trusted INTEGER NOT NULL CHECK (at_trusted IN (0, 1)),
    CHECK (list_fen + discount_fen + subsidy_fen + rounding_fen = payable_fen)
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_day ON orders (business_day, seq);

CREATE INDEX orders_member ON orders (member, seq) WHERE member IS NOT NULL;

CREATE TABLE order_line (
    order_id TEXT NOT NULL,
    line_no INTEGER NOT NULL,
    business_day TEXT NOT NULL,
    plate_uid TEXT NOT NULL,
    fill_epoch INTEGER NOT NULL,
    dish_id TEXT NOT NULL,
    dish_version TEXT NOT NULL,
    grams INTEGER NOT NULL,
    list_fen INTEGER NOT NULL CHECK (list_fen >= 0),
    payable_fen INTEGER NOT NULL,
    subsidy_fen INTEGER NOT NULL,
    fen_json TEXT NOT NULL CHECK (json_valid(fen_json)),
    energy_j INTEGER NOT NULL,
    protein_mg INTEGER NOT NULL,
    fat_mg INTEGER NOT NULL,
    carbohydrate_mg INTEGER NOT NULL,
    sodium_mg INTEGER NOT NULL,
    refunded INTEGER NOT NULL CHECK (refunded IN (0, 1)),
    PRIMARY KEY (business_day, order_id, line_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_step (
    order_id TEXT NOT NULL,
    step_no INTEGER NOT NULL,
    business_day TEXT NOT NULL,
    kind TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    rule_version TEXT NOT NULL,
    scheme TEXT NOT NULL,
    fen INTEGER NOT NULL,
    why_json TEXT NOT NULL CHECK (json_valid(why_json)),
    PRIMARY KEY (business_day, order_id, step_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment (
    order_id TEXT NOT NULL,
    business_day TEXT NOT NULL,
    method TEXT NOT NULL,
    member TEXT,
    fen INTEGER NOT NULL CHECK (fen >= 0),
    tendered_fen INTEGER NOT NULL CHECK (tendered_fen >= 0),
    change_fen INTEGER NOT NULL CHECK (change_fen >= 0),
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (business_day, order_id),
    CHECK (method <> 'cash' OR tendered_fen - change_fen = fen)
) STRICT, WITHOUT ROWID;

CREATE TABLE claim (
    plate_uid TEXT NOT NULL,
    fill_epoch INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (plate_uid, fill_epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE refund (
    refund_id TEXT NOT NULL,
    line_no INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    paid_fen INTEGER NOT NULL CHECK (paid_fen >= 0),
    subsidy_fen INTEGER NOT NULL,
    business_day TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (refund_id, line_no)
) STRICT, WITHOUT ROWID;

CREATE INDEX refund_order ON refund (order_id);

CREATE INDEX refund_day ON refund (business_day);

CREATE TABLE subsidy_use (
    member TEXT NOT NULL,
    scheme TEXT NOT NULL,
    day TEXT NOT NULL,
    fen INTEGER NOT NULL CHECK (fen >= 0),
    grants INTEGER NOT NULL CHECK (grants >= 0),
    PRIMARY KEY (day, member, scheme)
) STRICT, WITHOUT ROWID;

CREATE TABLE scheme (
    scheme TEXT NOT NULL PRIMARY KEY,
    spent_fen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- --- canteen: commands -------------------------------------------------------------------------------------------------

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
