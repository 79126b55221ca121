"""What goes into the garage kernel (inputs, commands) and what it shows (views). Rows are in ``rows``.

Acknowledge, silence, shelve and reset are four different acts; none of the first three may release a trip. Views are
complete states, never differences. Durations in views are ages at ``at_wall_ns``; decisions never use them.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.actors import Actor, Role
from edge.domain.alarm_commands import AckAlarm, AlarmCommand, AlarmShown, ResetAlarm, ServiceAlarm, ShelveAlarm
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import SignalKind
from edge.domain.garage.access_views import DoorView
from edge.domain.garage.settings import GarageConfig, OutputKind
from edge.domain.words import Text

# --- commands ---------------------------------------------------------------------------------------------------------


class ResetZone(msgspec.Struct, frozen=True, kw_only=True, tag="reset_zone"):
    """Release a latched zone, on site: ``panel`` is the terminal that the token of the request is bound to (filled by
    the API from the token, never by the page), ``person`` who proved to be there by a personal PIN (checked by the
    API). Refused unless the zone is RESETTABLE and the panel stands in it. Chargers stay off."""

    zone: str
    panel: str
    person: str


class RearmPort(msgspec.Struct, frozen=True, kw_only=True, tag="rearm_port"):
    """Allow one charger again after a trip or a reset. Never re-sent after a restart."""

    port: str


class SilenceZone(msgspec.Struct, frozen=True, kw_only=True, tag="silence_zone"):
    """Stop the sound, and only the sound; a new signal sounds again."""

    zone: str


class TestZone(msgspec.Struct, frozen=True, kw_only=True, tag="test_zone"):
    """A walk test of at most ``minutes`` (1-120, 0 ends it): signals of the zone's detectors are shown as tests and cut
    nothing; it ends by itself, also over a restart, and what lasts longer counts. ``panel``: as in ``ResetZone``."""

    __test__ = False
    zone: str
    minutes: int
    panel: str = ""


class CutZone(msgspec.Struct, frozen=True, kw_only=True, tag="cut_zone"):
    """A person cuts a zone's chargers by hand: like one credible signal, latched."""

    zone: str
    reason: str = ""


class StartSession(msgspec.Struct, frozen=True, kw_only=True, tag="start_session"):
    """Begin charging at a port. ``member`` (token) or ``card`` pays; ``limit_fen`` 0 = what the purse allows."""

    session_id: str
    port: str
    member: str = ""
    card: str = ""
    limit_fen: int = 0
    limit_min: int = 0


class StopSession(msgspec.Struct, frozen=True, kw_only=True, tag="stop_session"):
    port: str
    session_id: str = ""


class PurseCopy(msgspec.Struct, frozen=True, kw_only=True, tag="purse_copy"):
    """The canteen's purses as they stood at ``as_of_wall_ns``: (member, card, balance_fen)."""

    as_of_wall_ns: int
    purses: tuple[tuple[str, str, int], ...]


class ChargePosted(msgspec.Struct, frozen=True, kw_only=True, tag="charge_posted"):
    """The canteen has answered a charge: ``code`` ok, purse_short, no_member ..."""

    session_id: str
    code: str


#: What the kernel names as the device when it sends a ``ChargeDue``.
PURSES_DEVICE = "@purses"


class ChargeDue(msgspec.Struct, frozen=True, kw_only=True, tag="charge_due"):
    """Sent (DURABLE) to ``PURSES_DEVICE``: have the canteen take a session's price from a purse. Answered by a
    ``ChargePosted`` when the canteen has spoken; asked again by the shell until then, by the kernel after a start."""

    session_id: str
    member: str
    fen: int


CommandBody = (
    ResetZone
    | RearmPort
    | SilenceZone
    | TestZone
    | CutZone
    | StartSession
    | StopSession
    | PurseCopy
    | ChargePosted
    | AlarmCommand
)

_WATCH = frozenset({Role.PANEL, Role.MAINTENANCE, Role.MANAGER, Role.ADMIN})
_PAYERS = frozenset({Role.RESIDENT, Role.MEMBER, Role.CASHIER, Role.MANAGER, Role.ADMIN, Role.PANEL})
#: Who may give which command. The API checks the same table; the daemon checks again.
COMMAND_ROLES: dict[type, frozenset[Role]] = {
    ResetZone: frozenset({Role.PANEL}),
    RearmPort: _WATCH,
    SilenceZone: _WATCH,
    TestZone: frozenset({Role.PANEL, Role.MAINTENANCE}),
    CutZone: _WATCH,
    StartSession: _PAYERS,
    StopSession: _PAYERS,
    PurseCopy: frozenset({Role.DEVICE}),
    ChargePosted: frozenset({Role.DEVICE}),
    **dict.fromkeys((AckAlarm, ShelveAlarm, ResetAlarm, AlarmShown), _WATCH),
    ServiceAlarm: frozenset({Role.MAINTENANCE, Role.MANAGER, Role.ADMIN}),
}


# --- inputs -----------------------------------------------------------------------------------------------------------


class Command(msgspec.Struct, frozen=True, tag="command"):
    """A person's or terminal's wish. Same ``command_id`` and content: same answer; other content: refused."""

    command_id: str
    actor: Actor
    body: CommandBody


class ConfigApplied(msgspec.Struct, frozen=True, tag="config"):
    """A configuration. Refused (and said so) while a zone is not NORMAL, except at the first start."""

    config: GarageConfig


class DayOpened(msgspec.Struct, frozen=True, tag="day"):
    day: str


class Timer(msgspec.Struct, frozen=True, tag="timer"):
    """The kernel's deadline came."""


GarageInput = DeviceReading | Command | ConfigApplied | DayOpened | Timer


# --- views ------------------------------------------------------------------------------------------------------------


class ZoneState(StrEnum):
    NORMAL = "normal"
    WATCH = "watch"
    PRE_ALARM = "pre_alarm"
    FIRE = "fire"
    LATCHED = "latched"
    RESETTABLE = "resettable"


class SourceState(StrEnum):
    """UNKNOWN: no fresh word since the start; STALE: two supervision periods missed; ABSENT: its master says so."""

    CLEAR = "clear"
    ACTIVE = "active"
    TEST = "test"
    FAULT = "fault"
    STALE = "stale"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class CutState(StrEnum):
    """How far the proof of a cut is. WELDED: reported off while current flows; UNPROVEN: no meter says so in time."""

    NONE = "none"
    COMMANDED = "commanded"
    PROVEN = "proven"
    UNPROVEN = "unproven"
    WELDED = "welded"


class PortPhase(StrEnum):
    EMPTY = "empty"
    IDLE_LOAD = "idle_load"
    CC = "cc"
    TAPER = "taper"
    FLOAT = "float"
    DONE = "done"
    SUSPECT = "suspect"
    TRIPPED = "tripped"


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    source: str
    kind: SignalKind
    name: Text
    state: SourceState
    heard_ago_s: int | None
    battery_low: bool = False
    detail: str = ""


class OutputView(msgspec.Struct, frozen=True, kw_only=True):
    """``wanted`` is what we command, ``on`` what the device says, ``cut`` the proof (contactor only)."""

    output: str
    kind: OutputKind
    name: Text
    wanted: bool
    on: bool | None
    cut: CutState = CutState.NONE
    fault: str = ""


class ZoneView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a panel shows of a zone; key ``zone/<zone>``. ``reasons`` are stable codes with their sources, the first
    cause first (smoke:B1-smoke-2 ...); ``blocks_reset`` names what a reset still waits for (signal:..., clear_for,
    cut:..., latched_neighbour:...)."""

    zone: str
    name: Text
    state: ZoneState
    reasons: tuple[str, ...]
    blocks_reset: tuple[str, ...]
    clear_in_s: int | None
    cut: CutState
    silenced: bool
    test_left_s: int
    water_asked: bool
    doors_released: bool
    sources: tuple[SourceView, ...]
    outputs: tuple[OutputView, ...]
    doors: tuple[DoorView, ...] = ()
    ports: tuple[str, ...]
    power_w: int
    limit_w: int
    since_wall_ns: int
    at_wall_ns: int
    clock_trusted: bool


class PortView(msgspec.Struct, frozen=True, kw_only=True):
    """One charger; key ``port/<port>``. ``armed`` False: it stays off until re-armed. ``reason`` is why it was last
    switched off (full, stopped, overpower, no_taper, hard_cap, meter_silent, smoke, unplugged ...). ``queue`` is its
    place in the zone's load queue, 0 = not waiting. ``remaining_min`` None unknown. ``member`` is a token."""

    port: str
    zone: str
    name: Text
    phase: PortPhase
    armed: bool
    wanted: bool
    on: bool | None
    cut: CutState
    reason: str
    fault: str
    power_w: float | None
    current_a: float | None
    temperature_c: float | None
    measured_ago_s: int | None
    session_id: str
    member: str
    energy_wh: int
    cost_fen: int
    charging_s: int
    remaining_min: int | None
    queue: int
    at_wall_ns: int


class GarageView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole garage in one glance; key ``garage``. ``zones``: (zone, state, cut). ``armed`` False with ``problems``:
    the configuration was refused and why."""

    site: Text
    armed: bool
    problems: tuple[str, ...]
    zones: tuple[tuple[str, ZoneState, CutState], ...]
    sessions: int
    power_w: int
    set_aside: int
    business_day: str
    at_wall_ns: int
