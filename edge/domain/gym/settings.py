"""The gym's configuration as plain values; ``edge.site`` reads and checks the files and builds one ``GymConfig``.

Every number of which a doctor, a maker or a standard may have another opinion is a setting here with the default of our
reference (``gym-domain.md``), its author and its date; none is a constant in the code that uses it. Times are whole
units named in the suffix.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.alarm_book import Step
from edge.domain.places import Place
from edge.domain.words import Text


class AssetKind(StrEnum):
    TREADMILL = "treadmill"
    CROSS_TRAINER = "cross_trainer"
    BIKE = "bike"
    ROWER = "rower"
    STAIR_CLIMBER = "stair_climber"
    STEP_CLIMBER = "step_climber"
    STRENGTH = "strength"
    """Isokinetic and other strength machines: sets and repetitions instead of distance."""
    CIRCULATION = "circulation"
    """Micro-circulation: vibration plates, pneumatic sleeves."""
    OUTDOOR = "outdoor"
    """An outdoor point: counted, inspected, never a workout of its own."""


class Motion(StrEnum):
    """By what a machine's use is known. Never by its speed: some say 0 for ever, some idle with a belt that runs."""

    DISTANCE = "distance"
    STROKES = "strokes"
    POWER = "power"
    REPS = "reps"
    MINUTES = "minutes"


class QuirkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one machine model does differently. ``motion`` are the quantities that prove use. ``motion_w``: power at or
    above it keeps a workout going, ``start_w`` begins or resumes one. ``speed_from_distance``: its own speed is not
    believed. ``counter_modulus_m`` > 0: the distance wraps there. ``max_speed_km_h``: a distance that grows faster is
    not believed."""

    motion: tuple[Motion, ...] = (Motion.DISTANCE, Motion.STROKES, Motion.POWER, Motion.REPS, Motion.MINUTES)
    motion_w: int = 10
    start_w: int = 40
    speed_from_distance: bool = False
    counter_modulus_m: int = 0
    max_speed_km_h: int = 60


class AssetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One machine. ``at``: where it is heard of (a console and a meter may be two places). ``reader``: its card reader.
    ``heart``: places of heart-rate belts or grips that belong to this machine (the machine's own value needs none).
    ``stop``: whether STOP may be sent to it (off by default; the only automatic write there is). ``model`` is the name
    under which sister machines are compared. Dates are ISO, "" unknown; ``life_years`` 0 = no end of life."""

    asset: str
    zone: str
    kind: AssetKind
    name: Text
    at: tuple[Place, ...]
    reader: Place | None = None
    heart: tuple[Place, ...] = ()
    model: str = ""
    maker: str = ""
    serial: str = ""
    installed: str = ""
    life_years: int = 0
    stop: bool = False
    quirks: QuirkSettings = QuirkSettings()


class ZoneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A room, a hall, a compound's outdoor corner. Minutes of the local day; ``limits``: heart-rate limits are watched
    here (elders' gym); ``queue``: people may wait for its machines in a virtual queue. ``buzzer``: sounds while a grave
    alarm of the zone is unacknowledged, also when no page is open."""

    zone: str
    name: Text
    open_min: int = 360
    close_min: int = 1440
    limits: bool = False
    queue: bool = False
    buzzer: Place | None = None


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When a workout begins, pauses and ends (``gym-domain.md`` 3). ``arm_s``: a claimed machine without motion is free
    again. ``claim_s``: how long after its end an anonymous workout may still be claimed. ``least_s``: shorter ones are
    forgotten."""

    motion_s: int = 2
    pause_s: int = 6
    end_s: int = 90
    lost_s: int = 5
    lost_end_s: int = 180
    rep_s: int = 15
    """The longest repetition of a strength machine: until then its silence is neither pause nor loss."""
    arm_s: int = 60
    warm_s: int = 120
    claim_s: int = 1800
    least_s: int = 30
    queue_cap_s: int = 1800
    """Longest use of one machine while others wait for its kind."""
    grace_s: int = 120
    """Who is called keeps the place for so long."""


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Heart-rate limits and the entry gate (``gym-domain.md`` 8). A clinic signs them off: ``author`` and ``date`` say
    who and when; without both they are shown as unsigned on every page that uses them."""

    author: str = ""
    date: str = ""
    reserve_pct: int = 60
    """Ceiling of moderate effort as a share of the heart-rate reserve, where staff set no personal one (Karvonen)."""
    moderate_pct: int = 64
    """Effort is moderate from this share of the maximum on, vigorous from ``vigorous_pct`` on (ACSM [K])."""
    vigorous_pct: int = 77
    rest_bpm: int = 70
    """Resting pulse assumed when none is known."""
    warn_s: int = 10
    alarm_over_bpm: int = 5
    alarm_s: int = 20
    max_s: int = 5
    clear_under_bpm: int = 5
    clear_s: int = 30
    stale_s: int = 5
    unknown_s: int = 15
    jump_bpm_per_s: int = 30
    low_bpm: int = 30
    high_bpm: int = 230
    cadence_lock_s: int = 15
    rise_bpm_per_min: int = 40
    recovery_bpm: int = 12
    gate_max_age_min: int = 60
    hold_systolic_mmhg: int = 180
    hold_diastolic_mmhg: int = 110
    refer_systolic_mmhg: int = 200
    refer_diastolic_mmhg: int = 110
    """Of a person who has rested."""
    hold_rest_bpm: int = 100
    rest_again_min: int = 5


class WearSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Maintenance of machines of one kind: after so many hours or days, 0 = not by that. ``warn_pct`` of either is told
    beforehand. Drift: see ``wear`` (a slope over ``drift_days``, a CUSUM against sister machines)."""

    kind: AssetKind
    service_hours: int = 0
    service_days: int = 0
    inspect_days: int = 0
    """An inspection by checklist is due after so many days (outdoor equipment, GB 19272-2024)."""
    silent_days: int = 0
    """A counter of an outdoor point that was not heard for so many days is an order; 0: its silence is not told."""
    warn_pct: int = 90
    overdue_pct: int = 120
    drift_days: int = 21
    drift_pct_per_30d: int = 15
    cusum_slack_sd: float = 0.5
    cusum_limit_sd: float = 8.0
    current_max_ma: int = 0
    temperature_service_c: int = 45
    temperature_danger_c: int = 55


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One gate of a trail. ``at_m``: its distance from the start along the trail."""

    gate: str
    name: Text
    at: Place
    at_m: int


class TrailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A loop with gates in order of ``at_m``, the first at 0. ``fastest_km_h``: a stretch passed faster than that was a
    short-cut (or a bicycle)."""

    trail: str
    zone: str
    name: Text
    length_m: int
    gates: tuple[GateSettings, ...]
    fastest_km_h: int = 25
    idle_s: int = 900
    """Not seen at any gate for so long: the outing is over."""


class KioskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where people are measured on arrival: a cuff, perhaps a scale, and the reader at which they show who they are."""

    kiosk: str
    zone: str
    name: Text
    reader: Place
    cuff: Place
    scale: Place | None = None


class GymConfig(msgspec.Struct, frozen=True, kw_only=True):
    """All of a gym. ``version`` is the digest of the rest."""

    version: str
    site: Text
    utc_offset_min: int = 480
    zones: tuple[ZoneSettings, ...] = ()
    assets: tuple[AssetSettings, ...] = ()
    trails: tuple[TrailSettings, ...] = ()
    session: SessionSettings = SessionSettings()
    limits: LimitSettings = LimitSettings()
    wear: tuple[WearSettings, ...] = ()
    kiosks: tuple[KioskSettings, ...] = ()
    inspection: tuple[tuple[str, Text], ...] = ()
    """Checklist of outdoor equipment: (item, words), after GB 19272-2024."""
    escalation: tuple[Step, ...] = ()
