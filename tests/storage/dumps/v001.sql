BEGIN TRANSACTION;
CREATE TABLE audit (
    seq INTEGER NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    user TEXT NOT NULL,
    action TEXT NOT NULL,
    ref TEXT NOT NULL,
    at_ns INTEGER NOT NULL
) STRICT;
INSERT INTO "audit" VALUES(1,'x','x','x','x',1);
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
INSERT INTO "business_day" VALUES('2026-11-22',1,1,1,0,0,1,1);
CREATE TABLE claim (
    plate_uid TEXT NOT NULL,
    fill_epoch INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (plate_uid, fill_epoch)
) STRICT, WITHOUT ROWID;
INSERT INTO "claim" VALUES('x',2,'x');
CREATE TABLE command_reply (
    day TEXT NOT NULL,
    command_id TEXT NOT NULL CHECK (command_id <> ''),
    digest BLOB NOT NULL,
    code TEXT NOT NULL CHECK (code <> ''),
    body BLOB NOT NULL,
    PRIMARY KEY (day, command_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "command_reply" VALUES('2026-11-22','x',X'00FF','x',X'00FF');
CREATE TABLE config (
    kind TEXT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "config" VALUES('pay','x',X'00FF');
CREATE TABLE dish_day (
    day TEXT NOT NULL,
    dish_id TEXT NOT NULL,
    bound INTEGER NOT NULL,
    sold INTEGER NOT NULL,
    PRIMARY KEY (day, dish_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "dish_day" VALUES('2026-11-22','x',1,1);
CREATE TABLE lane_stats (
    lane TEXT NOT NULL PRIMARY KEY,
    beta_a REAL NOT NULL CHECK (beta_a > 0),
    beta_b REAL NOT NULL CHECK (beta_b > 0),
    mean_plates_json TEXT NOT NULL CHECK (json_valid(mean_plates_json))
) STRICT, WITHOUT ROWID;
INSERT INTO "lane_stats" VALUES('x',0.5,0.5,'{"a":[1,2]}');
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
INSERT INTO "log" VALUES(1,1,'boot-a',1763769601000000000,1,2504373550,1,51,X'78019B388DE99CF5AC530CE725AAB4A54B6D4E311C3EC2D3B8A4A4B220756949666E6AD1110E432363135333730B007F511069');
INSERT INTO "log" VALUES(3,2,'boot-a',1763769603000000000,2,2406114023,1,111,X'78019B348DE15CB9E91486F31255DAD21BAE4F61387C84A77149496541EAD292CCDCD4A2231C8646C626A666E6164085D6B34E41089C8A002D131FC9');
CREATE TABLE member (
    token TEXT NOT NULL PRIMARY KEY,
    card TEXT NOT NULL,
    born TEXT NOT NULL,
    district TEXT NOT NULL,
    hukou INTEGER NOT NULL CHECK (hukou IN (0, 1)),
    low_income INTEGER NOT NULL CHECK (low_income IN (0, 1))
) STRICT, WITHOUT ROWID;
INSERT INTO "member" VALUES('x','x','x','x',1,1);
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('store_id','0123456789abcdef0123456789abcdef');
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
INSERT INTO "order_line" VALUES('x',1,'2026-11-22','x',2,'x','x',1,7,7,0,'{"a":[1,2]}',1,1,1,1,1,1);
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
INSERT INTO "order_step" VALUES('x',1,'2026-11-22','pay','x','x','x',1,'{"a":[1,2]}');
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
INSERT INTO "orders" VALUES('x',1,'2026-11-22','x','x','x','x','x','paid',7,0,0,0,7,1,'x','{"a":[1,2]}',1,1);
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
INSERT INTO "payment" VALUES('x','2026-11-22','purse','x',1,1,1,1);
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
INSERT INTO "plate" VALUES('x','x','pay',1,'x',1,2,1,'x',1,1,1);
CREATE TABLE purse (
    member TEXT NOT NULL PRIMARY KEY,
    balance_fen INTEGER NOT NULL CHECK (balance_fen >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO "purse" VALUES('x',1);
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
INSERT INTO "purse_entry" VALUES(1,'x',1,1,'pay','x',1);
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
INSERT INTO "refund" VALUES('x',1,'x',1,0,'2026-11-22','x','x',1);
CREATE TABLE scheme (
    scheme TEXT NOT NULL PRIMARY KEY,
    spent_fen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "scheme" VALUES('x',1);
CREATE TABLE set_aside (
    seq INTEGER NOT NULL PRIMARY KEY,
    boot_id TEXT NOT NULL,
    mono_ns INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    wall_trusted INTEGER NOT NULL CHECK (wall_trusted IN (0, 1)),
    input BLOB NOT NULL,
    error TEXT NOT NULL
) STRICT;
INSERT INTO "set_aside" VALUES(2,'boot-a',2000000000,1763769602000000000,1,X'78','ValueError: example');
CREATE TABLE snapshot (
    seq INTEGER NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL CHECK (reason IN ('start', 'hourly', 'rebuild')),
    build TEXT NOT NULL,
    wall_ns INTEGER NOT NULL,
    crc32 INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
INSERT INTO "snapshot" VALUES(1,'start','0.1.0',1763769601000000000,350368590,X'78016B000000810081');
CREATE TABLE session_charge (
    day TEXT NOT NULL,
    session_id TEXT NOT NULL CHECK (session_id <> ''),
    member TEXT NOT NULL,
    fen INTEGER NOT NULL CHECK (fen >= 0),
    PRIMARY KEY (day, session_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "session_charge" VALUES('2026-11-22','x','x',1);
CREATE TABLE subsidy_use (
    member TEXT NOT NULL,
    scheme TEXT NOT NULL,
    day TEXT NOT NULL,
    fen INTEGER NOT NULL CHECK (fen >= 0),
    grants INTEGER NOT NULL CHECK (grants >= 0),
    PRIMARY KEY (day, member, scheme)
) STRICT, WITHOUT ROWID;
INSERT INTO "subsidy_use" VALUES('x','x','2026-11-22',1,1);
CREATE INDEX purse_entry_member ON purse_entry (member, seq);
CREATE INDEX orders_day ON orders (business_day, seq);
CREATE INDEX orders_member ON orders (member, seq) WHERE member IS NOT NULL;
CREATE INDEX refund_order ON refund (order_id);
CREATE INDEX refund_day ON refund (business_day);
COMMIT;
PRAGMA user_version = 1;
