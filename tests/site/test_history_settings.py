"""``[history]`` of a site: what is kept, for how long, and that these words reach who keeps it."""

from __future__ import annotations

import pytest

from edge.runtime import history as running
from edge.runtime.run import DAY_NS, keep_after_ns
from edge.site_model import HistorySettings
from edge.storage.sample_retention import Retention

HISTORY = "[history]\nlog_days = 3\nchunks_days = 30\nrollups_days = 100\nmax_gib = 2\n\n[demo]\n"


def test_what_the_file_says_and_what_holds_without_a_word(site, example):
    assert example.history == HistorySettings(log_days=7, chunks_days=400, rollups_days=3650, max_bytes=16 << 30)
    site.swap("site.toml", "[demo]\n", HISTORY)
    assert site.load().history == HistorySettings(log_days=3, chunks_days=30, rollups_days=100, max_bytes=2 << 30)


@pytest.mark.parametrize("name", ["log_days", "chunks_days", "rollups_days", "max_gib"])
def test_a_bound_that_keeps_nothing_is_refused(site, name):
    site.swap("site.toml", "[demo]\n", f"[history]\n{name} = 0\n\n[demo]\n")
    assert [(each.file, name in str(each.path)) for each in site.mistakes()] == [("site.toml", True)]


def test_the_words_reach_the_history(site, monkeypatch):
    site.swap("site.toml", "[demo]\n", HISTORY)
    seen = []

    def opened(_directory, _name, retention):
        seen.append(retention)
        raise RuntimeError("enough")

    monkeypatch.setattr(running, "SampleHistory", opened)
    with pytest.raises(RuntimeError, match="enough"):
        running.HistoryService(site.load())
    assert seen == [Retention(30, 100, 2 << 30)]


def test_a_clock_that_nobody_trusts_makes_no_input_old():
    assert keep_after_ns(3, 10 * DAY_NS, trusted=True) == 7 * DAY_NS
    assert keep_after_ns(3, 10 * DAY_NS, trusted=False) == 0
