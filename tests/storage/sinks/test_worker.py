"""A sink's worker in simulated time: outages, restarts of either side, bad lines, and what it says of itself."""

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


def test_everything_arrives_once_and_the_cursor_is_at_the_end(make_bench, source, steady, samples_db):
    steady(source, seconds=300)
    bench = make_bench(source)
    bench.drain()
    assert bench.server.keys == bench.expected()
    assert set(bench.server.bucket.writes.values()) == {1}
    bench.worker.close()
    (status,) = read_statuses(samples_db)
    assert (status.acked_seq, status.lag_inputs, status.lag_samples, status.lag_bytes) == (1200, 0, 0, 0)
    assert status.samples_sent == 1200
    bench.begin()


@pytest.mark.parametrize("whole", [0, 37])
def test_whole_chunks_that_repeat_samples_send_none_twice(make_bench, make_source, steady, whole):
    source = make_source(whole=whole)
    steady(source, seconds=300)
    bench = make_bench(source)
    bench.drain()
    assert bench.server.keys == bench.expected()
    assert set(bench.server.bucket.writes.values()) == {1}


def test_an_outage_of_72_hours_leaves_no_hole(make_bench, source, clock, steady):
    """The server away for three days; what came before and after is there, each key once."""
    ids = steady(source, seconds=120, devices=1)
    bench = make_bench(source, change={"batch_samples": 500})
    bench.drain()
    bench.server.down = True
    hours = 72
    for hour in range(hours):
        steady(source, seconds=180, names=ids, start_ns=T0 + (120 + hour * 3600) * S, every_s=20)
        bench.run(3600)
    assert bench.worker.status.health is SinkHealth.UNREACHABLE
    assert bench.worker.status.lag_inputs == pytest.approx(hours * 180, abs=600)
    assert bench.worker.status.lag_s > (hours - 1) * 3600
    assert bench.worker.status.failures < hours * 3600 / 25, "retries must become rare"
    bench.server.down = False
    bench.server.kill()
    began_s = clock.now_s
    bench.drain()
    assert bench.server.keys == bench.expected()
    assert len(bench.server.keys) == 120 + hours * 180
    assert bench.server.bucket.changed == []
    assert clock.now_s - began_s < hours * 3600 / 100, "draining is at least 100 times as fast as real time"


@pytest.mark.parametrize("tells_life", [True, False])
def test_what_a_killed_server_had_only_in_memory_is_sent_again(make_bench, source, clock, steady, tells_life):
    steady(source, seconds=800, devices=5)
    bench = make_bench(source, tells_life=tells_life, unsynced_s=5.0, change={"samples_per_s_max": 50})
    bench.run(20)
    sent = len(bench.server.keys)
    bench.server.kill()
    assert len(bench.server.keys) < sent
    bench.drain()
    assert bench.server.keys == bench.expected()
    assert bench.worker.status.rewinds >= 1


def test_a_server_that_dies_again_and_again_still_gets_everything(make_bench, source, clock, steady):
    steady(source, seconds=1000, devices=5)
    bench = make_bench(source, unsynced_s=5.0, change={"samples_per_s_max": 40, "batch_samples": 50})
    for _ in range(6):
        bench.run(130)
        bench.server.kill()
    bench.drain()
    assert bench.server.keys == bench.expected()


def test_a_broken_line_to_a_server_that_says_nothing_does_not_send_for_ever(make_bench, source, steady):
    """Reset every few seconds: the same stretch goes out a few times, then the rest follows."""
    steady(source, seconds=800, devices=5)
    bench = make_bench(source, tells_life=False, change={"samples_per_s_max": 100})
    for _ in range(40):
        bench.run(4)
        bench.server._fresh = True
    bench.drain()
    assert bench.server.keys == bench.expected()
    assert bench.worker.status.rewinds <= 8


def test_the_same_life_over_a_new_connection_sends_nothing_again(make_bench, source, steady):
    steady(source, seconds=500, devices=5)
    bench = make_bench(source, change={"samples_per_s_max": 100})
    for _ in range(8):
        bench.run(6)
        bench.server._fresh = True
    bench.drain()
    assert bench.worker.status.rewinds == 0
    assert set(bench.server.bucket.writes.values()) == {1}


def test_killed_at_every_step_the_keys_stay_the_same(make_bench, source, clock):
    """Same-millisecond readings and an hour lived twice: a restart anywhere must not change a single key."""
    one, two = source.define("a", "power_w"), source.define("a", "count")
    for lap in range(2):
        for second in range(60):
            at = T0 + second * S
            source.add([(one, at, lap + second / 7), (one, at, lap + second / 9), (two, at, float(second))])
            source.add([(one, at, -lap - second / 11)])
    bench = make_bench(source, change={"batch_samples": 10})
    steps = 0
    while not bench.done and steps < 2000:
        clock.advance(max(bench.worker.step(), 2.0))
        steps += 1
        if steps % 3 == 0:
            bench.begin()
            if steps % 9 == 0:
                clock.advance(70)
    bench.drain()
    assert bench.server.keys == bench.expected()
    assert len(bench.server.keys) == 2 * 60 * 4
    assert bench.server.bucket.changed == []


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
    bench.run(1000, lambda: bench.server.sent)
    assert 17.0 <= clock.now_s - began_s < 20
    assert bench.worker.status.health is SinkHealth.LIVE or bench.worker.status.lag_s >= 0


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
