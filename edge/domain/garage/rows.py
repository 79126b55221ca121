"""What the garage keeps: one struct per table of ``edge/storage/schema/garage``. Field order is column order.

The pieces define their own rows beside their code; this module holds those of the kernel itself and collects them all.
``at_ns`` is UTC wall time.
"""

from __future__ import annotations

from typing import ClassVar

from edge.domain.alarm_rows import ALARM_ROW_TYPES
from edge.domain.answered import AuditRow, ConfigRow, ReplyRow
from edge.domain.garage.access_rows import ACCESS_ROW_TYPES
from edge.domain.garage.session_rows import ChargeRow, CutRecordRow, LoadRow, PortChargingRow, PurseCopyRow, SessionRow
from edge.domain.garage.zone_rows import ZONE_ROW_TYPES
from edge.domain.kernel import Row


class DayRow(Row, frozen=True, kw_only=True, tag="business_day"):
    """A business day; the newest row is the current one."""

    KEY: ClassVar = ("day",)
    day: str


ROW_TYPES: tuple[type[Row], ...] = (
    *(ConfigRow, DayRow, ReplyRow, AuditRow),
    *ZONE_ROW_TYPES,
    *ACCESS_ROW_TYPES,
    *ALARM_ROW_TYPES,
    *(SessionRow, PortChargingRow, CutRecordRow, ChargeRow, PurseCopyRow, LoadRow),
)
