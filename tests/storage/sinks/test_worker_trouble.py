"""A sink's worker and what goes wrong around it: bad lines, wrong settings, lost spans, full disks, restored logs."""

from __future__ import annotations

import json
import sqlite3

import pytest

from edge.storage.errors import StoreError
from edge.storage.sample_model import SeriesKind
from edge.storage.sinks.answers import Answer, Verdict
from edge.storage.sinks.cursors import read_statuses
from edge.storage.sinks.status import SinkHealth

MS = 1_000_000
S = 1000 * MS
T0 = 1_790_000_000 * S


def quarantine(path):
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT seq, line, reason FROM quarantine ORDER BY seq, id").fetchall()
    db.close()
    return rows


def test_a_bad_line_is_set_aside_and_the_rest_goes_through(make_bench, source, steady, samples_db):
    ids = steady(source, seconds=100)
    source.add([(ids[0], T0 + 200 * S, float("nan"))])
    bench = make_bench(source)
    bench.server.answers = [None, Answer(Verdict.REFUSED, "bad line 3")]
    bench.drain()
    ((seq, line, reason),) = quarantine(samples_db)
    assert (seq, reason) == (401, "nan is not a number that line protocol can carry")
    assert line == f"garage dev-0 power_w=nan {T0 + 200 * S}"
    assert len(bench.server.keys) == 400
    assert bench.worker.status.quarantined == 1


def test_a_type_conflict_sets_exactly_its_lines_aside(make_bench, source, steady, samples_db):
    ids = steady(source, seconds=100)
    bad = source.define("odd", "power_w", kind=SeriesKind.STATE)
    at = [source.add([(bad, T0 + 300 * S + n * MS, "on")]) for n in range(3)]
    source.add([(ids[0], T0 + 300 * S, 1.0)])
    bench = make_bench(source)
    bench.drain()
    rows = quarantine(samples_db)
    assert [row[0] for row in rows] == at
    assert all("field type conflict" in row[2] and row[1].startswith("garage,site=site-1,device=odd") for row in rows)
    assert len(bench.server.keys) == 401
    bench.begin()
    bench.drain()
    assert len(quarantine(samples_db)) == 3, "sent again after a restart, it is kept once"


def test_a_backlog_that_is_refused_to_the_last_line_is_not_all_written_down(
    make_bench, source, steady, samples_db, monkeypatch
):
    """A bucket that keeps 30 days and a box that has a year: the oldest refused are kept, few of the others, all are
    counted; a line now and then still pushes out the oldest."""
    monkeypatch.setattr("edge.storage.sinks.cursors.QUARANTINE_MAX", 1000)
    monkeypatch.setattr("edge.storage.sinks.cursors.REPLACED_MAX", 5)
    steady(source, seconds=1000)
    bench = make_bench(source)
    bench.server.bucket.oldest_ns = T0 + 2000 * S
    written = []
    monkeypatch.setattr(bench.worker._cursors, "_db", Counting(bench.worker._cursors._db, written))
    bench.drain()
    status = bench.worker.status
    assert len(quarantine(samples_db)) == 1000
    assert (status.quarantined, status.quarantine_dropped) == (4000, 3000)
    assert 1000 < sum(written) <= 1000 + 5 * len(written)
    assert quarantine(samples_db)[-1][0] == 4000, "the newest reason is shown"


class Counting:
    """A connection that notes how many rows are set aside at once."""

    def __init__(self, db, written):
        self._db, self._written = db, written

    def executemany(self, sql, rows):
        self._written.append(len(rows))
        return self._db.executemany(sql, rows)

    def __getattr__(self, name):
        return getattr(self._db, name)


def test_too_large_halves_the_batch_and_grows_back(make_bench, source, steady):
    steady(source, seconds=2000)
    bench = make_bench(source)
    bench.server.answers = [Answer(Verdict.TOO_LARGE, "413"), Answer(Verdict.TOO_LARGE, "413")]
    bench.run(1, lambda: bench.server.sent)
    assert bench.worker._limit == 25
    assert len(bench.server.sent[0]) == 25
    bench.drain()
    assert bench.worker._limit == 100
    assert bench.server.keys == bench.expected()


def test_a_wrong_token_waits_for_a_person_and_loses_nothing(make_bench, source, clock, steady):
    steady(source, seconds=10)
    bench = make_bench(source)
    bench.server.answers = [Answer(Verdict.MISCONFIGURED, "put a valid token into the file")] * 5
    began_s = clock.now_s
    bench.run(5)
    assert bench.worker.status.health is SinkHealth.MISCONFIGURED
    assert bench.worker.status.remedy == "put a valid token into the file"
    bench.drain(4000)
    assert clock.now_s - began_s > 5 * 30
    assert bench.worker.status.remedy == ""
    assert bench.server.keys == bench.expected()


def test_retry_after_is_honoured(make_bench, source, clock, steady):
    steady(source, seconds=10)
    bench = make_bench(source)
    bench.server.answers = [Answer(Verdict.BUSY, "429", 17.0)]
    began_s = clock.now_s
    bench.run(1)
    assert bench.worker.status.health is SinkHealth.WAITING
    bench.run(1000, lambda: bench.server.sent)
    assert 17.0 <= clock.now_s - began_s < 20
    bench.drain()
    assert bench.worker.status.health is SinkHealth.LIVE
    assert bench.server.keys == bench.expected()


def test_a_server_that_refuses_all_is_a_wrong_setting_first(make_bench, source, steady, samples_db):
    """400 to everything: held and shown, not a whole batch in quarantine at once."""
    steady(source, seconds=25)
    bench = make_bench(source)
    bench.server.answers = [Answer(Verdict.REFUSED, "org is missing")] * 210
    bench.run(20)
    assert bench.worker.status.health is SinkHealth.MISCONFIGURED
    assert "refuses every line: org is missing" in bench.worker.status.remedy
    assert quarantine(samples_db) == []
    bench.server.answers = []
    bench.drain(4000)
    assert bench.server.keys == bench.expected()


def test_samples_that_were_dropped_are_a_gap_that_the_sink_tells(make_bench, source, steady, samples_db):
    steady(source, seconds=100)
    bench = make_bench(source)
    bench.server.down = True
    bench.run(10)
    source.lose(50, 149)
    bench.begin()
    bench.server.down = False
    bench.drain()
    bench.begin()
    bench.drain()
    bench.worker._save()
    (status,) = read_statuses(samples_db)
    assert status.lost_inputs == 100
    assert [(gap.seq_first, gap.seq_last) for gap in status.gaps] == [(50, 149)]
    assert len(bench.server.keys) == 300


def test_a_log_that_was_put_back_goes_on_from_its_end(make_bench, source, steady):
    ids = steady(source, seconds=100)
    bench = make_bench(source)
    bench.drain()
    source.rows = source.rows[:200]
    source.head = 200
    bench.run(5)
    source.add([(ids[0], T0 + 500 * S, 5.0)])
    bench.drain()
    assert len(bench.server.keys) == 401


def test_a_new_sink_may_leave_history_out(make_bench, source, steady):
    ids = steady(source, seconds=100)
    bench = make_bench(source, change={"history": False})
    bench.run(5)
    assert bench.server.keys == {}
    source.add([(ids[0], T0 + 500 * S, 5.0)])
    bench.begin()
    bench.drain()
    assert len(bench.server.keys) == 1


def test_the_settled_row_is_the_smallest_seq_that_may_be_asked_for(make_bench, source, clock, steady, samples_db):
    ids = steady(source, seconds=10)
    bench = make_bench(source)
    bench.drain()
    for second in range(10, 200):
        steady(source, seconds=1, names=ids, start_ns=T0 + second * S)
        bench.run(1)
    with sqlite3.connect(samples_db) as db:
        rows = dict(db.execute("SELECT sink, seq FROM cursor").fetchall())
        state = json.loads(db.execute("SELECT state FROM cursor WHERE sink = 'up'").fetchone()[0])
    db.close()
    assert rows["up#settled"] == pytest.approx(800 - 4 * 62, abs=4 * 10)
    assert rows["up"] == pytest.approx(800, abs=8)
    assert state["settled_seq"] == rows["up#settled"]


def test_a_full_disk_stops_no_sample(make_bench, source, steady, monkeypatch):
    """The cursor cannot be saved: samples go out all the same, and again after a start, onto their own keys."""
    steady(source, seconds=100)
    bench = make_bench(source)

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    bench.worker._cursors.save = full
    bench.drain()
    assert bench.server.keys == bench.expected()
    bench.begin()
    bench.drain()
    assert bench.server.keys == bench.expected()
    assert set(bench.server.bucket.writes.values()) == {2}


def test_what_is_set_aside_is_on_disk_before_the_cursor_passes(make_bench, source, steady, samples_db):
    ids = steady(source, seconds=5)
    source.add([(ids[0], T0 + 200 * S, float("nan"))])
    bench = make_bench(source)
    save, failed = bench.worker._cursors.save, []

    def full(status, settled, set_aside, wall_ns):
        if set_aside and not failed:
            failed.append(True)
            raise sqlite3.OperationalError("database or disk is full")
        save(status, settled, set_aside, wall_ns)

    bench.worker._cursors.save = full
    with pytest.raises(sqlite3.OperationalError):
        bench.drain()
    bench.begin()
    bench.drain()
    assert len(quarantine(samples_db)) == 1


def test_samples_that_cannot_be_read_now_are_read_later(make_bench, source, steady):
    steady(source, seconds=100)
    bench = make_bench(source)
    read, refusals = source.read, [StoreError("storage", "not now")] * 3

    def sometimes(after_seq, samples_max):
        if refusals:
            raise refusals.pop()
        return read(after_seq, samples_max)

    source.read = sometimes
    for _ in range(3):
        with pytest.raises(StoreError):
            bench.worker.step()
    bench.drain()
    assert bench.server.keys == bench.expected()
