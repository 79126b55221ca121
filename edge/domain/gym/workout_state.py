"""One machine in use: what is known of it now, and the workout under way on it.

Times are monotonic ns of this boot; ``*_wall_ns`` UTC. Totals are those of the workout and never fall.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.gym.counters import Counter
from edge.domain.gym.settings import AssetSettings
from edge.domain.machine_readings import MachineState

#: Pauses and losses of one workout that are told apart; later ones lengthen the last.
MAX_BREAKS = 64


class Phase(StrEnum):
    """Of a machine. LOST is no pause: nothing is known."""

    IDLE = "idle"
    ARMED = "armed"
    ACTIVE = "active"
    PAUSED = "paused"
    LOST = "lost"


class Identity(StrEnum):
    """How a workout came to its person."""

    NONE = "none"
    CARD = "card"
    QR = "qr"
    LATE = "late"


class Break(msgspec.Struct, array_like=True):
    """A pause or a loss within a workout, in ms since its start; ``end_ms`` None while it lasts."""

    kind: str
    start_ms: int
    end_ms: int | None = None


class Totals(msgspec.Struct):
    """What was done. ``active_ms`` is time in motion: pauses and losses that no counter vouches for are not in it."""

    active_ms: int = 0
    distance_m: float = 0.0
    strokes: float = 0.0
    energy_kcal: float = 0.0
    climb_m: float = 0.0
    floors: float = 0.0
    reps: int = 0
    sets: int = 0
    work_j: float = 0.0
    peak_torque_nm: float = 0.0
    power_ws: float = 0.0
    power_ms: int = 0
    peak_power_w: float = 0.0
    heart_beats: float = 0.0
    heart_ms: int = 0
    peak_bpm: int = 0


class Workout(msgspec.Struct, kw_only=True):
    """From the first motion to the last. ``person`` "" is anonymous. ``ended_ms`` is set when it is over."""

    workout_id: str
    asset: str
    person: str
    identity: Identity
    began_ns: int
    began_wall_ns: int
    clock_trusted: bool
    totals: Totals = msgspec.field(default_factory=Totals)
    breaks: list[Break] = []
    backfilled_ms: int = 0
    leaps: int = 0
    pulse: bytes = b""
    """The part of its pulse under way (``pulses``), from its second ``pulse_from_s`` on."""
    pulse_from_s: int = 0
    pulse_kept: bool = True
    filled_to_ms: int = 0
    """Up to when, since the start, the machine's counters have told what was done unheard."""
    finishing: bool = False
    """The machine said that it was over when it was heard again."""
    set_active_ms: int = 0
    """``active_ms`` and the time since the start when the last set was over (``sets``)."""
    set_over_ms: int = 0

    def ms(self, now_ns: int) -> int:
        """Milliseconds since its start."""
        return max(0, (now_ns - self.began_ns) // 1_000_000)


class Latest(msgspec.Struct):
    """The machine's last words; each None until said. ``*_ns`` when; ``track`` is (ns, metres) of the last seconds, of
    which speed is made where the machine's own is not believed."""

    state: MachineState | None = None
    speed_km_h: float | None = None
    cadence_rpm: float | None = None
    cadence_ns: int = 0
    power_w: float | None = None
    heart_rate_bpm: int | None = None
    incline_pct: float | None = None
    resistance_level: float | None = None
    elapsed_s: float | None = None
    safety_key_pulled: bool | None = None
    metres: float = 0.0
    track: list[tuple[int, float]] = []


class Asset(msgspec.Struct, kw_only=True):
    """One machine. ``heard_ns`` its last word of any kind (None: not since the start); ``moved_ns`` the last motion,
    ``moving_ns`` since when it moves without a break; ``since_ns`` of its phase; ``armed_for`` who claimed it;
    ``freed_ns`` when the last workout ended (warm until then + warm_s); ``fault`` a stable code. ``lag_ns``: how long
    its last word had been on its way, ``said_wall_ns`` when its gateway says that it was said; ``set_reps`` told one by
    one since the last finished set; ``set_ns`` when a set was said to begin, None once its first repetition has
    come."""

    settings: AssetSettings
    phase: Phase = Phase.IDLE
    since_ns: int = 0
    heard_ns: int | None = None
    lag_ns: int = 0
    said_wall_ns: int = 0
    set_reps: int = 0
    set_ns: int | None = None
    moved_ns: int | None = None
    moving_ns: int | None = None
    freed_ns: int | None = None
    armed_for: str = ""
    armed_by: Identity = Identity.NONE
    workout: Workout | None = None
    pending: Totals = msgspec.field(default_factory=Totals)
    """Done since motion was first seen, and not yet believed to be a workout."""
    counted_ns: int = 0
    """Up to when ``active_ms`` has been counted."""
    latest: Latest = msgspec.field(default_factory=Latest)
    counters: dict[str, Counter] = {}
    bpm: int | None = None
    """The pulse that is believed now (``limits``), None unknown."""
    fault: str = ""
    link_down: bool = False
    locked_by: str = ""
    """The work order that locked it out, "" none."""
    busy_ns: int | None = None
    """Up to when its busy time has been counted; None while it is free."""
    due_ns: int | None = None
    noted_ns: int = 0
    shown_ns: int = 0
    shown_use: str = ""
    """What visitors were last shown of it (``Use``)."""
