"""What the API answers of the gym's stored rows, and how a row becomes an answer.

Durations are whole seconds here and lists are lists; a user would notice a mistake as minutes that are thousands.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from edge.domain.gym.photo_rows import PhotoRow
from edge.domain.gym.rows import HeartAlarmRow, WorkoutRow
from edge.domain.gym.view_types import PhotoView
from edge.domain.gym.wear_rows import InspectionRow
from edge.domain.kernel import Row

T = TypeVar("T")


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
    mean_current_ma: int | None
    peak_temperature_c: float | None


class WearDayList(msgspec.Struct, frozen=True, kw_only=True):
    """Days of one machine, newest first."""

    items: list[WearDay]
    next_cursor: str | None


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """An inspection; ``items`` are [item, grade]; ``photo`` null without one."""

    inspection: int
    day: str
    by: str
    worst: str
    note: str
    items: list[tuple[str, str]]
    at_ns: int
    photo: PhotoView | None


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
    no_shows: int


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


def inspection_answer(row: InspectionRow, photo: PhotoRow | None) -> Inspection:
    """A stored inspection as an answer; ``photo`` is the newest of its machine."""
    has_photo = photo is not None and photo.standing and photo.inspection == row.seq
    return plain(
        row,
        Inspection,
        inspection=row.seq,
        items=unpack(row.items, list[tuple[str, str]]),
        photo=plain(photo, PhotoView, taken_wall_ns=photo.at_ns) if photo is not None and has_photo else None,
    )


def plain(row: Row, kind: type[T], **more: object) -> T:
    """A row as an answer whose fields bear the same names; ``more`` are those that do not."""
    names: tuple[str, ...] = kind.__struct_fields__  # type: ignore[attr-defined] # every answer is a struct
    same = {name: getattr(row, name) for name in names if name not in more}
    return kind(**same, **more)


def unpack(packed: bytes, kind: type[T]) -> T:
    """What a row keeps as msgpack."""
    return msgspec.msgpack.decode(packed, type=kind)
