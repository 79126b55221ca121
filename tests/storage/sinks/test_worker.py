"""A sink's worker in simulated time: outages, restarts of either side, bad lines, and what it says of itself."""

from __future__ import annotations

import sqlite3

import pytest

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


@pytest.mark.parametrize("pace_s", [2.0, 5.0, 8.0])
def test_killed_at_every_step_the_keys_stay_the_same(make_bench, source, clock, pace_s):
    """Same-millisecond readings and an hour lived twice: a restart anywhere must not change a single key."""
    one, two = source.define("a", "power_w"), source.define("a", "count")
    for lap in range(2):
        for second in range(60):
            at = T0 + second * S
            source.add([(one, at, lap + second / 7), (one, at, lap + second / 9), (two, at, float(second))])
            source.add([(one, at, -lap - second / 11)])
    bench = make_bench(source, change={"batch_samples": 10})
    lives = rewound = 0
    while not bench.done:
        lives += 1
        assert lives < 100, "it gets nowhere"
        for _ in range(lives):  # each life one step longer: killed so many steps after its begin, and far and wide
            if not bench.done:
                clock.advance(max(bench.worker.step(), pace_s))
        if not bench.done:
            after = bench.worker.status.acked_seq
            bench.begin()
            rewound += bench.worker.status.acked_seq < after
    assert rewound > 10, "what a life had sent and not settled is sent again"
    assert bench.server.keys == bench.expected()
    assert len(bench.server.keys) == 2 * 60 * 4
    assert bench.server.bucket.changed == []


def test_a_settled_position_keeps_what_the_keys_rest_on(make_bench, source, clock):
    """The clock was set back before a position settled: after a restart the second lap must not hit the keys of the
    first."""
    series = source.define("a", "power_w")
    bench = make_bench(source)
    for lap in range(2):
        for second in range(200):
            source.add([(series, T0 + second * S, lap * 1000.0 + second)])
            bench.run(1)
    assert bench.worker._progress.settled.seq > 250, "the second lap must have begun before it"
    bench.begin()
    bench.drain()
    assert bench.server.keys == bench.expected()
    assert bench.server.bucket.changed == []
    assert len(bench.server.keys) == 400
