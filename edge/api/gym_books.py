"""What the API reads from the gym's store: workouts, people, measurements, orders, wear, use, laps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from edge.api.books import BadCursor, BooksAway, Listing
from edge.domain.gym.rows import HeartAlarmRow, PersonRow, UseRow, VitalsRow, WorkoutRow
from edge.domain.gym.trail_rows import LapRow
from edge.domain.gym.wear_rows import InspectionRow, OrderRow, OrderStepRow, WearDayRow
from edge.domain.kernel import Row
from edge.storage.errors import StoreError
from edge.storage.reading import StoreReader, Value

R = TypeVar("R", bound=Row)
T = TypeVar("T")
MAX_ROWS = 500


class GymBooks:
    """Reads ``facts.db`` of the gym in ``directory``, read-only. Every method may raise ``BooksAway``, those with a
    cursor ``BadCursor``."""

    def __init__(self, directory: Path) -> None:
        self._reader = StoreReader(directory)

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def workouts(self, where: dict[str, Value], cursor: str | None, limit: int) -> Listing[WorkoutRow]:
        """Newest first; ``where`` may hold person, asset, day."""
        return self._page(WorkoutRow, where, ("began_ns", "workout_id"), cursor, limit)

    def workout(self, workout_id: str) -> WorkoutRow | None:
        return _read(lambda: self._reader.get(WorkoutRow, workout_id))

    def heart_alarms(self, workout_id: str) -> list[HeartAlarmRow]:
        """The warnings and alarms of a workout, with their samples."""
        return _read(lambda: self._reader.fetch(HeartAlarmRow, {"workout_id": workout_id}, limit=MAX_ROWS))

    def person(self, person: str) -> PersonRow | None:
        """What staff have set; None also for a person who was forgotten."""
        row = _read(lambda: self._reader.get(PersonRow, person))
        return row if row is not None and row.known else None

    def vitals(self, person: str, cursor: str | None, limit: int) -> Listing[VitalsRow]:
        """Measurements on arrival, newest first."""
        return self._page(VitalsRow, {"person": person}, ("seq", "at_ns"), cursor, limit)

    def orders(self, where: dict[str, Value], cursor: str | None, limit: int) -> Listing[OrderRow]:
        """Work orders, newest first; ``where`` may hold asset, standing."""
        return self._page(OrderRow, where, ("opened_ns", "order_id"), cursor, limit)

    def order_steps(self, order_id: str) -> list[OrderStepRow]:
        """What was done to an order."""
        return _read(lambda: self._reader.fetch(OrderStepRow, {"order_id": order_id}, limit=MAX_ROWS))

    def wear_days(self, asset: str, cursor: str | None, limit: int) -> Listing[WearDayRow]:
        """A machine's days, newest first."""
        return self._page(WearDayRow, {"asset": asset}, ("asset", "day"), cursor, limit)

    def inspections(self, asset: str, cursor: str | None, limit: int) -> Listing[InspectionRow]:
        """Inspections of a machine, newest first."""
        return self._page(InspectionRow, {"asset": asset}, ("seq",), cursor, limit)

    def laps(self, trail: str, cursor: str | None, limit: int) -> Listing[LapRow]:
        """Laps of a trail, newest first."""
        return self._page(LapRow, {"trail": trail}, ("at_ns", "outing_id", "lap"), cursor, limit)

    def use_hours(self, day: str) -> list[UseRow]:
        """The hours of one day."""
        return _read(lambda: self._reader.fetch(UseRow, {"day": day}, limit=MAX_ROWS))

    def _page(
        self, kind: type[R], where: dict[str, Value], by: tuple[str, ...], cursor: str | None, limit: int
    ) -> Listing[R]:
        def page() -> Listing[R]:
            found = self._reader.page(kind, where, by=by, newest_first=True, cursor=cursor, limit=limit)
            return Listing(found.rows, found.cursor)

        return _read(page)


def _read(work: Callable[[], T]) -> T:
    try:
        return work()
    except StoreError as exc:
        if exc.code == "cursor":
            raise BadCursor(exc.text) from exc
        raise BooksAway(f"{exc.code}: {exc.text}") from exc


# --- answers ----------------------------------------------------------------------------------------------------------


class Workout(msgspec.Struct, frozen=True, kw_only=True):
    """A workout, open (``ended_ns`` 0) or over. ``breaks``: [kind, start_ms, end_ms] of pauses and losses."""

    workout_id: str
    asset: str
    zone: str
    kind: str
    person: str
    identity: str
    day: str
    state: str
    reason: str
    stop_reason: str
    began_ns: int
    ended_ns: int
    active_s: int
    filled_s: int
    distance_m: float
    strokes: float
    energy_kcal: float
    climb_m: float
    reps: int
    sets: int
    work_j: float
    peak_torque_nm: float
    mean_power_w: float | None
    peak_power_w: float
    mean_bpm: float | None
    peak_bpm: int
    recovery_bpm: int | None
    breaks: list[tuple[str, int, int | None]]


class WorkoutList(msgspec.Struct, frozen=True, kw_only=True):
    """Workouts, newest first."""

    items: list[Workout]
    next_cursor: str | None


class HeartAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """A warning or alarm of the pulse; ``samples`` are [age_ms, bpm], oldest first."""

    level: str
    ceiling_bpm: int
    max_bpm: int
    source: str
    at_ns: int
    samples: list[tuple[int, int]]


class WorkoutDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A workout with the alarms of its pulse."""

    workout: Workout
    heart_alarms: list[HeartAlarm]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What staff have set for a person; 0 = not set."""

    person: str
    birth_year: int
    rest_bpm: int
    ceiling_bpm: int
    max_bpm: int
    beta_blocker: bool
    cards: list[str]
    set_by: str
    day: str


class VitalsItem(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement on arrival; null = not measured."""

    kiosk: str
    by: str
    systolic_mmhg: int | None
    diastolic_mmhg: int | None
    pulse_bpm: int | None
    weight_kg: float | None
    irregular: bool | None
    decision: str
    at_ns: int


class VitalsList(msgspec.Struct, frozen=True, kw_only=True):
    """Measurements, newest first."""

    items: list[VitalsItem]
    next_cursor: str | None


class WorkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A work order; ``state``: seen, acknowledged, ticket, locked_out, closed."""

    order_id: str
    asset: str
    cause: str
    detail: str
    state: str
    ticket: str
    opened_by: str
    opened_ns: int
    at_ns: int
    closed_by: str


class WorkOrderList(msgspec.Struct, frozen=True, kw_only=True):
    """Work orders, newest first."""

    items: list[WorkOrder]
    next_cursor: str | None


class WorkOrderStep(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to an order, and by whom."""

    step: str
    by: str
    note: str
    at_ns: int


class WorkOrderSteps(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of one order, oldest first."""

    items: list[WorkOrderStep]


class WearDay(msgspec.Struct, frozen=True, kw_only=True):
    """A machine's day; ``current_index`` 1 = as when it was new here."""

    day: str
    busy_s: int
    distance_m: float
    starts: int
    uses: int
    current_index: float | None
    peak_current_ma: int | None
    peak_temperature_c: float | None


class WearDayList(msgspec.Struct, frozen=True, kw_only=True):
    """Days of one machine, newest first."""

    items: list[WearDay]
    next_cursor: str | None


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """An inspection; ``items`` are [item, grade]."""

    day: str
    by: str
    worst: str
    note: str
    items: list[tuple[str, str]]
    at_ns: int


class InspectionList(msgspec.Struct, frozen=True, kw_only=True):
    """Inspections of one machine, newest first."""

    items: list[Inspection]
    next_cursor: str | None


class Lap(msgspec.Struct, frozen=True, kw_only=True):
    """A lap; ``problem`` "" if it counts without doubt. ``segments`` are [gate index, ms since the lap began]."""

    lap: int
    day: str
    ms: int
    problem: str
    segments: list[tuple[int, int]]
    at_ns: int


class LapList(msgspec.Struct, frozen=True, kw_only=True):
    """Laps of one trail, newest first."""

    items: list[Lap]
    next_cursor: str | None


class UseHour(msgspec.Struct, frozen=True, kw_only=True):
    """Use of one kind of machine in one room in one hour of the site's clock."""

    hour: int
    zone: str
    kind: str
    busy_s: int
    workouts: int
    turned_away: int
    waits: int
    wait_s: int
    longest_wait_s: int


class UseDay(msgspec.Struct, frozen=True, kw_only=True):
    """The hours of one day."""

    day: str
    hours: list[UseHour]


ANSWERS = (
    WorkoutList, WorkoutDetail, Person, VitalsList, WorkOrderList, WorkOrderSteps, WearDayList, InspectionList, LapList,
    UseDay,
)  # fmt: skip


def workout_answer(row: WorkoutRow) -> Workout:
    """A stored workout as an answer."""
    same = {name: getattr(row, name) for name in Workout.__struct_fields__ if hasattr(row, name) and name != "breaks"}
    return Workout(
        **same,
        active_s=row.active_ms // 1000,
        filled_s=row.filled_ms // 1000,
        breaks=msgspec.msgpack.decode(row.breaks, type=list[tuple[str, int, int | None]]),
    )


def heart_alarm_answer(row: HeartAlarmRow) -> HeartAlarm:
    return HeartAlarm(
        level=row.level,
        ceiling_bpm=row.ceiling_bpm,
        max_bpm=row.max_bpm,
        source=row.source,
        at_ns=row.at_ns,
        samples=msgspec.msgpack.decode(row.samples, type=list[tuple[int, int]]),
    )


def plain(row: Row, kind: type[T], **more: object) -> T:
    """A row as an answer whose fields bear the same names; ``more`` are those that do not."""
    names: tuple[str, ...] = kind.__struct_fields__  # type: ignore[attr-defined] # every answer is a struct
    same = {name: getattr(row, name) for name in names if name not in more}
    return kind(**same, **more)


def unpack(packed: bytes, kind: type[T]) -> T:
    """What a row keeps as msgpack."""
    return msgspec.msgpack.decode(packed, type=kind)
