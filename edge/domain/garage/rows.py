"""What the garage keeps: one struct per table of ``edge/storage/schema/garage``. Field order is column order.

The pieces define their own rows beside their code; this module holds those of the kernel itself and collects them all.
``at_ns`` is UTC wall time.
"""

from __future__ import annotations

from typing import ClassVar

from edge.domain.alarm_rows import ALARM_ROW_TYPES
from edge.domain.garage.access_rows import ACCESS_ROW_TYPES
from edge.domain.garage.session_rows import ChargeRow, CutRecordRow, LoadRow, PortChargingRow, PurseCopyRow, SessionRow
from edge.domain.garage.zone_rows import ZONE_ROW_TYPES
from edge.domain.kernel import Row


class ConfigRow(Row, frozen=True, kw_only=True, tag="config"):
    """The configuration in force; ``body`` is its msgpack."""

    KEY: ClassVar = ("kind",)
    kind: str
    version: str
    body: bytes


class DayRow(Row, frozen=True, kw_only=True, tag="business_day"):
    """A business day; the newest row is the current one."""

    KEY: ClassVar = ("day",)
    day: str


class ReplyRow(Row, frozen=True, kw_only=True, tag="command_reply"):
    """The answer to a command, kept so that a repeat gets the same one."""

    KEY: ClassVar = ("day", "command_id")
    day: str
    command_id: str
    digest: bytes
    code: str
    body: bytes


class AuditRow(Row, frozen=True, kw_only=True, tag="audit"):
    """Who did what."""

    KEY: ClassVar = ("seq",)
    seq: int
    role: str
    user: str
    action: str
    ref: str
    at_ns: int


ROW_TYPES: tuple[type[Row], ...] = (
    *(ConfigRow, DayRow, ReplyRow, AuditRow),
    *ZONE_ROW_TYPES,
    *ACCESS_ROW_TYPES,
    *ALARM_ROW_TYPES,
    *(SessionRow, PortChargingRow, CutRecordRow, ChargeRow, PurseCopyRow, LoadRow),
)
