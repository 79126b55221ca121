"""What the gym shows: complete states for pages, by key.

People are tokens, never names. Ages are ages at ``at_wall_ns``; decisions never use them. What is not known is None,
and pages say "unknown", never "normal".
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.gym.settings import AssetKind
from edge.domain.words import Text


class Use(StrEnum):
    """What a visitor sees of a machine. WARM: just left. CLOSED: outside of opening hours. UNKNOWN: not heard of."""

    FREE = "free"
    WARM = "warm"
    BUSY = "busy"
    FAULT = "fault"
    LOCKED = "locked"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class HeartView(msgspec.Struct, frozen=True, kw_only=True):
    """``level``: off, unknown, stale, doubtful, ok, warn, alarm. ``bpm`` None unless it is believed and fresh.
    ``source`` of the ceiling: personal, table, none, rpe."""

    level: str
    bpm: int | None
    ceiling_bpm: int
    max_bpm: int
    source: str


class TotalsView(msgspec.Struct, frozen=True, kw_only=True):
    active_s: int
    distance_m: int
    strokes: int
    energy_kcal: int
    climb_m: int
    reps: int
    sets: int
    mean_power_w: int | None
    mean_bpm: int | None
    peak_bpm: int | None


class AssetView(msgspec.Struct, frozen=True, kw_only=True):
    """One machine; key ``asset/<asset>``. ``person`` is a token, "" anonymous or free; the API takes it (and the pulse)
    out for those who may not see it. ``phase``: idle, armed, active, paused, lost. ``heard_ago_s`` None: not since
    the start. ``due`` are maintenance codes (hours_soon, hours_due, days_overdue, drift ...). ``cap_left_s`` until
    others who wait may expect it, 0 when the time is up, None while nobody waits."""

    asset: str
    zone: str
    kind: AssetKind
    name: Text
    use: Use
    phase: str
    fault: str
    workout_id: str
    person: str
    identity: str
    totals: TotalsView | None
    speed_km_h: float | None
    cadence_rpm: float | None
    power_w: float | None
    incline_pct: float | None
    resistance_level: float | None
    heart: HeartView
    heard_ago_s: int | None
    at_wall_ns: int
    hours_h: float | None = None
    distance_km: float | None = None
    due: tuple[str, ...] = ()
    cap_left_s: int | None = None


class ZoneUse(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a zone's machines by ``Use``. ``waiting`` people; ``occupancy_pct`` of those that can be used."""

    zone: str
    name: Text
    open: bool
    free: int
    warm: int
    busy: int
    out: int
    unknown: int
    occupancy_pct: int
    waiting: int = 0


class QueueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """``place`` from 1; ``called_asset`` "" while waiting; ``grace_left_s`` while called."""

    place: int
    zone: str
    kind: AssetKind
    person: str
    called_asset: str
    grace_left_s: int
    waiting_s: int


class GymView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole gym in one glance; key ``gym``. ``assets``: (asset, use, phase). ``limits_signed``: "author, date" of
    the limits' sign-off, "" unsigned. ``today``: of this business day."""

    site: Text
    business_day: str
    zones: tuple[ZoneUse, ...]
    assets: tuple[tuple[str, Use, str], ...]
    workouts_today: int
    active_min_today: int
    distance_km_today: float
    limits_signed: str
    set_aside: int
    clock_trusted: bool
    at_wall_ns: int
    queue: tuple[QueueEntry, ...] = ()
    no_shows_today: int = 0


class GateDecision(StrEnum):
    """What the entry gate says. MEASURE: no fresh values. REST: above the hold values, measure again after a rest.
    HOLD: still above them. REFER: to a doctor."""

    ADMIT = "admit"
    MEASURE = "measure"
    REST = "rest"
    HOLD = "hold"
    REFER = "refer"


class KioskView(msgspec.Struct, frozen=True, kw_only=True):
    """A measuring place; key ``kiosk/<kiosk>``. ``person`` "": nobody has shown a card; ``readings`` of this visit."""

    kiosk: str
    name: Text
    person: str
    decision: GateDecision
    systolic_mmhg: int | None
    diastolic_mmhg: int | None
    pulse_bpm: int | None
    weight_kg: float | None
    readings: int
    rest_left_s: int
    signed: str
    at_wall_ns: int


class LapView(msgspec.Struct, frozen=True, kw_only=True):
    """``pace_s_per_km`` None unless the lap counts. ``problem``: "", missing_gate, short_cut, too_fast."""

    tag: str
    lap: int
    seconds: float
    pace_s_per_km: int | None
    problem: str


class TrailView(msgspec.Struct, frozen=True, kw_only=True):
    """A trail; key ``trail/<trail>``. ``out`` are those on it: (tag, laps, last gate). ``laps`` the last ones."""

    trail: str
    name: Text
    length_m: int
    open: bool
    out: tuple[tuple[str, int, str], ...]
    laps: tuple[LapView, ...]
    laps_today: int
    at_wall_ns: int


class PhotoView(msgspec.Struct, frozen=True, kw_only=True):
    """A photo's facts; the picture itself is fetched by its order or inspection."""

    digest: str
    size_bytes: int
    width_px: int
    height_px: int
    by: str
    taken_wall_ns: int


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """A work order. ``state``: seen, acknowledged, ticket, locked_out, closed."""

    order_id: str
    asset: str
    cause: str
    detail: str
    state: str
    ticket: str
    opened_wall_ns: int
    by: str
    photo: PhotoView | None = None


class MaintenanceView(msgspec.Struct, frozen=True, kw_only=True):
    """Open orders and what is due; key ``maintenance``. ``due``: (asset, code, share of the interval in %).
    ``checklist``: the lines of an inspection as the site has them, (item, words)."""

    orders: tuple[OrderView, ...]
    due: tuple[tuple[str, str, int], ...]
    checklist: tuple[tuple[str, Text], ...]
    at_wall_ns: int
