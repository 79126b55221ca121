"""How the store bench reads its trace: a sync that strace told in two pieces counts like any other."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SYNCS = runpy.run_path(str(Path(__file__).parent / "_syncs.py"))
#: Thread 7145 is the store's writer, 7068 the history, 7144 a checkpoint.
TRACE = """\
7145  1795392110.000000 fdatasync(8) = 0 (DELAYED) <0.001000>
7068  1795392112.294367 fdatasync(10 <unfinished ...>
7145  1795392112.296180 fdatasync(8 <unfinished ...>
7068  1795392112.297035 <... fdatasync resumed>) = 0 (DELAYED) <0.002585>
7145  1795392112.298305 <... fdatasync resumed>) = 0 (DELAYED) <0.002064>
7145  1795392113.000000 fsync(8) = 0 (DELAYED) <0.004000>
7144  1795392113.100000 fsync(8) = 0 (DELAYED) <0.009000>
"""


def test_a_sync_beside_another_process_s_counts_whole():
    found = SYNCS["syncs_of"](7145, TRACE)
    began, took_ms = zip(*found, strict=True)
    assert began == (1795392110.0, 1795392112.29618, 1795392113.0)
    assert took_ms == pytest.approx((1.0, 2.064, 4.0))


def test_a_put_is_told_without_its_own_syncs():
    syncs = SYNCS["syncs_of"](7145, TRACE)
    put = SYNCS["Moments"](1795392112.29, 1795392112.35, 1795392112.353)
    assert SYNCS["beyond"](put, syncs, 50.0) == pytest.approx(6.18 + 3, abs=0.01), "before it, and after it came back"
    none_of_its_own = SYNCS["Moments"](1795392112.9, 1795392112.94, 1795392112.95)
    assert SYNCS["beyond"](none_of_its_own, syncs, 50.0) == pytest.approx(50, abs=0.01)


def test_a_second_sync_of_a_put_is_taken_off_with_its_delay():
    syncs = [(100.010, 2.0), (100.070, 4.0)]
    put = SYNCS["Moments"](100.0, 100.130, 100.131)
    assert SYNCS["beyond"](put, syncs, 50.0) == pytest.approx(70 + 1 - 52, abs=0.01)
