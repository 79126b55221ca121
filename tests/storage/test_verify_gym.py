"""The gym's rows against each other: whole after any history that the kernel can have, and every lie is found."""

from __future__ import annotations

import importlib.util
import random
import shutil
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from edge.domain.actors import Role
from edge.domain.gym.messages import AddInspectionPhoto, AddOrderPhoto, Inspect, LockOut, ReportFault, ReturnTest
from edge.domain.gym.rows import ROW_TYPES
from edge.domain.kernel import Stamp
from edge.storage.backup_stores import StoreFile, site_stores
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from edge.storage.verify import verify_store
from edge.storage.verify_rules import RULES

GYM = next(store for store in site_stores(("gym",), StoreFile("api.db", 1)) if store.is_facts)
HISTORIES = 4
STEPS = 150


def kit(name):
    """A module of the gym's own tests: its played gym and its dice."""
    full = f"kangle_gym_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).parents[1] / "gym" / f"{name}.py")
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


def play(seed):
    """A gym after a long random history with power cuts."""
    dice, gym = random.Random(seed), kit("conftest").Gym()
    for person, card in kit("test_any_history").PEOPLE.items():
        gym.person(person, card, birth_year=1950, ceiling_bpm=115)
    for _ in range(STEPS):
        kit("test_any_history").step(dice, gym, {})
    some_of_everything(gym)
    return gym


def some_of_everything(gym):
    """What dice seldom throw: a heart that is too high, laps, an order that comes back by a test."""
    gym.person("dora", "c4", birth_year=1951, ceiling_bpm=110, max_bpm=140)
    gym.command(ReturnTest(asset="e1", passed=True), role=Role.MANAGER)
    gym.card("k1", "c4")
    gym.cuff(128)
    gym.run(400)
    gym.stand("e1")
    gym.card("e1", "c4")
    gym.train("e1", 30, bpm=95)
    gym.train("e1", 60, bpm=120)
    for number in (0, 1, 2, 0, 1, 2, 0):
        gym.gate(number, tag="aa01")
        gym.run(200)
    for passed in (False, True):
        gym.command(LockOut(asset="t3"), role=Role.MANAGER)
        gym.command(ReturnTest(asset="t3", passed=passed), role=Role.MANAGER)
    photograph(gym)


def photograph(gym):
    """An order whose photo stands, one whose photo went with it, and an inspected point."""
    picture = kit("_jpegs").jpeg()
    for asset in ("t3", "t4"):
        order = gym.command(ReportFault(asset=asset, what="noise")).body["order"]
        assert gym.command(AddOrderPhoto(order_id=order, jpeg=picture)).code == "ok"
    gym.command(ReturnTest(asset="t3", passed=True), role=Role.MANAGER)
    number = gym.command(Inspect(asset="o1", items=(("frame", "minor"),))).body["inspection"]
    assert gym.command(AddInspectionPhoto(asset="o1", inspection=number, jpeg=picture)).code == "ok"


def keep(gym, directory):
    """The gym's rows as a store, with a log as long as its inputs."""
    store = FactsStore.open(directory, ROW_TYPES, vertical="gym", ballast_bytes=0)
    rows = [row for table in gym.rows.tables.values() for row in table.values()]
    records = [LogRecord(Stamp(seq, "b", seq, seq, wall_trusted=True), b"x") for seq in range(1, gym.seq + 1)]
    errors, done = [], threading.Event()
    for batch in (Batch(records=records), Batch(rows=rows)):
        done.clear()
        store.submit(batch, lambda error: (errors.append(error), done.set()))
        assert done.wait(60)
    store.close()
    assert errors == [None, None]


def findings(folder):
    return [(each.check, each.what) for each in verify_store(folder, GYM, lambda *_: None)]


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """Several histories as stores, one a folder."""
    made = []
    for seed in range(HISTORIES):
        folder = tmp_path_factory.mktemp(f"gym-{seed}")
        keep(play(seed), folder / "gym")
        made.append(folder)
    return made


def test_any_history_is_whole(year):
    for seed, folder in enumerate(year):
        assert findings(folder) == [], f"seed {seed}"


def test_the_histories_have_something_of_everything(year):
    """What no history has, no rule was tried on."""
    tables = ("workout", "pulse", "heart_alarm", "person", "vitals", "work_order", "queue_entry", "outing", "lap",
              "use_hour", "wear", "alarm", "inspection", "photo", "photo_data")  # fmt: skip
    counts = dict.fromkeys(tables, 0)
    for folder in year:
        with closing(sqlite3.connect(folder / "gym" / "facts.db")) as db:
            for name in tables:
                counts[name] += db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    assert all(counts.values()), counts


LIES = (
    ("UPDATE workout SET state = 'open' WHERE state = 'ended'", "a workout is open, ended or dropped"),
    ("UPDATE workout SET reason = '' WHERE state = 'ended'", "a workout is open, ended or dropped"),
    ("UPDATE workout SET ended_ns = began_ns - 1 WHERE state = 'ended'", "a workout is open, ended or dropped"),
    (
        "UPDATE workout SET state = 'open', standing = 1, ended_ns = 0, body = x'01', asset = 't1'",
        "a machine has one workout under way",
    ),
    ("UPDATE workout SET active_ms = active_ms + 90000000 WHERE state = 'ended'", "not busier than it is long"),
    ("UPDATE workout SET mean_bpm = 190 WHERE peak_bpm > 0", "the peaks of a workout"),
    ("DELETE FROM workout WHERE workout_id IN (SELECT workout_id FROM pulse)", "a pulse belongs to a workout"),
    ("UPDATE pulse SET from_s = from_s + 1000000", "a pulse belongs to a workout"),
    ("UPDATE heart_alarm SET asset = 'other' WHERE workout_id <> ''", "what a heart alarm tells of"),
    ("UPDATE person SET known = 0", "who is forgotten"),
    ("UPDATE person SET cards = 'c9 c1'", "a card is one person's"),
    ("UPDATE vitals SET kiosk = 'k1', by = 'li'", "what was measured came from"),
    ("UPDATE work_order SET state = 'closed' WHERE standing = 1", "an order stands until it is closed"),
    ("DELETE FROM work_order_step WHERE step IN ('passed', 'removed')", "an order stands until it is closed"),
    ("DELETE FROM work_order_step", "orders and their steps"),
    ("DELETE FROM work_order", "orders and their steps"),
    (
        """UPDATE work_order SET state = 'locked_out', standing = 1, closed_by = '';
        UPDATE workout SET state = 'open', standing = 1, ended_ns = 0, body = x'01'""",
        "nobody trains on a machine",
    ),
    ("DELETE FROM photo_data", "a photo that stands has its picture"),
    ("UPDATE photo_data SET jpeg = x'ffd8' WHERE length(jpeg) > 0", "a photo that stands has its picture"),
    ("UPDATE photo_data SET jpeg = x'ffd8' WHERE length(jpeg) = 0", "a photo that stands has its picture"),
    ("DELETE FROM photo", "a photo that stands has its picture"),
    ("UPDATE work_order SET standing = 0", "the photo of an order stands no longer"),
    ("UPDATE photo SET inspection = inspection + 1", "the photo of an order stands no longer"),
    ("UPDATE queue_entry SET waiting = 1 - waiting", "who waits is waiting or called"),
    ("UPDATE queue_entry SET waiting = 1, state = 'called', asset = 't1'", "who waits is waiting or called"),
    ("UPDATE outing SET laps = laps + 1", "the laps of an outing"),
    ("DELETE FROM outing", "the laps of an outing"),
    ("UPDATE use_hour SET longest_wait_ms = wait_ms + 1", "the sums of an hour"),
    ("INSERT INTO wear_day (asset, day, busy_ms, distance_m, starts, uses, n) VALUES ('x', 'd', 0, 0, 0, 0, 0)",
     "the days of a machine"),
    ("UPDATE alarm SET standing = 1; DELETE FROM alarm_event", "an alarm that stands"),
)  # fmt: skip


@pytest.mark.parametrize(("lie", "rule"), LIES)
def test_a_changed_row_is_found(year, lie, rule):
    """Without the checksums of rows: what is asked here is whether the rows still say the same as each other."""
    found = set()
    for folder in year:
        with (
            closing(sqlite3.connect(folder / "gym" / "facts.db")) as source,
            closing(sqlite3.connect(":memory:")) as db,
        ):
            source.backup(db)
            db.execute("PRAGMA ignore_check_constraints = ON")
            db.executescript(lie)
            found |= {each.name for each in RULES["gym"] for row in db.execute(each.sql) if isinstance(row[0], str)}
    assert any(rule in name for name in found), sorted(found)


def test_a_row_of_an_input_that_is_not_in_the_log_is_found(year, tmp_path):
    shutil.copytree(year[0], tmp_path / "site")
    with closing(sqlite3.connect(tmp_path / "site" / "gym" / "facts.db", isolation_level=None)) as db:
        db.execute("UPDATE vitals SET seq = 99000000 WHERE seq = (SELECT max(seq) FROM vitals)")
    assert any("vitals tells of input 99000000" in what for _, what in findings(tmp_path / "site"))


def test_every_rule_has_its_lie():
    told = [rule for _, rule in LIES]
    assert [rule.name for rule in RULES["gym"] if not any(part in rule.name for part in told)] == []
