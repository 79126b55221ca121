"""``[history]`` of a site: what is kept, for how long, and that these words reach who keeps it."""

from __future__ import annotations

import pytest

from edge.runtime import history as running
from edge.runtime.run import DAY_NS, keep_after_ns
from edge.site import CHANNELS_MAX
from edge.site_model import HistorySettings
from edge.storage.sample_resolution import ChannelResolution, Resolution, Resolutions
from edge.storage.sample_retention import Retention

FINE = """[[history.channels]]
match = "garage/*/power_w"
resolution = "10s"

[history]
resolution = "100ms"
"""
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
    site.swap("site.toml", "[demo]\n", FINE + HISTORY.removeprefix("[history]\n"))
    seen = []

    def opened(_directory, _name, retention, resolutions):
        seen.append((retention, resolutions))
        raise RuntimeError("enough")

    monkeypatch.setattr(running, "SampleHistory", opened)
    with pytest.raises(RuntimeError, match="enough"):
        running.HistoryService(site.load())
    slow = ChannelResolution("garage/*/power_w", Resolution.SECOND_10)
    assert seen == [(Retention(30, 100, 2 << 30), Resolutions(Resolution.MS_100, (slow,)))]


@pytest.mark.parametrize(
    ("was", "is_now", "told"),
    [
        ('"100ms"', '"1us"', ["history.resolution"]),
        ('"10s"', '"7s"', ["history.channels[0].resolution"]),
        ('match = "garage/*/power_w"', "", ["history.channels[0].match"]),
        ("match =", "mach =", ["history.channels[0].match", "history.channels[0].mach"]),
    ],
)
def test_what_is_wrong_with_a_resolution_is_told(site, was, is_now, told):
    site.swap("site.toml", "[demo]\n", FINE.replace(was, is_now) + "\n[demo]\n")
    mistakes = site.mistakes()
    assert [mistake.path for mistake in mistakes] == told
    if told[0].endswith("resolution"):
        assert sorted(mistakes[0].allowed.en.split(", ")) == sorted(Resolution)


def test_so_many_channels_at_most(site):
    entry = '[[history.channels]]\nmatch = "*"\nresolution = "1s"\n'
    site.swap("site.toml", "[demo]\n", entry * (CHANNELS_MAX + 1) + "\n[demo]\n")
    assert [mistake.path for mistake in site.mistakes()] == ["history.channels"]


def test_a_clock_that_nobody_trusts_makes_no_input_old():
    assert keep_after_ns(3, 10 * DAY_NS, trusted=True) == 7 * DAY_NS
    assert keep_after_ns(3, 10 * DAY_NS, trusted=False) == 0
