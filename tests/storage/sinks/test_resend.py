"""Set-aside lines, listed, sent again, dropped: gone from the quarantine only when the server has them for certain."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing

import pytest

from edge.storage.sample_model import Series, SeriesKind
from edge.storage.sinks import quarantine
from edge.storage.sinks.keys import TimeKeys
from edge.storage.sinks.messages import MessageFormer
from edge.storage.sinks.prepared import text_of
from edge.storage.sinks.progress import SETTLE_S
from edge.storage.sinks.resend import BLOCK_ITEMS, _item

MS = 1_000_000
S = 1000 * MS
T0 = 1_790_000_000 * S


@pytest.fixture
def db(samples_db):
    with closing(sqlite3.connect(samples_db, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def refusing(make_bench, source, steady):
    """A bench whose server refused ``count`` lines, for it keeps nothing of so long ago."""

    def make(count=3, **server):
        ids = steady(source, seconds=20)
        odd = source.define("odd", "power_w")
        for number in range(count):
            source.add([(odd, T0 - 100 * S + number * MS, float(number))])
        source.add([(ids[0], T0 + 400 * S, 1.0)])
        bench = make_bench(source, **server)
        bench.server.bucket.oldest_ns = T0
        bench.drain()
        assert len(bench.server.keys) == 81
        return bench

    return make


def mend(bench):
    """The server keeps long ago from now on."""
    bench.server.bucket.oldest_ns = None


def go_on(bench, source, seconds):
    """Readings keep coming, one a second, as on a box that works: the server is heard."""
    number = next(each.id for each in source.names.values() if each.device == "dev-1")
    for _ in range(seconds):
        source.add([(number, bench.clock.wall_ns(), 5.0)])
        bench.run(1)


def test_what_the_server_takes_the_second_time_goes_when_it_is_certain(refusing, source, db):
    bench = refusing()
    items = quarantine.listed(db, "up")
    assert [(item.sent, item.again) for item in items] == [(True, quarantine.STANDS)] * 3
    assert all("retention policy" in item.reason for item in items)
    go_on(bench, source, 5)
    assert len(bench.server.keys) == 86, "nobody asked for them: they stay where they are"
    mend(bench)
    assert quarantine.ask_again(db, "up", [item.id for item in items[:2]]) == (2, 0)
    go_on(bench, source, 5)
    assert bench.worker.status.resent == 2
    assert [item.again for item in quarantine.listed(db)] == [quarantine.UNSETTLED] * 2 + [quarantine.STANDS]
    sent = [line for request in bench.server.sent for line in request if "device=odd" in line]
    assert sent.count(items[0].line) > sent.count(items[2].line)
    go_on(bench, source, int(SETTLE_S) + 5)
    assert [item.id for item in quarantine.listed(db)] == [items[2].id]


def test_what_a_server_forgets_is_sent_once_more(refusing, source, db):
    bench = refusing(unsynced_s=30.0)
    mend(bench)
    quarantine.ask_again(db, "up", None)
    go_on(bench, source, 5)
    assert {item.again for item in quarantine.listed(db)} == {quarantine.UNSETTLED}
    have = len(bench.server.keys)
    bench.server.kill()
    assert len(bench.server.keys) < have - 3
    go_on(bench, source, 5)
    assert sum(1 for key in bench.server.keys if ("device", "odd") in key[1]) == 3
    go_on(bench, source, int(SETTLE_S) + 5)
    assert quarantine.listed(db) == []


def test_a_killed_worker_sends_what_is_not_settled_again(refusing, source, db):
    bench = refusing()
    mend(bench)
    quarantine.ask_again(db, "up", None)
    go_on(bench, source, 5)
    requests = len(bench.server.sent)
    bench.begin()
    go_on(bench, source, 5)
    again = [line for request in bench.server.sent[requests:] for line in request if "device=odd" in line]
    assert len(again) == 6, "from the log, for its stretch was not settled either, and from the quarantine"
    assert bench.worker.status.resent == 6
    go_on(bench, source, int(SETTLE_S) + 5)
    assert quarantine.listed(db) == []


def test_what_is_refused_again_stands_aside_with_the_new_reason_and_holds_up_nothing(refusing, source, db):
    count = 2 * BLOCK_ITEMS
    bench = refusing(count)
    before = len(bench.server.keys)
    assert quarantine.ask_again(db, "up", None) == (count, 0)
    db.execute("UPDATE quarantine SET reason = 'HTTP 400: of before'")
    began_s = bench.clock.now_s
    go_on(bench, source, 20)
    assert bench.clock.now_s - began_s < 25, "a sink that refuses bad lines is no wrong setting"
    assert len(bench.server.keys) == before + 20
    assert bench.worker.status.resent == 0
    items = quarantine.listed(db)
    assert len(items) == count
    assert all(item.again == quarantine.STANDS and "retention policy" in item.reason for item in items)


def test_one_bad_line_among_good_ones_is_found(refusing, source, db):
    bench = refusing(10)
    bench.server.answers = []
    mend(bench)
    quarantine.ask_again(db, "up", None)
    bad = quarantine.listed(db)[4]
    db.execute("UPDATE quarantine SET line = 'broken' WHERE id = ?", (bad.id,))
    go_on(bench, source, 5)
    assert bench.worker.status.resent == 9
    standing = [item for item in quarantine.listed(db) if item.again == quarantine.STANDS]
    assert [item.id for item in standing] == [bad.id]


def test_a_server_that_is_away_keeps_them_marked(refusing, source, db):
    bench = refusing()
    quarantine.ask_again(db, "up", None)
    bench.server.down = True
    go_on(bench, source, 30)
    assert {item.again for item in quarantine.listed(db)} == {quarantine.AGAIN}
    bench.server.down = False
    mend(bench)
    go_on(bench, source, 120)
    assert bench.worker.status.resent == 3


def test_a_full_disk_does_not_keep_samples_from_going_out(refusing, source, db, monkeypatch):
    bench = refusing()
    mend(bench)

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(bench.worker._resend._aside, "answered", full)
    quarantine.ask_again(db, "up", None)
    have = len(bench.server.keys)
    go_on(bench, source, 30)
    assert len(bench.server.keys) == have + 30 + 3
    assert {item.again for item in quarantine.listed(db)} == {quarantine.AGAIN}, "sent, and kept until it can be noted"


def test_what_never_was_a_line_cannot_be_sent(make_bench, source, steady, db):
    ids = steady(source, seconds=3)
    source.add([(ids[0], T0 + 200 * S, math.inf)])
    bench = make_bench(source)
    bench.drain()
    (item,) = quarantine.listed(db)
    assert not item.sent
    assert quarantine.ask_again(db, "up", None) == (0, 1)
    go_on(bench, source, 4)
    assert quarantine.listed(db) == [item]


def test_dropped_lines_are_gone_even_while_they_are_under_way(refusing, source, db):
    bench = refusing()
    items = quarantine.listed(db)
    quarantine.ask_again(db, "up", None)
    bench.run(0.0005, lambda: bench.worker._resend.active)
    assert quarantine.drop(db, "up", [items[0].id]) == (1, 0)
    assert quarantine.drop(db, "other", None) == (0, 0), "another sink's lines are not ours"
    go_on(bench, source, 5)
    assert [item.id for item in quarantine.listed(db)] == [item.id for item in items[1:]]
    assert quarantine.counts(db) == {"up": (2, 0)}
    with pytest.raises(ValueError, match="at most"):
        quarantine.drop(db, "up", range(quarantine.IDS_MAX + 1))


def test_a_message_comes_back_from_its_text(make_block):
    """Whatever stands in names and words: the text splits where the payload begins."""
    nasty = 'a {"value": 1} b {"value":'
    series = Series(id=0, vertical="garage", device=nasty, point="", quantity="q", unit="", kind=SeriesKind.STATE)
    block = make_block([(1, 0, T0, nasty, 0)], 1)
    (message,) = MessageFormer("site", lambda _number: series).prepare(block, 0, TimeKeys()).items
    assert _item(text_of(message), messages=True) == message
    assert _item("garage,site=s a=1.0 5", messages=False) == "garage,site=s a=1.0 5"
