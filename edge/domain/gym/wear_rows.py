"""What maintenance keeps: wear of each machine, its days, work orders, inspections. ``at_ns`` is UTC wall time."""

from __future__ import annotations

from typing import ClassVar

from edge.domain.kernel import Row


class WearRow(Row, frozen=True, kw_only=True, tag="wear"):
    """A machine's wear as it stood at ``at_ns``; ``body`` is msgpack of ``wear_state.Wear``."""

    KEY: ClassVar = ("asset",)
    asset: str
    hours_h: float
    distance_km: float
    starts: int
    service_day: str
    at_ns: int
    body: bytes


class WearDayRow(Row, frozen=True, kw_only=True, tag="wear_day"):
    """One machine's day: use and the index of its motor current normalised by speed (1 = as when new), of ``n``
    samples. ``mean_current_ma`` of all that it told in motion."""

    KEY: ClassVar = ("asset", "day")
    asset: str
    day: str
    busy_ms: int
    distance_m: float
    starts: int
    uses: int
    current_index: float | None
    peak_current_ma: int | None
    peak_temperature_c: float | None
    n: int
    mean_current_ma: int | None


class OrderRow(Row, frozen=True, kw_only=True, tag="work_order"):
    """A work order: ``state`` seen, acknowledged, ticket, locked_out, closed; ``standing`` until closed."""

    KEY: ClassVar = ("order_id",)
    order_id: str
    asset: str
    cause: str
    detail: str
    state: str
    standing: bool
    ticket: str
    opened_by: str
    opened_ns: int
    at_ns: int
    closed_by: str


class OrderStepRow(Row, frozen=True, kw_only=True, tag="work_order_step"):
    """What was done to an order, by whom."""

    KEY: ClassVar = ("seq", "order_id")
    seq: int
    order_id: str
    step: str
    by: str
    note: str
    at_ns: int


class InspectionRow(Row, frozen=True, kw_only=True, tag="inspection"):
    """An inspection by checklist; ``items`` is msgpack of [item, grade], ``worst`` the gravest grade."""

    KEY: ClassVar = ("seq",)
    seq: int
    asset: str
    day: str
    by: str
    worst: str
    note: str
    items: bytes
    at_ns: int


WEAR_ROW_TYPES: tuple[type[Row], ...] = (WearRow, WearDayRow, OrderRow, OrderStepRow, InspectionRow)
