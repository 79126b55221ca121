"""Builds inventory passes, and reports the empty ones of an idle field once a second instead of one by one.

The hard part is honesty: a pass is complete only if nothing in it was refused, late or unfinished. A user would notice
a mistake as a tray that is priced although a plate was not read.
"""

from __future__ import annotations

import msgspec

from drivers.engine import NS_PER_MS
from edge.domain.devices import PlatePass, TagSeen

IDLE_AFTER = 3
"""Empty passes reported one by one after the last chip; then the field counts as idle."""
COALESCE_NS = 1_000 * NS_PER_MS
NO_STATUS = -1
"""``PlatePass.status`` where the reader told none; ``status_name`` then says ``timed_out`` or ``damaged``."""


class PassLog:
    """What one pass has brought so far. A chip counts once, with its strongest signal."""

    def __init__(self, started_ns: int) -> None:
        self.started_ns = started_ns
        self.complete = False
        self.status = NO_STATUS
        self.status_name = ""
        self._rssi_by_uid: dict[str, int | None] = {}
        self._raw: list[bytes] = []

    def frame(self, raw: bytes) -> None:
        """Keep a frame for the black box."""
        self._raw.append(raw)

    def seen(self, uid: str, rssi_dbm: int | None = None) -> None:
        before = self._rssi_by_uid.get(uid)
        known = [rssi for rssi in (before, rssi_dbm) if rssi is not None]
        self._rssi_by_uid[uid] = max(known, default=None)

    def end(self, status: int, status_name: str, *, complete: bool) -> None:
        self.status, self.status_name, self.complete = status, status_name, complete

    def close(self, ended_ns: int, *, residual: bool, independent: bool) -> PlatePass:
        tags = tuple(TagSeen(uid, rssi_dbm) for uid, rssi_dbm in self._rssi_by_uid.items())
        plain_empty = self.complete and not tags
        return PlatePass(
            tags=tags,
            complete=self.complete,
            residual=residual,
            independent=independent,
            status=self.status,
            status_name=self.status_name,
            started_ns=self.started_ns,
            ended_ns=ended_ns,
            empty_passes=1 if plain_empty else 0,
            raw=() if plain_empty else tuple(self._raw),
        )


class PassReporter:
    """Lets passes through, except that after ``IDLE_AFTER`` empty complete ones further empty ones are summed up and
    told once a second. Anything else is told at once, after the sum, so that the order is kept."""

    def __init__(self) -> None:
        self._empty_in_row = 0
        self._held: PlatePass | None = None

    @property
    def idle(self) -> bool:
        """True when the field has been empty long enough to poll it slowly."""
        return self._empty_in_row >= IDLE_AFTER

    def reset(self) -> None:
        self._empty_in_row = 0
        self._held = None

    def report(self, done: PlatePass) -> list[PlatePass]:
        """What to tell now."""
        if not done.complete or done.tags or done.residual or not done.independent:
            if done.tags:
                self._empty_in_row = 0
            return [*self.flush(), done]
        self._empty_in_row += 1
        if self._empty_in_row <= IDLE_AFTER:
            return [*self.flush(), done]
        if self._held is not None:
            done = msgspec.structs.replace(
                done, started_ns=self._held.started_ns, empty_passes=self._held.empty_passes + 1
            )
        self._held = done
        return self.flush() if done.ended_ns - done.started_ns >= COALESCE_NS else []

    def flush(self) -> list[PlatePass]:
        """The sum held back, if any."""
        held, self._held = self._held, None
        return [held] if held is not None else []
