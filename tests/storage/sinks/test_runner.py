"""Sinks as threads: one dead beside one live, one that fails beside one that works, and an end within bounds."""

from __future__ import annotations

import time

import msgspec
import pytest

from edge.storage.sinks.cursors import read_statuses
from edge.storage.sinks.runner import SinkHome, SinkRunner
from edge.storage.sinks.status import SinkHealth


@pytest.fixture
def run(samples_db, settings, token_file):
    """Start sinks (name -> url) on a source; stopped at the end."""
    started = []

    def start(source, urls, **change):
        told = {"org": "kangle", "bucket": "edge", "token_file": token_file, "timeout_s": 2.0, **change}
        sinks = [msgspec.structs.replace(settings, sink=name, url=url, **told) for name, url in urls.items()]
        opened = source if callable(source) else lambda: source
        started.append(SinkRunner(SinkHome("site-1", "garage", samples_db, opened), sinks, seed=1))
        started[-1].start()
        return started[-1]

    yield start
    for runner in started:
        runner.stop(60)


def until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_dead_sink_does_not_hold_up_a_live_one(influx, run, source, steady, samples_db):
    steady(source, seconds=500)
    live, hung = influx(), influx()
    hung.script({"do": "hang", "count": 1000})
    runner = run(source, {"live": live.url, "gone": "http://127.0.0.1:9", "hung": hung.url})
    until(lambda: len(live.server.bucket.values) == 2000)
    until(lambda: all(status.health is SinkHealth.UNREACHABLE for status in runner.statuses()[1:]))
    for status in runner.statuses()[1:]:
        assert status.failures
        assert status.samples_sent == 0
    assert runner.stop(60)
    saved = {status.sink: status for status in read_statuses(samples_db)}
    assert saved["live"].lag_inputs == 0
    assert saved["gone"].lag_inputs == 2000
    assert saved["gone"].lag_samples == 2000
    assert saved["gone"].lag_bytes > 2000 * 50
    assert live.server.bucket.changed == []


def test_a_worker_that_fails_is_made_anew(influx, run, source, steady, monkeypatch):
    monkeypatch.setattr("edge.storage.sinks.runner.REMAKE_S", 0.05)
    steady(source, seconds=10)
    failures = iter([RuntimeError("first"), RuntimeError("second")])

    def open_source():
        for error in failures:
            raise error
        return source

    server = influx()
    run(open_source, {"live": server.url})
    until(lambda: len(server.server.bucket.values) == 40)


def test_starting_with_every_sink_down_takes_no_time_and_a_restart_goes_on(influx, run, source, steady):
    steady(source, seconds=100)
    server = influx()
    runner = run(source, {"up": server.url})
    until(lambda: len(server.server.bucket.values) == 400)
    assert runner.stop(60)
    steady(source, seconds=100, names=[0, 1, 2, 3], start_ns=1_790_000_200 * 1_000_000_000)
    run(source, {"up": server.url})
    until(lambda: len(server.server.bucket.values) == 800)
    assert server.server.bucket.changed == []
