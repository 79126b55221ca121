"""An older log was put in place and its numbers are given out again: a sink that lives through it gets what is new."""

from __future__ import annotations

import pytest

from edge.storage.sinks.cursors import read_statuses

S = 1_000_000_000
T0 = 1_790_000_000 * S


@pytest.mark.parametrize("steps", [0, 1, 3, 4, 5, 8])
def test_what_comes_under_old_numbers_is_sent(make_bench, source, samples_db, steps):
    """Wherever the worker is: before, within and behind a block of the log that was."""
    series = source.define("a", "power_w")
    for second in range(60):
        source.add([(series, T0 + second * S, float(second))])
    bench = make_bench(source, change={"batch_samples": 10})
    for _ in range(steps):
        bench.worker.step()
    del source.rows[20:]
    source.head = 20
    for second in range(100):
        source.add([(series, T0 + (1000 + second) * S, 1000.0 + second)])
    source.fork_seq = 20
    bench.worker._save()
    (saved,) = read_statuses(samples_db)
    assert saved.acked_seq <= 20, "the cursor was set back at once"
    bench.drain()
    assert bench.expected().items() <= bench.server.bucket.values.items()
    assert bench.worker.status.acked_seq == 120


def test_a_cursor_of_the_log_that_was_is_not_written_over_the_one_that_was_set_back(make_bench, source, samples_db):
    """The answer of a long request arrives after the log was replaced."""
    series = source.define("a", "power_w")
    for second in range(60):
        source.add([(series, T0 + second * S, float(second))])
    bench = make_bench(source)
    real = bench.server.send

    def send(items):
        answer = real(items)
        source.fork_seq = 20
        return answer

    bench.server.send = send
    bench.clock.advance(10)
    while not bench.server.bucket.values:
        bench.worker.step()
    (saved,) = read_statuses(samples_db)
    assert saved.acked_seq <= 20
    assert bench.worker._progress.acked.seq <= 20
