"""The pulse of old workouts goes and nothing else does: told by a plain list of what should be left."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.domain.gym.pulses import PulseRow
from edge.domain.gym.rows import ROW_TYPES, WorkoutRow
from edge.storage.batch import Batch
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from edge.storage.pulse_retention import SLICE_WORKOUTS

Open = Callable[..., FactsStore]
Write = Callable[[FactsStore, Batch], StoreError | None]
Record = Callable[..., LogRecord]
Wait = Callable[[Callable[[], bool]], None]
TODAY = date(2026, 11, 23)
NS_PER_S = 1_000_000_000


def ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()) * NS_PER_S


@pytest.fixture
def gym(open_store: Open, sample_row: Callable[..., Any], write: Write, record: Record) -> FactsStore:
    """Workouts of a year, more than two slices of them older than 400 days; two of three with a pulse of two parts, one
    of a clock that nobody trusted."""
    store = open_store(row_types=ROW_TYPES, vertical="gym")
    dice, rows = random.Random(7), []
    for number in range(5 * SLICE_WORKOUTS):
        days = 500 if number == 4 else dice.randrange(250, 600)
        day = (TODAY - timedelta(days=days)).isoformat()
        name = f"t{dice.randrange(9)}-{number}"
        facts = {"workout_id": name, "asset": name[:2], "day": day, "state": "ended", "breaks": b"", "body": b""}
        rows.append(sample_row(WorkoutRow, **facts, clock_trusted=number != 4, standing=False))
        rows += [PulseRow(workout_id=name, from_s=at, bpm=b"Z" * 9) for at in (0, 300) if number % 3]
    assert write(store, Batch(records=[record(1)], rows=rows)) is None
    return store


def left(store: FactsStore, after: date) -> set[str]:
    days = {row.workout_id: (row.day, row.clock_trusted) for row in store.rows().all(WorkoutRow)}
    return {
        f"{row.workout_id} {row.from_s}"
        for row in store.rows().all(PulseRow)
        if days[row.workout_id][0] >= after.isoformat() or not days[row.workout_id][1]
    }


def pulses(store: FactsStore) -> set[str]:
    return {f"{row.workout_id} {row.from_s}" for row in store.rows().all(PulseRow)}


def test_the_pulse_of_old_workouts_goes_and_all_else_stays(gym: FactsStore, wait_until: Wait) -> None:
    after, before = TODAY - timedelta(days=400), pulses(gym)
    expected = left(gym, after)
    assert len(before) > len(expected) > 0
    gym.prune(keep_after_wall_ns=0, max_bytes=1 << 40, pulses_after_wall_ns=ns(after))
    wait_until(lambda: gym.counters()["pulses_pruned"] >= len(before) - len(expected))
    assert pulses(gym) == expected
    assert len(list(gym.rows().all(WorkoutRow))) == 5 * SLICE_WORKOUTS
    later = TODAY - timedelta(days=300)  # the days pass: only what became old since is looked at
    expected = left(gym, later)
    gym.prune(keep_after_wall_ns=0, max_bytes=1 << 40, pulses_after_wall_ns=ns(later))
    wait_until(lambda: gym.counters()["pulses_pruned"] >= len(before) - len(expected))
    assert pulses(gym) == expected


def test_while_nobody_knows_the_time_all_stay(gym: FactsStore, write: Write, record: Record, wait_until: Wait) -> None:
    before = pulses(gym)
    gym.prune(keep_after_wall_ns=0, max_bytes=1 << 40, pulses_after_wall_ns=0)
    wait_until(lambda: gym._writer._chores.wait_s() is None)
    assert write(gym, Batch(records=[record(2)])) is None
    assert pulses(gym) == before


def test_a_slice_that_fails_is_tried_again(
    gym: FactsStore, wait_until: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = TODAY - timedelta(days=400)
    expected, before = left(gym, after), pulses(gym)
    with closing(sqlite3.connect(tmp_path / "store" / "facts.db")) as other:
        other.execute("CREATE TRIGGER stays BEFORE DELETE ON pulse BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END")
        gym.prune(keep_after_wall_ns=0, max_bytes=1 << 40, pulses_after_wall_ns=ns(after))
        wait_until(lambda: gym.counters()["chore_errors"] == 1)
        assert pulses(gym) == before
        other.execute("DROP TRIGGER stays")
    gym.prune(keep_after_wall_ns=0, max_bytes=1 << 40, pulses_after_wall_ns=ns(after))
    wait_until(lambda: gym.counters()["pulses_pruned"] >= len(before) - len(expected))
    assert pulses(gym) == expected
