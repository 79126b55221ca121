"""What the history says of itself reaches the daemon, and so does its silence."""

from __future__ import annotations

import pytest

from edge.runtime.history_watch import LOOK_NS, SILENCE_NS, HistoryWatch
from edge.storage.history_health import FILE_NAME, HistoryHealth, read_health, write_health


@pytest.fixture
def watch(tmp_path):
    class Watched:
        now_ns = 0
        posted: list[tuple[str, str]] = []  # noqa: RUF012 - one a test
        takes = True

        def look(self):
            self.now_ns += LOOK_NS
            self.watch.beat()
            return self.posted

        def post(self, reading):
            if self.takes:
                self.posted.append((reading.body.state.value, reading.body.problem))
            return self.takes

    watched = Watched()
    watched.posted = []
    watched.watch = HistoryWatch(tmp_path, watched.post, lambda: watched.now_ns)
    return watched


def test_nothing_is_said_where_no_history_ran(watch, tmp_path):
    assert watch.look() == []
    (tmp_path / FILE_NAME).write_bytes(b"not ours")
    assert watch.look() == []


def test_an_alarm_comes_once_and_goes(watch, tmp_path):
    for beats, alarm in enumerate(["", "", "samples_dropped", "samples_dropped", ""]):
        write_health(tmp_path, HistoryHealth(7, beats, alarm))
        watch.look()
    assert watch.posted == [("ready", ""), ("fault", "samples_dropped"), ("ready", "")]


def test_silence_is_a_fault_until_it_is_heard_again(watch, tmp_path):
    write_health(tmp_path, HistoryHealth(7, 1))
    for _ in range(SILENCE_NS // LOOK_NS + 2):
        watch.look()
    assert watch.posted == [("ready", ""), ("fault", "history_silent")]
    write_health(tmp_path, HistoryHealth(8, 1))
    assert watch.look()[-1] == ("ready", "")


def test_what_the_full_inbox_refused_is_posted_again(watch, tmp_path):
    write_health(tmp_path, HistoryHealth(7, 1, "damaged"))
    watch.takes = False
    assert watch.look() == []
    watch.takes = True
    assert watch.look() == [("fault", "damaged")]


def test_the_file_comes_back_as_written(tmp_path):
    health = HistoryHealth(1, 2, "seal_failed", "磁盘已满")
    write_health(tmp_path, health)
    assert read_health(tmp_path) == health
