"""What the alarms keep, in any vertical: one struct per table. Field order is column order; ``at_ns`` is UTC wall time.

``*_book_ns`` are times of the book's own clock (``edge.domain.alarm_clock``), whose state is the row of kind "clock".
"""

from __future__ import annotations

from typing import ClassVar

from edge.domain.kernel import Row


class AlarmRow(Row, frozen=True, kw_only=True, tag="alarm"):
    """One occurrence of an alarm; ``standing`` while it is not normal. ``body`` is the msgpack of the whole alarm; the
    other columns are there to be queried."""

    KEY: ClassVar = ("alarm_id",)
    alarm_id: str
    key: str
    cause: str
    zone: str
    priority: str
    state: str
    standing: bool
    first_at_ns: int
    last_at_ns: int
    body: bytes


class AlarmEventRow(Row, frozen=True, kw_only=True, tag="alarm_event"):
    """What happened to an alarm and by whom ("" = by itself): the journal."""

    KEY: ClassVar = ("seq", "n")
    seq: int
    n: int
    alarm_id: str
    event: str
    state: str
    by: str
    detail: str
    at_ns: int
    at_trusted: bool


class NotificationRow(Row, frozen=True, kw_only=True, tag="notification"):
    """A notice to the outside world: ``state`` pending, delivered, failed, cancelled, dropped. ``body`` is the msgpack
    of the notice while it is pending, empty afterwards."""

    KEY: ClassVar = ("notice_id",)
    notice_id: str
    alarm_id: str
    channel: str
    target: str
    what: str
    state: str
    pending: bool
    tries: int
    proof: str
    at_ns: int
    body: bytes


class AlarmHourRow(Row, frozen=True, kw_only=True, tag="alarm_hour"):
    """Annunciations of one hour (hours since 1970 UTC) by priority, time in flood, and how acknowledgement went."""

    KEY: ClassVar = ("hour",)
    hour: int
    fire: int
    high: int
    medium: int
    low: int
    flood_ms: int
    acknowledged: int
    ack_wait_ms: int


class AlarmClockRow(Row, frozen=True, kw_only=True, tag="alarm_clock"):
    """Where the book's clock stood when rows were last written."""

    KEY: ClassVar = ("kind",)
    kind: str
    book_ns: int
    boot_id: str
    mono_ns: int
    wall_ns: int
    wall_trusted: bool
    dropped_notices: int


ALARM_ROW_TYPES: tuple[type[Row], ...] = (AlarmRow, AlarmEventRow, NotificationRow, AlarmHourRow, AlarmClockRow)
