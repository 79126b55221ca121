"""What the fake server keeps: values by key, and a journal that is behind by as much as a real server's may be.

A point overwrites the one with the same measurement, tags, field and time. Two things are counted that no real server
tells: how often a key was written, and whether one was ever overwritten with another value (then two samples were
merged). With a journal, points reach it ``sync_s`` after they were acknowledged; a kill -9 loses the rest.
"""

from __future__ import annotations

import json
import marshal
import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from firmware_sim.influx_fake.line_parser import Point, Tags, Value, kind_of

Key = tuple[str, Tags, str, int]
#: When a start has read so much more of a journal, it keeps the outcome beside it: a server that is killed every minute
#: and reads all its days again each time needs longer for that than it lives.
PACK_BYTES = 1 << 20
#: A point is a tuple, which JSON writes as a list.
_encode = json.JSONEncoder().encode


class Rejected(NamedTuple):
    """``dropped`` points of one write were not stored (the rest was), and the first reason."""

    dropped: int
    reason: str


class Bucket:
    """``oldest_ns``: points before it are beyond the retention. ``journal`` None: everything is gone at the end."""

    def __init__(self, *, journal: Path | None = None, sync_s: float = 0.0, oldest_ns: int | None = None) -> None:
        self.oldest_ns = oldest_ns
        self.writes: dict[Key, int] = {}
        self.values: dict[Key, Value] = {}
        self.changed: list[Key] = []
        self.recovered = 0
        self._kinds: dict[tuple[str, str], str] = {}
        self._sync_s = sync_s
        self._waiting: deque[tuple[float, list[Point]]] = deque()
        self._file: IO[str] | None = None
        if journal is not None:
            self._load(journal)
            self._file = journal.open("a", encoding="utf-8")

    def write(self, points: Sequence[Point], now_s: float) -> Rejected | None:
        """Store what can be stored; None when that is all."""
        good: list[Point] = []
        rejected, reason = 0, ""
        for point in points:
            why = self._conflict(point)
            if why:
                rejected, reason = rejected + 1, reason or why
                continue
            good.append(point)
            self._store(point)
        if self._file is not None and good:
            self._waiting.append((now_s, good))
            self.sync(now_s)
        return Rejected(rejected, reason) if rejected else None

    def _conflict(self, point: Point) -> str:
        if self.oldest_ns is not None and point.time_ns < self.oldest_ns:
            return "points beyond retention policy"
        for field, value in point.fields.items():
            here = kind_of(value)
            kind = self._kinds.setdefault((point.measurement, field), here)
            if kind != here:
                return (
                    f'field type conflict: input field "{field}" on measurement "{point.measurement}" is type '
                    f"{here}, already exists as type {kind}"
                )
        return ""

    def _store(self, point: Point) -> None:
        for field, value in point.fields.items():
            key = (point.measurement, point.tags, field, point.time_ns)
            if key in self.values and self.values[key] != value:
                self.changed.append(key)
            self.values[key] = value
            self.writes[key] = self.writes.get(key, 0) + 1

    def sync(self, now_s: float) -> None:
        """Bring what is old enough to the journal."""
        if self._file is None:
            return
        while self._waiting and now_s - self._waiting[0][0] >= self._sync_s:
            self._file.writelines(_encode(point) + "\n" for point in self._waiting.popleft()[1])
        self._file.flush()

    def _load(self, path: Path) -> None:
        if not path.exists():
            return
        pack = path.with_name(path.name + ".pack")
        begin = self._unpack(pack)
        data = path.read_bytes()
        end = data.rfind(b"\n") + 1
        if end < len(data):
            os.truncate(path, end)
        for line in data[begin:end].splitlines():
            measurement, tags, fields, time_ns = json.loads(line)
            point = Point(measurement, tuple((key, value) for key, value in tags), fields, time_ns)
            self._conflict(point)
            self._store(point)
            self.recovered += 1
        if end - begin >= PACK_BYTES:
            whole = (end, self.recovered, self._kinds, self.values, self.writes, self.changed)
            new = pack.with_name(pack.name + ".new")
            new.write_bytes(marshal.dumps(whole))
            new.replace(pack)

    def _unpack(self, pack: Path) -> int:
        """Take over what an earlier start made of the journal; gives how many bytes of it that was."""
        if not pack.exists():
            return 0
        begin, self.recovered, self._kinds, self.values, self.writes, self.changed = marshal.loads(pack.read_bytes())  # noqa: S302 - our own file
        return int(begin)

    def lines(self) -> Iterator[str]:
        """Each key as a JSON line: measurement, tags, field, time in ns, value, how often it was written."""
        for (measurement, tags, field, time_ns), value in self.values.items():
            key = (measurement, tags, field, time_ns)
            yield json.dumps([measurement, dict(tags), field, time_ns, value, self.writes[key]])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
