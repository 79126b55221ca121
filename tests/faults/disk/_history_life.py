"""What is said to a history under fault, and what must come out of it again: both follow from the number of an input.

Input n is one reading of one of three meters with n as its value, ``STEP_NS`` after the one before it; some are late,
with a time of the device's own. So a sample that is missing, doubled, torn or another one is seen by its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edge.domain.devices import DeviceReading
from edge.domain.field_devices import MeterReading
from edge.domain.kernel import Stamp
from edge.storage import facts, rollups, sample_db, sample_retention
from edge.storage.batch import Batch, WorldSnapshot
from edge.storage.log import LogRecord
from edge.storage.sample_retention import Retention

S = 1_000_000_000
T0 = 1_795_000_000 * S
STEP_NS = 300 * S
INPUTS = 120
POINTS = 3
SINK = "lake"
#: By the name of a life: nothing goes by age, or chunks go after a day, which is four hours long here.
RETENTION = {"keep": Retention(), "retain": Retention(chunks_days=1, rollups_days=30)}
SHORT_DAY_NS = 4 * 3600 * S


@contextmanager
def small() -> Iterator[None]:
    """Everything that comes in slices or now and then comes in small ones and often, so that faults meet it."""
    wanted = (
        (facts, "CHECKPOINT_PAGES", 16),
        (sample_db, "CHECKPOINT_PAGES", 24),
        (rollups, "SLICE", 2),
        (sample_retention, "SLICE", 4),
        (sample_retention, "DAY_NS", SHORT_DAY_NS),
    )
    before = [(module, name, getattr(module, name)) for module, name, _ in wanted]
    for module, name, value in wanted:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def wall_ns(number: int) -> int:
    """When input ``number`` was stamped."""
    return T0 + number * STEP_NS


def time_ns(number: int) -> int:
    """The time of its sample."""
    return wall_ns(number) - (14 * 3600 * S + number * 1_000_000 if number % 17 == 0 else 0)


def batch_of(first: int, last: int) -> Batch:
    """One commit with the inputs ``first`` to ``last``."""
    snapshot = WorldSnapshot(last, "hourly", b"world") if (last // 40) != (first - 1) // 40 else None
    return Batch(records=[_record(number) for number in range(first, last + 1)], snapshot=snapshot)


def _record(number: int) -> LogRecord:
    source = time_ns(number) if number % 17 == 0 else None
    body = MeterReading(point=f"p{number % POINTS}", power_w=float(number), source_wall_ns=source)
    stamp = Stamp(number, "boot", wall_ns(number), wall_ns(number), wall_trusted=True)
    return LogRecord(stamp, msgspec.msgpack.encode(DeviceReading("d", 1, body)))


def sent_runs(path: Path) -> list[tuple[int, int]]:
    """What the sink was sent: (first, last), as the life wrote it down before it answered."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [(int(first), int(last)) for last, first in (line.split() for line in lines)]
