"""What goes when samples grow old or too many, in which order, and that it is told."""

from __future__ import annotations

import os
import random
import sqlite3

import pytest

from edge.domain.field_devices import MeterReading
from edge.storage import log_table
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_queries import SampleQueries
from edge.storage.sample_retention import Retention, used_bytes
from edge.storage.seal_mark import seal_mark

S = 1_000_000_000
T0 = 1_795_000_000 * S
DAY = 86_400 * S


@pytest.fixture
def history_with(sample_site):
    """A history with its own retention."""
    opened = []

    def make(**settings):
        history = SampleHistory(sample_site.directory, "canteen", Retention(**settings))
        opened.append(history)
        return history

    yield make
    for history in opened:
        history.close()


def fill(sample_site, history, days):
    """A slab a day."""
    for day in range(days):
        sample_site.say(*((MeterReading(point="p", power_w=n * 1.37), T0 + day * DAY + n * 60 * S) for n in range(300)))
        while history.step():
            pass
        history.seal()
        tidy(history)


def tidy(history):
    for _ in range(10_000):
        if not history.tidy():
            return
    raise AssertionError("tidying never ends")


def count(history, table):
    with history.db.read() as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_chunks_go_by_age_and_roll_ups_stay(sample_site, history_with):
    history = history_with(chunks_days=3)
    fill(sample_site, history, 8)
    assert count(history, "slab") == 4
    assert count(history, "chunk") == count(history, "time_column") == 4
    queries = SampleQueries(history)
    windows = queries.windows(1, T0, T0 + 8 * DAY, 86_400)
    assert windows.n.sum() == 8 * 300
    assert queries.samples(1, T0, T0 + 4 * DAY, 10).raw.time_ns.size == 0
    queries.close()


def test_roll_ups_go_by_age(sample_site, history_with):
    history = history_with(chunks_days=1, rollups_days=4)
    fill(sample_site, history, 10)
    queries = SampleQueries(history)
    assert queries.windows(1, T0, T0 + 4 * DAY, 60).n.sum() == 0
    assert queries.windows(1, T0 + 7 * DAY, T0 + 10 * DAY, 60).n.sum() == 900
    queries.close()


def test_bytes_take_the_oldest_first_and_tell_what_a_sink_lacks(sample_site, history_with):
    history = history_with()
    fill(sample_site, history, 6)
    with history.db.write() as connection:
        connection.execute("INSERT INTO cursor VALUES ('lake', 750, 0, '')")
        limit = used_bytes(connection) - 4 * 4096
    history.close()
    small = history_with(max_bytes=limit)
    tidy(small)
    with small.db.read() as connection:
        assert used_bytes(connection) <= limit
        kept = connection.execute("SELECT min(seq_first) FROM slab").fetchone()[0]
        gaps = connection.execute("SELECT seq_first, seq_last FROM gap ORDER BY seq_first").fetchall()
    assert kept > 751
    assert gaps[0][0] == 751
    assert gaps[-1][1] == kept - 1
    assert small.alarm == "samples_dropped"
    block = small.source().read(750, 10)
    assert block.gaps[0][0] == 751


def noisy(sample_site, history, days):
    """A slab a day that does not compress."""
    for day in days:
        rng = random.Random(day)
        said = [(MeterReading(point="p", power_w=rng.random()), T0 + day * DAY + n * S) for n in range(800)]
        sample_site.say(*said)
        while history.step():
            pass
        history.seal()
        tidy(history)


def test_on_a_nearly_full_disk_the_oldest_samples_make_room_for_new_ones(sample_site, history_with, monkeypatch):
    """Also when samples have taken little of their share: the file grows no more, money has what is left."""
    history = history_with()
    with history.db.write() as connection:
        connection.execute("INSERT INTO cursor VALUES ('lake', 0, 0, '')")
    noisy(sample_site, history, range(12))
    assert count(history, "slab") == 12
    space = os.statvfs(sample_site.directory)
    nearly_full = os.statvfs_result((*space[:4], min(space.f_blocks // 21, (500 << 20) // space.f_frsize), *space[5:]))
    monkeypatch.setattr("os.statvfs", lambda _path: nearly_full)
    tidy(history)
    with history.db.read() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    assert 6 < count(history, "slab") < 12
    assert history.alarm == "samples_dropped"
    noisy(sample_site, history, range(12, 18))
    with history.db.read() as connection:
        assert connection.execute("PRAGMA page_count").fetchone()[0] <= pages
        assert connection.execute("SELECT max(t_last) FROM slab").fetchone()[0] > T0 + 17 * DAY, "new ones are there"
    assert count(history, "slab") > 6
    monkeypatch.undo()
    noisy(sample_site, history, range(18, 22))
    assert count(history, "slab") > 10, "there is room again"


def test_back_fill_that_goes_takes_no_whole_stretch_along(sample_site, history_with):
    """Its samples lie apart, in a slab that shares the stretch of the log with the others: only they are lost."""
    history = history_with(chunks_days=10)
    back = dict.fromkeys((7, 8), T0 - 20 * DAY)
    sample_site.say(
        *((MeterReading(point="p", power_w=1.0 * n, source_wall_ns=back.get(n)), T0 + n * S) for n in range(1, 21))
    )
    while history.step():
        pass
    with history.db.write() as connection:
        connection.execute("INSERT INTO cursor VALUES ('lake', 0, 0, '')")
    history.seal()
    tidy(history)
    with history.db.read() as connection:
        told = connection.execute("SELECT seq_first, seq_last, t_first, t_last FROM gap").fetchall()
    assert told == [(7, 8, T0 - 20 * DAY, T0 - 20 * DAY)]
    block = history.source().read(0, 100)
    assert (block.value.size, block.gaps) == (18, ((7, 8),))


def test_for_want_of_bytes_what_every_sink_has_goes_before_back_fill_that_one_lacks(sample_site, history_with):
    """The back-fill is older than all that was sent, but it alone would be lost to the sink."""
    history = history_with()
    fill(sample_site, history, 6)
    with history.db.write() as connection:
        connection.execute("INSERT INTO cursor VALUES ('lake', 1200, 0, '')")
    meter = MeterReading(point="p", power_w=2.5, source_wall_ns=T0 - 9 * DAY)
    sample_site.say((meter, T0 + 6 * DAY), (MeterReading(point="p", power_w=1.0), T0 + 6 * DAY + S))
    while history.step():
        pass
    history.seal()
    tidy(history)
    with history.db.read() as connection:
        limit = used_bytes(connection) - 3 * 4096
    history.close()
    small = history_with(max_bytes=limit)
    tidy(small)
    with small.db.read() as connection:
        left = [row[0] for row in connection.execute("SELECT seq_last FROM slab WHERE NOT late ORDER BY seq_last")]
    assert left[0] in (600, 900, 1200, 1500)
    assert (count(small, "gap"), small.alarm) == (0, "")
    assert T0 - 9 * DAY in small.source().read(1800, 100).time_ns.tolist()


def test_a_roll_up_is_never_made_anew_from_what_is_left(sample_site, history_with):
    """Days before the oldest chunk keep what they have, whatever back-fill comes and goes later."""
    history = history_with(chunks_days=3)
    fill(sample_site, history, 8)
    for day in (1, 2, 3):  # each goes at once, being older than what is kept
        late = (MeterReading(point="p", power_w=7.0, source_wall_ns=T0 + day * DAY + S), T0 + 8 * DAY)
        sample_site.say(late, (MeterReading(point="p", power_w=1.0), T0 + 8 * DAY + 3600 * S))
        while history.step():
            pass
        history.seal()
        tidy(history)
    queries = SampleQueries(history)
    assert queries.windows(1, T0, T0 + 7 * DAY, 86_400).n.tolist() == [300] * 8
    queries.close()


def test_a_stretch_from_a_clock_that_was_ahead_does_not_end_the_roll_ups(sample_site, history_with):
    history = history_with(max_bytes=0)
    sample_site.say((MeterReading(point="p", power_w=1.0), T0 + 9000 * DAY, False))
    while history.step():
        pass
    history.seal()
    sample_site.say((MeterReading(point="p", power_w=1.0), T0))
    while history.step():
        pass
    assert history._keeper.step(history.through_wall_ns, history.through_wall_ns)
    assert count(history, "slab") == 0
    history.close()
    again = history_with()
    while again.step():
        pass
    fill(sample_site, again, 2)
    assert count(again, "rollup") == 2 + 1, "two days of minutes, a month of hours"


def test_no_sink_no_alarm(sample_site, history_with):
    history = history_with()
    fill(sample_site, history, 4)
    with history.db.read() as connection:
        limit = used_bytes(connection) - 4096
    history.close()
    small = history_with(max_bytes=limit)
    tidy(small)
    assert count(small, "slab") < 4
    assert small.alarm == ""
    assert count(small, "gap") == 0


def test_a_start_goes_on_with_a_slab_that_was_being_emptied(sample_site, history_with):
    history = history_with(chunks_days=2)
    fill(sample_site, history, 2)
    sample_site.say((MeterReading(point="p", power_w=1.0), T0 + 9 * DAY))
    while history.step():
        pass
    assert history._keeper.step(history.through_wall_ns, history.through_wall_ns)
    history.close()
    again = history_with(chunks_days=2)
    while again.step():
        pass
    tidy(again)
    assert (count(again, "slab"), count(again, "chunk"), count(again, "time_column")) == (0, 0, 0)


def test_a_slab_that_is_being_emptied_takes_nothing_of_the_next_one_along(sample_site, history_with):
    """The newest slab may be the first to go (a meter filled in last year), and all may."""
    history = history_with(chunks_days=2)
    fill(sample_site, history, 1)
    queries = SampleQueries(history)
    assert queries.samples(1, T0, T0 + DAY, 1000).raw.time_ns.size == 300
    sample_site.say((MeterReading(point="p", power_w=0.5), T0 + 9 * DAY))
    while history.step():
        pass
    assert history._keeper.step(history.through_wall_ns, history.through_wall_ns), "the only slab goes, in slices"
    history.seal()
    tidy(history)
    assert count(history, "slab") == 1
    assert queries.samples(1, T0 + 9 * DAY, T0 + 10 * DAY, 10).raw.value.tolist() == [0.5]
    queries.close()


def test_the_log_keeps_what_is_not_sealed_until_its_bytes_say_otherwise(tmp_path):
    connection = sqlite3.connect(tmp_path / "log.db")
    connection.execute("CREATE TABLE log (seq_last INTEGER PRIMARY KEY, bytes_total INTEGER, data BLOB)")
    connection.execute("CREATE TABLE snapshot (seq INTEGER PRIMARY KEY, wall_ns INTEGER)")
    for n in range(1, 11):
        connection.execute("INSERT INTO log VALUES (?, ?, ?)", (n * 10, n * 100, b"x" * 100))
        connection.execute("INSERT INTO snapshot VALUES (?, ?)", (n * 10, n * 1000))

    def limit(**more):
        return log_table.prune_limit(connection, keep_after_wall_ns=7500, **{"max_bytes": 10_000, **more})

    assert limit() == 70
    assert limit(sealed_seq=45) == 40
    assert limit(sealed_seq=0) == 0
    assert limit(sealed_seq=45, max_bytes=250) == 80
    connection.close()


@pytest.mark.parametrize("harm", ["newer", "damaged", "no number"])
def test_a_mark_that_cannot_be_read_lets_nothing_of_the_log_go(sample_site, open_history, harm):
    """What is not sealed for sure stays: a damaged file is made again from the log."""
    assert seal_mark(sample_site.directory) is None, "nobody seals here yet"
    sample_site.say((MeterReading(point="p", power_w=1.0), T0))
    history = open_history()
    history.seal()
    assert seal_mark(sample_site.directory) == 1
    with history.db.write() as connection:
        connection.execute("UPDATE meta SET value = 'x' WHERE key = 'seal_seq'" if harm == "no number" else "SELECT 1")
    if harm == "newer":
        history.db._connection.execute("PRAGMA user_version = 99")
    history.close()
    if harm == "damaged":
        (sample_site.directory / "samples.db").write_bytes(b"\x5a" * 8192)
    assert seal_mark(sample_site.directory) == 0


def test_a_clock_that_nobody_trusts_makes_nothing_old(sample_site, history_with):
    history = history_with(chunks_days=1, rollups_days=2)
    fill(sample_site, history, 2)
    sample_site.say((MeterReading(point="p", power_w=1.0), T0 + 40_000 * DAY, False))
    while history.step():
        pass
    history.seal()
    tidy(history)
    assert count(history, "slab") == 3
