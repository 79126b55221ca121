"""What the gym keeps: one struct per table of ``edge/storage/schema/gym``. Field order is column order.

Rows about a person hold a token, never a name; ``at_ns`` is UTC wall time, durations are ms, distances metres. The
samples of a workout are in the time series under its machine's channels; the workout's row says which stretch is its.
Its pulse is personal and in rows of its own (``pulses``).
"""

from __future__ import annotations

from typing import ClassVar

from edge.domain.alarm_rows import ALARM_ROW_TYPES
from edge.domain.answered import AuditRow, ConfigRow, ReplyRow
from edge.domain.gym.photo_rows import PHOTO_ROW_TYPES
from edge.domain.gym.pulses import PulseRow
from edge.domain.gym.trail_rows import TRAIL_ROW_TYPES
from edge.domain.gym.wear_rows import WEAR_ROW_TYPES
from edge.domain.kernel import Row


class DayRow(Row, frozen=True, kw_only=True, tag="business_day"):
    """A business day; the newest row is the current one."""

    KEY: ClassVar = ("day",)
    day: str


class WorkoutRow(Row, frozen=True, kw_only=True, tag="workout"):
    """A workout, ``state`` open (``standing``), ended or dropped (too short to be one). ``reason`` why it ended: idle,
    finished, left, claimed, signal_lost, restarted, locked_out, queue_cap. ``breaks`` is msgpack of
    [kind, start_ms, end_ms]: pauses and losses. ``filled_ms`` of ``active_ms`` were told by the machine's counters
    after a loss. ``body`` is msgpack of the machine's state while open, empty afterwards."""

    KEY: ClassVar = ("workout_id",)
    workout_id: str
    asset: str
    zone: str
    kind: str
    person: str
    identity: str
    day: str
    standing: bool
    state: str
    reason: str
    stop_reason: str
    began_ns: int
    ended_ns: int
    clock_trusted: bool
    active_ms: int
    filled_ms: int
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
    breaks: bytes
    at_ns: int
    body: bytes


class PersonRow(Row, frozen=True, kw_only=True, tag="person"):
    """A person's prescription as staff set it; ``cards`` separated by spaces. ``known`` False: forgotten (all else is
    empty then)."""

    KEY: ClassVar = ("person",)
    person: str
    known: bool
    birth_year: int
    rest_bpm: int
    ceiling_bpm: int
    max_bpm: int
    beta_blocker: bool
    cards: str
    set_by: str
    day: str


class VitalsRow(Row, frozen=True, kw_only=True, tag="vitals"):
    """One measurement on arrival and what the gate said. ``kiosk`` "" = by staff (``by``). ``decision`` is of
    ``GateDecision``, "referred" where an earlier referral of the day stands against this reading, or "lifted": ``by``
    took the referral back (nothing was measured then)."""

    KEY: ClassVar = ("seq", "at_ns")
    seq: int
    day: str
    person: str
    kiosk: str
    by: str
    systolic_mmhg: int | None
    diastolic_mmhg: int | None
    pulse_bpm: int | None
    weight_kg: float | None
    irregular: bool | None
    decision: str
    at_ns: int


class HeartAlarmRow(Row, frozen=True, kw_only=True, tag="heart_alarm"):
    """A warning or alarm with the samples that caused it: ``samples`` is msgpack of [age_ms, bpm], oldest first."""

    KEY: ClassVar = ("seq", "asset")
    seq: int
    asset: str
    workout_id: str
    person: str
    level: str
    ceiling_bpm: int
    max_bpm: int
    source: str
    at_ns: int
    samples: bytes


class UseRow(Row, frozen=True, kw_only=True, tag="use_hour"):
    """Use of one zone's machines of one kind in one hour of one day (site time): for the hour-of-week profile."""

    KEY: ClassVar = ("day", "hour", "zone", "kind")
    day: str
    hour: int
    zone: str
    kind: str
    busy_ms: int
    workouts: int
    turned_away: int
    waits: int
    wait_ms: int
    longest_wait_ms: int
    no_shows: int


class QueueRow(Row, frozen=True, kw_only=True, tag="queue_entry"):
    """A place in the virtual queue. ``state``: waiting, called, served, left, no_show."""

    KEY: ClassVar = ("entry_id",)
    entry_id: str
    zone: str
    kind: str
    person: str
    state: str
    waiting: bool
    asset: str
    joined_ns: int
    at_ns: int


ROW_TYPES: tuple[type[Row], ...] = (
    *(ConfigRow, DayRow, ReplyRow, AuditRow),
    *ALARM_ROW_TYPES,
    *(WorkoutRow, PulseRow, PersonRow, VitalsRow, HeartAlarmRow, UseRow, QueueRow),
    *WEAR_ROW_TYPES,
    *PHOTO_ROW_TYPES,
    *TRAIL_ROW_TYPES,
)
